/// A list of 10,000 runs: only its first rows are fetched, others when they come into view or are dealt with, and never
/// all of them again after a change.

import { goToText } from "../src/model/address";
import { settled, until } from "./browser";
import { computed, effect, signal } from "@preact/signals";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { makeConnected } from "./connected";
import { FakeServer } from "./fakeserver";
import { encodeFrame } from "./frames";
import { makeRuns, runsAnswer, type GeneratedRun } from "./project";
import type { Line } from "../src/chart/line";
import type { App } from "../src/model/app";
import { linesOf } from "../src/model/lines";
import { makeScene, type Scene } from "../src/model/scene";
import { cellOf } from "../src/model/table";
import { groupedRuns } from "../src/model/groupedruns";
import { memberWindows } from "../src/model/members";
import type { RunsWish } from "../src/model/runs";
import type { RunHead } from "../src/model/runheads";
import { decodeFrame } from "../src/wire/frame";
import type { GroupsAnswer, GroupsRequest, WireDigest } from "../src/wire/groups";
import type { Field, RunsRequest } from "../src/wire/types";

const MODELS = ["cnn", "mlp", "vit"] as const;
const RUNS: readonly GeneratedRun[] = makeRuns(1).flatMap((run) =>
  Array.from({ length: 10_000 }, (_, i) => ({
    ...run,
    hash: `${i.toString(16).padStart(8, "0")}aaaaaaaaaaaaaaaa`,
    name: `run ${i}`,
    params: { ...run.params, hparams: { lr: 0.1, model: MODELS[i % MODELS.length] } },
  })),
);
const ROW_BYTES_MOST = 200;
const MODEL: Field = ["param", "hparams", "model"];

function modelOf({ hash }: { readonly hash: string }): string {
  return MODELS[Number.parseInt(hash.slice(0, 8), 16) % MODELS.length];
}

beforeEach(() => goToText("metrics"));

/// A server of these runs, which counts the bytes that it sends.
function headNamed(label: string): RunHead {
  return { key: [label], values: [label], label, count: 3, first: "", digests: new Map() };
}

function inOrder(a: number, b: number): number {
  return a - b;
}

function groupsOf(matching: readonly GeneratedRun[], { fields }: GroupsRequest): GroupsAnswer {
  const groups = MODELS.map((model) => matching.filter((run) => modelOf(run) === model));
  const cells: readonly WireDigest[] = fields.map(() => ({
    spread: [1, 0.5, 0.5, 0.5, 0],
    numeric: true,
    distinct: 1,
  }));
  return {
    cursor: "1",
    total: RUNS.length,
    count: matching.length,
    groups: groups.map((runs, i) => ({ key: [MODELS[i]], runs: runs.length, first: runs[0].hash, cells })),
  };
}

function longServer(matching: readonly GeneratedRun[] = RUNS) {
  const server = new FakeServer();
  const sent = { bytes: 0, rows: [] as number[] };
  server.on("runs", ({ body }) => {
    const { fields, limit, runs, query, group, offset = 0 } = body as unknown as RunsRequest;
    const prefix = /startswith\("(\w+)"\)/.exec(query)?.[1] ?? "";
    const listed = matching
      .filter(({ hash }) => hash.startsWith(prefix) && (runs?.includes(hash) ?? true))
      .filter((run) => !group || group.by.length === 0 || group.key[0] === modelOf(run));
    const part = listed.slice(offset, offset + limit);
    const answer = runsAnswer(part, fields, { count: listed.length, total: RUNS.length });
    sent.bytes += JSON.stringify(answer).length;
    sent.rows.push(part.length);
    return answer;
  });
  server.on("groups", ({ body }) => groupsOf(matching, body as unknown as GroupsRequest));
  return { server, sent };
}

