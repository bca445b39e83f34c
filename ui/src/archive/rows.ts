/// The rows of logged tables in a page in one file: what the server answers in section 6 of wire.md, *Rows of tables*.

import type { RowClause, RowsAnswer, RowsRequest, TableAnswer } from "../wire/objects";
import { digitsOf } from "../wire/json";
import type { Json } from "../wire/types";

type Row = readonly Json[];

const TEXTS = new Intl.Collator("en", { numeric: true });

function textOf(cell: Json): string {
  if (cell === null) return "";
  if (typeof cell !== "object" || Array.isArray(cell)) return String(cell);
  const { fields } = cell as { readonly [key: string]: Json };
  const { text, caption } = (fields ?? {}) as { readonly [key: string]: Json };
  return String(text ?? caption ?? "");
}

function keyOf(cell: Json): string {
  return `${typeof cell} ${textOf(cell)}`;
}

/// The rows of several tables by the values of one column; of equal numbers without one.
function joined(tables: readonly TableAnswer[], key: string | null): readonly Row[] {
  if (tables.length === 1) return tables[0].rows;
  const byKey = tables.map(({ columns, rows }) => {
    const column = columns.findIndex(({ name }) => name === key);
    const entries = rows.map((row, i): [string, Row] => [key === null ? String(i) : keyOf(row[column] ?? null), row]);
    return new Map(column < 0 && key !== null ? [] : entries.reverse()); // the first of equal ones counts
  });
  const keys = [...new Set(byKey.flatMap((rows) => [...rows.keys()].reverse()))];
  return keys.map((value) => byKey.flatMap((rows, i) => rows.get(value) ?? tables[i].columns.map((): Json => null)));
}

function isMatch(row: Row, { column, operator, value }: RowClause): boolean {
  const cell = row[column] ?? null;
  if (operator === "contains") return textOf(cell).toLowerCase().includes(String(value).toLowerCase());
  if (operator === "==" || operator === "!=") return (keyOf(cell) === keyOf(value)) === (operator === "==");
  const [a, b] = [numberIn(cell), numberIn(value)];
  return a !== null && b !== null && (operator === "<=" ? a <= b : a >= b);
}

/// A number of a cell that is one, also as the text of an infinity; null: it is none, or NaN.
function numberIn(cell: Json): number | null {
  if (typeof cell === "number") return cell;
  if (typeof cell === "boolean") return Number(cell);
  const digits = digitsOf(cell);
  if (digits !== null) return Number(digits);
  return cell === "Infinity" || cell === "-Infinity" ? Number(cell) : null;
}

/// Numbers, then texts; what is missing or NaN comes last in both directions.
function sorted(rows: readonly Row[], column: number, descending: boolean): readonly Row[] {
  const sign = descending ? -1 : 1;
  const isMissing = (row: Row): boolean => (row[column] ?? null) === null || row[column] === "NaN";
  const compare = (a: Row, b: Row): number => {
    const [p, q] = [numberIn(a[column]), numberIn(b[column])];
    if (p !== null && q !== null) return sign * (p - q);
    if (p !== null || q !== null) return p !== null ? -sign : sign;
    return sign * TEXTS.compare(textOf(a[column]), textOf(b[column]));
  };
  return [...rows.filter((row) => !isMissing(row)).sort(compare), ...rows.filter(isMissing)];
}

/// The answer to a request.
export function rowsAnswer(tables: readonly TableAnswer[], request: RowsRequest): RowsAnswer {
  const columns = tables.flatMap((table, i) => table.columns.map((column) => ({ ...column, table: i })));
  const all = joined(tables, request.key ?? null);
  const words = (request.find ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const matching = all.filter((row) => {
    if (!(request.where ?? []).every((clause) => isMatch(row, clause))) return false;
    const text = words.length === 0 ? "" : row.map(textOf).join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const { sort = null, from, limit } = request;
  const ordered = sort ? sorted(matching, sort.column, sort.descending) : matching;
  const rows = ordered.slice(from, from + limit);
  const numbers = new Map(all.map((row, i) => [row, i]));
  return {
    columns,
    total: all.length,
    count: matching.length,
    from,
    numbers: rows.map((row) => numbers.get(row) ?? 0),
    rows,
    cut: [],
  };
}
