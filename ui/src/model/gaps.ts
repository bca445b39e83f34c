/// What a run has lost because a disk refused it, in words.

import { plural } from "./words";
import type { Gap } from "../wire/types";

/// What is lost: `4,620 points and 1 event line`; empty if nothing is.
export function lostText(gaps: readonly Pick<Gap, "points" | "lines">[]): string {
  const sum = (of: "points" | "lines"): number => gaps.reduce((count, gap) => count + gap[of], 0);
  const [points, lines] = [sum("points"), sum("lines")];
  return [points > 0 ? plural(points, "point") : "", lines > 0 ? plural(lines, "event line") : ""]
    .filter(Boolean)
    .join(" and ");
}
