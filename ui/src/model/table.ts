/// The matching runs with some columns: typed, in memory, sorted and patched here.

import { numberIn, quantityIn, type Cell } from "./cell";
import { fieldText } from "./fields";
import { floatOf } from "../wire/json";
import { numberOf, type Field, type RunsAnswer, type WireColumn } from "../wire/types";

export interface Column {
  readonly field: Field;
  readonly key: string;
  readonly type: WireColumn["type"];
  readonly cells: readonly Cell[];
}

/// Some runs and their columns; row *i* of every column belongs to `hashes[i]`.
export interface RunTable {
  readonly hashes: readonly string[];
  readonly rowOf: ReadonlyMap<string, number>;
  readonly columns: ReadonlyMap<string, Column>;
  /// How many runs match, and how many there are.
  readonly count: number;
  readonly total: number;
  readonly elapsed_ms: number;
}

/// A table of no runs, before the first answer.
export const EMPTY_TABLE: RunTable = {
  hashes: [],
  rowOf: new Map(),
  columns: new Map(),
  count: 0,
  total: 0,
  elapsed_ms: 0,
};

function cellsOf(column: WireColumn): readonly Cell[] {
  if (column.type === "number")
    return column.values.map((value) => (typeof value === "object" ? value : numberOf(value)));
  if (column.type === "string") return column.codes.map((code) => (code < 0 ? null : column.values[code]));
  return column.type === "json" ? column.values.map((value) => floatOf(value) ?? value) : column.values;
}

function indexOf(hashes: readonly string[]): ReadonlyMap<string, number> {
  return new Map(hashes.map((hash, row) => [hash, row]));
}

/// The table of an answer to a request for `fields`.
export function tableOf(answer: RunsAnswer, fields: readonly Field[]): RunTable {
  const columns = new Map<string, Column>();
  fields.forEach((field, i) => {
    const key = fieldText(field);
    columns.set(key, { field, key, type: answer.columns[i].type, cells: cellsOf(answer.columns[i]) });
  });
  const { hash, count, total, elapsed_ms } = answer;
  return { hashes: hash, rowOf: indexOf(hash), columns, count, total, elapsed_ms };
}

/// A cell; null also for an unknown run or column.
export function cellOf(table: RunTable, key: string, hash: string): Cell {
  const row = table.rowOf.get(hash);
  const column = table.columns.get(key);
  return row === undefined || !column ? null : (column.cells[row] ?? null);
}

function rank(cell: Cell): number {
  if (cell === null) return 2;
  return typeof cell === "number" && Number.isNaN(cell) ? 1 : 0;
}

/// Order of two cells: numbers, then texts; NaN and missing last, whichever the direction.
export function compareCells(a: Cell, b: Cell, descending: boolean): number {
  const last = rank(a) - rank(b);
  if (last !== 0 || rank(a) > 0) return last;
  const sign = descending ? -1 : 1;
  const [p, q] = [quantityIn(a), quantityIn(b)];
  if (p !== null && q !== null) return sign * (p < q ? -1 : p > q ? 1 : 0);
  if (p !== null) return -sign;
  if (q !== null) return sign;
  const [s, t] = [String(a), String(b)];
  return s === t ? 0 : sign * (s < t ? -1 : 1);
}

/// Those of some runs that the table, once it is whole, does not have: its query leaves them out.
export function notListed({ hashes, rowOf, count }: RunTable, runs: readonly string[]): readonly string[] {
  return hashes.length < count ? [] : runs.filter((hash) => !rowOf.has(hash));
}

/// What is said of them beside a number of runs; empty if there are none.
export function notListedText(missing: number, runs: readonly string[]): string {
  if (missing === 0) return "";
  return missing === runs.length ? ", not in this list" : `, ${missing} of them not in this list`;
}

