/// The log of a run, by parts: its end is followed, and what comes before is fetched when it is scrolled to.

import { effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Scope } from "./scope";
import { getJson, type WireError } from "../wire/request";
import type { LogAnswer, LogMatches } from "../wire/logs";

const CHUNK_LINES = 2000;
const FOLLOWED_LINES_MOST = 20 * CHUNK_LINES;

/// A part of a log: lines `from … from + lines.length` of `total`.
export interface LogPart {
  readonly from: number;
  readonly lines: readonly string[];
  readonly total: number;
}

/// A part with what was asked for at its end. The last line may still have been growing: it is replaced.
export function followedPart(old: LogPart | null, answer: LogAnswer): LogPart {
  const before = old ? old.lines.slice(0, Math.max(0, answer.from - old.from)) : [];
  return { from: old ? old.from : answer.from, lines: [...before, ...answer.lines], total: answer.total };
}

/// One log, until it is stopped.
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
export function logStore(
  scope: Scope,
  hash: string,
  which: ReadonlySignal<string>,
  total: ReadonlySignal<number>,
): LogStore {
  const part = signal<LogPart | null>(null);
  const error = signal<WireError | null>(null);
  const path = `runs/${encodeURIComponent(hash)}/log`;
  const ask = async (from: number, limit: number): Promise<LogAnswer | null> => {
    const id = which.peek();
    const answer = await getJson<LogAnswer>(scope.here(`${path}?log=${id}&from=${from}&limit=${limit}`));
    return id === which.peek() ? answer : null;
  };
  let isBusy = false;
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      await work();
    } catch (caught) {
      error.value = scope.asWireError(caught);
    } finally {
      isBusy = false;
    }
  };
  const follow = (): Promise<void> =>
    guarded(async () => {
      const old = part.peek();
      const from = old ? Math.max(old.from, old.from + old.lines.length - 1) : -CHUNK_LINES;
      const answer = await ask(from, old ? FOLLOWED_LINES_MOST : CHUNK_LINES);
      if (answer) part.value = followedPart(old, answer);
    });
  let current = which.peek();
  const stop = effect(() => {
    void total.value;
    const id = which.value;
    untracked(() => {
      if (id !== current) {
        current = id;
        part.value = null;
        isBusy = false;
      }
      void follow();
    });
  });
  const earlier = (): Promise<void> =>
    guarded(async () => {
      const old = part.peek();
      if (!old || old.from === 0) return;
      const from = Math.max(0, old.from - CHUNK_LINES);
      const answer = await ask(from, old.from - from);
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
    getJson<LogMatches>(scope.here(`${path}?log=${which.peek()}&find=${encodeURIComponent(text)}`));
  return { part, error, earlier, around, find, stop };
}
