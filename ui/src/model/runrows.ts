/// The rows of the table of runs: runs in their order, or groups of runs with a head each.

import { fieldText } from "./fields";
import { splitBy } from "./grouping";
import type { RunTable } from "./table";
import type { Field } from "../wire/types";

/// A run, or the head of a group.
export type Row =
  | { readonly hash: string; readonly label: "" }
  | { readonly hash: null; readonly label: string; readonly hashes: readonly string[] };

/// The rows of a table. `group`: the field of the groups; null: none. `closed`: the groups whose runs are folded away.
export function rowsOf(table: RunTable, group: Field | null, closed: ReadonlySet<string>): readonly Row[] {
  if (!group) return table.hashes.map((hash) => ({ hash, label: "" }));
  return splitBy(table, fieldText(group)).flatMap(({ label, hashes }): Row[] => [
    { hash: null, label, hashes },
    ...(closed.has(label) ? [] : hashes.map((hash): Row => ({ hash, label: "" }))),
  ]);
}

/// The runs of some rows, heads left out.
export function hashesOf(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ hash }) => (hash === null ? [] : [hash]));
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
