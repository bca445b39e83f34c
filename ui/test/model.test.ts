/// What the pages know: addresses, fields, tables, groups, formats, importance, differences.

import assert from "node:assert/strict";
import { longestCount } from "../src/model/objects";
import type { ObjectsAnswer } from "../src/wire/objects";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../src/model/address";
import { alertTarget, alertText, isOpen } from "../src/model/alerts";
import { axisOf, brushedRows, trendOf } from "../src/model/axes";
import { sectionsOf, type Card } from "../src/model/cards";
import { differingKeys, groupCell, joinTexts, splitTexts } from "../src/model/columns";
import { diffTrees, leaves } from "../src/model/compare";
import { documentId } from "../src/model/documents";
import {
  betterDirection,
  contextKey,
  fieldLabel,
  fieldText,
  guessTarget,
  parseField,
  queryPath,
} from "../src/model/fields";
import { formatAgo, formatBytes, formatDelta, formatDuration, formatNumber } from "../src/model/format";
import { coloring, contextDash, splitBy } from "../src/model/grouping";
import { importances, ranks, spearman } from "../src/model/importance";
import { keyName } from "../src/model/keys";
import { compareCells, patched, sorted, spreadOf, tableOf, cellOf } from "../src/model/table";
import { describedTags } from "../src/model/tags";
import { diffWords } from "../src/model/worddiff";
import type { AlertItem } from "../src/wire/alerts";
import type { Field, FieldsAnswer, Json, RunsAnswer, StoredDocument } from "../src/wire/types";
import {
  arrange,
  formatOwn,
  formatWide,
  moveCard,
  parseOwn,
  parseWide,
  shiftCard,
  type Arranged,
} from "../src/model/layout";
import { ValueColors } from "../src/model/valuecolors";

const LR: Field = ["param", "hparams", "lr"];
const NAME: Field = ["run", "name"];

function answer(hash: readonly string[], lr: readonly (number | "NaN" | null)[]): RunsAnswer {
  return {
    cursor: "1",
    elapsed_ms: 1,
    total: 10,
    count: hash.length,
    hash,
    columns: [
      { type: "number", values: lr },
      { type: "string", values: ["x", "y"], codes: hash.map((_, i) => (i % 3) - 1) },
    ],
  };
}

test("an address comes back from its text, whatever its values hold", () => {
  const params = new Map([
    ["q", 'run.hparams.lr <= 1e-3 and "a&b=c#d" in run.tags + 5%'],
    ["color", "hparams.model"],
  ]);
  const text = formatAddress({ page: "run", subject: "a/b c", params });
  assert.ok(!text.includes("%3C"), "readable");
  assert.deepEqual({ page: "run", subject: "a/b c", params }, parseAddress(text));
  assert.equal("metrics", formatAddress({ page: "metrics", subject: "", params: new Map([["x", ""]]) }));
});

test("a field comes back from its text", () => {
  const all: readonly Field[] = [
    ["run", "status"],
    LR,
    ["param", "a.b", 'q"x', 3, "c d"],
    ["param", "run", "x"],
    ["param", "solo"],
    ["metric", "loss", { subset: "val" }, "min"],
    ["metric", "a:b/c", {}, "last"],
    ["metric", "acc", { k: { z: 1, a: "}" } }, "max_step"],
  ];
  for (const field of all)
    assert.deepEqual(JSON.parse(JSON.stringify(parseField(fieldText(field)))), field, fieldText(field));
  assert.equal(null, parseField(""));
  assert.equal(null, parseField("metric:loss:No summary"));
});

test("equal contexts have one key, whatever the order", () => {
  assert.equal(contextKey({ a: 1, b: { d: 2, c: 3 } }), contextKey({ b: { c: 3, d: 2 }, a: 1 }));
  assert.equal("", contextKey({}));
});

test("labels leave the common root out", () => {
  assert.deepEqual(
    ["lr", "optim.lr", "loss val min", "status"],
    [
      fieldLabel(LR),
      fieldLabel(["param", "optim", "lr"]),
      fieldLabel(["metric", "loss", { subset: "val" }, "min"]),
      fieldLabel(["run", "status"]),
    ],
  );
  assert.equal('run.hparams["my key"].x', queryPath(["hparams", "my key", "x"]));
});

