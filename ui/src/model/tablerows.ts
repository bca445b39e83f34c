/// The rows of a logged table in the order of one of its columns.

import { compareCells } from "./table";
import { numberOf, type Json, type WireNumber } from "../wire/types";

type Row = readonly Json[];

/// The rows, sorted; equal ones keep their order, missing values come last. `type`: of the column, as objects.md has
/// it.
export function sortedBy(rows: readonly Row[], column: number, type: string, descending: boolean): readonly Row[] {
  // in a column of floats the texts are NaN and the infinities
  const cellIn = (row: Row): Json => {
    const cell = row[column] ?? null;
    return type === "float" && typeof cell === "string" ? numberOf(cell as WireNumber) : cell;
  };
  const texts = new Intl.Collator("en", { numeric: true });
  return [...rows].sort((a, b) => {
    const [p, q] = [cellIn(a), cellIn(b)];
    if (typeof p === "string" && typeof q === "string") return texts.compare(p, q) * (descending ? -1 : 1);
    return compareCells(p, q, descending);
  });
}
