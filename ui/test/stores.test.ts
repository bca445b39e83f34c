/// The stores of the pages against a server of 200 runs: what they ask, what they show, how they follow runs that
/// arrive.

import { settled, until } from "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { effect, signal } from "@preact/signals";
import { encodeFrame } from "./frames";
import { FakeServer, Refusal } from "./fakeserver";
import { ACCURACY, arrivingRun, fieldsAnswer, makeRuns, runsAnswer, SERVER, TABLE_FIELDS } from "./project";
import { logStore, followedPart } from "../src/model/log";
import { objectsStore } from "../src/model/objects";
import { fewRunsStore, runStore } from "../src/model/run";
import { runsRequest, runsStore, type RunsWish } from "../src/model/runs";
import { Scope } from "../src/model/scope";
import { fetchSeries, seriesStore } from "../src/model/series";
import { Session } from "../src/model/session";
import type { ObjectsRequest } from "../src/wire/objects";
import type { Field, RunsRequest, SeriesRequest } from "../src/wire/types";

const RUNS = makeRuns(200);
const LOSS = { name: "loss", context: { subset: "val" } };

function makeScope(server: FakeServer, query = "") {
  const session = new Session();
  session.server.value = SERVER;
  server.on("fields", () => fieldsAnswer(RUNS));
  const text = signal(query);
  const scope = new Scope(session, { repo: signal("demo"), query: text, setQuery: (next) => (text.value = next) });
  return { session, scope, text };
}

function changed(scope: Scope, hashes: readonly string[] | null, cursor = "2", removed: readonly string[] = []): void {
  scope.tick.value = { cursor, changed: hashes, removed, total: 201, live: 1, indexing: null, read_only: null };
}

test("a scope knows the runs' fields, and asks again for another query", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  await until(() => scope.fields.value !== null, "fields");
  assert.equal("demo", scope.repo.value);
  assert.equal(200, scope.fields.value?.total);
  scope.setQuery("run.hparams.lr < 1e-3");
  await until(() => server.to("fields").length === 2, "fields of the query");
  assert.equal("run.hparams.lr < 1e-3", server.to("fields")[1].body.query);
  assert.match(server.to("fields")[1].path, /^repos\/demo\/fields/);
  scope.stop();
});

test("two scopes stand beside each other, each with its own query and runs", async () => {
  const server = new FakeServer();
  const page = makeScope(server, "run.active").scope;
  const report = makeScope(server, 'run.experiment == "sweep"').scope;
  await until(() => page.fields.value !== null && report.fields.value !== null, "fields of both");
  assert.deepEqual(
    ["run.active", 'run.experiment == "sweep"'],
    server.to("fields").map(({ body }) => body.query),
  );
  report.narrow("run.hparams.lr > 1");
  assert.equal('run.experiment == "sweep" and run.hparams.lr > 1', report.query.value);
  assert.equal("run.active", page.query.value);
  page.stop();
  report.stop();
});

test("a wrong query is an error of the query, which the next right one takes away", async () => {
  const server = new FakeServer();
  const { scope, text } = makeScope(server);
  await until(() => scope.fields.value !== null, "fields");
  server.on("fields", ({ body }) =>
    body.query === "run."
      ? new Refusal(400, { kind: "query", message: "wrong", start: 4, end: 5 })
      : fieldsAnswer(RUNS),
  );
  text.value = "run.";
  await until(() => scope.queryError.value !== null, "the error");
  assert.equal("wrong", scope.queryError.value?.message);
  assert.equal(null, scope.scopeError.value, "the repository is well");
  assert.equal(200, scope.fields.value?.total, "the last fields stay");
  text.value = "";
  await until(() => scope.queryError.value === null, "no error");
  scope.stop();
});

test("a repository that cannot be read is an error of the scope; a server that is away is none", async () => {
  const server = new FakeServer();
  const { scope, text } = makeScope(server);
  server.on("fields", () => new Refusal(503, { kind: "repo", message: "The folder was moved." }));
  text.value = "x";
  await until(() => scope.scopeError.value !== null, "the error");
  assert.equal("The folder was moved.", scope.scopeError.value?.message);
  server.on("fields", () => Promise.reject(new TypeError("connection refused")));
  text.value = "y";
  await until(() => scope.scopeError.value === null, "no error");
  scope.stop();
});

test("how many runs are live, and how far the index is, comes with ticks, before them with answers", async () => {
  const server = new FakeServer();
  const { scope, session } = makeScope(server);
  await until(() => scope.fields.value !== null, "fields");
  const running = RUNS.filter(({ status }) => status === "running").length;
  assert.equal(running, scope.liveRuns.value);
  assert.equal(null, scope.indexing.value);
  scope.tick.value = {
    cursor: "2",
    changed: [],
    removed: [],
    total: 200,
    live: 9,
    indexing: [10, 200],
    read_only: null,
  };
  assert.equal(9, scope.liveRuns.value);
  assert.deepEqual([10, 200], scope.indexing.value);
  session.server.value = null;
  assert.equal("", scope.repo.value);
  scope.stop();
});