test("validation accuracy is the first guess of what counts", () => {
  const sequence = (name: string, subset: string): FieldsAnswer["sequences"][number] => ({
    name,
    context: { subset },
    kind: "float",
    runs: 5,
    points: 10,
  });
  const known: FieldsAnswer = {
    cursor: "1",
    total: 5,
    count: 5,
    params: [],
    facets: {},
    columns: [],
    summaries: [],
    search: null,
    sequences: [
      sequence("lr", "train"),
      sequence("loss", "train"),
      sequence("loss", "val"),
      sequence("accuracy", "train"),
      sequence("accuracy", "val"),
    ],
  };
  assert.deepEqual({ key: { name: "accuracy", context: { subset: "val" } }, isMoreBetter: true }, guessTarget(known));
  assert.deepEqual([-1, 1, 0], ["val_loss", "F1", "grad_norm"].map(betterDirection));
});

test("a table is sorted with NaN and missing values last, both ways", () => {
  const table = tableOf(answer(["a", "b", "c", "d"], [0.3, null, "NaN", 0.1]), [LR, NAME]);
  assert.deepEqual(["d", "a", "c", "b"], sorted(table, fieldText(LR), false).hashes);
  assert.deepEqual(["a", "d", "c", "b"], sorted(table, fieldText(LR), true).hashes);
  assert.equal(0.1, cellOf(sorted(table, fieldText(LR), false), fieldText(LR), "d"));
  assert.ok(compareCells(10, 9, false) > 0 && compareCells("10", "9", false) < 0);
});

test("changed runs are put in their places, new ones first, those gone leave", () => {
  const old = tableOf(answer(["a", "b", "c"], [1, 2, 3]), [LR, NAME]);
  const next = tableOf(answer(["n", "c"], [9, 30]), [LR, NAME]);
  const table = patched(old, ["b", "c", "n"], next);
  assert.deepEqual(["n", "a", "c"], table.hashes);
  assert.deepEqual([9, 1, 30], table.columns.get(fieldText(LR))?.cells);
  assert.equal(3, table.count);
});

test("groups of numbers are in their order, groups of texts by size", () => {
  const table = tableOf(answer(["a", "b", "c", "d"], [0.3, 0.1, 0.3, null]), [LR, NAME]);
  assert.deepEqual(
    ["0.1", "0.3", "–"],
    splitBy(table, fieldText(LR)).map(({ label }) => label),
  );
  const colors = coloring(table, fieldText(LR), "light", new ValueColors(null), "demo");
  assert.equal(colors.colorOf("a"), colors.colorOf("c"));
  assert.notEqual(colors.colorOf("a"), colors.colorOf("b"));
  assert.deepEqual(
    { count: 3, min: 0.1, max: 0.3 },
    (({ count, min, max }) => ({ count, min, max }))(spreadOf([0.3, 0.1, 0.3, null]) ?? { count: 0, min: 0, max: 0 }),
  );
});

test("what validates is solid and what trains is dashed", () => {
  assert.deepEqual(
    [[], [6, 3]],
    ["val", "train"].map((context) => contextDash(["train", "val"], context)),
  );
});

test("a group's row says the mean of a metric and counts the values of a param", () => {
  assert.equal("2 ±1.4", groupCell([1, 3, null], ["metric", "loss", {}, "last"]).text);
  assert.equal("3 values", groupCell([0.1, 0.2, 0.3], ["param", "p"]).text);
  assert.equal("adam", groupCell(["adam", "adam"], ["param", "p"]).text);
  assert.equal("2 values", groupCell(["adam", "sgd"], ["param", "p"]).text);
});

test("only params in which the chosen rows differ are marked", () => {
  const table = tableOf(answer(["a", "b"], [1, 2]), [LR, NAME]);
  assert.deepEqual([fieldText(LR)], [...differingKeys(table.columns, [0, 1])]);
  assert.deepEqual([], [...differingKeys(table.columns, [0])]);
});

