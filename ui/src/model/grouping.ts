/// Which colour and which dash a run has: its own steady colour, or its group's.

import { cellKey, cellLabel, numberIn, type Cell } from "./cell";
import { DASHES, GREY, type Theme } from "../chart/palette";
import { ownColors } from "./runcolors";
import type { RunHead } from "./runheads";
import { fieldMemory, runColors, type ValueColors } from "./valuecolors";
import { cellOf, compareCells, type RunTable } from "./table";

/// Runs with one value of the grouping field.
export interface Group {
  readonly label: string;
  readonly value: Cell;
  readonly color: string;
  /// Its runs; of very many only those that are here, of `count`.
  readonly hashes: readonly string[];
  readonly count: number;
  /// What the server says of it where not all runs are here.
  readonly head?: RunHead;
}

export interface Coloring {
  readonly groups: readonly Group[];
  readonly colorOf: (hash: string) => string;
}

/// The groups with a label of its own each: what is equal in few digits has all of them.
export function withOwnLabels<T extends { readonly label: string; readonly value: Cell }>(groups: readonly T[]): T[] {
  const counts = new Map<string, number>();
  for (const { label } of groups) counts.set(label, (counts.get(label) ?? 0) + 1);
  return groups.map((group) =>
    (counts.get(group.label) ?? 0) < 2 || group.value === null ? group : { ...group, label: cellKey(group.value) },
  );
}

/// The runs of a table by the values of one column. Numbers in their order, texts by how many runs they have.
export function splitBy(
  table: RunTable,
  key: string,
): { readonly label: string; readonly value: Cell; readonly hashes: readonly string[] }[] {
  const column = table.columns.get(key);
  if (!column) return [];
  const byKey = new Map<string, { label: string; value: Cell; hashes: string[] }>();
  table.hashes.forEach((hash, row) => {
    const value = column.cells[row] ?? null;
    const key = cellKey(value);
    const group = byKey.get(key);
    if (group) group.hashes.push(hash);
    else byKey.set(key, { label: cellLabel(value), value, hashes: [hash] });
  });
  const groups = withOwnLabels([...byKey.values()]);
  const isNumeric = groups.every(({ value }) => value === null || numberIn(value) !== null);
  return groups.sort((a, b) =>
    isNumeric
      ? compareCells(a.value, b.value, false)
      : b.hashes.length - a.hashes.length || compareCells(a.value, b.value, false),
  );
}

/// Colours by one column; by the run itself when `key` is empty. `memory` and `repo`: where the colours of values are
/// remembered.
export function coloring(table: RunTable, key: string, theme: Theme, memory: ValueColors, repo: string): Coloring {
  const parts = key === "" ? [] : splitBy(table, key);
  if (parts.length === 0) {
    const automatic = ownColors(table, theme);
    const [byRun, byName] = [runColors(repo, "run"), runColors(repo, "name")];
    const chosen = (hash: string): string | null =>
      memory.chosen(byRun, hash) ?? memory.chosen(byName, cellOf(table, "run.name", hash));
    return { groups: [], colorOf: (hash) => chosen(hash) ?? automatic(hash) };
  }
  const colorOf = memory.of(
    fieldMemory(repo, key),
    parts.map(({ value }) => value),
    theme,
  );
  const groups = parts.map((part): Group => ({ ...part, color: colorOf(part.value), count: part.hashes.length }));
  const byHash = new Map<string, string>();
  for (const group of groups) for (const hash of group.hashes) byHash.set(hash, group.color);
  return { groups, colorOf: (hash) => byHash.get(hash) ?? GREY[theme] };
}

/// Colours by one field of very many runs, of which only some are here: the groups are those that the server told of.
/// `valueOf`: the value of a run, as far as it is here.
export function headColoring(
  heads: readonly RunHead[],
  table: RunTable,
  key: string,
  valueOf: (hash: string) => Cell | undefined,
  { theme, memory, repo }: { theme: Theme; memory: ValueColors; repo: string },
): Coloring {
  const here = new Map(splitBy(table, key).map(({ value, hashes }) => [cellKey(value), hashes]));
  const values = heads.map(({ values: [value] }) => value);
  const colorOf = memory.of(fieldMemory(repo, key), values, theme);
  const groups = heads.map((head): Group => {
    const [value] = head.values;
    const { label, count } = head;
    return { label, value, color: colorOf(value), hashes: here.get(cellKey(value)) ?? [], count, head };
  });
  return {
    groups,
    colorOf: (hash) => {
      const value = valueOf(hash);
      return value === undefined ? GREY[theme] : colorOf(value);
    },
  };
}

/// Dashes by one column; solid for all when `key` is empty. They are remembered as colours are. `valueOf`: the value of
/// a run that is not in the table, if it is known.
export function dashing(
  table: RunTable,
  key: string,
  memory: ValueColors,
  repo: string,
  valueOf?: (hash: string) => Cell | undefined,
): (hash: string) => readonly number[] {
  if (key === "") return () => DASHES[0];
  const byHash = new Map<string, readonly number[]>();
  const parts = splitBy(table, key);
  const rankOf = memory.ranks(
    fieldMemory(repo, `dashes of ${key}`),
    parts.map(({ value }) => value),
  );
  const dashOf = (value: Cell): readonly number[] => DASHES[Math.min(rankOf(value), DASHES.length - 1)];
  for (const { value, hashes } of parts) for (const hash of hashes) byHash.set(hash, dashOf(value));
  return (hash) => {
    const value = byHash.has(hash) ? undefined : valueOf?.(hash);
    return byHash.get(hash) ?? (value === undefined ? DASHES[0] : dashOf(value));
  };
}

/// The dash of a context when several share a card: what validates is solid, what trains is dashed.
export function contextDash(contexts: readonly string[], key: string): readonly number[] {
  const solidFirst = [...contexts].sort(
    (a, b) => Number(/train/i.test(a)) - Number(/train/i.test(b)) || (a < b ? -1 : 1),
  );
  return DASHES[Math.min(solidFirst.indexOf(key), DASHES.length - 1)] ?? DASHES[0];
}
