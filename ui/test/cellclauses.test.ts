// What a cell of the table of runs narrows the query to.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cell } from "../src/model/cell";
import { cellClauses } from "../src/model/cellclauses";
import type { Field } from "../src/wire/types";

const LR: Field = ["param", "hparams", "lr"];

function clauses(field: Field, cell: Cell): readonly string[] {
  return cellClauses(field, "x", cell).map(({ clause }) => clause);
}

test("a number of a param is equal, different, or a bound", () => {
  const path = "run.hparams.lr";
  assert.deepEqual([`${path} == 0.1`, `${path} != 0.1`, `${path} >= 0.1`, `${path} <= 0.1`], clauses(LR, 0.1));
  const digits = "9223372036854775807";
  assert.equal(`${path} == ${digits}`, clauses(LR, { $int: digits })[0]);
});

test("a text, a flag and a list are equal or different, as Python writes them", () => {
  assert.deepEqual(['run["a b"] == "x\\"y"', 'run["a b"] != "x\\"y"'], clauses(["param", "a b"], 'x"y'));
  assert.deepEqual(["run.flag == True", "run.flag != True"], clauses(["param", "flag"], true));
  assert.equal('run.net == [1,{"a": None}]', clauses(["param", "net"], [1, { a: null }])[0]);
});

test("what a run lacks narrows to those that lack it, and to those that have it", () => {
  assert.deepEqual(["run.hparams.lr == None", "run.hparams.lr != None"], clauses(LR, null));
  const metric: Field = ["metric", "loss", { subset: "val" }, "last"];
  const has = 'run.metrics["loss", {"subset": "val"}]';
  assert.deepEqual([`not ${has}`, has], clauses(metric, null));
});

test("infinity is written as Python writes it, and NaN, which equals nothing, offers nothing", () => {
  assert.deepEqual(["run.hparams.lr == math.inf", "run.hparams.lr != math.inf"], clauses(LR, Infinity));
  assert.equal("run.hparams.lr == -math.inf", clauses(LR, -Infinity)[0]);
  assert.deepEqual([], clauses(LR, NaN));
  assert.deepEqual([], clauses(["metric", "loss", {}, "last"], NaN));
});

test("a metric has bounds only, under the names of queries", () => {
  assert.deepEqual(
    ['run.metrics["loss"].argmin >= 7', 'run.metrics["loss"].argmin <= 7'],
    clauses(["metric", "loss", {}, "min_step"], 7),
  );
});

test("each tag can be asked for or left out", () => {
  const tags: Field = ["run", "tags"];
  const expected = ['"a" in run.tags', '"a" not in run.tags', '"b" in run.tags', '"b" not in run.tags'];
  assert.deepEqual(expected, clauses(tags, ["a", "b"]));
  assert.deepEqual(["len(run.tags) == 0"], clauses(tags, []));
});

test("a time is a moment on the reader's clock, a duration a number of seconds", () => {
  const time = new Date(2024, 4, 1, 10, 30, 59).getTime() / 1000;
  assert.deepEqual(
    ["run.created_at >= datetime(2024, 5, 1, 10, 30)", "run.created_at < datetime(2024, 5, 1, 10, 30)"],
    clauses(["run", "created_at"], time),
  );
  assert.equal("run.finalized_at >= datetime(2024, 5, 1, 10, 30)", clauses(["run", "end_time"], time)[0]);
  assert.deepEqual(["run.duration >= 81.5", "run.duration <= 81.5"], clauses(["run", "duration"], 81.5));
});