async function opened(matching?: readonly GeneratedRun[], page = "metrics") {
  const { server, sent } = longServer(matching);
  const { app } = await makeConnected(server);
  goToText(page);
  const scene = makeScene(app, { isListed: true });
  await until(() => scene.isKnown.value && !scene.isLoading.value && scene.table.value.hashes.length >= 500, "rows");
  return { app, scene, server, sent };
}

function close(app: App, scene: Scene): void {
  scene.stop();
  app.scope.stop();
}

test("opening a page of 10,000 runs fetches the first 500", async () => {
  const { app, scene, sent } = await opened();
  assert.deepEqual([200, 500], sent.rows);
  assert.ok(sent.bytes < 700 * ROW_BYTES_MOST, `${sent.bytes} bytes`);
  assert.equal(10_000, scene.table.value.count);
  assert.equal(10_000, app.scope.matches.value?.count);
  const { isShown, nameOf, coloring } = scene.looks.value;
  assert.ok(isShown(RUNS[9000].hash), "its curves are drawn all the same");
  assert.equal("run 3", nameOf(RUNS[3].hash));
  assert.match(coloring.colorOf(RUNS[9000].hash), /^#/);
  close(app, scene);
});

test("rows are fetched when they come into view", async () => {
  const { app, scene, sent } = await opened();
  scene.needRows(400);
  await settled();
  assert.equal(2, sent.rows.length);
  scene.needRows(1700);
  await until(() => scene.table.value.hashes.length === 2000, "more rows");
  scene.needRows(9990);
  await until(() => scene.table.value.hashes.length === 10_000, "all rows");
  scene.needRows(99_999);
  await settled();
  assert.deepEqual([200, 500, 2000, 10_000], sent.rows);
  close(app, scene);
});

test("a change of runs never fetches the whole list again", async () => {
  const { app, scene, sent } = await opened();
  scene.needRows(1000);
  await until(() => scene.table.value.hashes.length === 2000, "more rows");
  sent.rows.length = 0;
  app.scope.nudge("2", [RUNS[7].hash]);
  await until(() => sent.rows.length === 1, "the changed run");
  app.scope.nudge("3", [RUNS[9000].hash]);
  await until(() => sent.rows.length === 2, "the rows, among which it may be now");
  app.scope.nudge("4", null);
  await until(() => sent.rows.length === 3, "the rows");
  assert.deepEqual([1, 2000, 2000], sent.rows);
  close(app, scene);
});

test("a run far down is known by its name when it is pointed at", async () => {
  const { app, scene, sent } = await opened();
  app.marks.hot.value = { owner: RUNS[9000].hash, x: 3 };
  await until(() => scene.looks.value.nameOf(RUNS[9000].hash) === "run 9000", "its name");
  app.marks.hot.value = { owner: 'group:["adam"]', x: 3 };
  app.marks.hot.value = { owner: RUNS[3].hash, x: 3 };
  await settled();
  assert.deepEqual([200, 500, 1], sent.rows, "what is in the list is not asked for");
  app.marks.hot.value = null;
  close(app, scene);
});

test("a pointer that moves over a thousand curves redraws none, and asks for the run on which it rests", async () => {
  const { app, scene, sent } = await opened();
  const metric = { name: "loss", context: {} };
  const curves = RUNS.slice(0, 1000).map(({ hash: run }) => ({ run, metric, x: [0, 1], y: [2, 3] }));
  const frame = decodeFrame(encodeFrame(curves));
  const lines = computed(() => linesOf(frame, [metric], scene.looks.value).data.lines);
  const drawn: unknown[] = [];
  const stop = effect(() => void drawn.push(lines.value));
  for (let i = 600; i < 640; i++) app.marks.hot.value = { owner: RUNS[i].hash, x: i };
  const lineOf = (hash: string): Line | undefined => lines.peek().find(({ owner }) => owner === hash);
  await until(() => lineOf(RUNS[639].hash)?.label === "run 639", "the name of the run on which it rests");
  assert.deepEqual([200, 500, 1], sent.rows);
  assert.equal(1, drawn.length, "the curves are drawn once");
  stop();
  close(app, scene);
});

test("runs of one name are told apart by their hashes", async () => {
  const runs = RUNS.slice(0, 600).map((run, i) => (i < 2 ? { ...run, name: "baseline" } : run));
  const { app, scene } = await opened(runs);
  const { nameOf } = scene.looks.value;
  assert.deepEqual(
    ["baseline · 00000000", "baseline · 00000001", "run 2"],
    runs.slice(0, 3).map(({ hash }) => nameOf(hash)),
  );
  close(app, scene);
});

test("of selected runs far down it is known which ones the query leaves out", async () => {
  const { app, scene } = await opened(RUNS.slice(0, 9000));
  const [near, far, out] = [RUNS[5].hash, RUNS[8000].hash, RUNS[9500].hash];
  assert.deepEqual([], scene.areMissing([near, far, out]), "nothing is said before it is known");
  app.marks.select([near, far, out]);
  await until(() => scene.areMissing([near, far, out]).length > 0, "an answer");
  assert.deepEqual([out], scene.areMissing([near, far, out]));
  close(app, scene);
});

test("a grouping fetches the heads of its groups, and of their runs those on the screen", async () => {
  const { app, scene, sent } = await opened(RUNS, "metrics?color=hparams.model");
  await until(() => scene.legend.value.length === MODELS.length, "the heads");
  assert.deepEqual(
    MODELS.map((label) => [label, RUNS.filter((run) => modelOf(run) === label).length]),
    scene.legend.value.map(({ label, count }) => [label, count]).sort(),
  );
  const [{ head }] = scene.legend.value;
  assert.ok(head);
  const { members } = scene.long;
  members.need([{ head, first: 130, last: 150 }]);
  await until(() => members.at(head, 149) !== "", "the rows on the screen");
  assert.equal("", members.at(head, 50), "other rows are not fetched");
  assert.deepEqual([200, 500, 100], sent.rows);
  app.scope.nudge("2", [RUNS[9000].hash]);
  await until(() => sent.rows.length === 5, "what is on the screen, again");
  assert.ok(Math.max(...sent.rows) <= 500, `${sent.rows.join()} rows`);
  assert.ok(sent.bytes < sent.rows.reduce((sum, count) => sum + count, 0) * ROW_BYTES_MOST, `${sent.bytes} bytes`);
  assert.equal(head.count, (await scene.runsOf(scene.legend.value[0])).length, "all of them for who acts on all");
  close(app, scene);
});

test("a run that is not listed has the colour of the value that came with its curve", async () => {
  const { app, scene } = await opened(RUNS, "metrics?color=hparams.model");
  await until(() => scene.legend.value.length === MODELS.length, "the heads");
  const far = RUNS[9000];
  const { color } = scene.legend.value.find(({ label }) => label === modelOf(far)) ?? {};
  assert.notEqual(color, scene.looks.value.coloring.colorOf(far.hash));
  scene.learn({ runs: [far.hash], columns: [{ type: "json", values: [modelOf(far)] }], fields: [MODEL] });
  assert.equal(color, scene.looks.value.coloring.colorOf(far.hash));
  close(app, scene);
});

test("runs that a page shows besides its list are asked for by themselves", async () => {
  const { server, sent } = longServer();
  const { app } = await makeConnected(server);
  goToText("media");
  const drawn = signal<readonly string[]>([]);
  const scene = makeScene(app, { isListed: true, drawn });
  await until(() => scene.table.value.hashes.length === 500, "rows");
  drawn.value = [RUNS[3].hash, RUNS[7000].hash, RUNS[9000].hash];
  await until(() => scene.looks.value.nameOf(RUNS[9000].hash) === "run 9000", "its name");
  assert.deepEqual([200, 500, 2], sent.rows, "what is in the list is not asked for");
  close(app, scene);
});

function openedTable(app: App, isDescending = false) {
  const wish = signal<RunsWish>({
    fields: [
      ["run", "name"],
      ["run", "archived"],
    ],
    sort: { field: ["run", "name"], descending: isDescending },
  });
  return groupedRuns(app, wish);
}

test("of a table of 10,000 runs the first 200 rows are fetched, and those that come into view", async () => {
  const { server, sent } = longServer();
  const { app } = await makeConnected(server);
  goToText("runs");
  const long = openedTable(app);
  await until(() => long.isPart.value, "the first rows");
  const rows = long.plainRows();
  assert.equal(10_000, rows.length);
  long.need(rows, 0, 40);
  long.need(rows, 7010, 7050);
  await until(() => long.plainRows()[7049].hash !== "", "the rows in view");
  assert.equal(RUNS[7049].hash, long.plainRows()[7049].hash);
  assert.equal("run 7049", cellOf(long.table.value, "run.name", RUNS[7049].hash));
  assert.equal("", long.plainRows()[5000].hash);
  assert.deepEqual([200, 100], sent.rows);
  app.scope.nudge("2", null);
  await until(() => sent.rows.length === 4, "what is on the screen, again");
  assert.deepEqual([100, 100, 200, 200], [...sent.rows].sort(inOrder));
  assert.ok(sent.bytes < 600 * ROW_BYTES_MOST, `${sent.bytes} bytes`);
  long.stop();
  app.scope.stop();
});

test("a range of rows has the runs that were not on the screen, too", async () => {
  const { server } = longServer();
  const { app } = await makeConnected(server);
  goToText("runs");
  const long = openedTable(app);
  await until(() => long.isPart.value, "the first rows");
  const range = await long.runsOf(long.plainRows(), 190, 1200);
  assert.deepEqual(
    RUNS.slice(190, 1200).map(({ hash }) => hash),
    range,
  );
  long.stop();
  app.scope.stop();
});

test("a window of rows names the groups that it touches, and which of their runs", () => {
  const [a, b] = [headNamed("a"), headNamed("b")];
  const heads: Readonly<Record<number, RunHead>> = { 0: a, 4: b };
  const windows = memberWindows(8, (row) => heads[row], 2, 6);
  assert.deepEqual(
    [
      ["a", 1, 3],
      ["b", 0, 1],
    ],
    windows.map(({ head, first, last }) => [head.label, first, last]),
  );
});

test("a baseline that is far down is asked for by itself, once", async () => {
  const near = await opened(RUNS, `metrics?base=${RUNS[5].hash.slice(0, 8)}`);
  await settled();
  assert.deepEqual([200, 500], near.sent.rows);
  assert.equal(RUNS[5].hash, near.scene.baseline.value);
  close(near.app, near.scene);
  const far = await opened(RUNS, `metrics?base=${RUNS[9000].hash.slice(0, 8)}`);
  await until(() => far.scene.baseline.value === RUNS[9000].hash, "the baseline");
  assert.equal("run 9000", far.scene.looks.value.nameOf(RUNS[9000].hash));
  far.app.scope.nudge("2", [RUNS[7].hash]);
  await until(() => far.sent.rows.length >= 5, "the changed run");
  const { rows, bytes } = far.sent;
  assert.deepEqual(
    [1, 1, 1, 200, 500],
    [...rows].sort((a, b) => a - b),
  );
  assert.ok(bytes < 710 * ROW_BYTES_MOST, `${bytes} bytes`);
  close(far.app, far.scene);
});

test("a far baseline that the query leaves out is none", async () => {
  const { app, scene, sent } = await opened(RUNS.slice(0, 9000), `metrics?base=${RUNS[9500].hash.slice(0, 8)}`);
  await until(() => sent.rows.length === 3, "an answer");
  await settled();
  assert.equal(null, scene.baseline.value);
  close(app, scene);
});
