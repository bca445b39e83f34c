/// What the pages say of a repository that cannot be changed, and of what a run has lost.

import { goToText } from "../src/model/address";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { makeConnected } from "./connected";
import { SERVER } from "./project";
import { lostText } from "../src/model/gaps";
import type { ReadOnlyReason, Tick } from "../src/wire/types";

beforeEach(() => goToText("metrics"));

function tickWith(read_only: ReadOnlyReason | null): Tick {
  return { cursor: "2", changed: [], removed: [], total: 1, live: 0, indexing: null, read_only };
}

test("a repository that becomes read-only, and is writable again, says so and why", async () => {
  const { app } = await makeConnected();
  assert.deepEqual([null, true], [app.scope.readOnly.value, app.edits.canEdit()]);
  app.scope.tick.value = tickWith("disk");
  assert.match(app.scope.readOnly.value ?? "", /disk of this repository is read-only/);
  assert.equal(false, app.edits.canEdit());
  app.scope.nudge("3", []);
  assert.equal(false, app.edits.canEdit(), "a change of the reader's own does not make it writable");
  app.scope.tick.value = tickWith("rights");
  assert.match(app.scope.readOnly.value ?? "", /may not write/);
  app.scope.tick.value = tickWith(null);
  assert.deepEqual([null, true], [app.scope.readOnly.value, app.edits.canEdit()]);
  app.scope.stop();
});

test("a repository is read-only from the start, or the whole server is", async () => {
  const { app } = await makeConnected();
  const [first, ...others] = SERVER.repos;
  app.session.server.value = { ...SERVER, repos: [{ ...first, read_only: "rights" }, ...others] };
  assert.match(app.scope.readOnly.value ?? "", /may not write/);
  goToText("metrics?repo=other");
  assert.equal(null, app.scope.readOnly.value, "another repository is writable");
  app.session.server.value = { ...SERVER, read_only: true };
  assert.match(app.scope.readOnly.value ?? "", /--read-only/);
  app.session.server.value = null;
  assert.equal(false, app.edits.canEdit(), "nothing is changed before the server has answered");
  app.scope.stop();
});

test("a repository without room says so until there is some", async () => {
  const { app } = await makeConnected();
  assert.equal(null, app.scope.full.value);
  const [first, ...others] = SERVER.repos;
  app.session.server.value = { ...SERVER, repos: [{ ...first, full: "project" }, ...others] };
  assert.match(app.scope.full.value ?? "", /--project-max.*send them when there is room/);
  app.scope.tick.value = { ...tickWith(null), full: "disk" };
  assert.match(app.scope.full.value ?? "", /^The disk of this repository is full/);
  app.scope.nudge("3", []);
  assert.match(app.scope.full.value ?? "", /disk/, "a change of the reader's own makes no room");
  app.scope.tick.value = tickWith(null);
  assert.equal(null, app.scope.full.value);
  app.scope.stop();
});

test("losses are added up, with their plural", () => {
  assert.equal("", lostText([]));
  assert.equal("1 point", lostText([{ points: 1, lines: 0 }]));
  assert.equal(
    "4,621 points and 1 event line",
    lostText([
      { points: 4620, lines: 0 },
      { points: 1, lines: 1 },
    ]),
  );
});
