/// The data of charts over runs or groups of them: values by group, and cells of a heat map.

import { numberIn, type Cell } from "./cell";
import { boxStats, type BoxStats } from "./distributionstats";
import type { Group } from "./grouping";
import { cellOf, compareCells, type RunTable } from "./table";

/// One group with the finite numbers of its runs; groups without one are left out.
export interface GroupValues {
  readonly label: string;
  readonly color: string;
  readonly values: readonly number[];
  readonly stats: BoxStats;
}

/// The values of a field by group. `isShown`: which runs count.
export function valuesByGroup(
  groups: readonly Group[],
  table: RunTable,
  key: string,
  isShown: (hash: string) => boolean,
): readonly GroupValues[] {
  return groups.flatMap(({ label, color, hashes }): GroupValues[] => {
    const values = hashes
      .filter(isShown)
      .map((hash) => numberIn(cellOf(table, key, hash)))
      .filter((value) => value !== null && Number.isFinite(value)) as number[];
    const stats = boxStats(values);
    return stats ? [{ label, color, values, stats }] : [];
  });
}

/// A cell of a heat map: where it is, how many runs it has, and the mean of their values.
export interface HeatCell {
  readonly column: number;
  readonly row: number;
  readonly count: number;
  readonly mean: number;
}

/// A heat map: the values of both fields in their order, and the cells that have runs.
export interface HeatMap {
  readonly columns: readonly Cell[];
  readonly rows: readonly Cell[];
  readonly cells: readonly HeatCell[];
  readonly low: number;
  readonly high: number;
}

const TICKS_MOST = 40;

function distinct(cells: readonly Cell[]): readonly Cell[] {
  const byText = new Map(cells.map((cell) => [JSON.stringify(cell), cell]));
  return [...byText.values()].sort((a, b) => compareCells(a, b, false)).slice(0, TICKS_MOST);
}

/// The heat map of the runs that count and have a finite value. Of each field the first 40 values are drawn.
export function heatMap(
  table: RunTable,
  [x, y, value]: readonly [string, string, string],
  isShown: (hash: string) => boolean,
): HeatMap {
  const hashes = table.hashes.filter((hash) => {
    const number = numberIn(cellOf(table, value, hash));
    return isShown(hash) && number !== null && Number.isFinite(number);
  });
  const columns = distinct(hashes.map((hash) => cellOf(table, x, hash)));
  const rows = distinct(hashes.map((hash) => cellOf(table, y, hash)));
  const indexIn = (list: readonly Cell[]): ReadonlyMap<string, number> =>
    new Map(list.map((cell, i) => [JSON.stringify(cell), i]));
  const [columnOf, rowOf] = [indexIn(columns), indexIn(rows)];
  const sums = new Map<string, { column: number; row: number; count: number; sum: number }>();
  for (const hash of hashes) {
    const column = columnOf.get(JSON.stringify(cellOf(table, x, hash)));
    const row = rowOf.get(JSON.stringify(cellOf(table, y, hash)));
    if (column === undefined || row === undefined) continue;
    const key = `${column} ${row}`;
    const cell = sums.get(key) ?? { column, row, count: 0, sum: 0 };
    cell.count++;
    cell.sum += numberIn(cellOf(table, value, hash)) ?? 0;
    sums.set(key, cell);
  }
  const cells = [...sums.values()].map(({ column, row, count, sum }) => ({ column, row, count, mean: sum / count }));
  const means = cells.map(({ mean }) => mean);
  return { columns, rows, cells, low: Math.min(...means), high: Math.max(...means) };
}
