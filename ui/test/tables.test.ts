/// Tables of 200 runs: sorting, grouping, colours, rows, axes, and what a patch leaves as it was.

import { cellLabel, type Cell } from "../src/model/cell";
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNumberColumn } from "../src/model/columns";
import { ACCURACY, arrivingRun, LR, makeRuns, MODEL, MODELS, runsAnswer, SEEDS, TABLE_FIELDS } from "./project";
import { DASHES, GREY, PALETTE } from "../src/chart/palette";
import { axisOf, brushedRows, trendOf } from "../src/model/axes";
import { fieldText } from "../src/model/fields";
import { coloring, contextDash, dashing, splitBy } from "../src/model/grouping";
import { ownColor, ownColors, spread } from "../src/model/runcolors";
import {
  hashesOf,
  headIndex,
  movedField,
  nextSort,
  rowsOf,
  toggledSet,
  type Grouping,
  type GroupOrder,
} from "../src/model/runrows";
import { cellOf, compareCells, EMPTY_TABLE, patched, sorted, spreadOf, tableOf, type Column } from "../src/model/table";
import type { Field } from "../src/wire/types";
import { ValueColors } from "../src/model/valuecolors";

const RUNS = makeRuns(200);
const TABLE = tableOf(runsAnswer(RUNS, TABLE_FIELDS), TABLE_FIELDS);
const SEED = fieldText(["param", "hparams", "seed"]);
const numbersOf = (key: string, table = TABLE): readonly Cell[] => table.columns.get(key)?.cells ?? [];

test("a table has the cells of each type", () => {
  assert.equal(200, TABLE.hashes.length);
  for (const [row, run] of RUNS.entries()) {
    assert.equal(run.name, cellOf(TABLE, "run.name", run.hash));
    assert.equal(row, TABLE.rowOf.get(run.hash));
  }
  assert.deepEqual(["paper", "good"], cellOf(TABLE, "run.tags", RUNS[0].hash));
  assert.equal(null, cellOf(TABLE, "run.name", "unheard of"));
  assert.equal(null, cellOf(TABLE, "no.column", RUNS[0].hash));
  assert.equal(null, cellOf(EMPTY_TABLE, "run.name", RUNS[0].hash));
});

test("numbers that JSON cannot hold are numbers again, and missing texts are null", () => {
  const fields: readonly Field[] = [
    ["param", "x"],
    ["param", "name"],
  ];
  const table = tableOf(
    {
      cursor: "1",
      elapsed_ms: 1,
      total: 4,
      count: 4,
      hash: ["a", "b", "c", "d"],
      columns: [
        { type: "number", values: ["NaN", "Infinity", "-Infinity", null] },
        { type: "string", values: ["x"], codes: [0, -1, 0, -1] },
      ],
    },
    fields,
  );
  assert.deepEqual([NaN, Infinity, -Infinity, null], numbersOf("x", table));
  assert.deepEqual(["x", null, "x", null], numbersOf("name", table));
});

test("sorting keeps every run and each run's cells together", () => {
  for (const key of [LR, MODEL, ACCURACY, "run.created_at"]) {
    for (const descending of [false, true]) {
      const table = sorted(TABLE, key, descending);
      assert.deepEqual([...TABLE.hashes].sort(), [...table.hashes].sort());
      const cells = numbersOf(key, table);
      for (let row = 1; row < cells.length; row++)
        assert.ok(compareCells(cells[row - 1] ?? null, cells[row] ?? null, descending) <= 0, `${key} at ${row}`);
      for (const hash of table.hashes.slice(0, 20))
        assert.equal(cellOf(TABLE, "run.name", hash), cellOf(table, "run.name", hash));
    }
  }
  assert.equal(TABLE, sorted(TABLE, "no.column", true));
});

test("equal cells keep their order", () => {
  const table = sorted(TABLE, LR, false);
  const same = table.hashes.filter((hash) => cellOf(TABLE, LR, hash) === 1e-3);
  assert.deepEqual(
    TABLE.hashes.filter((hash) => cellOf(TABLE, LR, hash) === 1e-3),
    same,
  );
});

test("NaN and missing cells are last in both directions", () => {
  const order = (descending: boolean): Cell[] =>
    [null, 3, NaN, "b", 1, "a", Infinity].sort((a, b) => compareCells(a, b, descending));
  assert.deepEqual([1, 3, Infinity, "a", "b", NaN, null], order(false));
  assert.deepEqual(["b", "a", Infinity, 3, 1, NaN, null], order(true));
  assert.equal(0, compareCells(NaN, NaN, true));
});

