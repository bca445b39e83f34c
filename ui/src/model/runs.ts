/// The matching runs with the columns a page wants, kept up to date.

import { effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";
import { asWireError, here, matches, query, repo, tick } from "./scope";
import { EMPTY_TABLE, patched, tableOf, type RunTable } from "./table";
import { sendJson, type WireError } from "../wire/request";
import type { Clause, Field, Hint, RunsAnswer, RunsRequest, SortKey, Tick } from "../wire/types";

const FIRST_ROWS = 200; // shown while the rest is on its way
const MOST_ROWS = 50_000;
const PATCH_RUNS = 200; // more changed runs than this: ask for all again
const TICK_PAUSE_MS = 900;

/// What a page wants to know of the runs. `sort` null: newest first.
export interface RunsWish {
  readonly fields: readonly Field[];
  readonly sort: SortKey | null;
}

/// A table that follows its wish, the scope and the live stream, until it is stopped.
export interface RunsStore {
  readonly table: Signal<RunTable>;
  readonly isLoading: Signal<boolean>;
  readonly error: Signal<WireError | null>;
  /// Which parts of a query that leaves nothing leave how many.
  readonly clauses: Signal<readonly Clause[]>;
  /// What a query that left nothing speaks of and no run has.
  readonly hints: Signal<readonly Hint[]>;
  /// Whether an answer has come at all.
  readonly isKnown: Signal<boolean>;
  readonly stop: () => void;
}

/// Calls `run` soon, at most once every `pause_ms`; a call in between is remembered.
export function throttled(pause_ms: number, run: () => void): { readonly call: () => void; readonly stop: () => void } {
  let timer = 0;
  let last_ms = -Infinity;
  const call = (): void => {
    if (timer) return;
    timer = window.setTimeout(
      () => {
        timer = 0;
        last_ms = performance.now();
        run();
      },
      Math.max(0, last_ms + pause_ms - performance.now()),
    );
  };
  return { call, stop: () => clearTimeout(timer) };
}

/// Starts a store. `runs`: only these, whatever the query says.
export function runsStore(wish: ReadonlySignal<RunsWish | null>, only?: ReadonlySignal<readonly string[]>): RunsStore {
  const table = signal(EMPTY_TABLE);
  const isLoading = signal(true);
  const isKnown = signal(false);
  const error = signal<WireError | null>(null);
  const clauses = signal<readonly Clause[]>([]);
  const hints = signal<readonly Hint[]>([]);
  let abort = new AbortController();
  let changed: Set<string> | null = new Set();

  const ask = (current: RunsWish, more: Partial<RunsRequest>, signal_: AbortSignal): Promise<RunsAnswer> => {
    const body: RunsRequest = {
      query: only ? "" : query.peek(),
      fields: current.fields,
      sort: current.sort ? [current.sort] : [],
      limit: MOST_ROWS,
      ...(only ? { runs: only.peek() } : {}),
      ...more,
    };
    return sendJson<RunsAnswer>(here("runs"), body, signal_);
  };
  const load = async (): Promise<void> => {
    const current = wish.peek();
    if (!current || repo.peek() === "") return;
    abort.abort();
    const mine = (abort = new AbortController());
    isLoading.value = true;
    changed = new Set();
    try {
      const isFirst = !isKnown.peek();
      const first = await ask(current, isFirst ? { limit: FIRST_ROWS } : {}, mine.signal);
      accept(first, current);
      if (isFirst && first.count > first.hash.length) accept(await ask(current, {}, mine.signal), current);
      isLoading.value = false;
    } catch (caught) {
      const failure = asWireError(caught);
      if (!failure) return;
      isLoading.value = false;
      isKnown.value = true;
      error.value = failure;
    }
  };
  const accept = (answer: RunsAnswer, current: RunsWish): void => {
    table.value = tableOf(answer, current.fields);
    clauses.value = answer.clauses ?? [];
    hints.value = answer.hints ?? [];
    error.value = null;
    isKnown.value = true;
    if (!only) matches.value = { count: answer.count, total: answer.total, elapsed_ms: answer.elapsed_ms };
  };
  const patch = async (): Promise<void> => {
    const current = wish.peek();
    const hashes = changed ? [...changed] : null;
    changed = new Set();
    if (!current) return;
    if (!hashes || hashes.length > PATCH_RUNS || isLoading.peek()) return load();
    const asked = only ? hashes.filter((hash) => only.peek().includes(hash)) : hashes;
    if (asked.length === 0) return;
    try {
      const answer = await ask(current, { runs: asked }, abort.signal);
      table.value = patched(table.peek(), asked, tableOf(answer, current.fields));
      if (!only) matches.value = { count: table.peek().count, total: answer.total, elapsed_ms: answer.elapsed_ms };
    } catch (caught) {
      error.value = asWireError(caught) ?? error.peek();
    }
  };
  const soon = throttled(TICK_PAUSE_MS, () => void patch());
  const note = (next: Tick): void => {
    if (next.changed === null) changed = null;
    else for (const hash of [...next.changed, ...next.removed]) changed?.add(hash);
    soon.call();
  };
  const stops = [
    effect(() => {
      void [wish.value, repo.value, query.value, only?.value];
      untracked(() => void load());
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
  return { table, isLoading, error, clauses, hints, isKnown, stop };
}
