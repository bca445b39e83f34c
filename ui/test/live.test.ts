/// Requests and the live stream: errors as one class, one stream for all tabs, hidden tabs that let go of theirs.

import "./browser";
import { settled } from "./browser";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeServer, Refusal } from "./fakeserver";
import { follow, type LiveState } from "../src/wire/events";
import { apiUrl, getJson, repoUrl, request, sendForBytes, sendJson, WireError } from "../src/wire/request";
import { numberOf, type Tick } from "../src/wire/types";

test("addresses are below the base, whatever is in them", () => {
  assert.equal("http://localhost/api/info", apiUrl("info"));
  assert.equal("http://localhost/api/repos/a%2Fb/runs", repoUrl("a/b", "runs"));
});

test("a request sends JSON and takes JSON or bytes", async () => {
  const server = new FakeServer();
  server.on("things", ({ method, body }) => ({ method, ...body }));
  server.on("bytes", () => new Uint8Array([1, 2, 3]).buffer);
  assert.deepEqual({ method: "GET" }, await getJson(apiUrl("things")));
  assert.deepEqual({ method: "POST", a: 1 }, await sendJson(apiUrl("things"), { a: 1 }));
  assert.deepEqual({ method: "PUT" }, await sendJson(apiUrl("things"), {}, undefined, "PUT"));
  assert.equal(3, (await sendForBytes(apiUrl("bytes"), {})).byteLength);
});

const REFUSALS: readonly (readonly [Refusal, string, string])[] = [
  [new Refusal(400, { kind: "query", message: "wrong", start: 1, end: 2 }), "query", "wrong"],
  [new Refusal(500, { detail: "no message" }), "internal", "The server answered 500."],
];

test("a refusal is an error with the server's words", async () => {
  const server = new FakeServer();
  for (const [refusal, kind, message] of REFUSALS) {
    server.on("things", () => refusal);
    await assert.rejects(getJson(apiUrl("things")), (error) => {
      assert.ok(error instanceof WireError);
      assert.deepEqual([kind, message, refusal.status], [error.kind, error.message, error.status]);
      return true;
    });
  }
});

test("an answer that is no JSON is an error too", async () => {
  globalThis.fetch = () => Promise.resolve(new Response("<html>", { status: 502 }));
  await assert.rejects(getJson(apiUrl("things")), /The server answered 502/);
});

test("a server that cannot be reached is offline, an abort stays an abort", async () => {
  globalThis.fetch = () => Promise.reject(new TypeError("refused"));
  await assert.rejects(request(apiUrl("x")), (error) => error instanceof WireError && error.kind === "offline");
  globalThis.fetch = () => Promise.reject(new DOMException("aborted", "AbortError"));
  await assert.rejects(request(apiUrl("x")), { name: "AbortError" });
});

test("numbers that JSON cannot hold have names", () => {
  assert.deepEqual(
    [null, null, 0, NaN, Infinity, -Infinity],
    [null, undefined, 0, "NaN", "Infinity", "-Infinity"].map((value) => numberOf(value as never)),
  );
});

/// A stream of events that a test feeds.
class FakeStream {
  static readonly CLOSED = 2;
  static readonly all: FakeStream[] = [];
  readyState = 0;
  private readonly handlers = new Map<string, (event: unknown) => void>();
  constructor(readonly url: string) {
    FakeStream.all.push(this);
  }
  addEventListener(name: string, handler: (event: unknown) => void): void {
    this.handlers.set(name, handler);
  }
  emit(name: string, data?: object): void {
    this.handlers.get(name)?.({ data: JSON.stringify(data) });
  }
  close(): void {
    this.readyState = FakeStream.CLOSED;
  }
}

class FakeDocument {
  hidden = false;
  private readonly handlers = new Set<() => void>();
  addEventListener(_: string, handler: () => void): void {
    this.handlers.add(handler);
  }
  removeEventListener(_: string, handler: () => void): void {
    this.handlers.delete(handler);
  }
  hide(hidden: boolean): void {
    this.hidden = hidden;
    for (const handler of this.handlers) handler();
  }
}

/// Locks of a browser: one holder at a time, the others wait.
class FakeLocks {
  private held: Promise<unknown> = Promise.resolve();
  request(_: string, work: () => Promise<unknown> | undefined): Promise<unknown> {
    this.held = this.held.then(work);
    return this.held;
  }
}

/// Channels of one name: what one posts, the others hear.
class FakeChannel {
  private static readonly all: FakeChannel[] = [];
  private handler: (event: { readonly data: unknown }) => void = () => undefined;
  constructor(readonly name: string) {
    FakeChannel.all.push(this);
  }
  addEventListener(_: string, handler: (event: { readonly data: unknown }) => void): void {
    this.handler = handler;
  }
  postMessage(data: unknown): void {
    for (const other of FakeChannel.all) if (other !== this && other.name === this.name) other.handler({ data });
  }
  close(): void {
    FakeChannel.all.splice(FakeChannel.all.indexOf(this), 1);
  }
}

let page: FakeDocument;

function browser(locks: FakeLocks | undefined): void {
  page = new FakeDocument();
  Object.assign(globalThis, { EventSource: FakeStream, BroadcastChannel: FakeChannel, document: page });
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
}

beforeEach(() => {
  FakeStream.all.length = 0;
});

const TICK: Tick = { cursor: "2", changed: ["a"], removed: [], total: 1, live: 0, indexing: null, read_only: null };

function followed(cursor: string | null = null) {
  const ticks: Tick[] = [];
  const states: LiveState[] = [];
  const stop = follow("demo", () => cursor, { tick: (tick) => ticks.push(tick), state: (state) => states.push(state) });
  return { ticks, states, stop };
}

test("the stream says when it is live, when it is cut off, and what changed", () => {
  browser(undefined);
  const { ticks, states, stop } = followed("c 1");
  const [stream] = FakeStream.all;
  assert.equal("http://localhost/api/repos/demo/events?cursor=c%201", stream.url);
  stream.emit("open");
  stream.emit("tick", TICK);
  stream.emit("error");
  assert.deepEqual(["connecting", "live", "connecting"], states);
  assert.deepEqual([TICK], ticks);
  stop();
  assert.equal("off", states.at(-1));
  assert.equal(FakeStream.CLOSED, stream.readyState);
});

test("a hidden tab lets go of its stream, and takes it up again when it is seen", () => {
  browser(undefined);
  const { stop } = followed();
  page.hide(true);
  assert.equal(FakeStream.CLOSED, FakeStream.all[0].readyState);
  page.hide(false);
  assert.equal(2, FakeStream.all.length);
  stop();
  page.hide(true);
  page.hide(false);
  assert.equal(2, FakeStream.all.length, "after the end no stream is opened");
});

test("one tab leads; another one takes over when it is gone", async () => {
  const locks = new FakeLocks();
  browser(locks);
  const first = followed();
  const second = followed();
  await settled();
  assert.equal(1, FakeStream.all.length);
  first.stop();
  await settled();
  assert.equal(2, FakeStream.all.length, "the second tab has the stream now");
  second.stop();
});

test("tabs that do not lead hear of changes from the one that does", async () => {
  browser(new FakeLocks());
  const first = followed();
  const second = followed();
  await settled();
  FakeStream.all[0].emit("tick", TICK);
  assert.deepEqual([TICK], second.ticks);
  assert.equal("live", second.states.at(-1));
  first.stop();
  second.stop();
});