test("a patch replaces what was asked for and leaves the others", () => {
  const fresh = arrivingRun(3);
  const [first, second, third] = RUNS;
  const asked = [fresh.hash, first.hash, second.hash];
  const answer = runsAnswer([fresh, { ...first, name: "renamed" }], TABLE_FIELDS, { total: 201, elapsed_ms: 9 });
  const table = patched(TABLE, asked, tableOf(answer, TABLE_FIELDS));
  assert.deepEqual([fresh.hash, first.hash, third.hash], table.hashes.slice(0, 3));
  assert.equal("renamed", cellOf(table, "run.name", first.hash));
  assert.equal(third.name, cellOf(table, "run.name", third.hash));
  assert.deepEqual([200, 201, 9], [table.count, table.total, table.elapsed_ms]);
  assert.equal(0, table.rowOf.get(fresh.hash));
});

test("many runs that arrive one after another end in the same table as all at once", () => {
  const arrived = Array.from({ length: 25 }, (_, i) => arrivingRun(i + 1));
  let table = TABLE;
  for (const run of arrived) table = patched(table, [run.hash], tableOf(runsAnswer([run], TABLE_FIELDS), TABLE_FIELDS));
  const whole = tableOf(runsAnswer([...arrived].reverse().concat(RUNS), TABLE_FIELDS), TABLE_FIELDS);
  assert.deepEqual(whole.hashes, table.hashes);
  for (const [key, column] of whole.columns) assert.deepEqual(column.cells, numbersOf(key, table), key);
  assert.equal(225, table.count);
});

test("a column whose type changes with a patch holds any value", () => {
  const next = tableOf(runsAnswer([{ ...RUNS[0], params: { hparams: { lr: "auto" } } }], TABLE_FIELDS), TABLE_FIELDS);
  const table = patched(TABLE, [RUNS[0].hash], next);
  assert.equal("json", table.columns.get(LR)?.type);
  assert.equal("auto", cellOf(table, LR, RUNS[0].hash));
});

test("a spread is that of the finite numbers", () => {
  assert.deepEqual({ count: 3, min: 1, max: 3, mean: 2, std: 1 }, spreadOf([1, 2, 3, NaN, Infinity, null, "x"]));
  assert.equal(0, spreadOf([5])?.std);
  assert.equal(null, spreadOf([NaN, null, "x"]));
});

test("runs are grouped by a param, numbers in their order", () => {
  const groups = splitBy(TABLE, LR);
  assert.deepEqual(
    ["0.0001", "0.0003", "0.001", "0.003"],
    groups.map(({ label }) => label),
  );
  assert.equal(
    200,
    groups.reduce((sum, { hashes }) => sum + hashes.length, 0),
  );
  assert.deepEqual([], splitBy(TABLE, "no.column"));
});

test("groups of texts come by how many runs they have", () => {
  const groups = splitBy(TABLE, MODEL);
  const counts = groups.map(({ hashes }) => hashes.length);
  assert.deepEqual(
    [...counts].sort((a, b) => b - a),
    counts,
  );
  assert.deepEqual([...MODELS].sort(), groups.map(({ label }) => label).sort());
});

test("labels of values say what they are", () => {
  const labels: readonly (readonly [Cell, string])[] = [
    [null, "–"],
    ["text", "text"],
    [[], "–"],
    [["a", "b"], "a, b"],
    [[1, { x: 2 }], '1, {"x":2}'],
    [0.1 + 0.2, "0.3"],
    [NaN, "NaN"],
    [Infinity, "∞"],
    [-Infinity, "-∞"],
    [true, "true"],
    [{ a: 1 }, '{"a":1}'],
  ];
  for (const [cell, label] of labels) assert.equal(label, cellLabel(cell));
});

test("groups of numbers are coloured along a ramp, groups of texts by the palette", () => {
  const byLr = coloring(TABLE, LR, "light", new ValueColors(null), "demo");
  assert.ok(byLr.groups.every(({ color }) => color.startsWith("rgb(")));
  assert.equal(4, new Set(byLr.groups.map(({ color }) => color)).size);
  const byModel = coloring(TABLE, MODEL, "dark", new ValueColors(null), "demo");
  const colors = byModel.groups.map(({ color }) => color);
  assert.equal(MODELS.length, new Set(colors).size);
  assert.ok(colors.every((color) => PALETTE.dark.includes(color)));
  for (const { color, hashes } of byModel.groups) for (const hash of hashes) assert.equal(color, byModel.colorOf(hash));
  assert.equal(GREY.dark, byModel.colorOf("unheard of"));
});

