/// Fields, columns and kinds: their texts, their names for people, and what is chosen from 150 params and 30 metrics.

import type { Cell } from "../src/model/cell";
import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS, fieldsAnswer, makeRuns, SERVER, SUMMARIES, TABLE_FIELDS } from "./project";
import {
  allColumns,
  answerableFields,
  columnsText,
  defaultColumns,
  differingKeys,
  groupCell,
  guessWidth,
  stateWidth,
  joinTexts,
  parseColumns,
  splitTexts,
} from "../src/model/columns";
import {
  betterDirection,
  contextKey,
  contextLabel,
  fieldLabel,
  fieldText,
  guessTarget,
  isMetricKind,
  isSeed,
  isSystemMetric,
  metricLabel,
  metricsOf,
  parseField,
  pathText,
  queryLiteral,
  queryPath,
  sequenceText,
  systemLabel,
  settingParams,
  varyingParams,
} from "../src/model/fields";
import { Kinds } from "../src/model/kinds";
import { RunColumns } from "../src/model/runcolumns";
import type { Field, FieldsAnswer, Json, ParamInfo } from "../src/wire/types";

const FIELDS = fieldsAnswer(makeRuns(200));

test("the project is as large as it says", () => {
  assert.ok(FIELDS.params.length >= 150, String(FIELDS.params.length));
  assert.equal(30, FIELDS.sequences.filter(({ kind }) => isMetricKind(kind)).length);
  assert.equal(200, FIELDS.total);
});

const TEXTS: readonly (readonly [Field, string])[] = [
  [["run", "name"], "run.name"],
  [["run", "created_at"], "run.created_at"],
  [["param", "lr"], "lr"],
  [["param", "hparams", "lr"], "hparams.lr"],
  [["param", "hparams", "a.b"], 'hparams."a.b"'],
  [["param", "hparams", 'say "hi"'], 'hparams."say \\"hi\\""'],
  [["param", "list", 0, "x"], "list.[0].x"],
  [["param", "list", -1], "list.[-1]"],
  [["param", "run"], '"run"'],
  [["param", "run", "status"], '"run".status'],
  [["param", "running"], "running"],
  [["param", "a b"], "a b"],
  [["metric", "loss", {}, "last"], "metric:loss:last"],
  [["metric", "loss", { subset: "val" }, "min"], 'metric:loss{"subset":"val"}:min'],
  [["metric", "a:b", {}, "max_step"], "metric:a:b:max_step"],
  [["metric", "x", { b: 2, a: { d: 1, c: [1] } }, "mean"], 'metric:x{"a":{"c":[1],"d":1},"b":2}:mean'],
];

test("each field has one text, and comes back from it", () => {
  for (const [field, text] of TEXTS) {
    assert.equal(text, fieldText(field));
    assert.equal(text, fieldText(parseField(text) ?? ["run", "nothing"]), text);
  }
});

test("texts that are no fields are none", () => {
  for (const text of [
    "",
    "metric:",
    "metric:loss",
    "metric:loss:",
    "metric:loss{bad}:last",
    "metric:a:B",
    '"open',
    "[x",
  ])
    assert.equal(null, parseField(text), text);
});

test("every field of the project comes back from the text of an address", () => {
  const all = allColumns(FIELDS);
  assert.ok(all.length > 150 + 24 * SUMMARIES.length);
  const texts = all.map(fieldText);
  assert.equal(texts.length, new Set(texts).size, "no two fields have one text");
  assert.deepEqual(texts, parseColumns(columnsText(all)).map(fieldText));
});

test("a text of a list keeps semicolons and percent signs", () => {
  for (const list of [[], ["a"], ["a;b", "c%3Bd", "%"], ["", "x"], ["%25;"]]) {
    if (list.length === 1 && list[0] === "") continue;
    assert.deepEqual(list, splitTexts(joinTexts(list)));
  }
});

const CONTEXTS: readonly (readonly [{ readonly [key: string]: Json }, string, string])[] = [
  [{}, "", ""],
  [{ subset: "val" }, "val", '{"subset":"val"}'],
  [{ gpu: 0 }, "gpu=0", '{"gpu":0}'],
  [{ stage: "fit", subset: "val" }, "stage=fit val", '{"stage":"fit","subset":"val"}'],
  [{ nested: { b: 1, a: null } }, 'nested={"b":1,"a":null}', '{"nested":{"a":null,"b":1}}'],
];

test("contexts have a name for people and a key", () => {
  for (const [context, label, key] of CONTEXTS) {
    assert.equal(label, contextLabel(context));
    assert.equal(key, contextKey(context));
  }
});

