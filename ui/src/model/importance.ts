/// Which params matter for a result: rank correlation, and a small forest of regression trees.
///
/// A param's *importance* is how much the forest's error on the runs that a tree has not seen grows when the param's
/// values are shuffled among them (Breiman, Random Forests, 2001). It sees what a correlation cannot: bends and steps.

import { cellKey, numberIn, type Cell } from "./cell";

const TREES = 60;
const DEPTH_MOST = 6;
const LEAF_LEAST = 3;
const CUTS_MOST = 12;
const RUNS_MOST = 2000;

/// One param's part in a result. `importance` adds up to 1 over all params; `correlation` is Spearman's, or null for
/// texts.
export interface Importance {
  readonly key: string;
  readonly importance: number;
  readonly correlation: number | null;
}

/// A repeatable source of numbers in 0 … 1 (mulberry32), so that a picture does not change by itself.
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/// Ranks from 1; equal values share the mean of their places.
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const result = new Array<number>(values.length);
  for (let i = 0; i < order.length;) {
    let j = i;
    while (j + 1 < order.length && values[order[j + 1]] === values[order[i]]) j++;
    for (let k = i; k <= j; k++) result[order[k]] = (i + j) / 2 + 1;
    i = j + 1;
  }
  return result;
}

/// Spearman's rank correlation; null when one side does not vary or there are under three pairs.
export function spearman(x: readonly number[], y: readonly number[]): number | null {
  const pairs = x
    .map((value, i) => [value, y[i]] as const)
    .filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
  if (pairs.length < 3) return null;
  const [rx, ry] = [ranks(pairs.map(([a]) => a)), ranks(pairs.map(([, b]) => b))];
  const mean = (pairs.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < rx.length; i++) {
    xy += (rx[i] - mean) * (ry[i] - mean);
    xx += (rx[i] - mean) ** 2;
    yy += (ry[i] - mean) ** 2;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

type Tree =
  | { readonly value: number }
  | { readonly column: number; readonly cut: number; readonly low: Tree; readonly high: Tree };

/// Texts become numbers ordered by the mean result of their runs, so that one cut can part them well.
function encode(
  cells: readonly Cell[],
  y: readonly number[],
): { readonly values: number[]; readonly isNumeric: boolean } {
  const numbers = cells.map(numberIn);
  if (cells.every((cell, i) => cell === null || (numbers[i] !== null && !Number.isNaN(numbers[i]))))
    return { values: numbers.map((value) => value ?? -Infinity), isNumeric: true };
  const sums = new Map<string, { sum: number; count: number }>();
  cells.forEach((cell, i) => {
    const key = cellKey(cell);
    const entry = sums.get(key) ?? { sum: 0, count: 0 };
    entry.sum += y[i];
    entry.count++;
    sums.set(key, entry);
  });
  return {
    values: cells.map((cell) => {
      const entry = sums.get(cellKey(cell));
      return entry ? entry.sum / entry.count : 0;
    }),
    isNumeric: false,
  };
}

function meanOf(rows: readonly number[], y: readonly number[]): number {
  let sum = 0;
  for (const row of rows) sum += y[row];
  return sum / rows.length;
}

/// The cut of one column that lowers the squared error most; gain 0 if there is none.
function bestCut(
  values: readonly number[],
  rows: readonly number[],
  y: readonly number[],
  random: () => number,
): { readonly cut: number; readonly gain: number } {
  const distinct = [...new Set(rows.map((row) => values[row]))].sort((a, b) => a - b);
  let best = { cut: 0, gain: 0 };
  const total = rows.reduce((sum, row) => sum + y[row], 0);
  const tries = Math.min(CUTS_MOST, distinct.length - 1);
  for (let t = 0; t < tries; t++) {
    const at = distinct.length - 1 <= CUTS_MOST ? t : Math.floor(random() * (distinct.length - 1));
    let [count, sum] = [0, 0];
    for (const row of rows) {
      if (values[row] > distinct[at]) continue;
      count++;
      sum += y[row];
    }
    const others = rows.length - count;
    if (count < LEAF_LEAST || others < LEAF_LEAST) continue;
    const gain = sum ** 2 / count + (total - sum) ** 2 / others - total ** 2 / rows.length;
    if (gain > best.gain) best = { cut: distinct[at], gain };
  }
  return best;
}

function grow(
  columns: readonly (readonly number[])[],
  rows: readonly number[],
  y: readonly number[],
  depth: number,
  random: () => number,
): Tree {
  if (depth >= DEPTH_MOST || rows.length < 2 * LEAF_LEAST) return { value: meanOf(rows, y) };
  const tried = Math.max(1, Math.ceil(columns.length / 2));
  let best = { column: -1, cut: 0, gain: 1e-12 };
  for (let t = 0; t < tried; t++) {
    const column = Math.floor(random() * columns.length);
    const { cut, gain } = bestCut(columns[column], rows, y, random);
    if (gain > best.gain) best = { column, cut, gain };
  }
  if (best.column < 0) return { value: meanOf(rows, y) };
  const values = columns[best.column];
  const low = rows.filter((row) => values[row] <= best.cut);
  const high = rows.filter((row) => values[row] > best.cut);
  return {
    column: best.column,
    cut: best.cut,
    low: grow(columns, low, y, depth + 1, random),
    high: grow(columns, high, y, depth + 1, random),
  };
}

function predict(tree: Tree, at: (column: number) => number): number {
  let node = tree;
  while ("column" in node) node = at(node.column) <= node.cut ? node.low : node.high;
  return node.value;
}

/// How much each column matters for `target`. Runs without a finite target are left out. Cost: tens of ms for 1,000
/// runs.
export function importances(
  columns: readonly { readonly key: string; readonly cells: readonly Cell[] }[],
  target: readonly Cell[],
): readonly Importance[] {
  const rows = target
    .map((cell, row) => (typeof cell === "number" && Number.isFinite(cell) ? row : -1))
    .filter((row) => row >= 0)
    .slice(0, RUNS_MOST);
  if (rows.length < 2 * LEAF_LEAST || columns.length === 0) return [];
  const y = rows.map((row) => target[row] as number);
  const encoded = columns.map(({ cells }) =>
    encode(
      rows.map((row) => cells[row] ?? null),
      y,
    ),
  );
  const values = encoded.map((column) => column.values);
  const random = randomSource(7);
  const harm = new Float64Array(columns.length);
  for (let t = 0; t < TREES; t++) {
    const bag = y.map(() => Math.floor(random() * y.length));
    const inBag = new Set(bag);
    const unseen = y.map((_, i) => i).filter((i) => !inBag.has(i));
    if (unseen.length === 0) continue;
    const tree = grow(values, bag, y, 0, random);
    const error = (shuffled: number, other: readonly number[]): number =>
      unseen.reduce(
        (sum, row, i) =>
          sum + (predict(tree, (column) => values[column][column === shuffled ? other[i] : row]) - y[row]) ** 2,
        0,
      );
    const base = error(-1, unseen);
    for (let column = 0; column < columns.length; column++) {
      const other = [...unseen];
      for (let i = other.length - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [other[i], other[j]] = [other[j], other[i]];
      }
      harm[column] += Math.max(0, error(column, other) - base);
    }
  }
  const total = harm.reduce((sum, value) => sum + value, 0);
  return columns
    .map(({ key }, i) => ({
      key,
      importance: total > 0 ? harm[i] / total : 0,
      correlation: encoded[i].isNumeric ? spearman(values[i], y) : null,
    }))
    .sort((a, b) => b.importance - a.importance);
}
