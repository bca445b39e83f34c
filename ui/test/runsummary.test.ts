/// What a run's metrics came to, the best point of a curve, and what an exception said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bestIndex } from "../src/chart/best";
import { betterDirection } from "../src/model/fields";
import { exceptionMessage, lastReading, summaryRows } from "../src/model/runsummary";
import type { SequenceSummary } from "../src/wire/types";

function metric(name: string, subset: string, more: Partial<SequenceSummary>): SequenceSummary {
  return { name, context: { subset }, kind: "float", count: 3, first_step: 0, last_step: 2, ...more };
}

const RUN = {
  sequences: [
    metric("grad_norm", "train", { last: 2, min: 1, max: 3 }),
    metric("loss", "train", { last: 0.4, min: 0.3, min_step: 1, max: 0.9 }),
    metric("loss", "val", { last: 0.6, min: 0.5, min_step: 1, max: 0.9 }),
    metric("acc", "val", { last: "NaN", min: 0.1, max: 0.8, max_step: 2 }),
    metric("__system__cpu", "", { last: 40 }),
    { ...metric("samples", "val", {}), kind: "aim.image" },
  ],
};

test("the summary has the metrics of the training, those that tell most first", () => {
  const rows = summaryRows(RUN);
  assert.deepEqual(["acc val", "loss val", "loss train", "grad_norm train"], [...rows.map(({ label }) => label)]);
  assert.deepEqual([0.8, 2], [rows[0].best, rows[0].bestStep]);
  assert.deepEqual([0.5, 1], [rows[1].best, rows[1].bestStep]);
  assert.deepEqual([null, null], [rows[3].best, rows[3].bestStep]);
  assert.ok(Number.isNaN(rows[0].last));
});

test("a card reads the last value of the metric that tells most, and all of them in its title", () => {
  const rows = summaryRows(RUN);
  const title = "The last value\nloss val: 0.6\nloss train: 0.4";
  assert.deepEqual({ text: "0.6", title }, lastReading(rows, "loss"));
  assert.equal(null, lastReading(rows, "f1"));
});

test("the best point is the first of the least or greatest that are finite", () => {
  assert.equal(1, bestIndex(new Float64Array([3, 1, NaN, 1, Infinity]), "min"));
  assert.equal(0, bestIndex(new Float64Array([3, 1, NaN, 1]), "max"));
  assert.equal(-1, bestIndex(new Float64Array([NaN, Infinity]), "max"));
});

test("what is better is known by whole words", () => {
  const directions: readonly (readonly [string, number])[] = [
    ["trainLoss", -1],
    ["box_loss", -1],
    ["val/acc1", 1],
    ["roc_auc", 1],
    ["confidence", 0],
    ["loss_scale", 0],
    ["actor_loss", 0],
    ["interrupts", 0],
    ["transfer_time", 0],
  ];
  for (const [name, direction] of directions) assert.equal(betterDirection(name), direction, name);
});

test("an exception's message is that of the last line that names it", () => {
  const lines = ["ValueError: old", "Traceback", "torch.cuda.OutOfMemoryError: CUDA out of memory", "bye"];
  assert.equal("CUDA out of memory", exceptionMessage(lines, "OutOfMemoryError"));
  assert.equal("old", exceptionMessage(lines, "ValueError"));
  assert.equal(null, exceptionMessage(lines, "KeyError"));
  assert.equal(null, exceptionMessage(lines, null));
});
