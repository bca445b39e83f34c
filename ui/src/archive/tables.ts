/// The runs of a page in one file as tables: some of their columns, sorted.

import type { ArchivedAnswers } from "./blocks";
import { numberOf, type Field, type Json, type RunsAnswer, type RunsRequest, type WireColumn } from "../wire/types";

const NUMBER_RANK = 0;
const NAN_RANK = 1;
const MISSING_RANK = 2;

/// The cell of a column; null: missing.
export function cellOf(column: WireColumn | undefined, row: number): Json {
  if (!column) return null;
  if (column.type !== "string") return column.values[row] as Json;
  return column.codes[row] < 0 ? null : column.values[column.codes[row]];
}

/// The columns of all runs, by their fields.
export class RunColumnsOfFile {
  private readonly byField = new Map<string, WireColumn>();

  constructor({ runs }: ArchivedAnswers) {
    runs.fields.forEach((field, i) => this.byField.set(JSON.stringify(field), runs.columns[i]));
  }

  /// The column of a field; undefined: no run has it.
  column(field: Field): WireColumn | undefined {
    return this.byField.get(JSON.stringify(field));
  }
}

function sortKey(cell: Json): readonly [number, number | string] {
  if (cell === null) return [MISSING_RANK, 0];
  if (cell === "NaN") return [NAN_RANK, 0];
  if (cell === "Infinity" || cell === "-Infinity") return [NUMBER_RANK, numberOf(cell) ?? 0];
  return [NUMBER_RANK, typeof cell === "number" || typeof cell === "string" ? cell : JSON.stringify(cell)];
}

function compared(a: Json, b: Json, isDescending: boolean): number {
  const [rankA, keyA] = sortKey(a);
  const [rankB, keyB] = sortKey(b);
  if (rankA !== rankB) return rankA - rankB;
  const order =
    typeof keyA === typeof keyB ? (keyA < keyB ? -1 : keyA > keyB ? 1 : 0) : typeof keyA === "number" ? -1 : 1;
  return isDescending ? -order : order;
}

function picked(column: WireColumn | undefined, rows: readonly number[]): WireColumn {
  if (!column) return { type: "json", values: rows.map(() => null) };
  if (column.type === "string") return { ...column, codes: rows.map((row) => column.codes[row]) };
  return { ...column, values: rows.map((row) => column.values[row]) } as WireColumn;
}

/// The answer to a request for runs.
export function runsAnswer(answers: ArchivedAnswers, columns: RunColumnsOfFile, request: RunsRequest): RunsAnswer {
  const { runs } = answers;
  const only = request.runs ? new Set(request.runs) : null;
  const rows = [...runs.hash.keys()].filter((row) => !only || only.has(runs.hash[row]));
  for (const { field, descending } of [...(request.sort ?? [])].reverse()) {
    const column = columns.column(field);
    rows.sort((a, b) => compared(cellOf(column, a), cellOf(column, b), descending) || a - b);
  }
  const offset = request.offset ?? 0;
  const page = rows.slice(offset, offset + request.limit);
  return {
    ...runs,
    elapsed_ms: 0,
    total: runs.hash.length,
    count: rows.length,
    hash: page.map((row) => runs.hash[row]),
    columns: request.fields.map((field) => picked(columns.column(field), page)),
  };
}
