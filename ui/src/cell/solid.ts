/// The part that draws 3D objects, which a cell of a notebook leaves out: it is as large as all else together.

export { openStage } from "../archive/solid";
