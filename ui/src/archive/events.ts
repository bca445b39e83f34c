/// Live updates of a page in one file: there are none.

import type { LiveHandlers } from "../wire/events";

export type { LiveHandlers, LiveState } from "../wire/events";

/// Follows nothing.
export function follow(_repo: string, _cursor: () => string | null, { state }: LiveHandlers): () => void {
  state("off");
  return () => undefined;
}
