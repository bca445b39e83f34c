/// What pages share: the session, marks, edits that are undone, documents, tags, alerts, the address.

import { settled, until, visited } from "./browser";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { signal } from "@preact/signals";
import { freshWindow, makeConnected } from "./connected";
import { FakeServer, Refusal } from "./fakeserver";
import { makeRuns, SERVER } from "./project";
import {
  address,
  carried,
  change,
  goTo,
  goToText,
  listSetting,
  pageUrl,
  setting,
  shareText,
} from "../src/model/address";
import { Alerts, alertAgo, alertRun, alertTarget, isOpen, withDismissed } from "../src/model/alerts";
import { Marks, shortHash, toggled } from "../src/model/marks";
import { makeScene, runName } from "../src/model/scene";
import { narrowedQuery } from "../src/model/scope";
import { Session } from "../src/model/session";
import type { AlertItem, AlertsAnswer } from "../src/wire/alerts";
import type { Field, StoredDocument } from "../src/wire/types";

const RUNS = makeRuns(60);
const [FIRST, SECOND] = RUNS.map(({ hash }) => hash);

beforeEach(freshWindow);

test("a session is connected, or says why not", async () => {
  const server = new FakeServer();
  const session = new Session();
  server.on("info", () => new Refusal(401, { kind: "token", message: "A token is needed." }));
  await session.connect();
  assert.equal("token", session.serverError.value?.kind);
  server.on("login", () => ({}));
  server.on("info", () => SERVER);
  await session.logIn("secret");
  assert.equal(null, session.serverError.value);
  assert.deepEqual({ token: "secret" }, server.to("login")[0].body);
  assert.equal("images", session.kinds.value.subjectOf("aim.image"));
  assert.equal(50, session.server.value?.limits.branches);
});

test("a server that does not answer is offline", async () => {
  const server = new FakeServer();
  server.on("info", () => Promise.reject(new TypeError("refused")));
  const session = new Session();
  await session.connect();
  assert.equal("offline", session.serverError.value?.kind);
});

test("three messages at most are on the screen, and each can be closed", () => {
  const session = new Session();
  for (const text of ["a", "b", "c", "d"]) session.toast(text);
  assert.deepEqual(
    ["b", "c", "d"],
    session.toasts.value.map(({ text }) => text),
  );
  session.dropToast(session.toasts.value[1].id);
  assert.deepEqual(
    ["b", "d"],
    session.toasts.value.map(({ text }) => text),
  );
});

test("an error is a message, an abort is none", () => {
  const session = new Session();
  session.report(new DOMException("aborted", "AbortError"));
  assert.deepEqual([], session.toasts.value);
  session.report(new Error("The disk is full."));
  session.report("text");
  assert.deepEqual(
    ["The disk is full.", "text"],
    session.toasts.value.map(({ text }) => text),
  );
  assert.deepEqual(
    ["bad", "bad"],
    session.toasts.value.map(({ tone }) => tone),
  );
});

test("a link that is copied from this machine's own address says how others can open it", () => {
  for (const hostname of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"]) {
    assert.match(shareText(hostname), /this machine only: for others, start `aim up --host 0\.0\.0\.0`/);
  }
  assert.equal(shareText("runs.example.com"), "Link copied. It shows exactly this.");
});

test("the address is changed in a step, or in its place", () => {
  goTo("runs");
  change({ sort: "-hparams.lr" });
  change({ cols: "a;b" }, true);
  assert.deepEqual(
    [false, false, true],
    visited.map(({ isReplaced }) => isReplaced),
  );
  assert.equal("http://localhost/runs?sort=-hparams.lr&cols=a;b", visited.at(-1)?.url);
  change({ sort: null, cols: "" });
  assert.equal("http://localhost/runs", visited.at(-1)?.url);
  const count = visited.length;
  change({ sort: null });
  assert.equal(count, visited.length, "nothing changed");
});

test("the scope stays when the page changes, other settings go", () => {
  goToText("metrics?q=run.active&repo=other&color=hparams.lr&smooth=0.6&pin=abc");
  assert.deepEqual(["repo", "q", "color"], [...carried().keys()]);
  goTo("run", FIRST, { tab: "log" });
  assert.equal("run", address.value.page);
  assert.equal(FIRST, address.value.subject);
  assert.deepEqual(
    { repo: "other", q: "run.active", color: "hparams.lr", tab: "log" },
    Object.fromEntries(address.value.params),
  );
  assert.equal("http://localhost/runs?repo=other&q=run.active&color=hparams.lr", pageUrl("runs"));
});