test("sections come from prefixes, else from contexts", () => {
  const val = { subset: "val" };
  const train = { subset: "train" };
  const metrics = [
    { name: "loss", context: train },
    { name: "loss", context: val },
    { name: "gen/bleu", context: {} },
    { name: "lr", context: {} },
  ];
  assert.deepEqual(
    ["val", "metrics", "train", "gen"],
    sectionsOf(metrics, "context").map(({ name }) => name),
  );
  const byName = sectionsOf(metrics, "name");
  assert.deepEqual(
    [
      ["metrics", 2],
      ["gen", 1],
    ],
    byName.map(({ name, cards }) => [name, cards.length]),
  );
  assert.equal(2, byName[0].cards[0].metrics.length);
});

test("texts in addresses may hold the separator", () => {
  const texts = ["a;b", "50%", "%3B", "x"];
  assert.deepEqual(texts, splitTexts(joinTexts(texts)));
});

test("numbers have four significant digits", () => {
  assert.deepEqual(
    ["0.7907", "0.001", "1.234e-5", "12345", "1.235e6", "NaN", "-∞", "0"],
    [0.79071, 0.001, 0.00001234, 12345, 1234567.8, NaN, -Infinity, 0].map(formatNumber),
  );
  assert.deepEqual(["+0.5", "−2", "±0"], [0.5, -2, 0].map(formatDelta));
});

test("times and sizes are short", () => {
  assert.deepEqual(
    ["0.4 s", "42 s", "3 m 12 s", "2 h 5 m", "1 d 3 h"],
    [0.4, 42, 192, 7500, 97200].map(formatDuration),
  );
  assert.deepEqual(
    ["just now", "5 m ago", "2 h ago", "3 d ago"],
    [10, 300, 7200, 3 * 86400].map((gone) => formatAgo(1e9 - gone, 1e9)),
  );
  assert.deepEqual(["512 B", "1.2 MB"], [512, 1.2e6].map(formatBytes));
});

test("equal values share the mean of their ranks", () => {
  assert.deepEqual([1, 2.5, 2.5, 4], ranks([1, 5, 5, 9]));
  assert.equal(1, spearman([1, 2, 3, 4], [10, 100, 1000, 10000]));
  assert.equal(-1, spearman([1, 2, 3], [3, 2, 1]));
  assert.equal(null, spearman([1, 1, 1], [1, 2, 3]));
});

test("the param that makes the result is the most important one", () => {
  const n = 120;
  const lr = Array.from({ length: n }, (_, i) => 10 ** -(1 + (i % 4)));
  const model = Array.from({ length: n }, (_, i) => ["a", "b", "c"][i % 3]);
  const noise = Array.from({ length: n }, (_, i) => (i * 7919) % 101);
  const result = model.map((name, i) => ({ a: 0, b: 5, c: 1 })[name as "a" | "b" | "c"] + Math.log10(lr[i]) * 0.2);
  const found = importances(
    [
      { key: "lr", cells: lr },
      { key: "model", cells: model },
      { key: "noise", cells: noise },
    ],
    result,
  );
  assert.deepEqual(
    ["model", "lr", "noise"],
    found.map(({ key }) => key),
  );
  assert.ok(Math.abs(found.reduce((sum, { importance }) => sum + importance, 0) - 1) < 1e-9);
  assert.equal(null, found[0].correlation);
  assert.deepEqual(
    found,
    importances(
      [
        { key: "lr", cells: lr },
        { key: "model", cells: model },
        { key: "noise", cells: noise },
      ],
      result,
    ),
    "repeatable",
  );
});

test("an axis of powers is logarithmic, one of texts has a place each", () => {
  const axis = axisOf({ field: LR, key: "lr", type: "number", cells: [1e-4, 1e-2, null] }, "lr");
  assert.equal("log", axis.kind);
  assert.deepEqual([0, 1, NaN], [...axis.positions]);
  const texts = axisOf({ field: NAME, key: "n", type: "string", cells: ["b", "a", "c"] }, "n");
  assert.deepEqual([0.5, 0, 1], [...texts.positions]);
  assert.deepEqual(
    [0],
    brushedRows(
      [axis, texts],
      new Map([
        ["lr", [0, 0.2]],
        ["n", [0.4, 1]],
      ]),
      3,
    ),
  );
});

