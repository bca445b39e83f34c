/// From frames to lines: colours, dashes, gaps, bands, owners; tails that are appended; rows of a chart's table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame, type GivenPart } from "./frames";
import { ACCURACY, makeRuns, MODEL, runsAnswer, TABLE_FIELDS } from "./project";
import { DASHES } from "../src/chart/palette";
import { bucketsOf, cardRequest, type CardView } from "../src/model/cardrequest";
import { sectionsOf, type Card } from "../src/model/cards";
import { coloring, dashing } from "../src/model/grouping";
import { groupLabel, groupLabels, groupOwner, linesOf, type Looks } from "../src/model/lines";
import { formatCell } from "../src/model/format";
import { lineRows, sortedLines, valueAt } from "../src/model/linerows";
import { metricQuery, pythonCode } from "../src/model/pythoncode";
import { mergeFrames } from "../src/model/series";
import { sequenceText } from "../src/model/fields";
import { tableOf } from "../src/model/table";
import { appendTail, BadFrame, decodeFrame, type Frame, type FramePart } from "../src/wire/frame";
import type { Field, Json, SequenceKey } from "../src/wire/types";
import { ValueColors } from "../src/model/valuecolors";

const RUNS = makeRuns(40);
const TABLE = tableOf(runsAnswer(RUNS, TABLE_FIELDS), TABLE_FIELDS);
const VAL: SequenceKey = { name: "loss", context: { subset: "val" } };
const TRAIN: SequenceKey = { name: "loss", context: { subset: "train" } };
const [A, B, C] = RUNS.map(({ hash }) => hash);

function looks(more: Partial<Looks> = {}): Looks {
  return {
    coloring: coloring(TABLE, MODEL, "light", new ValueColors(null), "demo"),
    dashOf: dashing(TABLE, "", new ValueColors(null), "demo"),
    nameOf: (hash) => `run ${hash.slice(0, 4)}`,
    isShown: () => true,
    isStrong: () => false,
    ...more,
  };
}

function part(run: string | null, more: Partial<GivenPart> = {}): GivenPart {
  return { run, metric: VAL, x: [0, 1, 2], y: [3, 2, 1], ...more };
}

function frameOf(parts: readonly GivenPart[], given: Parameters<typeof encodeFrame>[1] = {}) {
  return decodeFrame(encodeFrame(parts, given));
}

test("a frame comes back from its bytes, in each width of its numbers", () => {
  for (const x of ["i4", "f8"] as const) {
    for (const y of ["f4", "f8"] as const) {
      const parts = [part(A), part(B, { x: [5, 9], y: [NaN, Infinity], points: 1000 }), part(C, { x: [], y: [] })];
      const frame = frameOf(parts, { x, y, cursor: "c7", total: 9 });
      assert.deepEqual(["c7", 9, 9, false], [frame.cursor, frame.total, frame.sent, frame.isWhole]);
      assert.deepEqual(
        [A, B, C],
        frame.parts.map(({ run }) => run),
      );
      assert.deepEqual([5, 9], [...frame.parts[1].x]);
      assert.deepEqual([NaN, Infinity], [...frame.parts[1].y]);
      assert.deepEqual([1000, 1, 1], [frame.parts[1].points, frame.parts[1].nan, frame.parts[1].inf]);
      assert.deepEqual(VAL, frame.parts[2].metric);
      assert.equal(x === "i4" ? Int32Array : Float64Array, frame.parts[0].x.constructor);
      assert.equal(y === "f4" ? Float32Array : Float64Array, frame.parts[0].y.constructor);
    }
  }
});

test("a frame of 200 runs and 500 points each is decoded without a copy", () => {
  const x = Array.from({ length: 500 }, (_, i) => i * 10);
  const parts = makeRuns(200).map(({ hash }) => part(hash, { x, y: x.map((step) => Math.exp(-step / 2000)) }));
  const buffer = encodeFrame(parts);
  const frame = decodeFrame(buffer);
  assert.equal(200, frame.parts.length);
  assert.ok(frame.parts.every(({ x: xs, y }) => xs.buffer === buffer && y.buffer === buffer));
  assert.ok(Math.abs(frame.parts[199].y[499] - Math.exp(-4990 / 2000)) < 1e-6);
});