test("settings follow the address", () => {
  const one = setting("one", "fallback");
  const many = listSetting("many");
  assert.deepEqual(["fallback", []], [one.value, many.value]);
  change({ one: "1", many: "a,b" });
  assert.deepEqual(["1", ["a", "b"]], [one.value, many.value]);
});

test("pinning, hiding and the baseline are in the address, by short hashes", () => {
  const marks = new Marks();
  marks.togglePinned([FIRST, SECOND]);
  marks.toggleHidden([SECOND]);
  marks.toggleBaseline(FIRST);
  assert.deepEqual(
    { pin: `${FIRST.slice(0, 8)},${SECOND.slice(0, 8)}`, hide: SECOND.slice(0, 8), base: FIRST.slice(0, 8) },
    Object.fromEntries(address.value.params),
  );
  assert.deepEqual([true, true, false], [FIRST, SECOND, RUNS[2].hash].map(marks.isPinned));
  assert.deepEqual([false, true], [FIRST, SECOND].map(marks.isHidden));
  assert.deepEqual([true, false], [FIRST, SECOND].map(marks.isBaseline));
  assert.equal(true, marks.hasHidden.value);
  marks.showAll();
  marks.togglePinned([FIRST]);
  marks.toggleBaseline(FIRST);
  assert.deepEqual({ pin: SECOND.slice(0, 8) }, Object.fromEntries(address.value.params));
});

test("several runs are pinned unless all of them are", () => {
  assert.equal("a,b,c", toggled(["a"], ["a", "b", "c"]));
  assert.equal("x", toggled(["a", "x", "b"], ["a", "b"]));
  assert.equal("short", shortHash("short"));
  assert.equal(8, shortHash(FIRST).length);
});

test("selected runs are kept in the order of ticking", () => {
  const marks = new Marks();
  marks.toggleSelected("b");
  marks.toggleSelected("a");
  marks.select(["a", "c"]);
  assert.deepEqual(["b", "a", "c"], marks.selected.value);
  marks.toggleSelected("a");
  assert.deepEqual(["b", "c"], marks.selected.value);
});

test("all but some runs are hidden, and any of them is shown or hidden by itself", () => {
  const marks = new Marks();
  marks.showOnly([FIRST]);
  assert.deepEqual([false, true, true], [marks.isHidden(FIRST), marks.isHidden("b".repeat(24)), marks.hasHidden.value]);
  marks.toggleHidden(["b".repeat(24)]);
  assert.equal(false, marks.isHidden("b".repeat(24)));
  marks.toggleHidden([FIRST]);
  assert.equal(true, marks.isHidden(FIRST));
  marks.showAll();
  assert.deepEqual([false, false], [marks.isHidden(FIRST), marks.hasHidden.value]);
});

test("a part of a page can have marks of its own", () => {
  const pinned = signal<readonly string[]>([]);
  const own = new Marks({
    pinned,
    hidden: signal([]),
    baseline: signal(""),
    only: signal([]),
    change: ({ pin }) => (pinned.value = pin ? pin.split(",") : []),
  });
  const page = new Marks();
  own.togglePinned([FIRST]);
  own.hot.value = { owner: FIRST, x: 3 };
  assert.deepEqual([true, false], [own.isPinned(FIRST), page.isPinned(FIRST)]);
  assert.equal(null, page.hot.value);
  assert.equal("", [...address.value.params.keys()].join());
});

test("a query is narrowed by a clause", () => {
  assert.equal("a", narrowedQuery("", "a"));
  assert.equal("a and b", narrowedQuery("a", "b"));
  assert.equal("(a or b) and c", narrowedQuery("a or b", "c"));
});

test("the repository is that of the address, else the first", async () => {
  const { app } = await makeConnected();
  assert.equal("demo", app.scope.repo.value);
  change({ repo: "other" });
  assert.equal("other", app.scope.repo.value);
  assert.deepEqual([2, 3], app.scope.indexing.value);
  change({ repo: "gone" });
  assert.equal("demo", app.scope.repo.value);
  assert.equal("http://localhost/api/repos/demo/runs", app.scope.here("runs"));
  app.scope.stop();
});

function document(
  kind: StoredDocument["kind"],
  id: string,
  body: StoredDocument["body"],
  updated_at = 1,
): StoredDocument {
  return { kind, id, revision: `r${updated_at}`, updated_at, body };
}