test("a request for runs leaves out what the server cannot answer", () => {
  const fields: readonly Field[] = [
    ["run", "name"],
    ["metric", "loss", {}, "last"],
    ["metric", "loss", {}, "p99"],
  ];
  const wish: RunsWish = { fields, sort: { field: ["metric", "loss", {}, "p99"], descending: true } };
  const request = runsRequest(wish, "q", null, ["last", "min"]);
  assert.deepEqual(fields.slice(0, 2), request.fields);
  assert.deepEqual([], request.sort);
  assert.equal("q", request.query);
  assert.equal(3, runsRequest(wish, "q", null, null).fields.length, "nothing is known yet");
  const only = runsRequest(wish, "q", ["a"], null);
  assert.deepEqual(["", ["a"]], [only.query, only.runs]);
});

async function loadedRuns(server: FakeServer, only?: readonly string[]) {
  const { scope } = makeScope(server);
  server.on("runs", ({ body }) => {
    const { fields, limit, runs } = body as unknown as RunsRequest;
    const matching = runs ? RUNS.filter(({ hash }) => runs.includes(hash)) : RUNS;
    const sent = matching.slice(0, Math.min(limit, matching.length));
    return runsAnswer(sent, fields, { count: matching.length, total: RUNS.length });
  });
  const wish = signal<RunsWish | null>({ fields: TABLE_FIELDS, sort: null });
  const store = runsStore(scope, wish, { only: only && signal(only) });
  await until(() => store.table.value.hashes.length > 0 && !store.isLoading.value, "the table");
  return { scope, store, wish };
}

test("the table of runs has its columns and counts", async () => {
  const server = new FakeServer();
  const { scope, store } = await loadedRuns(server);
  assert.equal(200, store.table.value.hashes.length);
  assert.deepEqual(TABLE_FIELDS.length, store.table.value.columns.size);
  assert.deepEqual({ count: 200, total: 200, elapsed_ms: 1.5 }, scope.matches.value);
  assert.equal(true, store.isKnown.value);
  store.stop();
  scope.stop();
});

test("of many runs the newest are shown first", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  const many = makeRuns(260, 4);
  server.on("runs", ({ body }) => {
    const { fields, limit } = body as unknown as RunsRequest;
    return runsAnswer(many.slice(0, limit), fields, { count: many.length, total: many.length });
  });
  const store = runsStore(scope, signal({ fields: TABLE_FIELDS, sort: null }));
  const lengths: number[] = [];
  const stop = effect(() => void lengths.push(store.table.value.hashes.length));
  await until(() => store.table.value.hashes.length === 260, "all rows");
  assert.deepEqual([0, 200, 260], lengths);
  stop();
  assert.deepEqual(
    [200, 50_000],
    server.to("runs").map(({ body }) => body.limit),
  );
  store.stop();
  scope.stop();
});

test("runs that arrive come first, others change in their place, those that left go", async () => {
  const server = new FakeServer();
  const { scope, store } = await loadedRuns(server);
  const fresh = arrivingRun(1);
  const [, second, third] = RUNS;
  server.on("runs", ({ body }) => {
    const { fields } = body as unknown as RunsRequest;
    return runsAnswer([fresh, { ...second, name: "renamed" }], fields, { count: 2, total: 200 });
  });
  scope.nudge("2", [fresh.hash, second.hash, third.hash]);
  await until(() => store.table.value.hashes[0] === fresh.hash, "the new run");
  const { table } = store;
  assert.equal(200, table.value.hashes.length, "one came, one went");
  assert.ok(!table.value.rowOf.has(third.hash));
  assert.equal("renamed", table.value.columns.get("run.name")?.cells[2]);
  assert.deepEqual([fresh.hash, second.hash, third.hash], server.to("runs").at(-1)?.body.runs);
  store.stop();
  scope.stop();
});

test("a table of some runs asks only for those of the changed that it has", async () => {
  const server = new FakeServer();
  const mine = RUNS.slice(0, 3).map(({ hash }) => hash);
  const { scope, store } = await loadedRuns(server, mine);
  assert.deepEqual(mine, store.table.value.hashes);
  assert.equal(null, scope.matches.value, "it says nothing of the page's query");
  const before = server.to("runs").length;
  scope.nudge("2", [RUNS[9].hash]);
  await settled();
  assert.equal(before, server.to("runs").length);
  scope.nudge("3", [mine[1], RUNS[9].hash]);
  await until(() => server.to("runs").length > before, "the changed run");
  assert.deepEqual([mine[1]], server.to("runs").at(-1)?.body.runs);
  store.stop();
  scope.stop();
});

