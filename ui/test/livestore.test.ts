/// Stores that are kept up to date: what is asked when, what is aborted, what is merged, what a reader sees meanwhile.

import "./browser";
import { pause, settled, until } from "./browser";
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { signal } from "@preact/signals";
import { ageOf, liveStore, type LiveSource, type LiveTick } from "../src/model/livestore";
import { throttled } from "../src/model/throttle";
import { makeQueue } from "../src/model/queue";
import { WireError } from "../src/wire/request";

const PAUSE_MS = 30;

interface Call {
  readonly wish: string;
  readonly kind: "whole" | "merge";
  readonly changed: readonly string[] | null;
  readonly abort: AbortSignal;
  readonly answer: (value: string) => void;
  readonly refuse: (error: unknown) => void;
}

function makeStore(more: Partial<LiveSource<string, string>> = {}) {
  const repo = signal("demo");
  const tick = signal<LiveTick | null>(null);
  const wish = signal<string | null>(null);
  const calls: Call[] = [];
  const call = (kind: Call["kind"], text: string, abort: AbortSignal, changed: readonly string[] | null) =>
    new Promise<string>((answer, refuse) => calls.push({ wish: text, kind, changed, abort, answer, refuse }));
  const asWireError = (error: unknown): WireError | null => {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    return error instanceof WireError ? error : new WireError({ kind: "internal", message: String(error) }, 500);
  };
  const store = liveStore<string, string>(
    { repo, tick, asWireError },
    {
      wish,
      pause_ms: PAUSE_MS,
      fetch: (text, abort) => call("whole", text, abort, null),
      merge: (_, changed, text) => (abort) => call("merge", text, abort, changed && [...changed]),
      ...more,
    },
  );
  const change = (changed: readonly string[] | null, isOwn = false, removed: readonly string[] = []): void => {
    tick.value = {
      cursor: String(Math.random()),
      changed,
      removed,
      total: 1,
      live: 0,
      indexing: null,
      read_only: null,
      isOwn,
    };
  };
  return { repo, tick, wish, calls, store, change };
}

async function loaded(more: Partial<LiveSource<string, string>> = {}) {
  const made = makeStore(more);
  made.wish.value = "a";
  made.calls[0].answer("A");
  await settled();
  return made;
}

test("nothing is asked for without a wish, or before the repository is known", () => {
  const { wish, repo, calls, store } = makeStore();
  assert.equal(0, calls.length);
  repo.value = "";
  wish.value = "a";
  assert.equal(0, calls.length);
  assert.equal(false, store.isLoading.value);
  repo.value = "demo";
  assert.equal(1, calls.length);
  store.stop();
});

test("a wish is answered", async () => {
  const { wish, calls, store } = makeStore();
  wish.value = "a";
  assert.equal(true, store.isLoading.value);
  assert.equal(null, store.answer.value);
  calls[0].answer("A");
  await settled();
  assert.equal("A", store.answer.value);
  assert.equal(false, store.isLoading.value);
  store.stop();
});

test("another wish aborts the first, whose late answer is dropped", async () => {
  const { wish, calls, store } = makeStore();
  wish.value = "a";
  wish.value = "b";
  assert.equal(true, calls[0].abort.aborted);
  assert.equal(false, calls[1].abort.aborted);
  calls[1].answer("B");
  await settled();
  calls[0].answer("A");
  await settled();
  assert.equal("B", store.answer.value);
  store.stop();
});

test("the old answer stays while the next one is under way", async () => {
  const { wish, store } = await loaded();
  wish.value = "b";
  assert.equal("A", store.answer.value);
  assert.equal(true, store.isLoading.value);
  store.stop();
});

test("a part is shown before the whole is there, and is not taken for it", async () => {
  const parts: ((part: string) => void)[] = [];
  const wholes: ((whole: string) => void)[] = [];
  const { wish, store, change, calls } = makeStore({
    fetch: (_, __, show) => {
      parts.push(show);
      return new Promise((answer) => wholes.push(answer));
    },
  });
  wish.value = "a";
  parts[0]("some");
  assert.equal("some", store.answer.value);
  assert.equal(false, store.isLoading.value);
  change(["r1"]);
  await pause(PAUSE_MS * 2);
  assert.equal(0, calls.length, "no merge into a part");
  wholes[0]("all");
  await settled();
  assert.equal("all", store.answer.value);
  store.stop();
});

test("a part that comes after another wish is dropped", () => {
  const parts: ((part: string) => void)[] = [];
  const { wish, store } = makeStore({
    fetch: (_, __, show) => {
      parts.push(show);
      return new Promise(() => undefined);
    },
  });
  wish.value = "a";
  wish.value = "b";
  parts[0]("of a");
  assert.equal(null, store.answer.value);
  store.stop();
});

