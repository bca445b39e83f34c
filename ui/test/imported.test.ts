/// The report of an import, as the page of a run shows it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { importLines, importTitle } from "../src/model/imported";

test("an imported run names the other tracker with its version", () => {
  const imported = { from: "wandb", tool_version: "0.31.0", id: "a", source: "/w", at: 1, url: null, report: {} };

  assert.equal(importTitle(imported), "Weights & Biases (0.31.0)");
  assert.equal(importTitle({ ...imported, from: "acme", tool_version: null }), "acme");
});

test("the report lists what came over, then each reason why something did not", () => {
  const report = {
    points: 1204,
    params: 1,
    left_out: { "graph (never imported)": 1 },
    refused: { "img at step 3: no image": 2 },
    damage: [{ path: "run.wandb", offset: 29011, reason: "the checksum of a record is wrong" }],
  };

  assert.deepEqual(importLines(report), [
    "1,204 points",
    "1 param",
    "left out: 1 graph (never imported)",
    "lost: 2 img at step 3: no image",
    "damaged: run.wandb at byte 29,011: the checksum of a record is wrong",
  ]);
});
