/// The legend of groups: the best first, and which groups alone are drawn.

import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser";
import { address, parseAddress } from "../src/model/address";
import { coloring } from "../src/model/grouping";
import { verdict } from "../src/model/groupcomparison";
import { drawOnly, groupKey, leftOut, legendOf, onlyGroups, pressed } from "../src/model/legend";
import { tableOf } from "../src/model/table";
import { ValueColors } from "../src/model/valuecolors";
import type { Field, RunsAnswer } from "../src/wire/types";

const FIELDS: readonly Field[] = [
  ["param", "model"],
  ["metric", "acc", {}, "last"],
];
const KEY = "metric:acc:last";
const ANSWER: RunsAnswer = {
  cursor: "1",
  elapsed_ms: 1,
  total: 6,
  count: 6,
  hash: ["a", "b", "c", "d", "e", "f"],
  columns: [
    { type: "string", values: ["cnn", "vit, large", "new"], codes: [0, 0, 1, 1, 1, 2] },
    { type: "number", values: [0.1, 0.3, 0.2, 0.9, "NaN", null] },
  ],
};
const TABLE = tableOf(ANSWER, FIELDS);
const { groups } = coloring(TABLE, "model", "light", new ValueColors(null), "demo");

test("groups are listed with their best value, the best first, and those without one last", () => {
  const listed = (isMoreBetter: boolean): unknown =>
    legendOf(groups, TABLE, KEY, isMoreBetter).map(({ label, best, hashes }) => [label, best, hashes.length]);
  assert.deepEqual(
    [
      ["vit, large", 0.9, 3],
      ["cnn", 0.3, 2],
      ["new", null, 1],
    ],
    listed(true),
  );
  assert.deepEqual(
    [
      ["cnn", 0.1, 2],
      ["vit, large", 0.2, 3],
      ["new", null, 1],
    ],
    listed(false),
  );
});

test("a press draws a group alone, a second press all again, and with Shift groups are added", () => {
  assert.deepEqual(["a"], pressed([], "a", false));
  assert.deepEqual(["b"], pressed(["a"], "b", false));
  assert.deepEqual([], pressed(["a"], "a", false));
  assert.deepEqual(["a", "b"], pressed(["a"], "b", true));
  assert.deepEqual(["b"], pressed(["a", "b"], "a", true));
});

test("the groups that are drawn alone are in the address, whatever is in their names", () => {
  address.value = parseAddress("metrics");
  const chosen = groups.find(({ label }) => label === "vit, large");
  assert.ok(chosen);
  drawOnly([groupKey(chosen)]);
  assert.deepEqual([groupKey(chosen)], onlyGroups.value);
  const isLeftOut = leftOut(groups, onlyGroups.value, () => undefined);
  assert.deepEqual(["a", "b", "f"], TABLE.hashes.filter(isLeftOut));
  drawOnly([]);
  assert.deepEqual([], onlyGroups.value);
});

test("groups that are no longer there leave all runs drawn", () => {
  assert.deepEqual([], TABLE.hashes.filter(leftOut(groups, ['"gone"'], () => undefined)));
});

test("the verdict says whether the interval holds 0", () => {
  assert.match(verdict({ low: 0.1, high: 0.2, confidence: 0.95 }), /above 0: the second group is higher/);
  assert.match(verdict({ low: -0.2, high: -0.1, confidence: 0.95 }), /below 0/);
  assert.match(verdict({ low: -0.2, high: 0.1, confidence: 0.95 }), /holds 0/);
  assert.match(verdict({ low: null, high: null, confidence: 0.95 }), /no interval/);
});