test("changes are merged, those of one pause together", async () => {
  const { calls, change, store } = await loaded();
  change(["r1"]);
  change(["r2"], false, ["r3"]);
  change(["r1"]);
  await until(() => calls.length === 2, "a merge");
  assert.equal("merge", calls[1].kind);
  assert.deepEqual(["r1", "r2", "r3"], calls[1].changed);
  calls[1].answer("A2");
  await settled();
  assert.equal("A2", store.answer.value);
  store.stop();
});

test("a change that may concern all runs is merged as such", async () => {
  const { calls, change, store } = await loaded();
  change(["r1"]);
  change(null);
  await until(() => calls.length === 2, "a merge");
  assert.equal(null, calls[1].changed);
  store.stop();
});

test("merges keep their pause", async () => {
  const { calls, change, store } = await loaded();
  await pause(PAUSE_MS + 5);
  const begin_ms = performance.now();
  change(["r1"]);
  await until(() => calls.length === 2, "the first merge");
  assert.ok(performance.now() - begin_ms < PAUSE_MS, "the first comes at once");
  calls[1].answer("A2");
  await settled();
  change(["r2"]);
  await until(() => calls.length === 3, "the second merge");
  assert.ok(performance.now() - begin_ms >= PAUSE_MS - 2, "the second waits");
  store.stop();
});

test("what the reader changed is asked for at once", async () => {
  const { calls, change, store } = await loaded();
  change(["r1"], true);
  assert.equal(2, calls.length);
  store.stop();
});

test("what the reader changed while a request is under way is asked for right after it", async () => {
  const { wish, calls, change, store } = makeStore({ pause_ms: 10_000 });
  wish.value = "a";
  change(["r1"], true);
  assert.equal(1, calls.length);
  assert.equal(false, calls[0].abort.aborted);
  calls[0].answer("A");
  await settled();
  assert.deepEqual(
    ["whole", "merge"],
    calls.map(({ kind }) => kind),
  );
  assert.deepEqual(["r1"], calls[1].changed);
  store.stop();
});

test("an equal wish is no other wish", () => {
  const { calls, store, wish } = makeStore();
  const asked = (): number => calls.length;
  wish.value = "a";
  wish.value = null;
  wish.value = "a";
  assert.equal(1, asked());
  wish.value = "b";
  assert.equal(2, asked());
  store.stop();
});

test("an answer says since when it is behind", async () => {
  const { calls, change, store } = await loaded();
  assert.equal(null, store.behindSince.value);
  change(["r1"], true);
  const first = store.behindSince.value ?? 0;
  await pause(5);
  change(["r2"]);
  assert.equal(first, store.behindSince.value, "the first change counts");
  calls[1].answer("A2");
  await settled();
  assert.ok((store.behindSince.value ?? 0) >= first + 4, "what came during the request is still missing");
  await until(() => calls.length === 3, "the second merge");
  calls[2].answer("A3");
  await settled();
  assert.equal(null, store.behindSince.value);
  store.stop();
});

test("an age is told from some seconds on", () => {
  assert.deepEqual([null, null, 4, 12], [ageOf(null, 9000), ageOf(0, 3999), ageOf(0, 4000), ageOf(1000, 13_900)]);
});

test("a change during a request is merged after it, not in its place", async () => {
  const { wish, calls, change, store } = makeStore();
  wish.value = "a";
  change(["r1"]);
  await pause(PAUSE_MS * 2);
  assert.equal(1, calls.length, "the request goes on");
  assert.equal(false, calls[0].abort.aborted);
  calls[0].answer("A");
  await until(() => calls.length === 2, "the merge");
  assert.equal("merge", calls[1].kind);
  store.stop();
});

test("a store without a merge asks for the whole again", async () => {
  const { calls, change, store } = await loaded({ merge: undefined });
  change(["r1"]);
  await until(() => calls.length === 2, "the whole");
  assert.equal("whole", calls[1].kind);
  store.stop();
});

test("a merge that cannot be done asks for the whole", async () => {
  const { calls, change, store } = await loaded({ merge: () => null });
  change(["r1"]);
  await until(() => calls.length === 2, "the whole");
  assert.equal("whole", calls[1].kind);
  assert.equal(true, store.isLoading.value);
  store.stop();
});

test("changes that do not concern the answer are passed over", async () => {
  const { calls, change, store } = await loaded({
    concerns: ({ changed }) => changed === null || changed.includes("mine"),
  });
  change(["other"]);
  await pause(PAUSE_MS * 2);
  assert.equal(1, calls.length);
  change(["mine"]);
  await until(() => calls.length === 2, "a merge");
  assert.deepEqual(["mine"], calls[1].changed, "what did not concern it is not asked for");
  store.stop();
});