function picked(table: RunTable, rows: readonly number[]): RunTable {
  const columns = new Map<string, Column>();
  for (const [key, column] of table.columns)
    columns.set(key, { ...column, cells: rows.map((row) => column.cells[row] ?? null) });
  const hashes = rows.map((row) => table.hashes[row]);
  return { ...table, hashes, rowOf: indexOf(hashes), columns };
}

/// Only some runs of a table.
export function tableOfRuns(table: RunTable, hashes: readonly string[]): RunTable {
  return picked(
    table,
    hashes.map((hash) => table.rowOf.get(hash) ?? -1),
  );
}

/// Several tables of the same columns as one, at most so many rows of it; of a run that is in several the first counts.
export function joinedTable(tables: readonly RunTable[], rows_most: number): RunTable {
  const [first = EMPTY_TABLE] = tables;
  const placeOf = new Map<string, readonly [RunTable, number]>();
  for (const table of tables)
    table.hashes.forEach((hash, row) => {
      if (!placeOf.has(hash) && placeOf.size < rows_most) placeOf.set(hash, [table, row]);
    });
  const places = [...placeOf.values()];
  const columns = new Map<string, Column>();
  for (const [key, column] of first.columns) {
    const types = new Set(tables.flatMap((table) => table.columns.get(key)?.type ?? []));
    const cells = places.map(([table, row]) => table.columns.get(key)?.cells[row] ?? null);
    columns.set(key, { ...column, cells, type: types.size > 1 ? "json" : column.type });
  }
  const hashes = [...placeOf.keys()];
  return { ...first, hashes, rowOf: indexOf(hashes), columns };
}

/// The same runs in the order of a column; equal ones keep theirs.
export function sorted(table: RunTable, key: string, descending: boolean): RunTable {
  const column = table.columns.get(key);
  if (!column) return table;
  const rows = table.hashes.map((_, row) => row);
  rows.sort((a, b) => compareCells(column.cells[a] ?? null, column.cells[b] ?? null, descending) || a - b);
  return picked(table, rows);
}

/// `old` after some of its runs changed: `changed` were asked for again and `next` is what still matches. New runs come
/// first.
export function patched(old: RunTable, changed: readonly string[], next: RunTable): RunTable {
  const asked = new Set(changed);
  const added = next.hashes.filter((hash) => !old.rowOf.has(hash));
  const remaining = old.hashes.filter((hash) => !asked.has(hash) || next.rowOf.has(hash));
  const hashes = [...added, ...remaining];
  const columns = new Map<string, Column>();
  for (const [key, column] of old.columns) {
    const fresh = next.columns.get(key);
    const cells = hashes.map((hash) => {
      const row = next.rowOf.get(hash);
      if (row !== undefined && fresh) return fresh.cells[row] ?? null;
      return column.cells[old.rowOf.get(hash) ?? -1] ?? null;
    });
    const type = fresh && next.hashes.length > 0 && fresh.type !== column.type ? "json" : column.type;
    columns.set(key, { ...column, type, cells });
  }
  return {
    ...old,
    hashes,
    rowOf: indexOf(hashes),
    columns,
    count: old.count + hashes.length - old.hashes.length,
    total: next.total,
    elapsed_ms: next.elapsed_ms,
  };
}

/// What a column's numbers are like; for bars in cells and for group rows.
export interface Spread {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
}

/// Spread of the finite numbers among cells; null if there are none.
export function spreadOf(cells: readonly Cell[]): Spread | null {
  let [count, sum, min, max] = [0, 0, Infinity, -Infinity];
  const numbers = cells.map(numberIn).filter((value) => value !== null && Number.isFinite(value)) as number[];
  for (const cell of numbers) {
    count++;
    sum += cell;
    if (cell < min) min = cell;
    if (cell > max) max = cell;
  }
  if (count === 0) return null;
  const mean = sum / count;
  let squares = 0;
  for (const cell of numbers) squares += (cell - mean) ** 2;
  return { count, min, max, mean, std: count > 1 ? Math.sqrt(squares / (count - 1)) : 0 };
}
