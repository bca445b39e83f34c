/// The part that draws 3D objects, in pages that are one script: a second script, there when the page has such objects.

import type { Stage } from "../solid/solid";

/// What the second script leaves for this one.
export interface SolidScript {
  readonly openStage: () => Stage;
}

/// The stage of this page. Throws an error with a sentence where there is none.
export function openStage(): Stage {
  const { aimSolid } = globalThis as { readonly aimSolid?: SolidScript };
  if (!aimSolid)
    throw new Error("3D objects are drawn by the pages of `aim up`, and in exported pages that hold some.");
  return aimSolid.openStage();
}
