/// Names of runs where there is little room.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bestNote } from "../src/model/columns";
import { commonPrefix, namePartsOf } from "../src/model/runnames";

test("what all names begin with ends at a separator", () => {
  assert.equal("sweep-", commonPrefix(["sweep-lr0.1", "sweep-lr0.2", "sweep-b64"]));
  assert.equal("team/vit_", commonPrefix(["team/vit_1", "team/vit_12"]));
  for (const names of [[], ["one"], ["one", "one"], ["vit-1", "resnet-1"], ["a-1", "a-2"], ["abcdef", "abcdeg"]])
    assert.equal("", commonPrefix(names), names.join());
});

test("a long name keeps its end, and what is common is apart", () => {
  const name = "sweep-a-very-long-name-seed-17";
  assert.deepEqual({ prefix: "sweep-", middle: "a-very-long-name", end: "-seed-17" }, namePartsOf(name, "sweep-"));
  assert.deepEqual({ prefix: "", middle: "short", end: "" }, namePartsOf("short", "sweep-"));
  assert.deepEqual({ prefix: "", middle: "sweep-", end: "" }, namePartsOf("sweep-", "sweep-"));
  assert.equal("lr0.0003-seed2", namePartsOf("vit-small-adamw-lr0.0003-seed2", "").end, "a number is not cut");
  assert.equal("cdefghij", namePartsOf("name-0123456789abcdefghij", "").end, "a long word is");
  const { middle, end } = namePartsOf(`a name with rockets ${"🚀".repeat(16)}`, "");
  assert.equal("🚀".repeat(8), end);
  assert.equal(`a name with rockets ${"🚀".repeat(8)}`, middle);
});

test("the head of a column says that it has the best values, if the name tells what is better", () => {
  assert.equal("best ↓", bestNote(["metric", "loss", { subset: "val" }, "min"])?.text);
  assert.equal("loss val", bestNote(["metric", "loss", { subset: "val" }, "min"])?.label);
  assert.equal("best ↑", bestNote(["metric", "accuracy", {}, "max"])?.text);
  for (const summary of ["last", "max"]) assert.equal(null, bestNote(["metric", "loss", {}, summary]));
  assert.equal(null, bestNote(["metric", "lr", {}, "min"]));
  assert.equal(null, bestNote(["param", "loss"]));
});
