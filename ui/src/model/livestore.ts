/// One answer of the server, kept up to date: the part that all stores of the pages have in common.
///
///     the wish changes          the running request is aborted, and the whole answer is asked for
///     an equal wish comes       nothing: it is the one that is answered, or under way
///     runs changed              a merge, or the whole answer again, at most once every `pause_ms`
///     the reader changed runs   the same, at once
///     either during a request   the request is finished, and then the same: what is slow to come does come
///     stop                      nothing is asked for any more, and what is under way is aborted
///
/// `behindSince` tells how old the answer is when the server is slower than the changes.
///
/// After the `Query` of TanStack query-core. Errors that are no aborts end in `error`; the last answer stays.

import { effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";
import { throttled } from "./throttle";
import type { WireError } from "../wire/request";
import type { Tick } from "../wire/types";

/// A change that the server reported; `isOwn`: one that this page's reader made.
export type LiveTick = Tick & { readonly isOwn?: boolean };

/// Which runs changed since the answer; null: all may have.
export type ChangedRuns = ReadonlySet<string> | null;

/// The part of a scope that a live store follows.
export interface LiveScope {
  /// The repository's id; nothing is asked for while it is empty.
  readonly repo: ReadonlySignal<string>;
  readonly tick: ReadonlySignal<LiveTick | null>;
  /// The error as one of the wire; null for an abort.
  readonly asWireError: (error: unknown) => WireError | null;
}

/// What is asked for, and how.
export interface LiveSource<Wish, Answer> {
  /// Null: nothing yet, as for a card that is off the screen.
  readonly wish: ReadonlySignal<Wish | null>;
  /// Asks for the whole answer. `show` shows a first part of it while the rest is under way.
  readonly fetch: (wish: Wish, abort: AbortSignal, show: (part: Answer) => void, old: Answer | null) => Promise<Answer>;
  /// How an answer is brought up to date; null where the whole has to be asked for. Without it, it always is.
  readonly merge?: (old: Answer, changed: ChangedRuns, wish: Wish) => ((abort: AbortSignal) => Promise<Answer>) | null;
  /// Whether a change matters to this answer; without it, every change does.
  readonly concerns?: (tick: LiveTick, wish: Wish, answer: Answer | null) => boolean;
  readonly pause_ms: number | ((wish: Wish) => number);
}

/// An answer that follows its wish and the live stream, until it is stopped.
export interface LiveStore<Answer> {
  readonly answer: Signal<Answer | null>;
  /// Whether the answer on the screen is not yet that of the wish.
  readonly isLoading: Signal<boolean>;
  readonly error: Signal<WireError | null>;
  /// When the first change was reported that the answer lacks, by `performance.now()`; null: it lacks none.
  readonly behindSince: ReadonlySignal<number | null>;
  /// Asks again, soon.
  readonly refresh: () => void;
  readonly stop: () => void;
}

const OLD_MS = 4000; // less is what a pause and an ordinary answer take

/// How many seconds an answer is behind; null while that is nothing to speak of. `since`: its `behindSince`.
export function ageOf(since: number | null, now_ms: number): number | null {
  return since === null || now_ms - since < OLD_MS ? null : Math.floor((now_ms - since) / 1000);
}

function pauseOf<Wish, Answer>({ wish, pause_ms }: LiveSource<Wish, Answer>): number {
  const current = wish.peek();
  if (typeof pause_ms === "number") return pause_ms;
  return current === null ? 0 : pause_ms(current);
}

function withChanges(changed: ChangedRuns, { changed: more, removed }: LiveTick): ChangedRuns {
  return changed === null || more === null ? null : new Set([...changed, ...more, ...removed]);
}

interface Flights {
  readonly isBusy: () => boolean;
  /// Does something when the request under way is over, whatever came of it.
  readonly afterwards: (run: () => void) => void;
  /// Makes a request in place of the one under way. What it brings counts only while it is the current one.
  readonly request: (ask: (abort: AbortSignal, isCurrent: () => boolean) => Promise<void>) => Promise<void>;
  readonly stop: () => void;
}

/// Requests of which one is under way at a time. `fail` is given the errors of the current one.
function singleFlight(fail: (error: unknown) => void): Flights {
  let flight: AbortController | null = null;
  let next: (() => void) | null = null;
  const stop = (): void => {
    flight?.abort();
    flight = null;
    next = null;
  };
  const request: Flights["request"] = async (ask) => {
    stop();
    const mine = (flight = new AbortController());
    const isCurrent = (): boolean => flight === mine;
    try {
      await ask(mine.signal, isCurrent);
    } catch (error) {
      if (isCurrent()) fail(error);
    } finally {
      if (isCurrent()) {
        const run = next;
        flight = null;
        next = null;
        run?.();
      }
    }
  };
  return { isBusy: () => flight !== null, afterwards: (run) => (next = run), request, stop };
}

/// The changes that an answer lacks.
class Backlog {
  readonly since = signal<number | null>(null);
  private changed: ChangedRuns = new Set();
  private sinceAsked: number | null = null; // of the changes that came after the request under way was made

  add(tick: LiveTick): void {
    this.changed = withChanges(this.changed, tick);
    this.since.value ??= performance.now();
    this.sinceAsked ??= performance.now();
  }

  /// What a request that is made now has to bring.
  take(): ChangedRuns {
    const taken = this.changed;
    this.changed = new Set();
    this.sinceAsked = null;
    return taken;
  }

  /// The request that took them brought them.
  settle(): void {
    this.since.value = this.sinceAsked;
  }
}

/// Calls `load` for each wish that is another one than before, or for another repository.
function followWish<Wish>(
  { repo }: LiveScope,
  wish: ReadonlySignal<Wish | null>,
  load: (wish: Wish) => void,
): () => void {
  let followed = "";
  return effect(() => {
    const current = wish.value;
    if (current === null || repo.value === "") return;
    const text = JSON.stringify([repo.value, current]);
    if (text === followed) return;
    followed = text;
    untracked(() => load(current));
  });
}

/// Starts a store.
export function liveStore<Wish, Answer>(scope: LiveScope, source: LiveSource<Wish, Answer>): LiveStore<Answer> {
  const answer = signal<Answer | null>(null);
  const isLoading = signal(false);
  const error = signal<WireError | null>(null);
  const backlog = new Backlog();
  let loaded: string | null = null; // the wish whose whole answer is here
  let asked = ""; // the wish that was last asked for
  const show = (next: Answer): void => {
    answer.value = next;
    error.value = null;
    isLoading.value = false;
  };
  const showWhole = (next: Answer): void => {
    show(next);
    backlog.settle();
  };
  const flights = singleFlight((caught) => {
    const failure = scope.asWireError(caught);
    if (!failure) return;
    error.value = failure;
    isLoading.value = false;
    loaded = null;
  });
  const load = (wish: Wish): void => {
    isLoading.value = true;
    loaded = null;
    asked = JSON.stringify(wish);
    backlog.take();
    soon.pause();
    void flights.request(async (abort, isCurrent) => {
      const showPart = (part: Answer): void => {
        if (isCurrent()) show(part);
      };
      const whole = await source.fetch(wish, abort, showPart, answer.peek());
      if (!isCurrent()) return;
      showWhole(whole);
      loaded = JSON.stringify(wish);
    });
  };
  const catchUp = (): void => {
    const wish = source.wish.peek();
    const old = answer.peek();
    if (wish === null || scope.repo.peek() === "") return;
    if (flights.isBusy()) return flights.afterwards(soon.call);
    const merge = old !== null && loaded === asked ? source.merge?.(old, backlog.take(), wish) : null;
    if (!merge) return load(wish);
    soon.pause();
    void flights.request(async (abort, isCurrent) => {
      const merged = await merge(abort);
      if (isCurrent()) showWhole(merged);
    });
  };
  const soon = throttled(() => pauseOf(source), catchUp);
  const note = (tick: LiveTick): void => {
    const wish = source.wish.peek();
    if (wish === null || source.concerns?.(tick, wish, answer.peek()) === false) return;
    backlog.add(tick);
    if (!tick.isOwn) soon.call();
    else if (flights.isBusy()) flights.afterwards(catchUp);
    else catchUp();
  };
  const stops = [
    followWish(scope, source.wish, load),
    effect(() => {
      const tick = scope.tick.value;
      if (tick) untracked(() => note(tick));
    }),
    soon.stop,
    flights.stop,
  ];
  const stop = (): void => stops.forEach((end) => end());
  return { answer, isLoading, error, behindSince: backlog.since, refresh: soon.call, stop };
}