test("an axis of a metric has round marks, and is logarithmic only where its values crowd low", () => {
  const metric = (cells: readonly number[]): ReturnType<typeof axisOf> =>
    axisOf({ field: ["metric", "acc", {}, "last"], key: "acc", type: "number", cells }, "acc");
  assert.equal("linear", metric([0.01, 0.3, 0.5, 0.7, 0.9]).kind);
  assert.equal("log", metric([0.001, 0.002, 0.004, 0.008, 0.9]).kind);
  assert.deepEqual(
    ["0.94", "0.95", "0.96", "0.97", "0.98"],
    metric([0.939866, 0.959911, 0.964365, 0.98441]).ticks.map(({ label }) => label),
  );
});

test("the trend of a straight line is that line", () => {
  const trend = trendOf([0, 1, 2, NaN], [1, 3, 5, 100]);
  assert.deepEqual({ slope: 2, offset: 1, r2: 1 }, trend);
  assert.equal(null, trendOf([1, 1, 1], [1, 2, 3]));
});

test("trees are compared leaf by leaf", () => {
  assert.deepEqual(
    ["a.b", "a.c", "d"],
    leaves({ a: { b: 1, c: [1, 2] }, d: {} }).map(({ path }) => path.join(".")),
  );
  const rows = diffTrees([{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 }, e: null }]);
  assert.deepEqual(
    [
      ["a.b", true],
      ["a.c", false],
      ["e", false],
    ],
    rows.map(({ name, isSame }) => [name, isSame]),
  );
});

test("a word difference leads from one text to the other", () => {
  const [from, to] = ["the quick brown fox jumps", "the slow brown dog jumps high"];
  const changes = diffWords(from, to);
  assert.equal(
    from,
    changes
      .filter(({ kind }) => kind !== "new")
      .map(({ text }) => text)
      .join(""),
  );
  assert.equal(
    to,
    changes
      .filter(({ kind }) => kind !== "old")
      .map(({ text }) => text)
      .join(""),
  );
  assert.ok(changes.some(({ kind, text }) => kind === "same" && text.includes("brown")));
});

test("ids of documents are plain and new", () => {
  assert.equal("nightly-runs", documentId("Nightly runs!", new Set()));
  assert.equal("nightly-runs-2", documentId("Nightly runs", new Set(["nightly-runs"])));
  assert.equal("untitled", documentId("…", new Set()));
});

test("Ctrl and the Apple key have one name", () => {
  const press = (init: object): KeyboardEvent => ({ ctrlKey: false, metaKey: false, ...init }) as KeyboardEvent;
  assert.deepEqual(
    ["Ctrl+k", "Ctrl+k", "?"],
    [press({ ctrlKey: true, key: "k" }), press({ metaKey: true, key: "k" }), press({ key: "?" })].map(keyName),
  );
});

const ALERT: AlertItem = {
  id: "a nan 71",
  run: "a",
  name: "one",
  kind: "nan",
  time: 1000,
  level: 1,
  metric: { name: "loss", context: { subset: "val" } },
  step: 71,
  window: [62, 80],
  value: "NaN",
  best: null,
  pause: null,
  error: null,
  others: 0,
};

test("an alert says what is wrong, and since when", () => {
  const said = (changes: Partial<AlertItem>): string => alertText({ ...ALERT, ...changes }, 1600);
  assert.equal("loss val is NaN since step 71", said({}));
  assert.equal("loss val is infinite since step 71, and 2 more metrics", said({ value: "-Infinity", others: 2 }));
  assert.equal(
    "loss val has diverged since step 71: 5.2, was 0.1, and 1 more metric",
    said({ kind: "diverged", value: 5.2, best: 0.1, others: 1 }),
  );
  assert.equal("no new points for 10 m 0 s; usually at least every 2 m 0 s", said({ kind: "stalled", pause: 120 }));
  assert.equal("a check-in is 10 m 0 s overdue", said({ kind: "stalled", metric: null }));
  assert.deepEqual(
    ["failed with ValueError", "failed with an error", "no end was recorded"],
    [said({ kind: "failed", error: "ValueError" }), said({ kind: "failed" }), said({ kind: "lost" })],
  );
});

