/// How often the values of a column come, for the menu of its head.

import { cellKey, numberIn, type Cell } from "./cell";

const BINS = 24;
const LOG_RATIO = 100; // values further apart than this, all positive, are counted by their logarithms

/// Bins of equal width, of the numbers or of their logarithms.
export interface Histogram {
  readonly isLog: boolean;
  readonly counts: readonly number[];
  /// The value at a share of the width, 0 to 1.
  readonly at: (share: number) => number;
}

/// The histogram of the finite numbers; null: there are none, or they are all equal.
export function histogramOf(cells: readonly Cell[]): Histogram | null {
  const numbers = cells.map(numberIn).filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (numbers.length === 0) return null;
  const [low, high] = numbers.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity],
  );
  if (low === high) return null;
  const isLog = low > 0 && high / low > LOG_RATIO;
  const scale = isLog ? Math.log : (value: number): number => value;
  const back = isLog ? Math.exp : (value: number): number => value;
  const [from, width] = [scale(low), scale(high) - scale(low)];
  const counts = new Array<number>(BINS).fill(0);
  for (const value of numbers) counts[Math.min(BINS - 1, Math.floor((BINS * (scale(value) - from)) / width))]++;
  const at = (share: number): number => (share <= 0 ? low : share >= 1 ? high : back(from + share * width));
  return { isLog, counts, at };
}

/// The values that most cells have, with their numbers.
export function commonest(
  cells: readonly Cell[],
  most: number,
): readonly { readonly cell: Cell; readonly count: number }[] {
  const counts = new Map<string, { readonly cell: Cell; count: number }>();
  for (const cell of cells) {
    const entry = counts.get(cellKey(cell));
    if (entry) entry.count++;
    else counts.set(cellKey(cell), { cell, count: 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).slice(0, most);
}
