/// A column of the table as an axis: numbers, linear or logarithmic, or one position for each text.

import { cellKey, cellLabel, numberIn } from "./cell";
import { compareCells, type Column } from "./table";
import { axisTicks, shortNumber } from "../chart/ticks";
import { Scale } from "../chart/scale";

/// An axis: each row's position in 0 … 1 (NaN: none), and marks with their positions.
export interface Axis {
  readonly key: string;
  readonly label: string;
  readonly kind: "linear" | "log" | "category";
  readonly positions: Float64Array;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  /// The value at a position, for people.
  readonly textAt: (at: number) => string;
}

const LOG_RATIO = 20; // numbers that span so many times their smallest are shown by powers

const CROWDED_BELOW = 0.2; // where, of its range, the middle value of a metric lies that is better shown by powers
const MARKED_MOST = 6; // so few values of a param have a mark each

/// Whether numbers between `low` and `high` are shown by powers. Params that span far were chosen so, such as learning
/// rates; of a metric one small value says little: its values have to crowd at the low end, as losses do and accuracies
/// do not.
function isLogarithmic(numbers: readonly number[], low: number, high: number, isMetric: boolean): boolean {
  if (low <= 0 || high / low < LOG_RATIO) return false;
  const middle = [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
  return !isMetric || (middle - low) / (high - low) <= CROWDED_BELOW;
}

/// The axis of a column.
export function axisOf(column: Column, label: string): Axis {
  const { cells, key } = column;
  const doubles = cells.map((cell) => numberIn(cell) ?? NaN);
  const numbers = doubles.filter(Number.isFinite);
  // integers so large that no double tells them apart have a place each, as texts have
  const isExact =
    new Set(numbers).size === new Set(cells.filter((_, i) => Number.isFinite(doubles[i])).map(cellKey)).size;
  const isNumeric = column.type === "number" && numbers.length > 0 && isExact;
  if (isNumeric) {
    const [low, high] = numbers.reduce(
      ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
      [Infinity, -Infinity],
    );
    const isMetric = column.field[0] === "metric";
    const kind = isLogarithmic(numbers, low, high, isMetric) ? "log" : "linear";
    const [from, to] =
      low === high ? [low - (Math.abs(low) || 1) * 0.5, high + (Math.abs(high) || 1) * 0.5] : [low, high];
    const scale = new Scale(kind, from, to, 0, 1);
    const positions = Float64Array.from(doubles, (value) => (Number.isFinite(value) ? scale.px(value) : NaN));
    const distinct = [...new Set(numbers)].sort((a, b) => a - b);
    const marks = !isMetric && distinct.length <= MARKED_MOST ? distinct : axisTicks(kind, "number", from, to, 6);
    const ticks = marks
      .map((value) => ({ at: scale.px(value), label: shortNumber(value) }))
      .filter(({ at }) => at >= -0.001 && at <= 1.001);
    return { key, label, kind, positions, ticks, textAt: (at) => shortNumber(Number(scale.value(at).toPrecision(4))) };
  }
  const values = [...new Map(cells.map((cell) => [cellLabel(cell), cell])).entries()]
    .sort(([, a], [, b]) => compareCells(a, b, false))
    .map(([text]) => text);
  const position = new Map(values.map((text, i) => [text, values.length === 1 ? 0.5 : i / (values.length - 1)]));
  const stride = Math.ceil(values.length / 24);
  return {
    key,
    label,
    kind: "category",
    positions: Float64Array.from(cells, (cell) => position.get(cellLabel(cell)) ?? NaN),
    ticks: values.filter((_, i) => i % stride === 0).map((text) => ({ at: position.get(text) ?? 0, label: text })),
    textAt: (at) => values[Math.round(at * (values.length - 1))] ?? "",
  };
}

/// Rows that lie in all brushes; a brush is a range of positions on an axis.
export function brushedRows(
  axes: readonly Axis[],
  brushes: ReadonlyMap<string, readonly [number, number]>,
  count: number,
): readonly number[] {
  const active = axes.flatMap((axis) => {
    const range = brushes.get(axis.key);
    return range ? [{ axis, range }] : [];
  });
  const rows: number[] = [];
  for (let row = 0; row < count; row++) {
    if (active.every(({ axis, range }) => axis.positions[row] >= range[0] && axis.positions[row] <= range[1]))
      rows.push(row);
  }
  return rows;
}

/// The straight line that fits points best, and how well (r²); null for under three points.
export function trendOf(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
): { readonly slope: number; readonly offset: number; readonly r2: number } | null {
  let [n, sx, sy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) continue;
    n++;
    sx += x[i];
    sy += y[i];
  }
  if (n < 3) return null;
  let [xx, xy, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) continue;
    xx += (x[i] - sx / n) ** 2;
    xy += (x[i] - sx / n) * (y[i] - sy / n);
    yy += (y[i] - sy / n) ** 2;
  }
  if (xx === 0 || yy === 0) return null;
  return { slope: xy / xx, offset: sy / n - ((xy / xx) * sx) / n, r2: xy ** 2 / (xx * yy) };
}