async function withDocuments(list: readonly StoredDocument[]) {
  const server = new FakeServer();
  let stored = [...list];
  server.on("documents", () => ({ documents: stored }));
  for (const kind of ["view", "report", "tag"] as const)
    for (const id of ["a", "b", "good"])
      server.on(`documents/${kind}/${id}`, ({ method, body }) => {
        stored = stored.filter((other) => other.id !== id);
        if (method === "DELETE") return {};
        const saved = document(kind, id, body.body as StoredDocument["body"], 9);
        stored.push(saved);
        return saved;
      });
  return makeConnected(server);
}

test("documents are loaded, saved, dropped, and brought back", async () => {
  const { app, server } = await withDocuments([document("view", "a", { name: "Nightly" })]);
  await app.documents.load();
  assert.deepEqual(
    ["a"],
    app.documents.all.value?.map(({ id }) => id),
  );
  await app.documents.save("report", "b", null, { name: "Report" });
  assert.deepEqual({ revision: null, body: { name: "Report" } }, server.to("documents/report/b")[0].body);
  assert.deepEqual(
    ["a", "b"],
    app.documents.all.value?.map(({ id }) => id),
  );
  await app.documents.drop("view", "a", "View “Nightly”");
  assert.deepEqual(
    ["b"],
    app.documents.all.value?.map(({ id }) => id),
  );
  assert.equal("View “Nightly” deleted.", app.session.toasts.value.at(-1)?.text);
  app.session.toasts.value.at(-1)?.action?.run();
  await until(() => app.documents.all.value?.length === 2, "the view again");
  app.scope.stop();
});

test("an answer that was under way while a document was saved is not taken for the latest", async () => {
  const { app, server } = await withDocuments([]);
  let answer: (value: object) => void = () => undefined;
  server.on("documents", () => new Promise<object>((done) => (answer = done)));
  const loading = app.documents.load();
  await until(() => server.to("documents").length === 1, "the request");
  await app.documents.save("view", "a", null, { name: "new" });
  server.on("documents", () => ({ documents: [document("view", "a", { name: "new" })] }));
  answer({ documents: [] });
  await loading;
  assert.deepEqual(
    ["a"],
    app.documents.all.value?.map(({ id }) => id),
  );
  app.scope.stop();
});

test("a draft is kept in the tab until the report is saved", async () => {
  const { app } = await makeConnected();
  assert.equal(null, app.documents.draft("a"));
  app.documents.keepDraft("a", { name: "n", text: "t" });
  assert.deepEqual({ name: "n", text: "t" }, app.documents.draft("a"));
  assert.equal(null, app.documents.draft("b"));
  app.documents.keepDraft("a", null);
  assert.equal(null, app.documents.draft("a"));
  app.scope.stop();
});

test("a tag has the hue of its name until it is described", async () => {
  const { app, server } = await withDocuments([document("tag", "good", { name: "good", owner: "ada" })]);
  const before = app.tags.look("good");
  assert.ok(before.hue >= 0 && before.hue < 360 && before.color === null);
  assert.equal(before.hue, app.tags.look("good").hue);
  await app.tags.describe("good", { color: "#d92d20", description: "passed the review" });
  assert.deepEqual(
    { name: "good", owner: "ada", color: "#d92d20", description: "passed the review" },
    server.to("documents/tag/good")[0].body.body,
  );
  assert.deepEqual(["#d92d20", "passed the review"], [app.tags.look("good").color, app.tags.look("good").description]);
  await app.tags.describe("good", { color: null });
  assert.equal(null, app.tags.look("good").color);
  assert.equal("passed the review", app.tags.look("good").description);
  app.scope.stop();
});

const ALERT: AlertItem = {
  id: "run1/nan/loss",
  run: FIRST,
  name: "vit-b-000",
  kind: "nan",
  time: 1000,
  level: 1,
  metric: { name: "loss", context: { subset: "train" } },
  step: 200,
  window: [100, 300],
  value: "NaN",
  best: null,
  pause: null,
  error: null,
  others: 0,
};