test("bytes that are cut short, or of another format, are refused", () => {
  const buffer = encodeFrame([part(A)]);
  for (const bytes of [0, 7, 30, buffer.byteLength - 1])
    assert.throws(() => decodeFrame(buffer.slice(0, bytes)), BadFrame, String(bytes));
  const other = buffer.slice(0);
  new DataView(other).setUint32(0, 1);
  assert.throws(() => decodeFrame(other), /no AXF1/);
});

test("a tail replaces what it overlaps", () => {
  const [old] = frameOf([part(A, { x: [0, 10, 20, 30], y: [4, 3, 2, 9] })]).parts;
  const [tail] = frameOf([part(A, { x: [20, 30, 40], y: [2, 1, 0], from: 20 })]).parts;
  const joined = appendTail(old, tail);
  assert.deepEqual([0, 10, 20, 30, 40], [...joined.x]);
  assert.deepEqual([4, 3, 2, 1, 0], [...joined.y]);
  assert.equal(null, joined.from);
  const [whole] = frameOf([part(A, { x: [7], y: [7] })]).parts;
  assert.equal(whole, appendTail(old, whole), "a part without a beginning replaces everything");
});

test("steps become exact times where a tail has these", () => {
  const [old] = frameOf([part(A)], { x: "i4" }).parts;
  const [tail] = frameOf([part(A, { x: [2.5], y: [0], from: 2.5 })], { x: "f8" }).parts;
  assert.deepEqual([0, 1, 2, 2.5], [...appendTail(old, tail).x]);
});

test("a later frame is merged series by series, new ones come last", () => {
  const old = frameOf([part(A), part(B)], { cursor: "1", total: 2 });
  const next = frameOf([part(B, { x: [2, 3], y: [1, 0], from: 2 }), part(C)], { cursor: "2", total: 3 });
  const merged = mergeFrames(old, next);
  assert.deepEqual(
    [A, B, C],
    merged.parts.map(({ run }) => run),
  );
  assert.deepEqual(
    [3, 4, 3],
    merged.parts.map(({ x }) => x.length),
  );
  assert.deepEqual(["2", 3, 3], [merged.cursor, merged.total, merged.sent]);
});

test("a merge keeps what is not all of the series, and gives way to a whole frame", () => {
  const old = frameOf([part(A)], { total: 900, sent: 300 });
  assert.equal(300, mergeFrames(old, frameOf([part(B)], { total: 901 })).sent);
  const whole = frameOf([part(B)], { whole: true });
  assert.equal(whole, mergeFrames(old, whole));
  const empty = mergeFrames(old, frameOf([], { cursor: "9" }));
  assert.deepEqual(["9", old.parts], [empty.cursor, empty.parts]);
});

test("branches of a rewound run are series of their own", () => {
  const old = frameOf([part(A), part(A, { branch: 0 })]);
  const merged = mergeFrames(old, frameOf([part(A, { x: [3], y: [0], from: 3 })], { cursor: "2" }));
  assert.deepEqual(
    [4, 3],
    merged.parts.map(({ x }) => x.length),
  );
});

test("a line has its run's colour, name and owner", () => {
  const { data, ownerOf } = linesOf(frameOf([part(A), part(B)]), [VAL], looks());
  const expected = looks().coloring;
  assert.deepEqual(
    [A, B],
    data.lines.map(({ owner }) => owner),
  );
  assert.deepEqual(
    [A, B].map(expected.colorOf),
    data.lines.map(({ color }) => color),
  );
  assert.deepEqual(
    [`run ${A.slice(0, 4)}`, `run ${B.slice(0, 4)}`],
    data.lines.map(({ label }) => label),
  );
  assert.equal(A, ownerOf.get(A));
  assert.deepEqual({ lines: [], bands: [] }, linesOf(null, [VAL], looks()).data);
});

test("hidden runs have no line, pinned ones are thick", () => {
  const { data } = linesOf(
    frameOf([part(A), part(B)]),
    [VAL],
    looks({ isShown: (hash) => hash !== A, isStrong: (hash) => hash === B }),
  );
  assert.deepEqual(
    [[B, true]],
    data.lines.map(({ owner, strong }) => [owner, strong]),
  );
});

test("contexts in one card are told apart by dashes and names", () => {
  const { data } = linesOf(frameOf([part(A), part(A, { metric: TRAIN })]), [VAL, TRAIN], looks());
  assert.deepEqual(
    [DASHES[0], DASHES[1]],
    data.lines.map(({ dash }) => dash),
  );
  assert.match(data.lines[0].label, / val$/);
  assert.match(data.lines[1].label, / train$/);
});