test("sequences of one name and context are one, whatever the order of the keys", () => {
  const [a, b] = [
    { name: "loss", context: { x: 1, y: 2 } },
    { name: "loss", context: { y: 2, x: 1 } },
  ];
  assert.equal(sequenceText(a), sequenceText(b));
  assert.equal("loss val", metricLabel({ name: "loss", context: { subset: "val" } }));
  assert.equal("loss", metricLabel({ name: "loss", context: {} }));
});

test("params are called by their path without the root that all have", () => {
  const labels: readonly (readonly [Field, string])[] = [
    [["param", "hparams", "lr"], "lr"],
    [["param", "config", "optim", "name"], "optim.name"],
    [["param", "hparams"], "hparams"],
    [["param", "data", "name"], "data.name"],
    [["metric", "loss", {}, "last"], "loss"],
    [["metric", "loss", { subset: "val" }, "max"], "loss val max"],
  ];
  for (const [field, label] of labels) assert.equal(label, fieldLabel(field));
  assert.equal("list.[0]", pathText(["list", 0]));
});

test("a query's path and literal are Python", () => {
  assert.equal("run.hparams.lr", queryPath(["hparams", "lr"]));
  assert.equal('run["1x"].a[2]', queryPath(["1x", "a", 2]));
  assert.equal('run["_x"]', queryPath(["_x"]));
  const literals: readonly (readonly [Json, string])[] = [
    [null, "None"],
    [true, "True"],
    [false, "False"],
    [0.1, "0.1"],
    ['a"b', '"a\\"b"'],
    [[1, 2], "[1,2]"],
  ];
  for (const [value, text] of literals) assert.equal(text, queryLiteral(value));
});

test("system metrics are told from those of the training", () => {
  assert.ok(isSystemMetric("__system__gpu_memory"));
  assert.ok(!isSystemMetric("system_loss"));
  assert.equal("gpu memory", systemLabel("__system__gpu_memory"));
  assert.equal("process cpu", systemLabel("__system__p_cpu"));
  assert.equal(26, metricsOf(FIELDS).length, "without those of the machine, images and meshes");
});

test("the params worth grouping by are those that differ, those with few values first", () => {
  const varying = varyingParams(FIELDS).map(({ path }) => pathText(path));
  assert.ok(varying.length < 10, "of 150 params few differ");
  assert.equal("hparams.weight_decay", varying.at(-1), "a value for each run comes last");
  for (const name of ["hparams.lr", "hparams.model", "hparams.seed"]) assert.ok(varying.includes(name), name);
});

test("a seed is known by its name", () => {
  for (const path of [["seed"], ["hparams", "random_state"], ["train", "np_seed"], ["RNG"]]) assert.ok(isSeed(path));
  for (const path of [["seeds"], ["seed", "value"], ["reseeded"]]) assert.ok(!isSeed(path), path.join());
});

test("what is better is known by the name of a metric", () => {
  const directions: readonly (readonly [string, -1 | 0 | 1])[] = [
    ["loss", -1],
    ["val_rmse", -1],
    ["perplexity", -1],
    ["accuracy", 1],
    ["mean_reward", 1],
    ["lr", 0],
    ["norm", 0],
  ];
  for (const [name, direction] of directions) assert.equal(direction, betterDirection(name), name);
});

test("of the project's metrics, a validation score tells best how good a run is", () => {
  const target = guessTarget(FIELDS);
  assert.deepEqual({ subset: "val" }, target?.key.context);
  assert.equal(1, betterDirection(target?.key.name ?? ""));
  assert.equal(true, target?.isMoreBetter);
  assert.equal(null, guessTarget({ ...FIELDS, sequences: [] }));
});

test("a loss is the target where there is nothing else, and less of it is better", () => {
  const sequences = FIELDS.sequences.filter(({ name }) => name === "loss" || name === "grad_norm");
  const target = guessTarget({ ...FIELDS, sequences });
  assert.deepEqual({ name: "loss", context: { subset: "val" } }, target?.key);
  assert.equal(false, target?.isMoreBetter);
});

test("the default columns are what differs and what was reached", () => {
  const columns = defaultColumns(FIELDS);
  const texts = columns.map(fieldText);
  assert.deepEqual(["run.status", "run.created_at", "run.duration", "run.experiment"], texts.slice(0, 4));
  assert.equal("run.tags", texts.at(-1));
  assert.equal(6, columns.filter((field) => field[0] === "param").length);
  const metrics = columns.filter((field) => field[0] === "metric");
  assert.equal(4, metrics.length);
  assert.equal(
    fieldText(["metric", guessTarget(FIELDS)?.key.name ?? "", { subset: "val" }, "max"]),
    fieldText(metrics[0]),
  );
  assert.ok(
    metrics.every((field) => !/norm|lr|throughput/.test(field[1])),
    "what only describes comes later",
  );
});

