/// A selection that the query hides in part: what is said of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRuns, runsAnswer, TABLE_FIELDS } from "./project";
import { notListed, notListedText, tableOf } from "../src/model/table";

test("runs that are selected and not in the list are counted", () => {
  const runs = makeRuns(200);
  const table = tableOf(runsAnswer(runs.slice(0, 50), TABLE_FIELDS), TABLE_FIELDS);
  const [listed, other] = [runs[3].hash, runs[120].hash];
  assert.deepEqual([other], notListed(table, [listed, other]));
  assert.equal(", 1 of them not in this list", notListedText(1, [listed, other]));
  assert.equal(", not in this list", notListedText(1, [other]));
  assert.equal("", notListedText(0, [listed]));
});

test("nothing is said of a table of which only the first rows are there", () => {
  const runs = makeRuns(200);
  const table = tableOf(runsAnswer(runs.slice(0, 50), TABLE_FIELDS, { count: 200 }), TABLE_FIELDS);
  assert.deepEqual([], notListed(table, [runs[120].hash]));
});
