/// The lines of a chart as rows of a table, sortable by each column.

import type { Extent } from "../chart/extent";
import type { CardLines } from "./lines";
import { compareCells } from "./table";

/// One line, and what its values are like.
export interface LineRow {
  readonly owner: string;
  readonly label: string;
  readonly color: string;
  /// NaN for a line without a finite value.
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly points: number;
}

/// The columns by which lines can be sorted.
export type LineKey = "label" | "last" | "min" | "max" | "points";

/// The rows of a chart: of each line what lies in the window, and no line that has nothing there. Faint lines are left
/// out. `window`: the zoomed range of x; null: all.
export function lineRows(lines: CardLines, window: Extent | null): readonly LineRow[] {
  return lines.data.lines.flatMap(({ owner, label, color, x, y, faint }): LineRow[] => {
    let [min, max, last, points] = [Infinity, -Infinity, NaN, 0];
    for (let i = 0; i < y.length; i++) {
      if (window && (x[i] < window[0] || x[i] > window[1])) continue;
      points++;
      const value = y[i];
      if (Number.isFinite(value)) last = value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    return faint || (window && points === 0) ? [] : [{ owner, label, color, last, min, max, points }];
  });
}

/// The rows in the order of a column.
export function sortedLines(rows: readonly LineRow[], key: LineKey, descending: boolean): readonly LineRow[] {
  return [...rows].sort((a, b) => compareCells(a[key], b[key], descending));
}