test("an alert leads to its place", () => {
  assert.deepEqual({ card: "loss", at: "71", win: "62,80" }, alertTarget(ALERT));
  assert.deepEqual({ card: "loss", at: "99" }, alertTarget({ ...ALERT, kind: "stalled", step: 99, window: null }));
  assert.deepEqual(
    [{ tab: "log" }, {}, {}],
    [{ kind: "failed" }, { kind: "lost" }, { kind: "stalled" }].map((changes) =>
      alertTarget({ ...ALERT, metric: null, ...changes } as AlertItem),
    ),
  );
});

test("a dismissed alert comes back when it gets worse, and another one is not dismissed", () => {
  const dismissed = new Map([["a nan 71", 1]]);
  assert.deepEqual(
    [false, true, true],
    [
      isOpen(ALERT, dismissed),
      isOpen({ ...ALERT, level: 2 }, dismissed),
      isOpen({ ...ALERT, id: "a nan 90" }, dismissed),
    ],
  );
});

test("an arrangement survives the address, whatever the names are", () => {
  const placed = [
    { name: "A > b; c*", cards: ['loss{"a":"x;y"}', "back\\slash*2"] },
    { name: "empty", cards: [] },
  ];
  assert.deepEqual(placed, parseOwn(formatOwn(placed)));
  const wide = new Map([
    ['loss{"a":"x;*2"}', 2],
    ["plain", 3],
  ]);
  assert.deepEqual(wide, parseWide(formatWide(wide)));
  assert.deepEqual(
    [],
    parseOwn("no section;>").filter(({ name }) => name !== ""),
  );
});

test("placed cards come first in their section, own sections before all, and nothing is lost", () => {
  const card = (id: string): Card => ({ id, title: id, subtitle: "", metrics: [] });
  const sections = [
    { name: "val", cards: ["a", "b", "c"].map(card) },
    { name: "train", cards: ["d"].map(card) },
  ];
  const names = (placed: readonly Arranged[]): string[] =>
    arrange(sections, placed).map((section) => `${section.name}: ${section.cards.map(({ id }) => id).join(" ")}`);
  assert.deepEqual(["val: a b c", "train: d"], names([]));
  const back = shiftCard(arrange(sections, []), [], "c", -1);
  assert.deepEqual(["val: a c b", "train: d"], names(back));
  const own = [{ name: "Focus", cards: [] }, ...back];
  const moved = moveCard(arrange(sections, own), own, "d", "Focus", null);
  assert.deepEqual(["Focus: d", "val: a c b"], names(moved));
  assert.deepEqual(["Focus: b d", "val: a c"], names(moveCard(arrange(sections, moved), moved, "b", "Focus", "d")));
  assert.deepEqual(["val: a c b", "train: d"], names(moved.filter(({ name }) => name !== "Focus")));
});

test("a tag has the colour of its latest document, if it is one", () => {
  const said = (
    id: string,
    updated_at: number,
    body: { readonly [key: string]: Json },
    kind: "tag" | "view" = "tag",
  ): StoredDocument => ({ kind, id, revision: "r", updated_at, body });
  const found = describedTags([
    said("b", 2, { name: "paper", color: "#00ff00", description: "is in it" }),
    said("a", 1, { name: "paper", color: "#ff0000" }),
    said("c", 3, { name: "odd", color: "url(x)", description: 4 }),
    said("d", 4, { name: 5, color: "#0000ff" }),
    said("e", 5, { name: "view", color: "#0000ff" }, "view"),
  ]);
  assert.deepEqual(
    [
      ["paper", { color: "#00ff00", description: "is in it" }],
      ["odd", { color: null, description: null }],
    ],
    [...found],
  );
});

test("the longest sequence says how many steps there are, those left out included", () => {
  const sequence = { name: "words", context: {}, run: 0, kind: "aim.text", index_count: 1 };
  const answer = {
    runs: ["a"],
    sequences: [
      { ...sequence, count: 2500, steps: [0, 2499] },
      { ...sequence, count: 3, steps: [0, 1, 2] },
    ],
    items: [],
  };
  assert.equal(2500, longestCount(answer as object as ObjectsAnswer));
  assert.equal(0, longestCount(null));
});