test("several metrics in one card have their names in the labels", () => {
  const other: SequenceKey = { name: "accuracy", context: { subset: "val" } };
  const { data } = linesOf(frameOf([part(A), part(A, { metric: other })]), [VAL, other], looks());
  assert.match(data.lines[0].label, / loss val$/);
  assert.match(data.lines[1].label, / accuracy val$/);
});

test("the raw curve is faint behind the smooth one, which has a gap where the run had no number", () => {
  const raw = part(A, { y: [3, NaN, 1] });
  const smooth = part(A, { y: [3, 3, 2.5], part: "smooth" });
  const { data } = linesOf(frameOf([raw, smooth]), [VAL], looks());
  assert.deepEqual(
    [true, false],
    data.lines.map(({ faint }) => faint),
  );
  assert.deepEqual([3, NaN, 2.5], [...data.lines[1].y]);
});

test("a smooth curve of other points is left as it is", () => {
  const { data } = linesOf(
    frameOf([part(A, { y: [NaN, 2, 1] }), part(A, { x: [0, 2], y: [3, 2], part: "smooth" })]),
    [VAL],
    looks(),
  );
  assert.deepEqual([3, 2], [...data.lines[1].y]);
});

test("an earlier branch is faint and says so", () => {
  const { data } = linesOf(frameOf([part(A), part(A, { branch: 1 })]), [VAL], looks({ isStrong: () => true }));
  assert.deepEqual(
    [false, true],
    data.lines.map(({ faint }) => faint),
  );
  assert.deepEqual(
    [true, false],
    data.lines.map(({ strong }) => strong),
  );
  assert.match(data.lines[1].label, /before rewind 2$/);
});

test("a group has one line, a band, and the runs' curves as its own", () => {
  const group = { run: null, group: 0 } as const;
  const parts = [
    part(null, group),
    part(null, { ...group, part: "low", y: [2, 1, 0] }),
    part(null, { ...group, part: "high", y: [4, 3, 2] }),
  ];
  const frame = frameOf(parts, { groups: [{ key: ["vit-b", 0.001], runs: [A, B] }] });
  const { data, ownerOf, groupSize } = linesOf(frame, [VAL], looks());
  const owner = groupOwner(["vit-b", 0.001]);
  assert.deepEqual(
    [[owner, "vit-b · 0.001"]],
    data.lines.map((line) => [line.owner, line.label]),
  );
  assert.equal(1, data.bands.length);
  assert.deepEqual(
    [
      [2, 1, 0],
      [4, 3, 2],
    ],
    [[...data.bands[0].low], [...data.bands[0].high]],
  );
  assert.deepEqual([owner, owner], [ownerOf.get(A), ownerOf.get(B)]);
  assert.equal(2, groupSize.get(owner));
});

test("a group whose runs are all hidden has no line", () => {
  const frame = frameOf([part(null, { group: 0 })], { groups: [{ key: [], runs: [A] }] });
  assert.equal(0, linesOf(frame, [VAL], looks({ isShown: () => false })).data.lines.length);
  assert.equal("all runs", groupLabel([], null));
  assert.equal("– · 3", groupLabel([null, 3], null));
  const by: readonly Field[] = [
    ["param", "hparams", "lr"],
    ["param", "data", "name"],
  ];
  assert.equal("lr=0.001 · name=imagenet", groupLabel([0.001, "imagenet"], by));
  const alike: readonly Field[] = [...by, ["param", "model", "name"]];
  assert.equal("lr=0.1 · data.name=a · model.name=b", groupLabel([0.1, "a", "b"], alike));
});

test("groups of equal params are told apart by what differs between them", () => {
  const by: readonly Field[] = [
    ["param", "hparams", "batch_size"],
    ["param", "hparams", "lr"],
  ];
  const groups = [
    { key: [32, 0.1], runs: [A] },
    { key: [32, 0.3], runs: [B] },
  ];
  const parts = [part(null, { group: 0 }), part(null, { group: 1 })];
  const labels = (frame: Frame): string[] => linesOf(frame, [VAL], looks()).data.lines.map(({ label }) => label);

  assert.deepEqual(["lr=0.1", "lr=0.3"], labels(frameOf(parts, { groups, by })));
  assert.deepEqual(["all runs"], labels(frameOf([parts[0]], { groups: [groups[0]], by })));
});