test("very many changed runs are asked for as a whole", async () => {
  const server = new FakeServer();
  const { scope, store } = await loadedRuns(server);
  scope.nudge(
    "2",
    Array.from({ length: 201 }, (_, i) => `run${i}`),
  );
  await until(() => server.to("runs").length >= 2, "the whole table");
  assert.equal(undefined, server.to("runs").at(-1)?.body.runs);
  store.stop();
  scope.stop();
});

test("an error of the first table is known, and the table stays empty", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  server.on("runs", () => new Refusal(400, { kind: "query", message: "no such field" }));
  const store = runsStore(scope, signal({ fields: TABLE_FIELDS, sort: null }));
  await until(() => store.isKnown.value, "an answer");
  assert.equal("no such field", store.error.value?.message);
  assert.equal("no such field", scope.queryError.value?.message);
  assert.deepEqual([], store.table.value.hashes);
  store.stop();
  scope.stop();
});

const SERIES: SeriesRequest = { query: "", metrics: [LOSS], x: "step", buckets: 400, runs: null, aggregate: null };

function curve(hash: string, from: number, to: number) {
  const x = Array.from({ length: to - from }, (_, i) => from + i);
  return { run: hash, metric: LOSS, x, y: x.map((step) => 1 / (1 + step)) };
}

test("a live curve grows by its tail", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  const [first, second] = RUNS;
  server.on("series", ({ body }) =>
    body.since
      ? encodeFrame([{ ...curve(first.hash, 90, 120), from: 90 }], { cursor: "2", total: 1 })
      : encodeFrame([curve(first.hash, 0, 100), curve(second.hash, 0, 50)], { cursor: "1", total: 2 }),
  );
  const store = seriesStore(scope, signal<SeriesRequest | null>(SERIES));
  await until(() => store.answer.value !== null, "the curves");
  scope.nudge("2", [first.hash]);
  await until(() => store.answer.value?.cursor === "2", "the tail");
  const lengths = store.answer.value?.parts.map(({ x }) => x.length);
  assert.deepEqual([120, 50], lengths);
  assert.equal("1", server.to("series").at(-1)?.body.since);
  store.stop();
  scope.stop();
});

test("of very many curves the newest come first", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  server.on("series", ({ body }) => encodeFrame([curve("a", 0, 3)], { total: 900, sent: body.limit ? 300 : 900 }));
  const store = seriesStore(scope, signal<SeriesRequest | null>(SERIES));
  await until(() => store.answer.value?.sent === 300, "the first curves");
  await until(() => store.answer.value?.sent === 900, "all curves");
  assert.deepEqual(
    [300, undefined],
    server.to("series").map(({ body }) => body.limit),
  );
  store.stop();
  scope.stop();
});

test("an averaged curve has no tail: it is asked for again as a whole", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  server.on("series", () =>
    encodeFrame([{ ...curve("a", 0, 3), run: null, group: 0 }], { groups: [{ key: [1], runs: ["a"] }] }),
  );
  const aggregate = { by: [], value: "mean", band: "std" } as const;
  const store = seriesStore(scope, signal<SeriesRequest | null>({ ...SERIES, aggregate }));
  await until(() => store.answer.value !== null, "the curve");
  scope.nudge("2", ["a"]);
  await until(() => server.to("series").length === 2, "the curve again");
  assert.deepEqual(
    [undefined, undefined],
    server.to("series").map(({ body }) => body.since),
  );
  store.stop();
  scope.stop();
});

test("a card of other runs does not ask when one changes", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  server.on("series", () => encodeFrame([curve("a", 0, 3)], { cursor: "1" }));
  const store = seriesStore(scope, signal<SeriesRequest | null>({ ...SERIES, runs: ["a"] }));
  await until(() => store.answer.value !== null, "the curve");
  scope.nudge("2", ["b"]);
  scope.nudge("1", ["a"]);
  await settled();
  assert.equal(1, server.to("series").length, "not for another run, nor for what the answer has already");
  store.stop();
  scope.stop();
});

test("bytes that are no frame are an error", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  server.on("series", () => new ArrayBuffer(20));
  await assert.rejects(fetchSeries(scope, SERIES), /no AXF1 frame/);
  scope.stop();
});

test("one run is followed, and asked for at once when the reader changed it", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  const { hash } = RUNS[0];
  let name = "before";
  server.on(`runs/${hash}`, () => ({ hash, name, sequences: [] }));
  const store = runStore(scope, hash);
  await until(() => store.answer.value !== null, "the run");
  name = "after";
  scope.nudge("2", [RUNS[1].hash]);
  await settled();
  assert.equal(1, server.to(hash).length);
  scope.nudge("3", [hash]);
  await until(() => store.answer.value?.name === "after", "the change");
  store.stop();
  scope.stop();
});