test("more groups than colours: all have one, and share evenly", () => {
  const fields: readonly Field[] = [["run", "name"]];
  const runs = RUNS.slice(0, 40).map((run, i) => ({ ...run, name: `group ${i}` }));
  const table = tableOf(runsAnswer(runs, fields), fields);
  const { groups } = coloring(table, "run.name", "light", new ValueColors(null), "demo");
  const uses = PALETTE.light.map((color) => groups.filter((group) => group.color === color).length);
  assert.deepEqual(new Array<number>(PALETTE.light.length).fill(2), uses);
});

test("runs without a value are grey", () => {
  const fields: readonly Field[] = [["param", "extra"]];
  const paramsOf = (i: number): { readonly [key: string]: string } => (i < 3 ? { extra: `v${i % 2}` } : {});
  const runs = RUNS.slice(0, 6).map((run, i) => ({ ...run, params: paramsOf(i) }));
  const { groups, colorOf } = coloring(
    tableOf(runsAnswer(runs, fields), fields),
    "extra",
    "light",
    new ValueColors(null),
    "demo",
  );
  assert.equal(GREY.light, groups.find(({ value }) => value === null)?.color);
  assert.equal(GREY.light, colorOf(runs[5].hash));
});

test("dashes tell the groups of a second field, solid for the first", () => {
  const dashOf = dashing(TABLE, SEED, new ValueColors(null), "demo");
  const first = RUNS.find((run) => (run.params.hparams as { seed: number }).seed === 0);
  assert.deepEqual(DASHES[0], dashOf(first?.hash ?? ""));
  assert.ok(new Set(RUNS.map(({ hash }) => dashOf(hash).join())).size <= DASHES.length);
  assert.equal(SEEDS, splitBy(TABLE, SEED).length);
  assert.deepEqual(DASHES[0], dashing(TABLE, "", new ValueColors(null), "demo")(RUNS[0].hash));
});

test("what validates is solid and what trains is dashed", () => {
  const contexts = ['{"subset":"train"}', '{"subset":"val"}', '{"subset":"test"}'];
  const dashes = contexts.map((context) => contextDash(contexts, context));
  assert.deepEqual(DASHES[2], dashes[0]);
  assert.deepEqual([DASHES[1], DASHES[0]], [dashes[1], dashes[2]]);
  assert.deepEqual(DASHES[0], contextDash(["only"], "only"));
});

test("without grouping each run has a colour of its own, spread evenly", () => {
  const few = tableOf(runsAnswer(makeRuns(8, 77), TABLE_FIELDS), TABLE_FIELDS);
  const colorOf = ownColors(few, "light");
  assert.equal(8, new Set(few.hashes.map(colorOf)).size, "eight runs share no colour");
  for (const hash of few.hashes) assert.equal(colorOf(hash), ownColor(hash, "light"), "on its own page too");
});

test("colours are spread evenly over many runs, and stay", () => {
  const memory = new Map<string, number>();
  const hashes = RUNS.map(({ hash }) => hash);
  const before = spread(hashes.slice(0, 100), 8, memory);
  const used = new Array<number>(8).fill(0);
  for (const index of before.values()) used[index]++;
  assert.ok(Math.max(...used) - Math.min(...used) <= 1, used.join());
  const after = spread(hashes, 8, memory);
  for (const hash of hashes.slice(0, 100)) assert.equal(before.get(hash), after.get(hash), "a run that came first");
});

function grouping(by: readonly Field[], closed: readonly string[] = [], more: Partial<Grouping> = {}): Grouping {
  return { by, isClosed: (label) => closed.includes(label), sort: null, order: "mean", ...more };
}

test("groups of several fields are one inside the other", () => {
  const by: readonly Field[] = [
    ["param", "hparams", "model"],
    ["param", "hparams", "lr"],
  ];
  const rows = rowsOf(TABLE, grouping(by)).filter((row) => row.hash === null);
  assert.equal(MODELS.length * splitBy(TABLE, LR).length, rows.length);
  assert.equal(
    200,
    rows.reduce((sum, row) => sum + (row.hash === null ? row.hashes.length : 0), 0),
  );
  assert.match(rows[0].label, /^\S+ · \S+$/);
});

