/// The script that draws 3D objects in a page in one file, beside that of the pages.

import { openStage } from "./solid/solid";
import type { SolidScript } from "./archive/solid";

Object.assign(globalThis, { aimSolid: { openStage } satisfies SolidScript });
