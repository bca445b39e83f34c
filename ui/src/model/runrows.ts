/// The rows of the table of runs: runs in their order, or groups of runs with a head each.

import type { Cell } from "./cell";
import { bestOf } from "./columns";
import { fieldText } from "./fields";
import { splitBy } from "./grouping";
import type { RunHead } from "./runheads";
import { compareCells, spreadOf, tableOfRuns, type RunTable, type Spread } from "./table";
import type { Field } from "../wire/types";

/// A run, or the head of a group. The hash of a run that is not fetched yet is empty.
export type Row =
  | { readonly hash: string; readonly label: "" }
  | {
      readonly hash: null;
      readonly label: string;
      /// Its runs; of very many, whose head the server computed, none.
      readonly hashes: readonly string[];
      readonly count: number;
      readonly head?: RunHead;
    };

/// How groups are put in order by a column: by what their heads say of it, or by how many runs they have.
export type GroupOrder = "mean" | "best" | "std" | "n";

/// How the rows are grouped and put in order.
export interface Grouping {
  /// The fields whose values make the groups; none: no groups.
  readonly by: readonly Field[];
  readonly isClosed: (label: string) => boolean;
  /// The column that runs are sorted by; groups come in its order too.
  readonly sort: Sort | null;
  readonly order: GroupOrder;
}

interface RunGroup {
  readonly label: string;
  readonly hashes: readonly string[];
}

/// The runs by their values of several fields; groups of the first field in its order, within them those of the second.
export function splitByAll(table: RunTable, by: readonly Field[]): readonly RunGroup[] {
  const [first, ...others] = by;
  if (!first) return [];
  const parts = splitBy(table, fieldText(first));
  if (others.length === 0) return parts;
  return parts.flatMap(({ label, hashes }) =>
    splitByAll(tableOfRuns(table, hashes), others).map((part) => ({ ...part, label: `${label} · ${part.label}` })),
  );
}

/// What groups are put in order by: a number, or a text where a column has none.
function rankOf(cells: readonly Cell[], field: Field, { order, hashes }: { order: GroupOrder } & RunGroup): Cell {
  if (order === "n") return hashes.length;
  const spread = spreadOf(cells);
  return spread ? rankOfSpread(spread, field, order) : (cells.find((cell) => cell !== null) ?? null);
}

function rankOfSpread(spread: Spread, field: Field, order: GroupOrder): number {
  if (order === "std") return spread.std;
  return order === "best" ? (bestOf(spread, field) ?? spread.mean) : spread.mean;
}

function inOrder(table: RunTable, groups: readonly RunGroup[], { sort, order }: Grouping): readonly RunGroup[] {
  const column = sort ? table.columns.get(sort.key) : undefined;
  if (!column && order !== "n") return groups;
  const ranks = new Map<RunGroup, Cell>();
  for (const group of groups) {
    const cells = column ? group.hashes.map((hash) => column.cells[table.rowOf.get(hash) ?? -1] ?? null) : [];
    ranks.set(group, rankOf(cells, column?.field ?? ["run", "name"], { ...group, order }));
  }
  const isDescending = order === "n" ? (sort?.descending ?? true) : (sort?.descending ?? false);
  return [...groups].sort((a, b) => compareCells(ranks.get(a) ?? null, ranks.get(b) ?? null, isDescending));
}

/// The rows of a table.
export function rowsOf(table: RunTable, grouping: Grouping): readonly Row[] {
  if (grouping.by.length === 0) return table.hashes.map((hash) => ({ hash, label: "" }));
  return inOrder(table, splitByAll(table, grouping.by), grouping).flatMap(({ label, hashes }): Row[] => [
    { hash: null, label, hashes, count: hashes.length },
    ...(grouping.isClosed(label) ? [] : hashes.map((hash): Row => ({ hash, label: "" }))),
  ]);
}

/// The rows of groups whose heads the server computed, with those of their runs that are fetched.
export function headRows(
  heads: readonly RunHead[],
  { isClosed, sort, order }: Omit<Grouping, "by">,
  field: Field | null,
  at: (head: RunHead, row: number) => string,
): readonly Row[] {
  const isDescending = order === "n" ? (sort?.descending ?? true) : (sort?.descending ?? false);
  const ranks = new Map(heads.map((head) => [head, headRank(head, field, order)]));
  const isSorted = order === "n" || field !== null;
  const listed = isSorted
    ? [...heads].sort((a, b) => compareCells(ranks.get(a) ?? null, ranks.get(b) ?? null, isDescending))
    : heads;
  return listed.flatMap((head): Row[] => [
    { hash: null, label: head.label, hashes: [], count: head.count, head },
    ...(isClosed(head.label)
      ? []
      : Array.from({ length: head.count }, (_, i): Row => ({ hash: at(head, i), label: "" }))),
  ]);
}

function headRank({ count, digests }: RunHead, field: Field | null, order: GroupOrder): Cell {
  if (order === "n") return count;
  const digest = field ? digests.get(fieldText(field)) : undefined;
  return digest?.spread ? rankOfSpread(digest.spread, field ?? ["run", "name"], order) : (digest?.values[0] ?? null);
}

/// The runs of some rows, heads left out, and those that are not fetched.
export function hashesOf(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ hash }) => (hash ? [hash] : []));
}

/// The index of the head of the group that a row is in; null: rows are not in groups.
export function headIndex(rows: readonly Row[], index: number): number | null {
  if (rows[0]?.hash !== null) return null;
  for (let i = index; i >= 0; i--) if (rows[i]?.hash === null) return i;
  return null;
}

/// A sort as the address has it: a field, and whether the largest come first.
export interface Sort {
  readonly key: string;
  readonly descending: boolean;
}

/// Whether the first press on a column's head puts its largest values first: scores and new runs are looked for there.
function isDescendingFirst(key: string): boolean {
  return /^metric:.*(acc|f1|auc|score|reward)/i.test(key) || key === "run.created_at";
}

/// The sort after a press on a column's head: one direction, the other, then none (null).
export function nextSort(current: Sort | null, key: string): string | null {
  const isDescending = isDescendingFirst(key);
  const text = (descending: boolean): string => (descending ? "-" : "") + key;
  if (current?.key !== key) return text(isDescending);
  return current.descending === isDescending ? text(!isDescending) : null;
}

/// A list of fields after one of them was dragged before another.
export function movedField(list: readonly Field[], key: string, before: string): readonly Field[] {
  const moved = list.find((field) => fieldText(field) === key);
  if (!moved) return list;
  const others = list.filter((field) => field !== moved);
  const index = Math.max(
    0,
    others.findIndex((field) => fieldText(field) === before),
  );
  return [...others.slice(0, index), moved, ...others.slice(index)];
}

/// A set without a member that it had, or with it.
export function toggledSet(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(member)) next.add(member);
  return next;
}

/// The head of a row that heads a group, null for a group that the page made itself; undefined for a run.
export function headAt(rows: readonly Row[], row: number): RunHead | null | undefined {
  const item = rows[row];
  return item?.hash === null ? (item.head ?? null) : undefined;
}
