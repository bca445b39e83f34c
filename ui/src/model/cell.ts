/// A value in a column of runs, and what it is called as a group's name.

import { digitsOf, exactText } from "../wire/json";
import type { Json } from "../wire/types";

/// A value in a column; null is missing.
export type Cell = null | number | string | boolean | readonly string[] | Json;

/// A number in a cell as a double, which is near to a large integer; null: no number.
export function numberIn(cell: Cell): number | null {
  if (typeof cell === "number") return cell;
  const digits = digitsOf(cell);
  return digits === null ? null : Number(digits);
}

/// A number in a cell as what it is: large integers with all their digits; null: no number.
export function quantityIn(cell: Cell): number | bigint | null {
  const digits = digitsOf(cell);
  if (digits !== null) return BigInt(digits);
  return typeof cell === "number" ? cell : null;
}

/// A number in a cell with all that is known of its digits, for a title.
export function valueTitle(cell: Cell): string {
  return typeof cell === "number" ? String(cell) : exactText(cell);
}

/// A text that is equal for equal cells only: NaN, the text `NaN` and a missing value differ.
export function cellKey(cell: Cell): string {
  return typeof cell === "number" ? String(cell) : JSON.stringify(cell);
}

/// A value as a group's name.
export function cellLabel(cell: Cell): string {
  if (cell === null) return "–";
  if (typeof cell === "string") return cell;
  if (Array.isArray(cell))
    return cell.length === 0 ? "–" : cell.map((item) => (typeof item === "string" ? item : exactText(item))).join(", ");
  if (typeof cell === "number" && !Number.isFinite(cell)) return Number.isNaN(cell) ? "NaN" : cell > 0 ? "∞" : "-∞";
  if (typeof cell !== "number") return exactText(cell);
  return Number.isSafeInteger(cell) ? String(cell) : String(Number(cell.toPrecision(6)));
}
