/// Comparisons: trees of params, results, words; what matters for a result; objects and what lies over them.

import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { change, goToText } from "../src/model/address";
import { joinTexts } from "../src/model/columns";
import { chosenSequences } from "../src/page/sequencepill";
import { leavesOf, LR, makeRuns, runsAnswer, TABLE_FIELDS } from "./project";
import { asTree, bestOf, diffTrees, leaves, metricRows, trackedMetrics, without } from "../src/model/compare";
import { pathText, sequenceText } from "../src/model/fields";
import { importances, randomSource, ranks, spearman } from "../src/model/importance";
import {
  arrange,
  formatOwn,
  formatWide,
  freshName,
  moveCard,
  parseOwn,
  parseWide,
  shiftCard,
} from "../src/model/layout";
import {
  allSteps,
  atPresent,
  bySequence,
  deletion,
  hiddenCount,
  type Item,
  itemKey,
  itemLabel,
  itemsOf,
} from "../src/model/objects";
import { actionChoices, metricChoices, runChoices } from "../src/model/palettechoices";
import { sectionsOf, type Section } from "../src/model/cards";
import { tableOf } from "../src/model/table";
import { diffWords } from "../src/model/worddiff";
import { fieldsAnswer } from "./project";
import { findChoices } from "../src/widget/popover";
import type { ObjectsAnswer } from "../src/wire/objects";
import type { Json, RunAnswer, SequenceKey, SequenceSummary } from "../src/wire/types";

const RUNS = makeRuns(12);
type Tree = { readonly [key: string]: Json };

test("the leaves of params are those that the server lists", () => {
  for (const { params } of RUNS.slice(0, 3)) {
    const texts = leaves(params).map(({ path }) => pathText(path));
    assert.deepEqual(
      leavesOf(params).map(([path]) => pathText(path)),
      texts,
    );
    assert.ok(texts.length >= 150);
  }
});

test("an empty dict, a list and a special value are leaves", () => {
  const tree: Tree = { a: {}, b: [1, { c: 2 }], d: { $float: "NaN" }, e: { f: null } };
  assert.deepEqual(
    ["a", "b", "d", "e.f"],
    leaves(tree).map(({ path }) => path.join(".")),
  );
});

test("of 150 params of runs those that differ are found", () => {
  const rows = diffTrees(RUNS.slice(0, 4).map(({ params }) => params));
  assert.ok(rows.length >= 150);
  const differing = rows.filter(({ isSame }) => !isSame).map(({ name }) => name);
  assert.deepEqual(
    ["hparams.seed", "hparams.weight_decay", "hparams.optimizer.name", "data.augment"],
    differing.filter((name) => name !== "hparams.model"),
  );
});

test("a param that one run lacks differs, and its value is missing there", () => {
  const rows = diffTrees([{ a: 1, b: 2 }, { a: 1 }, null]);
  assert.deepEqual([1, 1, undefined], rows[0].values);
  assert.deepEqual([2, undefined, undefined], rows[1].values);
  assert.ok(rows.every(({ isSame }) => !isSame));
  assert.ok(diffTrees([{ a: [1, 2] }, { a: [1, 2] }])[0].isSame, "lists are compared by what they hold");
});

function sequence(name: string, subset: string, last: number, kind = "float"): SequenceSummary {
  return { name, context: { subset }, kind, count: 9, first_step: 0, last_step: 8, last, min: last - 1, max: last + 1 };
}

function answer(sequences: readonly SequenceSummary[]): RunAnswer {
  return { sequences } as unknown as RunAnswer;
}

test("results stand beside each other, whatever the order in which runs tracked them", () => {
  const runs = [
    answer([sequence("loss", "val", 2), sequence("acc", "val", 0.5)]),
    null,
    answer([sequence("acc", "val", 0.7), sequence("loss", "train", 1)]),
  ];
  const rows = metricRows(runs, () => true);
  assert.deepEqual(
    ["loss", "acc", "loss"],
    rows.map(({ key }) => key.name),
  );
  assert.deepEqual(
    [
      [2, null, null],
      [0.5, null, 0.7],
      [null, null, 1],
    ],
    rows.map(({ last }) => last),
  );
  assert.deepEqual([1.5, null, 1.7], rows[1].max);
  assert.deepEqual(1, metricRows(runs, ({ name }) => name === "acc").length);
});

test("the metrics of a comparison are those of people, each once", () => {
  const runs = [
    answer([sequence("loss", "val", 2), sequence("__system__cpu", "", 1)]),
    answer([sequence("loss", "val", 1), sequence("samples", "", 1, "list(aim.image)")]),
  ];
  assert.deepEqual([{ name: "loss", context: { subset: "val" } }], trackedMetrics(runs));
});

