/// The part that draws 3D objects, which a cell of a notebook leaves out, since it is as large as all else
/// together: the kernel sends it when the first object is to be drawn.

import { openStage as stageOfScript } from "../archive/solid";
import { apiUrl, send } from "./transport";

let script: Promise<void> | null = null;

async function loadScript(): Promise<void> {
  const element = document.createElement("script");
  element.textContent = await (await send(apiUrl("solid.js"))).text();
  document.head.append(element);
}

/// The stage of this page.
export async function openStage(): Promise<ReturnType<typeof stageOfScript>> {
  await (script ??= loadScript());
  return stageOfScript();
}
