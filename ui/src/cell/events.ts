/// Live updates in a cell of a notebook: the kernel tells of changes by itself.

import { onTick } from "./transport";
import type { LiveHandlers } from "../wire/events";
import type { Tick } from "../wire/types";

export type { LiveHandlers, LiveState } from "../wire/events";

/// Follows the repository until the returned function is called.
export function follow(_repo: string, _cursor: () => string | null, { tick, state }: LiveHandlers): () => void {
  state("live");
  const stop = onTick((next) => tick(next as Tick));
  return () => {
    stop();
    state("off");
  };
}
