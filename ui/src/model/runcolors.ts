/// Which colour each run has when nothing is grouped: spread evenly, and remembered while the pages are open.
///
/// There are twenty colours and any number of runs. A run asks for the colour of its hash. If every run got that, six
/// runs would share some in every second case; so runs are served in the order in which they began, and each gets the
/// least used colour that comes first after its own. Up to twenty runs thus share none, more share evenly, and a run
/// that begins later changes no other's. What a run got first it keeps on all pages, but where that would crowd a
/// narrower choice of runs.

import { freeColor, hashOf, PALETTE, runColor, type Theme } from "../chart/palette";
import { cellOf, type RunTable } from "./table";

/// Above this many curves, colours no longer tell them apart; the colour of the hash then saves the sorting.
const SPREAD_MOST = 1000;

const remembered = new Map<string, number>();

function oldestFirst(table: RunTable): readonly string[] {
  const began = new Map(table.hashes.map((hash) => [hash, Number(cellOf(table, "run.created_at", hash) ?? Infinity)]));
  return [...table.hashes].sort((a, b) => (began.get(a) ?? 0) - (began.get(b) ?? 0) || (a < b ? -1 : 1));
}

/// Numbers of colours for some runs, oldest first. `keep`: what they had before; runs without are added to it.
export function spread(
  hashes: readonly string[],
  colors: number,
  keep: Map<string, number>,
): ReadonlyMap<string, number> {
  const used = new Array<number>(colors).fill(0);
  const most = Math.ceil(hashes.length / colors);
  const indexes = new Map<string, number>();
  const assign = (hash: string, index: number): void => {
    used[index]++;
    indexes.set(hash, index);
  };
  for (const hash of hashes) {
    const index = keep.get(hash);
    if (index !== undefined && used[index] < most) assign(hash, index);
  }
  for (const hash of hashes) {
    if (indexes.has(hash)) continue;
    const index = freeColor(used, keep.get(hash) ?? hashOf(hash));
    assign(hash, index);
    if (!keep.has(hash)) keep.set(hash, index);
  }
  return indexes;
}

/// The colour of one run by itself: what it has beside others, if it was seen beside others.
export function ownColor(hash: string, theme: Theme): string {
  const index = remembered.get(hash);
  return index === undefined ? runColor(hash, theme) : PALETTE[theme][index];
}

/// The colours of the runs of a table.
export function ownColors(table: RunTable, theme: Theme): (hash: string) => string {
  if (table.hashes.length < 2 || table.hashes.length > SPREAD_MOST) return (hash) => ownColor(hash, theme);
  const indexes = spread(oldestFirst(table), PALETTE[theme].length, remembered);
  return (hash) => {
    const index = indexes.get(hash);
    return index === undefined ? ownColor(hash, theme) : PALETTE[theme][index];
  };
}
