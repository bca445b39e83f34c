/// Images, audio, video, texts, tables, distributions and figures: asked for by sequence and step, kept up to date.

import { effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";
import { sequenceText } from "./fields";
import { throttled } from "./runs";
import { asWireError, here, repo, tick } from "./scope";
import { sendJson, type WireError } from "../wire/request";
import type { Change, ObjectItem, ObjectsAnswer, ObjectSequence, ObjectsRequest, ObjectType } from "../wire/types";

const TICK_PAUSE_MS = 2500;

/// The kinds of objects, and what pages call them.
export const OBJECT_WORDS: Readonly<Record<ObjectType, string>> = {
  images: "Images",
  audios: "Audio",
  videos: "Video",
  texts: "Text",
  tables: "Tables",
  distributions: "Distributions",
  figures: "Figures",
};

const KINDS: Readonly<Record<string, ObjectType>> = {
  "aim.image": "images",
  "aim.audio": "audios",
  "aim.video": "videos",
  "aim.table": "tables",
  "aim.text": "texts",
  "aim.distribution": "distributions",
  "aim.figure": "figures",
};

/// Which type of object a sequence's kind is; null for metrics and the like.
export function objectType(kind: string): ObjectType | null {
  return KINDS[kind.replace(/^list\(|\)$/g, "")] ?? null;
}

/// An object with the sequence and the run it is of.
export interface Item extends ObjectItem {
  readonly run: string;
  readonly of: ObjectSequence;
}

export interface ObjectsStore {
  readonly answer: Signal<ObjectsAnswer | null>;
  readonly isLoading: Signal<boolean>;
  readonly error: Signal<WireError | null>;
  readonly stop: () => void;
}

/// The items of an answer with their runs.
export function itemsOf(answer: ObjectsAnswer | null): readonly Item[] {
  if (!answer) return [];
  return answer.items.map((item) => {
    const of = answer.sequences[item.sequence];
    return { ...item, of, run: answer.runs[of.run] };
  });
}

/// The same places of runs' sequences as `shown`, at the step that is answered now; what is not in the answer stays as it was.
export function atPresent(shown: readonly Item[], items: readonly Item[]): readonly Item[] {
  const placeOf = (item: Item): string => `${item.run} ${sequenceText(item.of)} ${item.index}`;
  const present = new Map(items.map((item) => [placeOf(item), item]));
  return shown.map((item) => present.get(placeOf(item)) ?? item);
}

/// The change that hides one object.
export function deletion(item: Item): Change {
  const { name, context, kind } = item.of;
  return {
    points: [{ name, context, steps: [item.step], ...(kind.startsWith("list(") ? { items: [item.index] } : {}) }],
  };
}

/// All steps that any of the sequences has, in order.
export function allSteps(answer: ObjectsAnswer | null): readonly number[] {
  return [...new Set((answer?.sequences ?? []).flatMap((sequence) => sequence.steps))].sort((a, b) => a - b);
}

/// Starts a store that follows its wish.
export function objectsStore(wish: ReadonlySignal<ObjectsRequest | null>): ObjectsStore {
  const answer = signal<ObjectsAnswer | null>(null);
  const isLoading = signal(true);
  const error = signal<WireError | null>(null);
  let abort = new AbortController();
  const load = async (): Promise<void> => {
    const request = wish.peek();
    if (!request || repo.peek() === "") return;
    abort.abort();
    abort = new AbortController();
    isLoading.value = true;
    try {
      answer.value = await sendJson<ObjectsAnswer>(here("objects"), request, abort.signal);
      error.value = null;
      isLoading.value = false;
    } catch (caught) {
      const failure = asWireError(caught);
      if (!failure) return;
      error.value = failure;
      isLoading.value = false;
    }
  };
  const soon = throttled(TICK_PAUSE_MS, () => void load());
  const stops = [
    effect(() => {
      void [wish.value, repo.value];
      untracked(() => void load());
    }),
    effect(() => {
      const next = tick.value;
      if (!next || next.cursor === answer.peek()?.cursor) return;
      const known = answer.peek()?.runs ?? [];
      if (next.changed !== null && !next.changed.some((hash) => known.includes(hash))) return;
      if (next.isOwn) untracked(() => void load());
      else soon.call();
    }),
  ];
  const stop = (): void => {
    stops.forEach((end) => end());
    soon.stop();
    abort.abort();
  };
  return { answer, isLoading, error, stop };
}

/// The address of an object's bytes; immutable.
export function blobUrl(blob: string): string {
  return here(`blobs/${encodeURIComponent(blob)}`);
}

/// The address of some rows of a table; immutable.
export function tableUrl(blob: string, from: number, limit: number): string {
  return here(`tables/${encodeURIComponent(blob)}?from=${from}&limit=${limit}`);
}

/// The address of a picture at most `width_px` wide; immutable.
export function thumbUrl(blob: string, width_px: number): string {
  return here(`thumbs/${encodeURIComponent(blob)}?w=${width_px}`);
}