test("the best is the least or the largest, by the name", () => {
  assert.equal(1, bestOf([3, 1, null, NaN], -1));
  assert.equal(3, bestOf([3, 1, null], 1));
  assert.equal(null, bestOf([3, 1], 0));
  assert.equal(null, bestOf([3, null, NaN], 1), "one value is not better than any");
});

test("what is no tree is none, and a tree loses a key", () => {
  assert.deepEqual([null, null, null], [asTree([1]), asTree("x"), asTree(null)]);
  assert.deepEqual({ a: 1 }, without({ a: 1, diff: "…" }, "diff"));
  assert.equal(null, without(null, "diff"));
});

test("objects that the page did not ask for are counted, and none where a list is short", () => {
  const track = {
    name: "mistakes",
    context: {},
    run: 0,
    kind: "list(aim.image)",
    count: 2,
    steps: [0, 1],
    index_count: 40,
  };
  const item = (step: number, index: number): Item => ({
    ...{ sequence: 0, step, index, epoch: null, time: 0, run: "a", track },
  });
  const list = (step: number, count: number): Item[] => Array.from({ length: count }, (_, index) => item(step, index));
  assert.equal(28, hiddenCount(list(0, 12), 12));
  assert.equal(0, hiddenCount(list(0, 7), 12), "this step's list is shorter than the longest");
  assert.equal(39, hiddenCount([item(0, 0), item(1, 0)], 1));
  assert.equal(0, hiddenCount(list(0, 40), 64));
});

test("sequences are chosen by their names in the address; unknown names leave all", () => {
  const all: readonly SequenceKey[] = [
    { name: "mistakes", context: { subset: "val" } },
    { name: "attention; heads", context: {} },
  ];
  goToText("media");
  assert.equal(null, chosenSequences(all));
  change({ seq: joinTexts(['mistakes{"subset":"val"}']) });
  assert.deepEqual([all[0]], chosenSequences(all));
  change({ seq: joinTexts(all.map(sequenceText)) });
  assert.deepEqual(all, chosenSequences(all));
  change({ seq: "gone" });
  assert.equal(null, chosenSequences(all));
  goToText("metrics");
});

test("ranks share the mean of their places", () => {
  assert.deepEqual([1, 2, 3], ranks([10, 20, 30]));
  assert.deepEqual([2.5, 1, 2.5, 4], ranks([5, 1, 5, 9]));
  assert.deepEqual([2, 2, 2], ranks([7, 7, 7]));
  assert.deepEqual([], ranks([]));
});

test("a rank correlation sees order, not size", () => {
  assert.equal(1, spearman([1, 2, 3, 4], [1, 10, 100, 1000]));
  assert.equal(-1, spearman([1, 2, 3], [3, 2, 1]));
  assert.equal(null, spearman([1, 1, 1], [1, 2, 3]));
  assert.equal(null, spearman([1, 2], [1, 2]));
  assert.equal(1, spearman([1, 2, NaN, 3], [1, 2, 9, 3]), "a pair without a number is left out");
});

test("a source of numbers repeats itself for a seed, and fills the range", () => {
  const [a, b] = [randomSource(5), randomSource(5)];
  const numbers = Array.from({ length: 1000 }, a);
  assert.deepEqual(numbers, Array.from({ length: 1000 }, b));
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  const mean = numbers.reduce((sum, number) => sum + number, 0) / 1000;
  assert.ok(Math.abs(mean - 0.5) < 0.05);
});

test("the param that a result depends on matters most, straight, bent or as a text", () => {
  const random = randomSource(3);
  const x = Array.from({ length: 150 }, random);
  const noise = Array.from({ length: 150 }, random);
  const models = x.map((value) => (value < 0.4 ? "a" : value < 0.7 ? "b" : "c"));
  const shapes: readonly ((value: number, i: number) => number)[] = [
    (value) => 3 * value,
    (value) => (value - 0.5) ** 2 * 10,
    (_, i) => ({ a: 2, b: 0, c: 1 })[models[i]] ?? 0,
  ];
  shapes.forEach((shape, i) => {
    const target = x.map((value, row) => shape(value, row) + noise[row] * 0.05);
    const columns = [
      { key: "noise", cells: noise },
      { key: "cause", cells: i === 2 ? models : x },
      { key: "constant", cells: x.map(() => 1) },
    ];
    const [first] = importances(columns, target);
    assert.equal("cause", first.key);
    assert.ok(first.importance > 0.7, String(first.importance));
    const sum = importances(columns, target).reduce((total, { importance }) => total + importance, 0);
    assert.ok(Math.abs(sum - 1) < 1e-9);
  });
});

