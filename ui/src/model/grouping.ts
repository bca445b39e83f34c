/// Which colour and which dash a run has: its own steady colour, or its group's.

import { DASHES, GREY, PALETTE, rampColor, type Theme } from "../chart/palette";
import { ownColors } from "./runcolors";
import { exactText } from "../wire/json";
import type { Json } from "../wire/types";
import { compareCells, type Cell, type RunTable } from "./table";

/// Runs with one value of the grouping field.
export interface Group {
  readonly label: string;
  readonly value: Cell;
  readonly color: string;
  readonly hashes: readonly string[];
}

export interface Coloring {
  readonly groups: readonly Group[];
  readonly colorOf: (hash: string) => string;
}

/// A value as a group's name.
export function cellLabel(cell: Cell): string {
  if (cell === null) return "–";
  if (typeof cell === "string") return cell;
  if (Array.isArray(cell))
    return cell.length === 0
      ? "–"
      : cell.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join(", ");
  if (typeof cell === "number" && !Number.isFinite(cell)) return Number.isNaN(cell) ? "NaN" : cell > 0 ? "∞" : "-∞";
  if (typeof cell !== "number") return exactText(cell as Json);
  return Number.isSafeInteger(cell) ? String(cell) : String(Number(cell.toPrecision(6)));
}

/// The runs of a table by the values of one column. Numbers in their order, texts by how many runs they have.
export function splitBy(
  table: RunTable,
  key: string,
): { readonly label: string; readonly value: Cell; readonly hashes: readonly string[] }[] {
  const column = table.columns.get(key);
  if (!column) return [];
  const byLabel = new Map<string, { label: string; value: Cell; hashes: string[] }>();
  table.hashes.forEach((hash, row) => {
    const value = column.cells[row] ?? null;
    const label = cellLabel(value);
    const group = byLabel.get(label);
    if (group) group.hashes.push(hash);
    else byLabel.set(label, { label, value, hashes: [hash] });
  });
  const groups = [...byLabel.values()];
  const isNumeric = groups.every(({ value }) => value === null || typeof value === "number");
  return groups.sort((a, b) =>
    isNumeric
      ? compareCells(a.value, b.value, false)
      : b.hashes.length - a.hashes.length || compareCells(a.value, b.value, false),
  );
}

/// Colours by one column; by the run itself when `key` is empty.
export function coloring(table: RunTable, key: string, theme: Theme): Coloring {
  const palette = PALETTE[theme];
  const parts = key === "" ? [] : splitBy(table, key);
  if (parts.length === 0) return { groups: [], colorOf: ownColors(table, theme) };
  const isNumeric = parts.length > 2 && parts.every(({ value }) => value === null || typeof value === "number");
  const largest = new Set(
    [...parts]
      .sort((a, b) => b.hashes.length - a.hashes.length)
      .slice(0, palette.length)
      .map(({ label }) => label),
  );
  let next = 0;
  const groups = parts.map((part, i): Group => {
    if (part.value === null) return { ...part, color: GREY[theme] };
    if (isNumeric) return { ...part, color: rampColor(i / (parts.length - 1), theme) };
    return { ...part, color: largest.has(part.label) ? palette[next++ % palette.length] : GREY[theme] };
  });
  const byHash = new Map<string, string>();
  for (const group of groups) for (const hash of group.hashes) byHash.set(hash, group.color);
  return { groups, colorOf: (hash) => byHash.get(hash) ?? GREY[theme] };
}

/// Dashes by one column; solid for all when `key` is empty.
export function dashing(table: RunTable, key: string): (hash: string) => readonly number[] {
  if (key === "") return () => DASHES[0];
  const byHash = new Map<string, readonly number[]>();
  splitBy(table, key).forEach((part, i) => {
    for (const hash of part.hashes) byHash.set(hash, DASHES[Math.min(i, DASHES.length - 1)]);
  });
  return (hash) => byHash.get(hash) ?? DASHES[0];
}

/// The dash of a context when several share a card: what validates is solid, what trains is dashed.
export function contextDash(contexts: readonly string[], key: string): readonly number[] {
  const solidFirst = [...contexts].sort(
    (a, b) => Number(/train/i.test(a)) - Number(/train/i.test(b)) || (a < b ? -1 : 1),
  );
  return DASHES[Math.min(solidFirst.indexOf(key), DASHES.length - 1)] ?? DASHES[0];
}
