/// Which runs are selected, pinned, hidden, the baseline, and under the pointer. All but the first and last are in the address.

import { computed, signal } from "@preact/signals";
import { change, listSetting, setting } from "./address";

/// What the pointer is on: a run (or a group's key), and an x in the units of the charts. Lit in every card and list.
export interface Hot {
  readonly owner: string;
  readonly x: number | null;
}

/// What the pointer is on; null: nothing.
export const hot = signal<Hot | null>(null);

/// Runs ticked in a list or a table, in the order of ticking.
export const selected = signal<readonly string[]>([]);

const HASH = /^[0-9a-f]{24}$/;
const SHORT = 8;

/// A run's hash, short enough for an address.
export function shortHash(hash: string): string {
  return HASH.test(hash) ? hash.slice(0, SHORT) : hash;
}

const pinnedShort = listSetting("pin");
const hiddenShort = listSetting("hide");
const baseShort = setting("base");
const pinnedSet = computed(() => new Set(pinnedShort.value));
const hiddenSet = computed(() => new Set(hiddenShort.value));

/// Whether a run is always drawn, thick.
export function isPinned(hash: string): boolean {
  return pinnedSet.value.has(shortHash(hash));
}

/// Whether a run is left out of the charts.
export function isHidden(hash: string): boolean {
  return hiddenSet.value.has(shortHash(hash));
}

/// Whether a run is what the others are compared to.
export function isBaseline(hash: string): boolean {
  return baseShort.value !== "" && baseShort.value === shortHash(hash);
}

/// Whether any run is hidden.
export const hasHidden = computed(() => hiddenSet.value.size > 0);
/// Whether there is a baseline.
export const hasBaseline = computed(() => baseShort.value !== "");

function toggled(list: readonly string[], hashes: readonly string[]): string {
  const short = hashes.map(shortHash);
  const rest = list.filter((hash) => !short.includes(hash));
  return (short.every((hash) => list.includes(hash)) ? rest : [...rest, ...short]).join(",");
}

/// Pins runs, or lets them go if all of them were.
export function togglePinned(hashes: readonly string[]): void {
  change({ pin: toggled(pinnedShort.peek(), hashes) }, true);
}

/// Hides runs, or shows them if all of them were hidden.
export function toggleHidden(hashes: readonly string[]): void {
  change({ hide: toggled(hiddenShort.peek(), hashes) }, true);
}

/// Shows all runs again.
export function showAll(): void {
  change({ hide: null }, true);
}

/// Hides all but these.
export function showOnly(hashes: readonly string[], all: readonly string[]): void {
  const shown = new Set(hashes);
  change(
    {
      hide: all
        .filter((hash) => !shown.has(hash))
        .map(shortHash)
        .join(","),
    },
    true,
  );
}

/// Makes a run the baseline, or no run if it was.
export function toggleBaseline(hash: string): void {
  change({ base: isBaseline(hash) ? null : shortHash(hash) }, true);
}

/// Ticks or unticks a run.
export function toggleSelected(hash: string): void {
  const list = selected.peek();
  selected.value = list.includes(hash) ? list.filter((other) => other !== hash) : [...list, hash];
}

/// Ticks all of these, as well as what is ticked.
export function select(hashes: readonly string[]): void {
  selected.value = [...new Set([...selected.peek(), ...hashes])];
}
