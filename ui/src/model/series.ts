/// The curves of one card, kept up to date: fetched when wanted, appended to while runs are live.

import { effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";
import { sequenceText } from "./fields";
import { asWireError, here, repo, tick } from "./scope";
import { throttled } from "./runs";
import { appendTail, decodeFrame, type Frame, type FramePart } from "../wire/frame";
import { sendForBytes, type WireError } from "../wire/request";
import type { SeriesRequest, Tick } from "../wire/types";

const AT_ONCE = 4; // requests; browsers allow six connections a host, and one is the live stream
const FIRST_SERIES = 300; // of many curves the newest are drawn while the others are on their way
const LATER = 1e9; // added to the place of what comes after the first curves of all cards
const TICK_PAUSE_MS = 900;
const WHOLE_PAUSE_MS = 4000; // an aggregate has no tail: all of it is asked for again

/// The curves of a card, until it is stopped.
export interface SeriesStore {
  readonly frame: Signal<Frame | null>;
  readonly isLoading: Signal<boolean>;
  readonly error: Signal<WireError | null>;
  readonly stop: () => void;
}

interface Waiting {
  readonly place: number;
  readonly go: () => void;
}

let running = 0;
const waiting: Waiting[] = [];

function next(): void {
  if (running >= AT_ONCE || waiting.length === 0) return;
  let first = 0;
  for (let i = 1; i < waiting.length; i++) if (waiting[i].place < waiting[first].place) first = i;
  running++;
  waiting.splice(first, 1)[0].go();
}

/// Does `work` when a connection is free; what has the smallest `place` goes first.
async function inTurn<T>(place: number, work: () => Promise<T>): Promise<T> {
  await new Promise<void>((go) => {
    waiting.push({ place, go });
    // Not at once: all cards that came into view together are to be in the queue before the first is chosen.
    setTimeout(next);
  });
  try {
    return await work();
  } finally {
    running--;
    next();
  }
}

/// Fetches the curves of a request, waiting for a free connection. `place`: the order among those that wait, least first.
export async function fetchSeries(body: SeriesRequest, stop?: AbortSignal, place = 0): Promise<Frame> {
  return inTurn(place, async () => {
    stop?.throwIfAborted();
    return decodeFrame(await sendForBytes(here("series"), body, stop));
  });
}

function partKey(part: FramePart): string {
  return `${part.run}|${sequenceText(part.metric)}|${part.branch ?? ""}|${part.part}`;
}

/// `old` with the series of a later frame put in.
export function mergeFrames(old: Frame, next: Frame): Frame {
  if (next.isWhole) return next;
  if (next.parts.length === 0) return { ...old, cursor: next.cursor };
  const byKey = new Map(next.parts.map((part) => [partKey(part), part]));
  const parts = old.parts.map((part) => {
    const key = partKey(part);
    const fresh = byKey.get(key);
    byKey.delete(key);
    return fresh ? appendTail(part, fresh) : part;
  });
  const total = Math.max(old.total, next.total);
  return {
    ...old,
    cursor: next.cursor,
    total,
    sent: old.sent < old.total ? old.sent : total,
    parts: [...parts, ...byKey.values()],
  };
}

/// Starts a store that follows `wish`; null wishes nothing yet, as for a card that is off the screen. `place` tells where
/// on the page it is drawn: what is higher up is fetched first.
export function seriesStore(wish: ReadonlySignal<SeriesRequest | null>, place: () => number = () => 0): SeriesStore {
  const frame = signal<Frame | null>(null);
  const isLoading = signal(false);
  const error = signal<WireError | null>(null);
  let abort = new AbortController();
  let loaded: SeriesRequest | null = null;
  let loadedAt_ms = 0;

  const load = async (request: SeriesRequest): Promise<void> => {
    abort.abort();
    const mine = (abort = new AbortController());
    isLoading.value = true;
    try {
      const isFirst = frame.peek() === null && !request.aggregate;
      const first = await fetchSeries(isFirst ? { ...request, limit: FIRST_SERIES } : request, mine.signal, place());
      frame.value = first;
      error.value = null;
      isLoading.value = false;
      if (isFirst && first.total > FIRST_SERIES) frame.value = await fetchSeries(request, mine.signal, place() + LATER);
      loaded = request;
      loadedAt_ms = performance.now();
    } catch (caught) {
      const failure = asWireError(caught);
      if (!failure) return;
      error.value = failure;
      isLoading.value = false;
    }
  };
  const catchUp = async (): Promise<void> => {
    const request = wish.peek();
    const old = frame.peek();
    if (!request || !old || isLoading.peek() || loaded !== request) return;
    if (request.aggregate) {
      if (performance.now() - loadedAt_ms > WHOLE_PAUSE_MS) return load(request);
      return soon.call();
    }
    try {
      const later = await fetchSeries({ ...request, since: old.cursor }, abort.signal, place());
      if (frame.peek() === old) frame.value = mergeFrames(old, later);
    } catch (caught) {
      error.value = asWireError(caught) ?? error.peek();
    }
  };
  const soon = throttled(TICK_PAUSE_MS, () => void catchUp());
  const note = (next: Tick): void => {
    const cursor = frame.peek()?.cursor;
    if (cursor === next.cursor) return;
    const asked = wish.peek()?.runs;
    if (!asked || next.changed === null || next.changed.some((hash) => asked.includes(hash))) soon.call();
  };
  const stops = [
    effect(() => {
      const request = wish.value;
      void repo.value;
      if (request && repo.value !== "") untracked(() => void (request !== loaded && load(request)));
    }),
    effect(() => {
      const next = tick.value;
      if (next) untracked(() => note(next));
    }),
  ];
  const stop = (): void => {
    stops.forEach((end) => end());
    soon.stop();
    abort.abort();
  };
  return { frame, isLoading, error, stop };
}
