/// The legend of groups: each with its colour, its number of runs and its best value, the best group first; and which
/// groups alone are drawn.

import { computed } from "@preact/signals";
import { change, setting } from "./address";
import { cellKey, type Cell } from "./cell";
import type { Group } from "./grouping";
import { cellOf, compareCells, spreadOf, type RunTable } from "./table";

/// A group, and the best value of the metric that runs are ranked by; null: no run of it has one.
export interface LegendGroup extends Group {
  readonly best: number | null;
}

const onlyText = setting("only");

/// The groups that alone are drawn, by the keys of their values; empty: all are.
export const onlyGroups = computed<readonly string[]>(() =>
  onlyText.value === "" ? [] : onlyText.value.split(",").map(decodeURIComponent),
);

/// One text for equal groups.
export function groupKey({ value }: { readonly value: Cell }): string {
  return cellKey(value);
}

/// The groups, the best first; those without a value last, in the order in which they came.
export function legendOf(
  groups: readonly Group[],
  table: RunTable,
  valueKey: string,
  isMoreBetter: boolean,
): readonly LegendGroup[] {
  const listed = groups.map((group): LegendGroup => {
    const spread = group.head
      ? (group.head.digests.get(valueKey)?.spread ?? null)
      : spreadOf(group.hashes.map((hash) => cellOf(table, valueKey, hash)));
    return { ...group, best: spread && (isMoreBetter ? spread.max : spread.min) };
  });
  return listed.sort((a, b) => compareCells(a.best, b.best, isMoreBetter));
}

/// Whether a run is in none of the chosen groups; no run is when none is chosen, or none of those that are chosen is
/// there. `valueOf`: the value of a run that no group lists, if it is known.
export function leftOut(
  groups: readonly Group[],
  only: readonly string[],
  valueOf: (hash: string) => Cell | undefined,
): (hash: string) => boolean {
  const isChosen = (group: Group): boolean => only.includes(groupKey(group));
  if (!groups.some(isChosen)) return () => false;
  const outside = new Set(groups.filter((group) => !isChosen(group)).flatMap(({ hashes }) => hashes));
  if (groups.every(({ head }) => head === undefined)) return (hash) => outside.has(hash);
  return (hash) => {
    const value = valueOf(hash);
    return outside.has(hash) || (value !== undefined && !only.includes(cellKey(value)));
  };
}

/// The groups that alone are drawn after a press on one: only this, or all again if it was the only one. `isAdded`:
/// beside those that are drawn, or no longer among them.
export function pressed(only: readonly string[], key: string, isAdded: boolean): readonly string[] {
  if (!isAdded) return only.length === 1 && only[0] === key ? [] : [key];
  return only.includes(key) ? only.filter((other) => other !== key) : [...only, key];
}

/// Draws these groups alone; none: all.
export function drawOnly(keys: readonly string[]): void {
  change({ only: keys.map(encodeURIComponent).join(",") || null });
}