test("a comparison asks for new and changed runs only, and goes on without one that is gone", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  const asked: string[] = [];
  const [a, b, c] = RUNS.map(({ hash }) => hash);
  for (const hash of [a, b]) {
    server.on(`runs/${hash}`, () => {
      asked.push(hash);
      return { hash, name: hash };
    });
  }
  server.on(`runs/${c}`, () => new Refusal(404, { kind: "not_found", message: "gone" }));
  const hashes = signal<readonly string[]>([a, c]);
  const store = fewRunsStore(scope, hashes);
  await until(() => store.answer.value?.has(a) === true && store.answer.value.has(c), "the first runs");
  assert.equal(a, store.answer.value?.get(a)?.name);
  assert.equal(null, store.answer.value?.get(c), "one that cannot be had is known not to be");
  hashes.value = [a, b];
  await until(() => store.answer.value?.has(b) === true, "the added run");
  assert.deepEqual([a, b], asked);
  scope.nudge("2", [b]);
  await until(() => asked.length === 3, "the changed run");
  assert.deepEqual([a, b, b], asked);
  store.stop();
  scope.stop();
});

test("objects are asked for again when one of their runs changes", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  server.on("objects", () => ({ cursor: "1", total: 1, runs: [RUNS[0].hash], sequences: [], items: [] }));
  const wish: ObjectsRequest = { query: "", type: "images", steps: { at: null } };
  const store = objectsStore(scope, signal<ObjectsRequest | null>(wish));
  await until(() => store.answer.value !== null, "the objects");
  scope.nudge("2", [RUNS[5].hash]);
  await settled();
  assert.equal(1, server.to("objects").length);
  scope.nudge("3", [RUNS[0].hash]);
  await until(() => server.to("objects").length === 2, "the objects again");
  store.stop();
  scope.stop();
});

test("a log is followed at its end; the last line may have grown", () => {
  const first = followedPart(null, { from: 40, total: 43, lines: ["a", "b", "c 1"] });
  assert.deepEqual({ from: 40, total: 43, lines: ["a", "b", "c 1"] }, first);
  const next = followedPart(first, { from: 42, total: 44, lines: ["c 100%", "d"] });
  assert.deepEqual({ from: 40, total: 44, lines: ["a", "b", "c 100%", "d"] }, next);
});

test("a log goes back to earlier lines, and to a line that was searched for", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  const line = (number: number): string => `line ${number}`;
  server.on("log", ({ path }) => {
    const query = new URLSearchParams(path.split("?")[1]);
    if (query.has("find")) return { total: 1, matches: [17] };
    const from = Number(query.get("from"));
    const begin = from < 0 ? 5000 + from : from;
    const count = Math.min(Number(query.get("limit")), 5000 - begin);
    return { from: begin, total: 5000, lines: Array.from({ length: count }, (_, i) => line(begin + i)) };
  });
  const log = logStore(scope, "abc", signal("w1"), signal(5000));
  await until(() => log.part.value !== null, "the end");
  assert.deepEqual([3000, 5000], [log.part.value?.from, log.part.value?.total]);
  await log.earlier();
  assert.equal(1000, log.part.value?.from);
  const { matches } = await log.find("line 17");
  await log.around(matches[0]);
  assert.equal(0, log.part.value?.from);
  assert.equal("line 17", log.part.value?.lines[17]);
  assert.equal(5000, log.part.value?.lines.length);
  await log.earlier();
  assert.equal(0, log.part.value?.from, "there is nothing before the first line");
  log.stop();
  scope.stop();
});

test("another log of the run begins at its own end", async () => {
  const server = new FakeServer();
  const { scope } = makeScope(server);
  server.on("log", ({ path }) => ({ from: 0, total: 1, lines: [new URLSearchParams(path.split("?")[1]).get("log")] }));
  const which = signal("w1");
  const log = logStore(scope, "abc", which, signal(1));
  await until(() => log.part.value?.lines[0] === "w1", "the first log");
  which.value = "w2";
  assert.equal(null, log.part.value);
  await until(() => log.part.value?.lines[0] === "w2", "the second log");
  log.stop();
  scope.stop();
});

test("the accuracy column of the project is what its runs reached", async () => {
  const server = new FakeServer();
  const { scope, store } = await loadedRuns(server);
  const cells = store.table.value.columns.get(ACCURACY)?.cells ?? [];
  assert.ok(cells.every((cell) => typeof cell === "number" && cell >= 0 && cell <= 1.1));
  changed(scope, null);
  store.stop();
  scope.stop();
});
