/// Curves that an expression makes of others. The curves of a run are aligned at the x of the first one that the
/// expression names; between two points of another one its value is on the straight line that is drawn between them,
/// and before its first and after its last point it has none.

import { lowerBound, type Numbers } from "../chart/scale";
import { sequenceText } from "./fields";
import { evaluate, metricsIn, type Expression } from "./expression";
import type { Frame, FramePart } from "../wire/frame";
import type { SequenceKey } from "../wire/types";

/// The value of a curve at `x`, between its points on a straight line; NaN outside of them.
export function valueOn(xs: Numbers, ys: Numbers, x: number): number {
  const after = lowerBound(xs, x);
  if (after < xs.length && xs[after] === x) return ys[after];
  if (after === 0 || after === xs.length) return NaN;
  const share = (x - xs[after - 1]) / (xs[after] - xs[after - 1]);
  return ys[after - 1] + share * (ys[after] - ys[after - 1]);
}

function whose(part: FramePart): string {
  return `${part.run ?? ""} ${part.group} ${part.branch ?? ""} ${part.part}`;
}

/// The frame with one curve for each run or group that has all curves of the expression. `metrics`: those that the
/// expression was parsed with; `name`: what the curve is called.
export function derivedFrame(
  frame: Frame,
  expression: Expression,
  metrics: readonly SequenceKey[],
  name: string,
): Frame {
  const indices = metricsIn(expression);
  const texts = indices.map((index) => sequenceText(metrics[index]));
  const owners = new Map<string, Map<string, FramePart>>();
  for (const part of frame.parts) {
    if (part.part !== "line" && part.part !== "smooth") continue; // a band of a difference is not that of its parts
    const key = whose(part);
    const parts = owners.get(key) ?? new Map<string, FramePart>();
    parts.set(sequenceText(part.metric), part);
    owners.set(key, parts);
  }
  const parts: FramePart[] = [];
  for (const curves of owners.values()) {
    const needed = texts.map((text) => curves.get(text));
    if (needed.length === 0 || needed.some((part) => part === undefined)) continue;
    const [first] = needed as FramePart[];
    const byIndex = new Map(indices.map((index, i) => [index, needed[i] as FramePart]));
    const y = Float64Array.from(first.x, (x) =>
      evaluate(expression, (index) => {
        const curve = byIndex.get(index) as FramePart;
        return valueOn(curve.x, curve.y, x);
      }),
    );
    parts.push({ ...first, metric: { name, context: {} }, y, exact: null });
  }
  return { ...frame, parts };
}
