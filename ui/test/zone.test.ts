/// The reader's zone: its name and offset, and that all questions with a query are asked in it.

import { until } from "./browser";
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { makeConnected } from "./connected";
import { FakeServer } from "./fakeserver";
import { makeRuns, runsAnswer } from "./project";
import { appOfQuery } from "../src/model/app";
import { makeScene } from "../src/model/scene";
import { exportUrl } from "../src/page/chartexport";
import type { Field } from "../src/wire/types";
import { withZone, zoneText } from "../src/wire/zone";

const ORIGINAL = process.env.TZ;
afterEach(() => {
  if (ORIGINAL === undefined) delete process.env.TZ;
  else process.env.TZ = ORIGINAL;
});

test("a zone is its name and its offset at that moment", () => {
  const [winter, summer] = [new Date("2026-01-15T12:00:00Z"), new Date("2026-07-15T12:00:00Z")];
  for (const [zone, inWinter, inSummer] of [
    ["Europe/Berlin", "+01:00", "+02:00"],
    ["America/St_Johns", "-03:30", "-02:30"],
    ["Asia/Kathmandu", "+05:45", "+05:45"],
    ["UTC", "+00:00", "+00:00"],
  ] as const) {
    process.env.TZ = zone;
    assert.match(zoneText(winter), new RegExp(`,\\${inWinter[0]}${inWinter.slice(1)}$`));
    assert.match(zoneText(summer), new RegExp(`,\\${inSummer[0]}${inSummer.slice(1)}$`));
  }
});

test("an address has the zone once, and its plus is escaped", () => {
  process.env.TZ = "Europe/Berlin";
  const now = new Date("2026-07-15T12:00:00Z");
  assert.ok(withZone("runs", now).startsWith("runs?zone="));
  assert.ok(withZone("runs?a=1", now).endsWith("%2C%2B02%3A00"));
  assert.ok(withZone("runs?a=1", now).startsWith("runs?a=1&zone="));
});

test("queries are asked in the reader's zone, and exports too", async () => {
  const server = new FakeServer();
  const runs = makeRuns(3);
  server.on("runs", ({ body }) => runsAnswer(runs, body.fields as readonly Field[]));
  const { app } = await makeConnected(server);
  const inner = appOfQuery(app, "datetime.now().hour == 3");
  const scene = makeScene(inner);
  await until(() => scene.isKnown.value, "the table");
  const asked = [...server.to("fields"), ...server.to("runs")];
  assert.ok(asked.some(({ body }) => body.query === "datetime.now().hour == 3"));
  for (const { path } of asked) assert.match(path, /\?zone=.*%3A(00|30|45)$/);
  scene.stop();
  inner.stop();
  assert.match(exportUrl(app.scope, "runs", "csv", { query: "", fields: [], limit: 1 }), /request=.*&zone=/);
});
