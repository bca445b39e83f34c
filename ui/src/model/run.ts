/// One run: all that the server knows of it, kept up to date; and its log, by parts.

import { effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";
import { throttled } from "./runs";
import { asWireError, here, repo, tick } from "./scope";
import { getJson, type WireError } from "../wire/request";
import type { LogAnswer, LogMatches, RunAnswer } from "../wire/types";

const TICK_PAUSE_MS = 1500;
const LOG_CHUNK = 2000;

export interface RunStore {
  readonly run: Signal<RunAnswer | null>;
  readonly error: Signal<WireError | null>;
  readonly stop: () => void;
}

/// Follows one run.
export function runStore(hash: string): RunStore {
  const run = signal<RunAnswer | null>(null);
  const error = signal<WireError | null>(null);
  const load = async (): Promise<void> => {
    if (repo.peek() === "") return;
    try {
      run.value = await getJson<RunAnswer>(here(`runs/${encodeURIComponent(hash)}`));
      error.value = null;
    } catch (caught) {
      error.value = asWireError(caught);
    }
  };
  const soon = throttled(TICK_PAUSE_MS, () => void load());
  const stops = [
    effect(() => {
      void repo.value;
      untracked(() => void load());
    }),
    effect(() => {
      const next = tick.value;
      if (!next || (next.changed !== null && !next.changed.includes(hash) && !next.removed.includes(hash))) return;
      if (next.isOwn)
        untracked(() => void load()); // who has just changed something waits for nothing
      else soon.call();
    }),
  ];
  return {
    run,
    error,
    stop: () => {
      stops.forEach((end) => end());
      soon.stop();
    },
  };
}

/// A part of a log: lines `from … from + lines.length` of `total`.
export interface LogPart {
  readonly from: number;
  readonly lines: readonly string[];
  readonly total: number;
}

export interface LogStore {
  readonly part: Signal<LogPart | null>;
  readonly error: Signal<WireError | null>;
  /// Loads what comes before the part.
  readonly earlier: () => Promise<void>;
  /// Loads so that a line is in the part.
  readonly around: (line: number) => Promise<void>;
  readonly find: (text: string) => Promise<LogMatches>;
  readonly stop: () => void;
}

/// Follows one log of a run, from its end; `which` is its id. `total` tells how many lines the run has by now.
export function logStore(hash: string, which: ReadonlySignal<string>, total: ReadonlySignal<number>): LogStore {
  const part = signal<LogPart | null>(null);
  const error = signal<WireError | null>(null);
  const path = `runs/${encodeURIComponent(hash)}/log`;
  const get = async (from: number, limit: number): Promise<LogAnswer | null> => {
    const id = which.peek();
    const answer = await getJson<LogAnswer>(here(`${path}?log=${id}&from=${from}&limit=${limit}`));
    return id === which.peek() ? answer : null;
  };
  let isBusy = false;
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      await work();
    } catch (caught) {
      error.value = asWireError(caught);
    } finally {
      isBusy = false;
    }
  };
  const follow = (): Promise<void> =>
    guarded(async () => {
      const old = part.peek();
      // The last line may still have been growing: it is asked for again.
      const from = old ? Math.max(old.from, old.from + old.lines.length - 1) : -LOG_CHUNK;
      const answer = await get(from, old ? 20 * LOG_CHUNK : LOG_CHUNK);
      if (!answer) return;
      const kept = old ? old.lines.slice(0, Math.max(0, answer.from - old.from)) : [];
      part.value = { from: old ? old.from : answer.from, lines: [...kept, ...answer.lines], total: answer.total };
    });
  let shown = which.peek();
  const stop = effect(() => {
    void total.value;
    const id = which.value;
    untracked(() => {
      if (id === shown) return void follow();
      shown = id;
      part.value = null;
      isBusy = false;
      void follow();
    });
  });
  const earlier = (): Promise<void> =>
    guarded(async () => {
      const old = part.peek();
      if (!old || old.from === 0) return;
      const from = Math.max(0, old.from - LOG_CHUNK);
      const answer = await get(from, old.from - from);
      if (answer) part.value = { from, lines: [...answer.lines, ...old.lines], total: old.total };
    });
  const around = async (line: number): Promise<void> => {
    while (part.peek() && line < (part.peek()?.from ?? 0)) {
      const before = part.peek()?.from;
      await earlier();
      if (part.peek()?.from === before) return;
    }
  };
  const find = (text: string): Promise<LogMatches> =>
    getJson<LogMatches>(here(`${path}?log=${which.peek()}&find=${encodeURIComponent(text)}`));
  return { part, error, earlier, around, find, stop };
}