test("unsorted x is known as such", () => {
  const { data } = linesOf(frameOf([part(A, { x: [3, 1, 2] }), part(B)]), [VAL], looks());
  assert.deepEqual(
    [false, true],
    data.lines.map(({ sorted }) => sorted),
  );
});

test("the rows of a zoomed chart are of what is in its window", () => {
  const frame = frameOf([
    part(A, { x: [0, 1, 2, 3], y: [9, 5, 6, -9] }),
    part(B, { x: [0, 4, 5], y: [1, 1, 1] }),
    part(C, { x: [1], y: [NaN] }),
  ]);
  const rows = lineRows(linesOf(frame, [VAL], looks()), [1, 2]);
  assert.deepEqual(
    [A, C],
    rows.map(({ owner }) => owner),
  );
  assert.deepEqual([6, 5, 6, 2], [rows[0].last, rows[0].min, rows[0].max, rows[0].points]);
});

test("large integers keep all their digits, in tips and in the rows of a chart", () => {
  const y = [2 ** 60, 2 ** 60, 2 ** 60, 0.5];
  const digits = [2, 1, 3].map((more, i) => [i, String(2n ** 60n + BigInt(more))] as const);
  const frame = frameOf([part(A, { x: [0, 1, 2, 3], y, exact: digits }), part(B)], { y: "f8" });
  const { data } = linesOf(frame, [VAL], looks());
  assert.deepEqual([{ $int: "1152921504606846978" }, 0.5], [valueAt(data.lines[0], 0), valueAt(data.lines[0], 3)]);
  assert.equal(null, frame.parts[1].exact);
  const [row] = lineRows({ ...linesOf(frame, [VAL], looks()) }, [0, 2]);
  assert.deepEqual(
    ["1152921504606846979", "1152921504606846977", "1152921504606846979"],
    [row.last, row.min, row.max].map(formatCell),
  );
});

test("the digits of a line that has grown stay with their points", () => {
  const [old] = frameOf([part(A, { x: [0, 1, 2], y: [1, 2, 3], exact: [[1, "9007199254740993"]] })]).parts;
  const [tail] = frameOf([part(A, { x: [2, 3], y: [4, 5], from: 2, exact: [[1, "9007199254740995"]] })]).parts;
  const pairs = (joined: FramePart): unknown => joined.exact && [...joined.exact];
  assert.deepEqual(
    [
      [1, "9007199254740993"],
      [3, "9007199254740995"],
    ],
    pairs(appendTail(old, tail)),
  );
  assert.deepEqual([[1, "9007199254740993"]], pairs(appendTail(old, { ...tail, exact: null })));
});

test("lines are rows with their last, least and largest value", () => {
  const frame = frameOf([part(A, { y: [3, 5, NaN] }), part(B, { y: [1, 0, 2] }), part(C, { x: [], y: [] })]);
  const rows = lineRows(linesOf(frame, [VAL], looks()), null);
  assert.deepEqual(
    [5, 2, NaN],
    rows.map(({ last }) => last),
  );
  assert.deepEqual(
    [
      [3, 5],
      [0, 2],
    ],
    rows.slice(0, 2).map(({ min, max }) => [min, max]),
  );
  assert.deepEqual(
    [3, 3, 0],
    rows.map(({ points }) => points),
  );
  assert.deepEqual(
    [A, B],
    sortedLines(rows.slice(0, 2), "last", true).map(({ owner }) => owner),
  );
  assert.deepEqual(
    [B, A],
    sortedLines(rows.slice(0, 2), "min", false).map(({ owner }) => owner),
  );
  const byLabel = sortedLines(rows, "label", false).map(({ label }) => label);
  assert.deepEqual([...byLabel].sort(), byLabel);
});

const VIEW: CardView = {
  metrics: [VAL],
  query: "run.active",
  only: null,
  run_count: 40,
  x: "step",
  window: null,
  smoothing: { kind: "ema", amount: 0 },
  aggregate: null,
  branches: 0,
  plot_width: 0,
  card_width_px: 400,
  pixel_ratio: 2,
};

test("a curve is asked for in as many parts as the plot has pixels", () => {
  assert.equal(692, bucketsOf(VIEW));
  assert.equal(811, bucketsOf({ ...VIEW, plot_width: 811 }));
  assert.equal(60, bucketsOf({ ...VIEW, card_width_px: 60 }));
  assert.equal(4000, bucketsOf({ ...VIEW, plot_width: 9000 }));
  assert.equal(120, bucketsOf({ ...VIEW, run_count: 1001 }), "of very many curves nobody sees more");
});

