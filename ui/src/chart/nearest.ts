/// Which points are under the pointer. No index: one binary search a line is under 2 ms for 5,000 lines.

import type { Line } from "./line";
import { nearestIndex, transform, type Scale } from "./scale";

/// A point of a line, and how far from the pointer it is.
export interface Hit {
  readonly line: Line;
  readonly index: number;
  readonly distance_px: number;
}

/// Index of the line's point to show for `x`; -1 if it has none near. Lines that end long before x are not near.
export function indexAt(line: Line, x: number, scale: Scale): number {
  if (line.sorted) {
    const index = nearestIndex(line.x, x);
    if (index < 0) return -1;
    const reach_px = 24;
    const isOutside = x < line.x[0] || x > line.x[line.x.length - 1];
    return isOutside && Math.abs(scale.px(line.x[index]) - scale.px(x)) > reach_px ? -1 : index;
  }
  const target = transform(scale.kind, x);
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < line.x.length; i++) {
    const gap = Math.abs(transform(scale.kind, line.x[i]) - target);
    if (gap < least) {
      least = gap;
      best = i;
    }
  }
  return best;
}

/// The `count` lines nearest to a pixel, nearest first. Faint lines are passed over. `right`: the second y axis.
export function nearestLines(
  lines: readonly Line[],
  px: number,
  py: number,
  x: Scale,
  y: Scale,
  count: number,
  right: Scale | null = null,
): Hit[] {
  const at = x.value(px);
  const hits: Hit[] = [];
  for (const line of lines) {
    if (line.faint) continue;
    const index = indexAt(line, at, x);
    if (index < 0) continue;
    const value = (line.right && right ? right : y).px(line.y[index]);
    const distance_px = Number.isFinite(value) ? Math.abs(value - py) : Number.MAX_VALUE;
    if (hits.length < count || distance_px < hits[hits.length - 1].distance_px) {
      let rank = hits.length;
      while (rank > 0 && hits[rank - 1].distance_px > distance_px) rank--;
      hits.splice(rank, 0, { line, index, distance_px });
      if (hits.length > count) hits.pop();
    }
  }
  return hits;
}