test("an error leaves the last answer, and goes with the next one", async () => {
  const { calls, change, store, wish } = await loaded();
  wish.value = "b";
  calls[1].refuse(new WireError({ kind: "query", message: "wrong" }, 400));
  await settled();
  assert.equal("wrong", store.error.value?.message);
  assert.equal("A", store.answer.value);
  assert.equal(false, store.isLoading.value);
  change(["r1"], true);
  assert.equal("whole", calls[2].kind, "there is no whole answer to merge into");
  calls[2].answer("B");
  await settled();
  assert.equal(null, store.error.value);
  assert.equal("B", store.answer.value);
  store.stop();
});

test("an error of a merge leaves the answer too", async () => {
  const { calls, change, store } = await loaded();
  change(["r1"], true);
  calls[1].refuse(new Error("cut off"));
  await settled();
  assert.equal("A", store.answer.value);
  assert.match(store.error.value?.message ?? "", /cut off/);
  change(["r2"], true);
  assert.equal("whole", calls[2].kind, "what the merge would have brought is not lost");
  store.stop();
});

test("an abort is no error", async () => {
  const { wish, calls, store } = makeStore();
  wish.value = "a";
  calls[0].refuse(new DOMException("aborted", "AbortError"));
  await settled();
  assert.equal(null, store.error.value);
  store.stop();
});

test("a stopped store asks for nothing and aborts what is under way", async () => {
  const { wish, calls, change, store } = await loaded();
  change(["r1"]);
  wish.value = "b";
  store.stop();
  assert.equal(true, calls[1].abort.aborted);
  wish.value = "c";
  change(["r2"], true);
  await pause(PAUSE_MS * 2);
  assert.equal(2, calls.length);
  calls[1].answer("late");
  await settled();
  assert.equal("A", store.answer.value);
});

test("a refresh asks again without a change", async () => {
  const { calls, store } = await loaded();
  store.refresh();
  await until(() => calls.length === 2, "the refresh");
  store.stop();
});

test("the pause can depend on the wish", async () => {
  const { calls, change, store } = await loaded({ pause_ms: (wish) => (wish === "a" ? 1 : 10_000) });
  change(["r1"]);
  await until(() => calls.length === 2, "a merge after a short pause");
  store.stop();
});

test("another repository is asked for the same wish", async () => {
  const { repo, calls, store } = await loaded();
  repo.value = "other";
  assert.equal(2, calls.length);
  assert.equal("whole", calls[1].kind);
  store.stop();
});

/// A clock of the test's own; returns what lets so many milliseconds pass.
function ownClock(context: TestContext): (by_ms: number) => void {
  let now_ms = performance.now();
  context.mock.timers.enable({ apis: ["setTimeout"] });
  context.mock.method(performance, "now", () => now_ms);
  return (by_ms) => {
    now_ms += by_ms;
    context.mock.timers.tick(by_ms);
  };
}

test("a throttle runs soon, once for many calls, and not after it was stopped", (context) => {
  const pass = ownClock(context);
  let count = 0;
  const soon = throttled(
    () => PAUSE_MS,
    () => count++,
  );
  soon.call();
  soon.call();
  assert.equal(0, count, "never within the call");
  pass(1);
  assert.equal(1, count);
  soon.call();
  pass(PAUSE_MS - 2);
  assert.equal(1, count, "the pause is kept");
  pass(2);
  assert.equal(2, count);
  soon.call();
  soon.stop();
  pass(PAUSE_MS * 2);
  assert.equal(2, count);
});

test("a throttle begins its pause when it is told to", (context) => {
  const pass = ownClock(context);
  let count = 0;
  const soon = throttled(
    () => PAUSE_MS,
    () => count++,
  );
  soon.pause();
  soon.call();
  pass(PAUSE_MS - 1);
  assert.equal(0, count);
  pass(1);
  assert.equal(1, count);
});

test("a queue runs only so much at a time, and the least rank first", async () => {
  const inTurn = makeQueue(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (rank: number): Promise<number> =>
    inTurn(
      () => rank,
      () => {
        begun.push(rank);
        return new Promise((end) => ends.push(() => end(rank)));
      },
    );
  const results = [5, 3, 9, 1].map(work);
  await pause(5);
  assert.deepEqual([1, 3], begun);
  ends[0]();
  await pause(5);
  assert.deepEqual([1, 3, 5], begun);
  ends[1]();
  ends[2]();
  await pause(5);
  ends[3]();
  assert.deepEqual([5, 3, 9, 1], await Promise.all(results));
});

test("a queue goes on after work that failed", async () => {
  const inTurn = makeQueue(1);
  const failing = inTurn(
    () => 0,
    () => Promise.reject(new Error("no")),
  );
  const next = inTurn(
    () => 1,
    () => Promise.resolve("yes"),
  );
  await assert.rejects(failing, /no/);
  assert.equal("yes", await next);
});
