/// The reader's arrangement of the workspace, in the address; the browser remembers the last one of each repository.

import { computed } from "@preact/signals";
import { address, change, setting } from "./address";
import { formatAway, formatOwn, formatWide, parseAway, parseOwn, parseWide, SPAN_MOST, type Arranged } from "./layout";
import type { Scope } from "./scope";

const SCOPE = new Set(["repo", "q", "color"]);
const ownText = setting("own");
const wideText = setting("wide");
const awayText = setting("away");

/// The arrangement of the cards in a repository.
export class Arrangement {
  /// The sections that were arranged.
  readonly sections = computed(() => parseOwn(ownText.value));

  /// How many columns a card spans, by its id.
  readonly spans = computed(() => parseWide(wideText.value));

  /// The ids of the cards that are hidden.
  readonly hidden = computed(() => parseAway(awayText.value));

  constructor(private readonly scope: Scope) {}

  /// Arranges the cards anew.
  readonly arrange = (sections: readonly Arranged[]): void =>
    this.put(formatOwn(sections), wideText.peek(), awayText.peek());

  /// Makes a card span some columns.
  readonly widen = (id: string, span: number): void => {
    const next = new Map(this.spans.peek());
    next.set(id, Math.max(1, Math.min(SPAN_MOST, span)));
    this.put(ownText.peek(), formatWide(next), awayText.peek());
  };

  /// Hides some cards, and shows all others.
  readonly hide = (ids: ReadonlySet<string>): void => this.put(ownText.peek(), wideText.peek(), formatAway(ids));

  /// Puts everything back where it is by itself.
  readonly reset = (): void => this.put("", "", "");

  /// Brings back the last arrangement, unless the address says more than which runs: a link shows what it says. Returns
  /// whether the page shows more than it does by itself.
  readonly recall = (): boolean => {
    if ([...address.peek().params.keys()].some((name) => !SCOPE.has(name))) return true;
    try {
      const [own, wide, away = ""] = JSON.parse(localStorage.getItem(this.memoryKey()) ?? "[]") as unknown[];
      if (typeof own !== "string" || typeof wide !== "string" || typeof away !== "string") return false;
      change({ own, wide, away }, true);
      return true;
    } catch {
      localStorage.removeItem(this.memoryKey());
      return false;
    }
  };

  private memoryKey(): string {
    return `aim.arrangement.${this.scope.repo.peek()}`;
  }

  private put(own: string, wide: string, away: string): void {
    change({ own: own || null, wide: wide || null, away: away || null });
    if (own || wide || away) localStorage.setItem(this.memoryKey(), JSON.stringify([own, wide, away]));
    else localStorage.removeItem(this.memoryKey());
  }
}
