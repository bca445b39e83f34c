/// Changes of runs: sent, told, followed to their end, undone, and taken up again after a reload.

import { settled, until } from "./browser";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { freshWindow, makeConnected } from "./connected";
import { FakeServer, Refusal } from "./fakeserver";
import { fieldsAnswer, makeRuns, SERVER } from "./project";
import { makeApp } from "../src/model/app";
import type { Change } from "../src/wire/edits";

const RUNS = makeRuns(60);
const [FIRST, SECOND] = RUNS.map(({ hash }) => hash);

beforeEach(freshWindow);

function bulkEdit(undo: string, count: number, done: number, state = done < count ? "running" : "done") {
  return { cursor: `of ${undo}`, undo, time: 1795380999, count, done, state, error: null };
}

function editingServer(): { server: FakeServer; changes: { runs: readonly string[]; change: Change }[] } {
  const server = new FakeServer();
  const changes: { runs: readonly string[]; change: Change }[] = [];
  server.on("edits", ({ method, body }) => {
    if (method === "GET") return { edits: [] };
    const { runs, change } = body as unknown as (typeof changes)[number];
    changes.push({ runs, change });
    return bulkEdit(`u${changes.length}`, runs.length, runs.length);
  });
  server.on("undo", () => ({ cursor: "undone", count: 1, state: "undone" }));
  return { server, changes };
}

test("an edit is sent, told, and seen at once", async () => {
  const { server, changes } = editingServer();
  const { app } = await makeConnected(server);
  assert.equal(true, app.edits.canEdit());
  assert.equal(true, await app.edits.edit([FIRST, SECOND], { archived: true }, "Archived"));
  assert.deepEqual([{ runs: [FIRST, SECOND], change: { archived: true } }], changes);
  assert.deepEqual([FIRST, SECOND], app.scope.tick.value?.changed);
  assert.equal(true, app.scope.tick.value?.isOwn);
  assert.equal("Archived 2 runs.", app.session.toasts.value.at(-1)?.text);
  assert.equal("Undo", app.session.toasts.value.at(-1)?.action?.label);
  app.scope.stop();
});

test("nothing is sent for no runs, and a refused edit is told", async () => {
  const { server, changes } = editingServer();
  const { app } = await makeConnected(server);
  assert.equal(false, await app.edits.edit([], { archived: true }, "Archived"));
  assert.equal(0, changes.length);
  server.on("edits", () => new Refusal(403, { kind: "read_only", message: "Changes are refused." }));
  assert.equal(false, await app.edits.edit([FIRST], { archived: true }, "Archived"));
  assert.equal("Changes are refused.", app.session.toasts.value.at(-1)?.text);
  app.scope.stop();
});

test("edits are undone from the last to the first, or one by its message", async () => {
  const { server } = editingServer();
  const { app } = await makeConnected(server);
  for (const hash of [FIRST, SECOND, RUNS[2].hash]) await app.edits.edit([hash], { archived: true }, "Archived");
  app.session.toasts.value[0].action?.run();
  await until(() => server.to("undo").length === 1, "an undo");
  await app.edits.undo();
  await app.edits.undo();
  await app.edits.undo();
  assert.deepEqual(
    ["u1", "u3", "u2"],
    server.to("undo").map(({ body }) => body.undo),
  );
  await app.edits.undo("u1");
  assert.equal(3, server.to("undo").length, "what was undone is not undone again");
  app.scope.stop();
});

test("an edit of many runs tells how far it is, and is undone while it goes on", async () => {
  const server = new FakeServer();
  const { app } = await makeConnected(server);
  server.on("edits", () => bulkEdit("u1", 490, 100));
  server.on("edits/u1", () => bulkEdit("u1", 490, 312));
  server.on("undo", () => bulkEdit("u1", 490, 312, "undoing"));
  const edited = app.edits.edit([FIRST], { archived: true }, "Archived");
  const texts = (): readonly string[] => app.session.toasts.value.map(({ text }) => text);
  await until(() => texts().includes("Archived 312 of 490 runs."), "the progress");
  assert.equal(1, texts().length, "one message, which changes");
  app.session.toasts.value[0].action?.run();
  await until(() => texts().includes("Undoing: 312 of 490 runs to go."), "the progress of the undo");
  server.on("edits/u1", () => new Refusal(404, { kind: "not-found", message: "There is no such edit." }));
  await until(() => texts().includes("Undone for 490 runs."), "the end");
  assert.equal(false, await edited);
  app.scope.stop();
});

test("an edit that fails on its way says how far it came, and can be undone", async () => {
  const server = new FakeServer();
  const { app } = await makeConnected(server);
  server.on("edits", () => bulkEdit("u1", 490, 100));
  const error = { kind: "read-only", message: "The disk is read-only." };
  server.on("edits/u1", () => ({ ...bulkEdit("u1", 490, 200, "failed"), error }));
  assert.equal(false, await app.edits.edit([FIRST], { archived: true }, "Archived"));
  const last = app.session.toasts.value.at(-1);
  assert.deepEqual(["Archived 200 of 490 runs. The disk is read-only.", "Undo"], [last?.text, last?.action?.label]);
  app.scope.stop();
});