test("an alert is dismissed in this browser, and comes back when it gets worse", async () => {
  const server = new FakeServer();
  let list: readonly AlertItem[] = [ALERT, { ...ALERT, id: "run2/lost", run: SECOND, kind: "lost", metric: null }];
  const { app } = await makeConnected(server);
  server.on("alerts", (): AlertsAnswer => ({ cursor: "1", alerts: list }));
  app.scope.nudge("2", []);
  await until(() => app.alerts.all.value.length === 2, "the alerts");
  app.alerts.dismiss([ALERT]);
  assert.deepEqual(
    ["run2/lost"],
    app.alerts.open.value.map(({ id }) => id),
  );
  assert.deepEqual(
    [ALERT.id],
    app.alerts.dismissed.value.map(({ id }) => id),
  );
  assert.deepEqual([FIRST, SECOND], [...app.alerts.byRun.value.keys()], "the mark beside the run stays");
  list = [{ ...ALERT, level: 2 }];
  app.scope.nudge("3", []);
  await until(() => app.alerts.all.value[0].level === 2, "the worse alert");
  assert.deepEqual(
    [ALERT.id],
    app.alerts.open.value.map(({ id }) => id),
  );
  app.alerts.dismiss(app.alerts.open.value);
  app.alerts.restore();
  assert.equal(1, app.alerts.open.value.length);
  app.scope.stop();
});

test("what was dismissed is remembered over pages, and another repository has its own alerts", async () => {
  const server = new FakeServer();
  const { app } = await makeConnected(server);
  server.on("alerts", () => ({ cursor: "1", alerts: [ALERT] }));
  app.scope.nudge("2", []);
  await until(() => app.alerts.all.value.length === 1, "the alert");
  app.alerts.dismiss([ALERT]);
  const again = new Alerts(app.session, app.scope);
  await until(() => again.all.value.length === 1, "the alert again");
  assert.deepEqual([], again.open.value);
  let answer: (value: object) => void = () => undefined;
  server.on("alerts", () => new Promise<object>((done) => (answer = done)));
  change({ repo: "other" });
  assert.deepEqual([], app.alerts.all.value, "not those of the first repository");
  await settled();
  answer({ cursor: "1", alerts: [] });
  app.scope.stop();
});

test("at most a thousand dismissed alerts are remembered, the latest", () => {
  const many = Array.from({ length: 1200 }, (_, i) => ({ ...ALERT, id: `a${i}` }));
  const levels = withDismissed(withDismissed(new Map([["a0", 5]]), many), [many[300]]);
  assert.equal(1000, levels.size);
  assert.equal("a300", [...levels.keys()].at(-1));
  assert.ok(!levels.has("a100"));
  assert.deepEqual([false, true], [isOpen(many[300], levels), isOpen({ ...many[300], level: 2 }, levels)]);
});

test("an alert leads to its chart, a failure to its log", () => {
  assert.deepEqual({ card: "loss", at: "200", win: "100,300" }, alertTarget(ALERT));
  assert.deepEqual({ card: "loss" }, alertTarget({ ...ALERT, step: null, window: null }));
  assert.deepEqual({ tab: "log" }, alertTarget({ ...ALERT, kind: "failed" }));
  assert.deepEqual({}, alertTarget({ ...ALERT, kind: "lost" }));
  assert.equal("vit-b-000", alertRun(ALERT));
  assert.equal(FIRST.slice(0, 8), alertRun({ ...ALERT, name: `Run: ${FIRST}` }));
  assert.equal("", alertAgo({ ...ALERT, time: null }, 2000));
  assert.equal("17 m ago", alertAgo(ALERT, 2000));
});

test("a scene asks for what its drawing needs, each field once", async () => {
  const { app, server } = await makeConnected();
  server.on("runs", () => ({ cursor: "1", elapsed_ms: 1, total: 0, count: 0, hash: [], columns: [] }));
  change({ color: "hparams.model", dash: "hparams.model" });
  const more = signal<readonly Field[]>([
    ["run", "name"],
    ["param", "hparams", "lr"],
  ]);
  const scene = makeScene(app, { more });
  await until(() => server.to("runs").length > 0, "the runs");
  const fields = server.to("runs")[0].body.fields as unknown[];
  const texts = fields.map((field) => JSON.stringify(field));
  assert.equal(texts.length, new Set(texts).size);
  for (const field of ['["run","name"]', '["param","hparams","model"]', '["param","hparams","lr"]'])
    assert.ok(texts.includes(field), field);
  scene.stop();
  app.scope.stop();
});

test("a run without a name is called by its short hash", () => {
  const table = {
    hashes: [FIRST],
    rowOf: new Map([[FIRST, 0]]),
    columns: new Map([
      [
        "run.name",
        { field: ["run", "name"] as const, key: "run.name", type: "string" as const, cells: [`Run: ${FIRST}`] },
      ],
    ]),
    count: 1,
    total: 1,
    elapsed_ms: 1,
  };
  assert.equal(FIRST.slice(0, 8), runName(table, FIRST));
  assert.equal("unknown", runName(table, "unknown"));
});
