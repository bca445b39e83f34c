/// Objects of runs, such as images and texts: asked for by sequence and step, kept up to date.

import type { ReadonlySignal } from "@preact/signals";
import { sequenceText } from "./fields";
import { liveStore, type LiveStore } from "./livestore";
import type { Scope } from "./scope";
import { sendJson } from "../wire/request";
import type { ObjectItem, ObjectsAnswer, ObjectSequence, ObjectsRequest } from "../wire/objects";
import type { Change } from "../wire/edits";

const PAUSE_MS = 2500;

/// An object with the sequence and the run that it belongs to.
export interface Item extends ObjectItem {
  readonly run: string;
  readonly track: ObjectSequence;
}

/// The items of an answer with their runs.
export function itemsOf(answer: ObjectsAnswer | null): readonly Item[] {
  if (!answer) return [];
  return answer.items.map((item) => {
    const track = answer.sequences[item.sequence];
    return { ...item, track, run: answer.runs[track.run] };
  });
}

/// The items of each sequence, in the order of the answer.
export function bySequence(items: readonly Item[]): readonly (readonly Item[])[] {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const group = groups.get(item.sequence);
    if (group) group.push(item);
    else groups.set(item.sequence, [item]);
  }
  return [...groups.values()];
}

/// How many objects of a list may be hidden at a step, when at most `limit` of each step were asked for.
export function hiddenCount(row: readonly Item[], limit: number): number {
  const counts = new Map<number, number>();
  for (const { step } of row) counts.set(step, (counts.get(step) ?? 0) + 1);
  const isCut = [...counts.values()].some((count) => count >= limit);
  return isCut ? Math.max(0, row[0].track.index_count - limit) : 0;
}

/// One text for the same object of a run at any step.
export function itemKey(item: Item): string {
  return `${item.run} ${sequenceText(item.track)} ${item.index}`;
}

/// What an object is called where it has no caption.
export function itemLabel(item: Item): string {
  return item.caption || `${item.track.name}, step ${item.step}`;
}

/// The same objects as `before`, at the step that is answered now; what is not in the answer stays as it was.
export function atPresent(before: readonly Item[], items: readonly Item[]): readonly Item[] {
  const present = new Map(items.map((item) => [itemKey(item), item]));
  return before.map((item) => present.get(itemKey(item)) ?? item);
}

/// The change that hides one object.
export function deletion(item: Item): Change {
  const { name, context, kind } = item.track;
  return {
    points: [{ name, context, steps: [item.step], ...(kind.startsWith("list(") ? { items: [item.index] } : {}) }],
  };
}

/// How many steps the longest of the sequences has, those included that are left out of its list of steps.
export function longestCount(answer: ObjectsAnswer | null): number {
  return Math.max(0, ...(answer?.sequences ?? []).map(({ count }) => count));
}

/// All steps that any of the sequences has, in order.
export function allSteps(answer: ObjectsAnswer | null): readonly number[] {
  return [...new Set((answer?.sequences ?? []).flatMap((sequence) => sequence.steps))].sort((a, b) => a - b);
}

/// Starts a store that follows its wish.
export function objectsStore(scope: Scope, wish: ReadonlySignal<ObjectsRequest | null>): LiveStore<ObjectsAnswer> {
  return liveStore<ObjectsRequest, ObjectsAnswer>(scope, {
    wish,
    pause_ms: PAUSE_MS,
    fetch: (request, abort) => sendJson<ObjectsAnswer>(scope.question("objects"), request, abort),
    concerns: ({ cursor, changed }, _, answer) =>
      cursor !== answer?.cursor &&
      (changed === null || changed.some((hash) => answer !== null && answer.runs.includes(hash))),
  });
}

/// The address of an object's bytes, or of a part of them; immutable. `form`: in which form, if not as they are.
export function blobUrl(scope: Scope, blob: string, part?: string, form?: "preview"): string {
  const settings = [part === undefined ? "" : `part=${encodeURIComponent(part)}`, form ? `as=${form}` : ""];
  const query = settings.filter((setting) => setting !== "").join("&");
  return scope.here(`blobs/${encodeURIComponent(blob)}${query === "" ? "" : `?${query}`}`);
}

/// The address of an image in a form that browsers show, in full size; immutable.
export function pictureUrl(scope: Scope, blob: string, part?: string): string {
  return blobUrl(scope, blob, part, "preview");
}

/// The address of some rows of a table; immutable.
export function tableUrl(scope: Scope, blob: string, from: number, limit: number): string {
  return scope.here(`tables/${encodeURIComponent(blob)}?from=${from}&limit=${limit}`);
}

/// The address of a picture at most `width_px` wide; immutable.
export function thumbUrl(scope: Scope, blob: string, width_px: number): string {
  return scope.here(`thumbs/${encodeURIComponent(blob)}?w=${width_px}`);
}