test("groups are put in order by what their heads say of a column, or by how many runs they have", () => {
  const field: Field = ["metric", "loss", {}, "min"];
  const key = fieldText(field);
  const [a, b] = [TABLE.hashes.slice(0, 3), TABLE.hashes.slice(3, 5)];
  const [hashes, group] = [[...a, ...b], ["param", "group"] as Field];
  const columns = new Map<string, Column>([
    [key, { field, key, type: "number", cells: [1, 5, 6, 3, 3.5] }],
    ["group", { field: group, key: "group", type: "string", cells: ["a", "a", "a", "b", "b"] }],
  ]);
  const table = { ...TABLE, hashes, rowOf: new Map(hashes.map((hash, row) => [hash, row])), columns };
  const heads = (order: GroupOrder, descending: boolean): readonly string[] =>
    rowsOf(table, grouping([group], ["a", "b"], { sort: { key, descending }, order })).map(({ label }) => label);
  assert.deepEqual(["b", "a"], heads("mean", false));
  assert.deepEqual(["a", "b"], heads("best", false), "of a loss the lowest value is the best");
  assert.deepEqual(["a", "b"], heads("std", true));
  assert.deepEqual(["a", "b"], heads("n", true));
});

test("rows are runs, or heads with their runs", () => {
  const plain = rowsOf(TABLE, grouping([]));
  assert.deepEqual(TABLE.hashes, hashesOf(plain));
  const model: Field = ["param", "hparams", "model"];
  const grouped = rowsOf(TABLE, grouping([model]));
  assert.equal(200 + MODELS.length, grouped.length);
  assert.equal(null, grouped[0].hash);
  const closed = rowsOf(TABLE, grouping([model], MODELS));
  assert.equal(MODELS.length, closed.length);
  assert.deepEqual([], hashesOf(closed));
  assert.equal(
    200,
    closed.reduce((sum, row) => sum + (row.hash === null ? row.hashes.length : 0), 0),
  );
});

test("each row knows the head of its group, and rows without groups have none", () => {
  const rows = rowsOf(TABLE, grouping([["param", "hparams", "lr"]]));
  let head = 0;
  rows.forEach((row, i) => {
    if (row.hash === null) head = i;
    assert.equal(head, headIndex(rows, i));
  });
  assert.equal(null, headIndex(rowsOf(TABLE, grouping([])), 5));
  assert.equal(null, headIndex([], 0));
});

test("a column keeps its side when values of another type arrive", () => {
  const column = (field: Field, cells: readonly Cell[]): { field: Field; cells: readonly Cell[] } => ({ field, cells });
  assert.ok(isNumberColumn(column(["param", "lr"], [0.1, null, 0.2])));
  assert.ok(isNumberColumn(column(["param", "lr"], [0.1, "auto", 0.2])));
  assert.ok(isNumberColumn(column(["param", "seed"], [{ $int: "9223372036854775807" }])));
  assert.ok(isNumberColumn(column(["metric", "loss", {}, "last"], [null, null])));
  assert.ok(!isNumberColumn(column(["param", "name"], ["a", 1, "b"])));
  assert.ok(!isNumberColumn(column(["param", "name"], [null])));
  assert.ok(!isNumberColumn(column(["run", "created_at"], [1, 2])));
});

test("pressing a head sorts one way, the other, and not at all", () => {
  assert.equal("hparams.lr", nextSort(null, "hparams.lr"));
  assert.equal("-hparams.lr", nextSort({ key: "hparams.lr", descending: false }, "hparams.lr"));
  assert.equal(null, nextSort({ key: "hparams.lr", descending: true }, "hparams.lr"));
  assert.equal("hparams.lr", nextSort({ key: "other", descending: true }, "hparams.lr"));
});

test("scores and new runs are looked for at the top", () => {
  const score = "metric:accuracy:last";
  assert.equal(`-${score}`, nextSort(null, score));
  assert.equal(score, nextSort({ key: score, descending: true }, score));
  assert.equal(null, nextSort({ key: score, descending: false }, score));
  assert.equal("-run.created_at", nextSort(null, "run.created_at"));
  assert.equal("metric:loss:last", nextSort(null, "metric:loss:last"));
});

test("a column is moved before another", () => {
  const list: readonly Field[] = [
    ["run", "a"],
    ["run", "b"],
    ["run", "c"],
  ];
  const names = (key: string, before: string): string =>
    movedField(list, key, before)
      .map((field) => field[1])
      .join("");
  assert.equal("cab", names("run.c", "run.a"));
  assert.equal("bac", names("run.a", "run.c"));
  assert.equal("abc", names("run.x", "run.a"));
  assert.equal("cab", names("run.c", "run.name"), "before what is no column: to the front");
});