test("a project without tags and with one experiment has no such columns", () => {
  const facets = { ...FIELDS.facets, tags: [], experiment: [["one", 200]] as const };
  const texts = defaultColumns({ ...FIELDS, facets }).map(fieldText);
  assert.ok(!texts.includes("run.tags") && !texts.includes("run.experiment"));
});

test("all columns are those that the server has, the name apart", () => {
  const texts = allColumns(FIELDS).map(fieldText);
  assert.ok(!texts.includes("run.name"));
  for (const { key } of COLUMNS) if (key !== "name") assert.ok(texts.includes(`run.${key}`), key);
  for (const summary of SUMMARIES) assert.ok(texts.includes(`metric:loss{"subset":"val"}:${summary}`), summary);
  const fresh: FieldsAnswer = {
    ...FIELDS,
    summaries: ["p99"],
    columns: [{ key: "owner", label: "Owner", type: "string" }],
  };
  const freshTexts = allColumns(fresh).map(fieldText);
  assert.ok(freshTexts.includes("run.owner"), "a new property needs no edit of the pages");
  assert.ok(freshTexts.includes('metric:loss{"subset":"val"}:p99'), "nor does a new summary");
});

test("fields with a summary that the server does not have are not asked for", () => {
  const list: readonly Field[] = [
    ["run", "x"],
    ["param", "y"],
    ["metric", "m", {}, "last"],
    ["metric", "m", {}, "p99"],
  ];
  assert.deepEqual(list.slice(0, 3), answerableFields(list, ["last"]));
  assert.deepEqual(list, answerableFields(list, null));
});

test("a column is as wide as its words, within bounds", () => {
  const width = (field: Field, label: string, ...texts: readonly string[]): number => guessWidth(field, label, texts);
  assert.equal(68, width(["param", "a"], "a", "1"));
  assert.equal(92, width(["metric", "a", {}, "last"], "a", "1"));
  assert.equal(240, width(["param", "a"], "a", "x".repeat(100)));
  const [short, long] = [width(["param", "a"], "optimizer", ""), width(["param", "a"], "optimizer.name", "")];
  assert.ok(short < long);
});

test("the column of states has room for what ended a run, and none where no run failed", () => {
  const short = stateWidth([null, null], false);
  const [wide, narrow] = [false, true].map((isNarrow) => stateWidth(["KeyError", null, "x".repeat(60)], isNarrow));
  assert.equal(short, stateWidth([], true));
  assert.ok(short < stateWidth(["KeyError"], true) && stateWidth(["KeyError"], true) < narrow && narrow < wide);
  assert.ok(wide < stateWidth(["x".repeat(12)], false) + 60, "a long one is cut");
});

test("columns have the labels and looks of the server's table", () => {
  const columns = new RunColumns(FIELDS);
  const look = (key: string): readonly unknown[] => {
    const { label, width_px, render } = columns.columnOf(["run", key]);
    return [label, width_px, render];
  };
  assert.deepEqual(["State", null, "state"], look("status"));
  assert.deepEqual(["Started", 96, "ago"], look("created_at"));
  assert.deepEqual(["Ended", 96, "ago"], look("end_time"));
  assert.deepEqual(["Duration", 96, "duration"], look("duration"));
  assert.deepEqual(["Experiment", 116, "text"], look("experiment"));
  assert.deepEqual(["Tags", 150, "tags"], look("tags"));
  assert.deepEqual(["Hash", 190, "code"], look("hash"));
  assert.deepEqual(["Archived", null, "text"], look("archived"));
  assert.deepEqual(["unheard_of", null, "text"], look("unheard_of"));
  assert.deepEqual(
    COLUMNS.map(({ key }) => key),
    columns.keys,
  );
});

test("a new property is drawn by its type", () => {
  const columns = new RunColumns({
    columns: [
      { key: "last_seen", label: "Last seen", type: "time" },
      { key: "gpu_time", label: "GPU time", type: "duration" },
      { key: "owners", label: "Owners", type: "list" },
    ],
  });
  assert.equal("ago", columns.columnOf(["run", "last_seen"]).render);
  assert.equal("duration", columns.columnOf(["run", "gpu_time"]).render);
  assert.equal("tags", columns.columnOf(["run", "owners"]).render);
  assert.equal("Last seen", columns.label(["run", "last_seen"]));
});

test("params and metrics are columns too", () => {
  const columns = new RunColumns(null);
  assert.deepEqual("text", columns.columnOf(["param", "hparams", "lr"]).render);
  assert.deepEqual("number", columns.columnOf(["metric", "loss", {}, "last"]).render);
  assert.equal("lr", columns.label(["param", "hparams", "lr"]));
});

