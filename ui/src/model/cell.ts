/// A value in a column of runs, and what it is called as a group's name.

import { exactText } from "../wire/json";
import type { Json } from "../wire/types";

/// A value in a column; null is missing.
export type Cell = null | number | string | boolean | readonly string[] | Json;

/// A value as a group's name.
export function cellLabel(cell: Cell): string {
  if (cell === null) return "–";
  if (typeof cell === "string") return cell;
  if (Array.isArray(cell))
    return cell.length === 0
      ? "–"
      : cell.map((item) => (typeof item === "string" ? item : exactText(item as Json))).join(", ");
  if (typeof cell === "number" && !Number.isFinite(cell)) return Number.isNaN(cell) ? "NaN" : cell > 0 ? "∞" : "-∞";
  if (typeof cell !== "number") return exactText(cell as Json);
  return Number.isSafeInteger(cell) ? String(cell) : String(Number(cell.toPrecision(6)));
}