test("equal requests are one object, others are not", () => {
  const request = cardRequest(VIEW);
  assert.equal(request, cardRequest({ ...VIEW }));
  assert.notEqual(request, cardRequest({ ...VIEW, smoothing: { kind: "ema", amount: 0.6 } }));
  assert.equal("run.active", request.query);
  assert.ok(!("branches" in request));
  const few = cardRequest({ ...VIEW, only: [A], branches: 5 });
  assert.deepEqual(["", [A], 5], [few.query, few.runs, few.branches]);
});

test("a card is Python", () => {
  assert.equal('metric.name == "loss" and metric.context["subset"] == "val"', metricQuery([VAL], ""));
  assert.equal(
    '(run.active) and ((metric.name == "loss" and metric.context["subset"] == "val") or (metric.name == "lr"))',
    metricQuery([VAL, { name: "lr", context: {} }], "run.active"),
  );
  const code = pythonCode([{ name: 'a"b', context: { n: 1, ok: true, none: null } }], "");
  assert.ok(code.startsWith('from aim import Repo\n\nrepo = Repo(".")\n'));
  assert.ok(code.includes(String.raw`metric.name == \"a\\\"b\"`), code);
  assert.ok(code.includes("True") && code.includes("None"));
});

const METRICS = RUNS[0].metrics.map(({ name, context }) => ({ name, context }));

test("metrics are put into sections by their context, validation first", () => {
  const sections = sectionsOf(
    METRICS.filter(({ name }) => !name.startsWith("__")),
    "context",
  );
  assert.deepEqual(
    ["val", "test", "train", "energy"],
    sections.map(({ name }) => name),
  );
  const [val] = sections;
  assert.deepEqual(
    ["accuracy", "loss"],
    val.cards.slice(0, 2).map(({ title }) => title),
  );
  assert.ok(val.cards.every(({ metrics }) => metrics.length === 1));
});

test("a prefix of the name is the section, whatever the context", () => {
  const [section] = sectionsOf([{ name: "energy/train", context: { gpu: 1 } }], "context");
  assert.equal("energy", section.name);
  assert.deepEqual(["train", "energy · gpu=1"], [section.cards[0].title, section.cards[0].subtitle]);
  assert.equal("metrics", sectionsOf([{ name: "loss", context: {} }], "context")[0].name);
  assert.equal(
    "/x",
    sectionsOf([{ name: "/x", context: {} }], "name")[0].cards[0].title,
    "a slash in front is a name's",
  );
});

test("by name, all contexts of a metric share a card", () => {
  const cards = sectionsOf(METRICS, "name").flatMap((section): readonly Card[] => section.cards);
  const loss = cards.find(({ id }) => id === "loss");
  assert.deepEqual(
    ["train", "val", "test"],
    loss?.metrics.map(({ context }) => context.subset),
  );
  assert.equal(11, cards.length);
  assert.equal(cards.length, new Set(cards.map(({ id }) => id)).size);
});

test("every metric is in one card, however they are split", () => {
  for (const split of ["context", "name"] as const) {
    const metrics = sectionsOf(METRICS, split).flatMap(({ cards }) => cards.flatMap((card) => card.metrics));
    assert.deepEqual([...METRICS.map(sequenceText)].sort(), metrics.map(sequenceText).sort());
  }
});

test("the project's accuracy column stands for its curves", () => {
  assert.ok(TABLE.columns.has(ACCURACY));
  const parts: readonly FramePart[] = frameOf([part(A)]).parts;
  assert.equal(1, parts.length);
});

test("a group of equal params is called by what tells most groups apart, without what it has not", () => {
  const by: readonly Field[] = [
    ["param", "batch_size"],
    ["param", "lr"],
    ["param", "base"],
  ];
  const keys: readonly (readonly Json[])[] = [
    [64, 0.1, null],
    [64, 0.01, null],
    [null, 0.001, "tiny"],
  ];
  const groups = keys.map((key) => ({ key, runs: ["a"] }));
  assert.deepEqual(
    ["lr=0.1 · batch_size=64", "lr=0.01 · batch_size=64", "lr=0.001 · base=tiny"],
    groupLabels({ groups, by }),
  );
  assert.deepEqual(
    ["0.1", "–"],
    groupLabels({
      groups: [
        { key: [0.1], runs: [] },
        { key: [null], runs: [] },
      ],
      by: null,
    }),
  );
});
