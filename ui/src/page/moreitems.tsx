/// What a page does not show of objects at first, and the buttons that show it: nothing is left out without a word.

import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { hiddenCount, itemsOf, objectsStore, type Item } from "../model/objects";
import type { ObjectsAnswer, ObjectsRequest } from "../wire/objects";
import { useApp } from "./app";
import { useStore } from "./hooks";

/// The objects of one sequence of a run.
export interface WholeRow {
  readonly items: readonly Item[];
  /// How many more there may be at a step; 0: all are here.
  readonly hidden: number;
  readonly showAll: () => void;
}

/// The objects of a row, of which the page asked for `limit` at each step; all of them once `showAll` was called.
export function useWholeRow(
  row: readonly Item[],
  subject: string,
  steps: ReadonlySignal<ObjectsRequest["steps"]>,
  limit: number,
): WholeRow {
  const { scope } = useApp();
  const isWhole = useSignal(false);
  const [{ run, track }] = row;
  const { name, context, index_count } = track;
  const wish = useComputed<ObjectsRequest | null>(() => {
    if (!isWhole.value) return null;
    const index = { from: 0, count: index_count };
    return { query: "", runs: [run], type: subject, sequences: [{ name, context }], steps: steps.value, index };
  });
  const store = useStore(() => objectsStore(scope, wish));
  const all = itemsOf(isWhole.value ? store.answer.value : null);
  return {
    items: all.length > 0 ? all : row,
    hidden: isWhole.value ? 0 : hiddenCount(row, limit),
    showAll: () => (isWhole.value = true),
  };
}

/// The button after the objects of a row that are shown.
export function MoreOfRow({ row }: { row: WholeRow }): JSX.Element | null {
  if (row.hidden === 0) return null;
  return (
    <button type="button" class="pill more-items" title="Show all of the list" onClick={row.showAll}>
      +{row.hidden.toLocaleString("en")}
    </button>
  );
}

/// Says how many sequences there are beyond those of an answer; the button asks for more of them.
export function MoreSequences({ answer, onMore }: { answer: ObjectsAnswer; onMore: () => void }): JSX.Element | null {
  const count = answer.sequences.length;
  if (answer.total <= count) return null;
  return (
    <p class="muted">
      {count.toLocaleString("en")} of {answer.total.toLocaleString("en")} sequences.{" "}
      <button type="button" class="pill" onClick={onMore}>
        Show more
      </button>
    </p>
  );
}

/// Says how many steps of a sequence are shown, where these are not all; else nothing.
export function shownSteps(items: readonly Item[]): string {
  const steps = new Set(items.map(({ step }) => step)).size;
  const [{ track }] = items;
  return steps < track.count ? ` · ${steps} of ${track.count.toLocaleString("en")} steps` : "";
}
