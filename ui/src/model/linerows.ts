/// The lines of a chart as rows of a table, sortable by each column.

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

/// The rows of a chart; faint lines are left out.
export function lineRows(lines: CardLines): readonly LineRow[] {
  return lines.data.lines
    .filter((line) => !line.faint)
    .map(({ owner, label, color, y }) => {
      let [min, max, last] = [Infinity, -Infinity, NaN];
      for (const value of y) {
        if (Number.isFinite(value)) last = value;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      return { owner, label, color, last, min, max, points: y.length };
    });
}

/// The rows in the order of a column.
export function sortedLines(rows: readonly LineRow[], key: LineKey, descending: boolean): readonly LineRow[] {
  return [...rows].sort((a, b) => compareCells(a[key], b[key], descending));
}
