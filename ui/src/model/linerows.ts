/// The lines of a chart as rows of a table, sortable by each column.

import type { Extent } from "../chart/extent";
import type { Line } from "../chart/line";
import type { Cell } from "./cell";
import type { CardLines } from "./lines";
import { compareCells } from "./table";

/// One line, and what its values are like.
export interface LineRow {
  readonly owner: string;
  readonly label: string;
  readonly color: string;
  /// NaN for a line without a finite value.
  readonly last: Cell;
  readonly min: Cell;
  readonly max: Cell;
  readonly points: number;
}

/// The columns by which lines can be sorted.
export type LineKey = "label" | "last" | "min" | "max" | "points";

/// The value of a point, with all digits of a large integer.
export function valueAt({ y, exact }: Pick<Line, "y" | "exact">, index: number): Cell {
  const digits = exact?.get(index);
  return digits === undefined ? y[index] : { $int: digits };
}

/// The rows of a chart: of each line what lies in the window, and no line that has nothing there. Faint lines are left
/// out. `window`: the zoomed range of x; null: all.
export function lineRows(lines: CardLines, window: Extent | null): readonly LineRow[] {
  return lines.data.lines.flatMap(({ owner, label, color, x, y, exact, faint }): LineRow[] => {
    let [least, most, latest, points] = [-1, -1, -1, 0];
    const isBelow = (i: number, j: number): boolean =>
      y[i] < y[j] || (exact != null && y[i] === y[j] && compareCells(at(i), at(j), false) < 0);
    const at = (index: number): Cell => valueAt({ y, exact }, index);
    for (let i = 0; i < y.length; i++) {
      if (window && (x[i] < window[0] || x[i] > window[1])) continue;
      points++;
      if (Number.isFinite(y[i])) latest = i;
      if (Number.isNaN(y[i])) continue;
      if (least < 0 || isBelow(i, least)) least = i;
      if (most < 0 || isBelow(most, i)) most = i;
    }
    const [min, max] = [least < 0 ? Infinity : at(least), most < 0 ? -Infinity : at(most)];
    const last = latest < 0 ? NaN : at(latest);
    return faint || (window && points === 0) ? [] : [{ owner, label, color, last, min, max, points }];
  });
}

/// The rows in the order of a column.
export function sortedLines(rows: readonly LineRow[], key: LineKey, descending: boolean): readonly LineRow[] {
  return [...rows].sort((a, b) => compareCells(a[key], b[key], descending));
}
