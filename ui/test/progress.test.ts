/// How far the work of a run is, in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { percentText, progressText } from "../src/model/progress";
import type { WorkProgress } from "../src/wire/types";

const HALF: WorkProgress = {
  done: 1500,
  total: 3000,
  unit: "steps",
  percent: 50,
  rate: 12.5,
  at: 1000,
  done_at: 1120,
};

test("the words have the amounts, the rate and the time left", () => {
  assert.equal("1,500 of 3,000 steps · 12.5 steps a second · about 1 m 50 s left", progressText(HALF, true, 1010));
});

test("a run that has ended has no time left, and one whose time is over is due", () => {
  assert.equal("1,500 of 3,000 steps · 12.5 steps a second", progressText(HALF, false, 1010));
  assert.equal("1,500 of 3,000 steps · 12.5 steps a second · due by now", progressText(HALF, true, 2000));
});

test("after one report only the amounts are there, and a slow rate is of a minute", () => {
  assert.equal("1,500 of 3,000 steps", progressText({ ...HALF, rate: null, done_at: null }, true, 1010));
  assert.equal(
    "1,500 of 3,000 epochs · 6 epochs a minute",
    progressText({ ...HALF, unit: "epochs", rate: 0.1 }, false, 0),
  );
});

test("a percentage is never rounded up to all", () => {
  assert.deepEqual(["99 %", "100 %"], [percentText(99.9), percentText(100)]);
});