test("importances of too few runs, or of none with a result, are none", () => {
  const columns = [{ key: "x", cells: [1, 2, 3, 4, 5, 6, 7] }];
  assert.deepEqual([], importances(columns, [1, 2, null, NaN, 3, 4, null]));
  assert.deepEqual([], importances([], [1, 2, 3, 4, 5, 6, 7]));
});

test("what changed between two texts is told word by word", () => {
  const kinds = (from: string, to: string): string =>
    diffWords(from, to)
      .map(({ kind, text }) => ({ same: text, old: `[-${text}]`, new: `[+${text}]` })[kind])
      .join("");
  const cases: readonly (readonly [string, string, string])[] = [
    ["", "", ""],
    ["a b", "a b", "a b"],
    ["", "new", "[+new]"],
    ["old", "", "[-old]"],
    ["the cat sat", "the dog sat", "the [-cat][+dog] sat"],
    ["a, b", "a; b", "a[-,][+;] b"],
    ["naïve Straße", "naïve Gasse", "naïve [-Straße][+Gasse]"],
  ];
  for (const [from, to, expected] of cases) assert.equal(expected, kinds(from, to));
});

test("the texts come back from the changes between them", () => {
  const random = randomSource(11);
  const text = (): string => Array.from({ length: 60 }, () => "abcd"[Math.floor(random() * 4)]).join(" ");
  for (let i = 0; i < 20; i++) {
    const [from, to] = [text(), text()];
    const changes = diffWords(from, to);
    assert.equal(
      from,
      changes
        .filter(({ kind }) => kind !== "new")
        .map((change) => change.text)
        .join(""),
    );
    assert.equal(
      to,
      changes
        .filter(({ kind }) => kind !== "old")
        .map((change) => change.text)
        .join(""),
    );
  }
});

test("very long texts that differ throughout are told as a whole", () => {
  const long = (word: string): string => Array.from({ length: 3000 }, (_, i) => `${word}${i}`).join(" ");
  assert.deepEqual(
    ["old", "new"],
    diffWords(long("a"), long("b")).map(({ kind }) => kind),
  );
});

const ANSWER: ObjectsAnswer = {
  cursor: "1",
  total: 2,
  runs: [RUNS[0].hash, RUNS[1].hash],
  sequences: [
    { name: "samples", context: {}, kind: "list(aim.image)", run: 0, count: 3, steps: [0, 10, 20], index_count: 2 },
    { name: "samples", context: {}, kind: "aim.image", run: 1, count: 2, steps: [5, 20], index_count: 1 },
  ],
  items: [
    { sequence: 0, step: 20, epoch: null, time: 1, index: 0, caption: "cat" },
    { sequence: 1, step: 20, epoch: null, time: 1, index: 0 },
    { sequence: 0, step: 20, epoch: null, time: 1, index: 1 },
  ],
};

test("objects have their run and their sequence", () => {
  const items = itemsOf(ANSWER);
  assert.deepEqual(
    [RUNS[0].hash, RUNS[1].hash, RUNS[0].hash],
    items.map(({ run }) => run),
  );
  assert.deepEqual(
    [2, 1],
    bySequence(items).map((group) => group.length),
  );
  assert.deepEqual(["cat", "samples, step 20"], [itemLabel(items[0]), itemLabel(items[1])]);
  assert.deepEqual([0, 5, 10, 20], allSteps(ANSWER));
  assert.deepEqual([[], []], [itemsOf(null), allSteps(null)]);
  assert.equal(3, new Set(items.map(itemKey)).size);
});

test("an open picture follows the step, and stays where its sequence has none", () => {
  const items = itemsOf(ANSWER);
  const later = itemsOf({ ...ANSWER, items: [{ ...ANSWER.items[0], step: 10, caption: "dog" }] });
  assert.deepEqual(
    ["dog", undefined],
    atPresent(items.slice(0, 2), later).map(({ caption }) => caption),
  );
});

test("one object of a list is deleted, or the whole step", () => {
  const [first, second] = itemsOf(ANSWER);
  assert.deepEqual([{ name: "samples", context: {}, steps: [20], items: [0] }], deletion(first).points);
  assert.deepEqual([{ name: "samples", context: {}, steps: [20] }], deletion(second).points);
});

const SECTIONS = sectionsOf(
  ["loss", "accuracy", "f1"].flatMap((name) => ["val", "train"].map((subset) => ({ name, context: { subset } }))),
  "context",
);
const idsOf = (sections: readonly Section[]): Record<string, readonly string[]> =>
  Object.fromEntries(sections.map(({ name, cards }) => [name, cards.map(({ id }) => id.split("{")[0])]));

