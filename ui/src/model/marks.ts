/// Which runs are selected, pinned, hidden, the baseline, and under the pointer.

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { change, listSetting, setting } from "./address";

/// What the pointer is on: a run (or a group's key), and an x in the units of the charts. Lit in every card and list.
export interface Hot {
  readonly owner: string;
  readonly x: number | null;
}

/// Where marks are kept, as short hashes: in the address, or with a part of a page that has its own.
export interface MarkSettings {
  readonly pinned: ReadonlySignal<readonly string[]>;
  readonly hidden: ReadonlySignal<readonly string[]>;
  readonly baseline: ReadonlySignal<string>;
  /// If there are any, all others are hidden.
  readonly only: ReadonlySignal<readonly string[]>;
  readonly change: (changes: {
    readonly only?: string | null;
    readonly pin?: string | null;
    readonly hide?: string | null;
    readonly base?: string | null;
  }) => void;
}

/// The marks in the address, so that a link has them.
export const ADDRESS_MARKS: MarkSettings = {
  pinned: listSetting("pin"),
  hidden: listSetting("hide"),
  baseline: setting("base"),
  only: listSetting("only"),
  change: (changes) => change(changes as Readonly<Record<string, string | null>>, true),
};

const HASH = /^[0-9a-f]{24}$/;
const SHORT = 8;

/// A run's hash, short enough for an address.
export function shortHash(hash: string): string {
  return HASH.test(hash) ? hash.slice(0, SHORT) : hash;
}

/// A list of short hashes, as a text, after some runs were added, or removed if all of them were in it.
export function toggled(list: readonly string[], hashes: readonly string[]): string {
  const short = hashes.map(shortHash);
  const others = list.filter((hash) => !short.includes(hash));
  return (short.every((hash) => list.includes(hash)) ? others : [...others, ...short]).join(",");
}

/// The marks of a page, or of a part of one.
export class Marks {
  /// What the pointer is on; null: nothing.
  readonly hot = signal<Hot | null>(null);

  /// Runs ticked in a list or a table, in the order of ticking.
  readonly selected = signal<readonly string[]>([]);

  private readonly selectedSet = computed(() => new Set(this.selected.value));

  /// Whether a run is ticked.
  readonly isSelected = (hash: string): boolean => this.selectedSet.value.has(hash);

  /// How many of these runs are ticked: none, some or all; none of no runs.
  readonly extent = (hashes: readonly string[]): "none" | "some" | "all" => {
    const count = hashes.filter(this.isSelected).length;
    return count === 0 ? "none" : count === hashes.length ? "all" : "some";
  };

  /// Whether any run is hidden.
  readonly hasHidden = computed(() => this.hiddenSet.value.size > 0 || this.onlySet.value.size > 0);

  /// How the hash of the baseline begins; empty: no run is the baseline.
  readonly baselinePrefix = computed(() => this.settings.baseline.value);

  private readonly pinnedSet = computed(() => new Set(this.settings.pinned.value));
  private readonly hiddenSet = computed(() => new Set(this.settings.hidden.value));

  private readonly onlySet = computed(() => new Set(this.settings.only.value));

  constructor(private readonly settings: MarkSettings = ADDRESS_MARKS) {}

  /// Whether a run is always drawn, thick.
  readonly isPinned = (hash: string): boolean => this.pinnedSet.value.has(shortHash(hash));

  /// Whether a run is left out of the charts.
  readonly isHidden = (hash: string): boolean => {
    const [short, only] = [shortHash(hash), this.onlySet.value];
    return this.hiddenSet.value.has(short) || (only.size > 0 && !only.has(short));
  };

  /// Whether a run is what the others are compared to.
  readonly isBaseline = (hash: string): boolean => {
    const baseline = this.settings.baseline.value;
    return baseline !== "" && baseline === shortHash(hash);
  };

  /// Pins runs, or unpins them if all of them were pinned.
  readonly togglePinned = (hashes: readonly string[]): void =>
    this.settings.change({ pin: toggled(this.settings.pinned.peek(), hashes) });

  /// Hides runs, or shows them if all of them were hidden.
  readonly toggleHidden = (hashes: readonly string[]): void => {
    const [hide, only] = [this.settings.hidden.peek(), this.settings.only.peek()];
    if (only.length === 0) return this.settings.change({ hide: toggled(hide, hashes) });
    const short = hashes.map(shortHash);
    const others = hide.filter((hash) => !short.includes(hash));
    if (hashes.every(this.isHidden))
      return this.settings.change({ hide: others.join(","), only: [...new Set([...only, ...short])].join(",") });
    this.settings.change({ hide: [...others, ...short].join(",") });
  };

  /// Hides all runs but these.
  readonly showOnly = (hashes: readonly string[]): void =>
    this.settings.change({ only: hashes.map(shortHash).join(",") || null, hide: null });

  /// Shows all runs again.
  readonly showAll = (): void => this.settings.change({ hide: null, only: null });

  /// Makes a run the baseline, or no run if it was.
  readonly toggleBaseline = (hash: string): void =>
    this.settings.change({ base: this.isBaseline(hash) ? null : shortHash(hash) });

  /// Ticks or unticks a run.
  readonly toggleSelected = (hash: string): void => {
    const list = this.selected.peek();
    this.selected.value = list.includes(hash) ? list.filter((other) => other !== hash) : [...list, hash];
  };

  /// Ticks all of these as well, or unticks them if all of them were ticked.
  readonly toggleAll = (hashes: readonly string[]): void => {
    if (this.extent(hashes) !== "all") return this.select(hashes);
    const gone = new Set(hashes);
    this.selected.value = this.selected.peek().filter((hash) => !gone.has(hash));
  };

  /// Ticks all of these, as well as what is ticked.
  readonly select = (hashes: readonly string[]): void => {
    this.selected.value = [...new Set([...this.selected.peek(), ...hashes])];
  };
}