test("kinds are those that the server names", () => {
  const kinds = new Kinds(SERVER.kinds);
  assert.equal("images", kinds.subjectOf("aim.image"));
  assert.equal("images", kinds.subjectOf("list(aim.image)"));
  assert.equal("metric", kinds.subjectOf("int"));
  assert.equal(null, kinds.subjectOf("aim.log_line"));
  assert.equal("Text", kinds.titleOf("texts"));
  assert.equal("meshes", kinds.subjectOf("acme.mesh"), "a kind that the pages never heard of");
  assert.equal("unheard_of", kinds.titleOf("unheard_of"));
});

test("the kinds of some sequences are in the server's order, without numbers", () => {
  const kinds = new Kinds(SERVER.kinds);
  assert.deepEqual(["images", "distributions", "meshes"], kinds.subjectsOf(FIELDS.sequences));
  assert.deepEqual([], kinds.subjectsOf([]));
  assert.deepEqual([], new Kinds([]).subjectsOf(FIELDS.sequences), "before the server answered");
});

const LOSS: Field = ["metric", "loss", {}, "last"];
const LR_FIELD: Field = ["param", "lr"];

test("a group's cell says the value, the mean, or how many there are", () => {
  const cases: readonly (readonly [readonly Cell[], boolean, string])[] = [
    [["a", "a"], false, "a"],
    [["a", "b", null], false, "3 values"],
    [[0.1, 0.1], true, "0.1"],
    [[1, 3], true, "2 ±1.4"],
    [[1, 3], false, "2 values"],
    [[null, null], true, "–"],
    [[NaN, 1], true, "2 values"],
  ];
  for (const [cells, isMetric, text] of cases)
    assert.equal(text, groupCell(cells, isMetric ? LOSS : LR_FIELD).text, JSON.stringify(cells));
  assert.match(groupCell([1, 3], LOSS).title, /mean 2 ± 1\.414 · 1 to 3 · 2 runs · best 1/);
  const accuracy: Field = ["metric", "accuracy", {}, "last"];
  assert.deepEqual(["1", "3"], [groupCell([1, 3], LOSS).best, groupCell([1, 3], accuracy).best]);
  assert.equal(undefined, groupCell([1, 3], ["metric", "lr", {}, "last"]).best);
  assert.deepEqual([true, false], [groupCell([1, 2], LR_FIELD).isNumber, groupCell(["a", 2], LR_FIELD).isNumber]);
});

test("the params in which selected runs differ are marked, metrics never", () => {
  const cells = (values: readonly Cell[], field: Field) => ({ field, key: fieldText(field), cells: values });
  const columns = new Map(
    [
      cells([1, 2, 1], ["param", "lr"]),
      cells([[1], [1], [2]], ["param", "list"]),
      cells(["x", "y", "z"], ["run", "name"]),
      cells([0.1, 0.2, 0.3], ["metric", "loss", {}, "last"]),
    ].map((column) => [column.key, column]),
  );
  assert.deepEqual(["lr"], [...differingKeys(columns, [0, 1])]);
  assert.deepEqual(["lr", "list"], [...differingKeys(columns, [0, 1, 2])]);
  assert.deepEqual(["list"], [...differingKeys(columns, [0, 2])]);
  assert.deepEqual([], [...differingKeys(columns, [1])], "one run differs from nothing");
});

test("the columns of a table's request are fields of the project", () => {
  for (const field of TABLE_FIELDS) assert.notEqual(null, parseField(fieldText(field)));
});

test("where runs were imported from is no column by itself, and nothing to group by", () => {
  const info = (path: readonly string[]): ParamInfo => ({ ...FIELDS.params[0], path, distinct: 3 });
  const params = [info(["imported", "at"]), info(["imported"]), info(["lr"])];

  assert.deepEqual(
    ["imported", "lr"],
    varyingParams({ params }).map(({ path }) => pathText(path)),
  );
});

test("settings are neither seeds nor texts of each run's own", () => {
  const param = (name: string, type: ParamInfo["type"], distinct: number): ParamInfo => {
    return { path: ["hparams", name], type, runs: 40, distinct, examples: [] };
  };
  const params = [
    param("lr", "number", 40),
    param("output_dir", "string", 40),
    param("seed", "number", 5),
    param("optimizer", "string", 4),
    param("layers", "json", 3),
    param("amp", "bool", 1),
  ];
  assert.deepEqual(
    ["hparams.optimizer", "hparams.lr"],
    settingParams({ params }).map(({ path }) => path.join(".")),
  );
});