test("cards stay where they are by themselves until somebody moves them", () => {
  assert.deepEqual(
    { val: ["accuracy", "loss", "f1"], train: ["accuracy", "loss", "f1"] },
    idsOf(arrange(SECTIONS, [])),
  );
});

test("a card is moved within its section, and to one of the reader's", () => {
  const id = 'loss{"subset":"val"}';
  const before = 'accuracy{"subset":"val"}';
  const first = moveCard(arrange(SECTIONS, []), [], id, "val", before);
  assert.deepEqual(["loss", "accuracy", "f1"], idsOf(arrange(SECTIONS, first)).val);
  const focus = [{ name: "Focus", cards: [] }, ...first];
  const second = moveCard(arrange(SECTIONS, focus), focus, id, "Focus", null);
  const arranged = arrange(SECTIONS, second);
  assert.deepEqual({ Focus: ["loss"], val: ["accuracy", "f1"], train: ["accuracy", "loss", "f1"] }, idsOf(arranged));
  assert.deepEqual(
    [true, false, false],
    arranged.map(({ isOwn }) => isOwn),
  );
});

test("a card is shifted by one, not beyond the ends", () => {
  const id = 'loss{"subset":"val"}';
  const current = arrange(SECTIONS, []);
  assert.deepEqual(["loss", "accuracy", "f1"], idsOf(arrange(SECTIONS, shiftCard(current, [], id, -1))).val);
  assert.deepEqual(["accuracy", "f1", "loss"], idsOf(arrange(SECTIONS, shiftCard(current, [], id, 1))).val);
  assert.deepEqual([], shiftCard(current, [], 'accuracy{"subset":"val"}', -1));
  assert.deepEqual([], shiftCard(current, [], "unheard of", 1));
});

test("an arrangement comes back from its text, whatever the names hold", () => {
  const sections = [
    { name: "My; section > 1", cards: ['loss{"a":"b;c"}', "x*2", "back\\slash"] },
    { name: "empty", cards: [] },
  ];
  assert.deepEqual(sections, parseOwn(formatOwn(sections)));
  const spans = new Map([
    ["a*b;c", 2],
    ["d", 3],
  ]);
  assert.deepEqual([...spans], [...parseWide(formatWide(spans))]);
  assert.equal("", formatWide(new Map([["a", 1]])));
  assert.deepEqual([], parseOwn("card without a section"));
  assert.equal(0, parseWide("a*9;b").size);
});

test("a card that is gone leaves its place, one that comes back has it again", () => {
  const arranged = [{ name: "Focus", cards: ["gone", 'f1{"subset":"val"}'] }];
  assert.deepEqual(["f1"], idsOf(arrange(SECTIONS, arranged)).Focus);
});

test("a section's name is made unique", () => {
  const names = (list: readonly string[]) => list.map((name) => ({ name }));
  assert.equal("A", freshName(names([]), "A"));
  assert.equal("A 3", freshName(names(["A", "A 2"]), "A"));
});

test("the palette offers actions, runs and metrics by their words", () => {
  const table = tableOf(runsAnswer(RUNS, TABLE_FIELDS), TABLE_FIELDS);
  const runs = runChoices(table);
  assert.deepEqual(
    RUNS.map(({ name }) => name),
    runs.map(({ label }) => label),
  );
  assert.match(runs[0].detail, /^sweep [0-9a-f]{8}$/);
  assert.deepEqual([], runChoices(null));
  const metrics = metricChoices(fieldsAnswer(RUNS));
  assert.ok(metrics.some(({ label }) => label === "accuracy val"));
  assert.equal(26, metrics.length);
  assert.deepEqual([], metricChoices(null));
  const actions = actionChoices([{ keys: "c", label: "Compare", section: "Runs", run: () => undefined }]);
  assert.deepEqual(["Compare", "c", "Actions"], [actions[0].label, actions[0].detail, actions[0].section]);
  assert.deepEqual(
    ["accuracy val"],
    findChoices(metrics, "val acc").map(({ label }) => label),
  );
});

test("choices that begin with the word come first", () => {
  const choices = ["reset zoom", "zoom in", "zoom"].map((label) => ({ value: label, label, section: "Charts" }));
  assert.deepEqual(
    ["zoom in", "zoom", "reset zoom"],
    findChoices(choices, "zoom").map(({ label }) => label),
  );
  assert.equal(3, findChoices(choices, "charts").length, "a section is searched too");
  assert.equal(0, findChoices(choices, "zoom out").length);
  assert.equal(choices, findChoices(choices, "  "));
});

test("the learning rates of the project are in its table", () => {
  const table = tableOf(runsAnswer(RUNS, TABLE_FIELDS), TABLE_FIELDS);
  assert.ok(table.columns.get(LR)?.cells.every((cell) => typeof cell === "number"));
});
