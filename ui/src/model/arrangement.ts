/// The reader's arrangement of the workspace, in the address; the browser remembers the last one of each repository.

import { computed } from "@preact/signals";
import { address, change, setting } from "./address";
import { formatOwn, formatWide, parseOwn, parseWide, SPAN_MOST, type Placed } from "./layout";
import { repo } from "./scope";

const SCOPE = new Set(["repo", "q", "color"]);
const ownText = setting("own");
const wideText = setting("wide");

/// The sections that were arranged.
export const placed = computed(() => parseOwn(ownText.value));

/// How many columns a card spans, by its id.
export const spans = computed(() => parseWide(wideText.value));

function memory(): string {
  return `aim.arrangement.${repo.peek()}`;
}

function put(own: string, wide: string): void {
  change({ own: own || null, wide: wide || null });
  if (own || wide) localStorage.setItem(memory(), JSON.stringify([own, wide]));
  else localStorage.removeItem(memory());
}

/// Places cards anew.
export function place(sections: readonly Placed[]): void {
  put(formatOwn(sections), wideText.peek());
}

/// Makes a card span some columns.
export function widen(id: string, span: number): void {
  const next = new Map(spans.peek());
  next.set(id, Math.max(1, Math.min(SPAN_MOST, span)));
  put(ownText.peek(), formatWide(next));
}

/// Puts everything back where it is by itself.
export function resetArrangement(): void {
  put("", "");
}

/// Brings back the last arrangement, unless the address says more than which runs: a link shows what it says.
export function recallArrangement(): void {
  if ([...address.peek().params.keys()].some((name) => !SCOPE.has(name))) return;
  try {
    const [own, wide] = JSON.parse(localStorage.getItem(memory()) ?? "[]") as unknown[];
    if (typeof own === "string" && typeof wide === "string") change({ own, wide }, true);
  } catch {
    localStorage.removeItem(memory());
  }
}