test("a member is added to a set, or taken from it", () => {
  const set = new Set(["a"]);
  assert.deepEqual(["a", "b"], [...toggledSet(set, "b")]);
  assert.deepEqual([], [...toggledSet(set, "a")]);
  assert.deepEqual(["a"], [...set], "the set itself stays");
});

function columnOf(cells: readonly Cell[], field: Field = ["param", "x"]): Column {
  return {
    field,
    key: fieldText(field),
    type: cells.every((cell) => typeof cell === "number") ? "number" : "json",
    cells,
  };
}

test("an axis of learning rates goes by powers, its values are its marks", () => {
  const axis = axisOf(TABLE.columns.get(LR) as Column, "lr");
  assert.equal("log", axis.kind);
  assert.equal(4, axis.ticks.length);
  assert.deepEqual([0, 1], [Math.min(...axis.positions), Math.max(...axis.positions)]);
  const middle = axis.positions[TABLE.hashes.findIndex((hash) => cellOf(TABLE, LR, hash) === 1e-3)];
  assert.ok(Math.abs(middle - Math.log(10) / Math.log(30)) < 1e-9);
});

test("an axis of scores is linear, though one is small", () => {
  const field: Field = ["metric", "accuracy", {}, "last"];
  assert.equal("linear", axisOf(columnOf([0.01, 0.7, 0.8, 0.9], field), "accuracy").kind);
  assert.equal("log", axisOf(columnOf([0.01, 0.012, 0.02, 0.9], field), "loss").kind);
  assert.equal("linear", axisOf(columnOf([-1, 0.01, 5]), "x").kind, "there is no power of a negative number");
});

test("one value is in the middle of its axis", () => {
  assert.ok(axisOf(columnOf([7, 7]), "x").positions.every((position) => position === 0.5));
  assert.ok(axisOf(columnOf([0, 0]), "x").positions.every((position) => position === 0.5));
  assert.ok(axisOf(columnOf(["a", "a"]), "x").positions.every((position) => position === 0.5));
});

test("texts have a position each, and missing ones too", () => {
  const axis = axisOf(columnOf(["b", "a", null, "b"]), "x");
  assert.equal("category", axis.kind);
  assert.deepEqual([0.5, 0, 1, 0.5], [...axis.positions]);
  assert.deepEqual(["a", "b", "–"], [0, 0.5, 1].map(axis.textAt));
});

test("very many texts are marked now and then", () => {
  const axis = axisOf(columnOf(Array.from({ length: 200 }, (_, i) => `v${String(i).padStart(3, "0")}`)), "x");
  assert.ok(axis.ticks.length <= 24);
  assert.equal(200, new Set(axis.positions).size);
});

test("NaN has no position on an axis", () => {
  const axis = axisOf({ ...columnOf([1, 2]), cells: [1, NaN, 2] }, "x");
  assert.ok(Number.isNaN(axis.positions[1]));
  assert.deepEqual([0, 2], brushedRows([axis], new Map([["x", [0, 1]]]), 3));
});

test("brushes on several axes leave the runs inside all of them", () => {
  const axes = [LR, MODEL].map((key) => axisOf(TABLE.columns.get(key) as Column, key));
  const all = brushedRows(axes, new Map(), 200);
  assert.equal(200, all.length);
  const low = brushedRows(axes, new Map([[LR, [0, 0.1]]]), 200);
  assert.ok(low.every((row) => numbersOf(LR)[row] === 1e-4));
  const both = brushedRows(
    axes,
    new Map([
      [LR, [0, 0.1]],
      [MODEL, [0, 0]],
    ]),
    200,
  );
  assert.ok(both.length > 0 && both.length < low.length);
  assert.equal(
    200,
    brushedRows(axes, new Map([["gone", [0, 0]]]), 200).length,
    "a brush on no axis counts for nothing",
  );
});

test("a trend is the line of least squares", () => {
  const exact = trendOf([0, 1, 2, NaN], [1, 3, 5, 9]);
  assert.ok(exact && Math.abs(exact.slope - 2) < 1e-12 && Math.abs(exact.offset - 1) < 1e-12 && exact.r2 > 0.999999);
  assert.equal(null, trendOf([1, 2], [1, 2]), "two points fit any line");
  assert.equal(null, trendOf([1, 1, 1], [1, 2, 3]), "no line stands upright");
  const loose = trendOf([0, 1, 2, 3], [0, 1, 0, 1]);
  assert.ok(loose && loose.r2 < 0.5);
});