test("after a reload the last edits of this tab are undone, and none of others", async () => {
  const { server } = editingServer();
  const before = await makeConnected(server);
  await before.app.edits.edit([FIRST], { archived: true }, "Archived");
  const { app } = await makeConnected(server);
  server.on("edits", () => ({ edits: [bulkEdit("u9", 3, 3), bulkEdit("u1", 1, 1)] }));
  await app.edits.undo();
  await app.edits.undo();
  assert.deepEqual(
    ["u1"],
    server.to("undo").map(({ body }) => body.undo),
  );
  assert.equal(null, app.scope.tick.value?.changed, "which runs it changed is not known any more");
  before.app.scope.stop();
  app.scope.stop();
});

test("after a reload the progress of an edit is told again, to its end", async () => {
  const server = new FakeServer();
  const before = await makeConnected(server);
  const other = { ...bulkEdit("u1", 490, 10), time: 5 };
  server.on("edits", () => bulkEdit("u1", 490, 100));
  server.on("edits/u1", () => bulkEdit("u1", 490, 100));
  void before.app.edits.edit([FIRST], { archived: true }, "Archived", ", 2 of them not in this list");
  await until(() => before.app.session.toasts.value.length > 0, "the first message");
  const { app } = await makeConnected(server);
  server.on("edits", () => ({ edits: [bulkEdit("u1", 490, 200), { ...other, undo: "u0" }] }));
  server.on("edits/u1", () => bulkEdit("u1", 490, 312));
  await app.edits.resume();
  const texts = (): readonly string[] => app.session.toasts.value.map(({ text }) => text);
  assert.deepEqual(["Archived 200 of 490 runs, 2 of them not in this list."], texts());
  await until(() => texts().includes("Archived 312 of 490 runs, 2 of them not in this list."), "the progress");
  server.on("edits/u1", () => bulkEdit("u1", 490, 490));
  await until(() => texts().includes("Archived 490 runs, 2 of them not in this list."), "the end");
  before.app.scope.stop();
  app.scope.stop();
});

test("after a reload the progress of an undo is told again", async () => {
  const server = new FakeServer();
  const before = await makeConnected(server);
  server.on("edits", () => bulkEdit("u1", 490, 490));
  await before.app.edits.edit([FIRST], { archived: true }, "Archived");
  const { app } = await makeConnected(server);
  server.on("edits", () => ({ edits: [bulkEdit("u1", 490, 200, "undoing")] }));
  server.on("edits/u1", () => new Refusal(404, { kind: "not-found", message: "There is no such edit." }));
  await app.edits.resume();
  const texts = (): readonly string[] => app.session.toasts.value.map(({ text }) => text);
  assert.deepEqual(["Undoing: 200 of 490 runs to go."], texts());
  await until(() => texts().includes("Undone for 490 runs."), "the end");
  await app.edits.undo();
  assert.equal(0, server.to("undo").length, "what is being undone is not undone again");
  before.app.scope.stop();
  app.scope.stop();
});

test("a tab that changed nothing asks for no edits", async () => {
  const { server, app } = await makeConnected();
  await app.edits.resume();
  assert.equal(0, server.to("edits").length);
  app.scope.stop();
});

test("an edit that fails before its first answer says how far it came, and can be undone", async () => {
  const { server } = editingServer();
  const { app } = await makeConnected(server);
  const body = { kind: "internal", message: "The disk is full.", undo: "u7", done: 100 };
  server.on("edits", ({ method }) => (method === "GET" ? { edits: [] } : new Refusal(500, body)));
  server.on("edits/u7", () => ({ ...bulkEdit("u7", 200, 100, "failed"), error: body }));
  assert.equal(false, await app.edits.edit([FIRST, SECOND], { archived: true }, "Archived"));
  const last = app.session.toasts.value.at(-1);
  assert.deepEqual(["Archived 100 of 200 runs. The disk is full.", "Undo"], [last?.text, last?.action?.label]);
  await app.edits.undo();
  assert.deepEqual(
    ["u7"],
    server.to("undo").map((asked) => asked.body.undo),
  );
  app.scope.stop();
});

test("a change that is made before the server has answered waits for it", async () => {
  const { server, changes } = editingServer();
  server.on("info", () => SERVER);
  server.on("fields", () => fieldsAnswer(RUNS));
  const app = makeApp();
  const edited = app.edits.edit([FIRST], { archived: true }, "Archived");
  const undone = app.edits.undo();
  await settled();
  assert.equal(0, server.asked.length);
  await app.session.connect();
  assert.equal(true, await edited);
  await undone;
  assert.deepEqual([{ runs: [FIRST], change: { archived: true } }], changes);
  assert.ok(server.asked.every(({ path }) => !path.includes("//")));
  app.scope.stop();
});

test("deleted runs are selected no more", async () => {
  const { server } = editingServer();
  const { app } = await makeConnected(server);
  app.marks.select([FIRST, SECOND]);
  await app.edits.edit([FIRST], { deleted: true }, "Deleted");
  assert.deepEqual([SECOND], app.marks.selected.value);
  app.scope.stop();
});
