/// The best point of a curve, and the ring that marks it.

import type { Line } from "./line";
import type { Numbers, Scale } from "./scale";

/// Which end of a curve's values is its best.
export type BestEnd = "min" | "max";

const RING_PX = 4;

/// The index of the first least or greatest finite value; -1: there is none.
export function bestIndex(values: Numbers, end: BestEnd): number {
  const sign = end === "max" ? 1 : -1;
  let best = -1;
  for (let i = 0; i < values.length; i++)
    if (Number.isFinite(values[i]) && (best < 0 || sign * (values[i] - values[best]) > 0)) best = i;
  return best;
}

/// Draws a ring at the best point of a line, where it is within the picture.
export function drawBest(
  context: CanvasRenderingContext2D,
  line: Line,
  end: BestEnd,
  { x, y }: { readonly x: Scale; readonly y: Scale },
  ground: string,
): void {
  const index = bestIndex(line.y, end);
  if (index < 0 || line.x[index] < x.lo || line.x[index] > x.hi) return;
  context.setLineDash([]);
  context.beginPath();
  context.arc(x.px(line.x[index]), y.px(line.y[index]), RING_PX, 0, 2 * Math.PI);
  context.fillStyle = ground;
  context.fill();
  context.strokeStyle = line.color;
  context.lineWidth = 2;
  context.stroke();
}
