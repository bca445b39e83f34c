/// Expressions over curves: what they mean, what is refused, and how curves are aligned.

import assert from "node:assert/strict";
import { test } from "node:test";
import { derivedFrame, valueOn } from "../src/model/derivedframe";
import { evaluate, ExpressionError, FUNCTIONS, metricsIn, parseExpression } from "../src/model/expression";
import { chosenMetrics, entriesOf, metricIndexes, namesOf } from "../src/model/metricnames";
import type { Frame, FramePart } from "../src/wire/frame";
import type { SequenceKey } from "../src/wire/types";

const metric = (name: string, subset = ""): SequenceKey => ({ name, context: subset === "" ? {} : { subset } });
const METRICS = [
  metric("loss", "train"),
  metric("loss", "val"),
  metric("lr"),
  metric("train/acc"),
  metric("grad_norm/a"),
  metric("grad_norm/b"),
  metric("acc", "val"),
];
const NAMES = metricIndexes(METRICS);
const VALUES = [2, 3, 0.5, 7, 11, 13, 0.25];
const valueOf = (text: string): number => evaluate(parseExpression(text, NAMES), (index) => VALUES[index]);

test("an expression has the value that its signs say", () => {
  for (const [text, value] of [
    ["val/loss - train/loss", 1],
    ["1 + 2 * 3 - 4 / 2", 5],
    ["(1 + 2) * 3", 9],
    ["-2 ^ 2", -4],
    ["2 ^ 3 ^ 2", 512],
    ["2 ^ -1", 0.5],
    ["7 % 4 - 10 - 1", -8],
    ["min(val/loss, lr) + max(1, .5e1)", 5.5],
    ["sqrt(abs(-16)) + log2(8) + log10(100) + exp(0) + log(1)", 10],
    ["lr/2", 0.25],
    ["loss[subset=val]*2", 6],
    ["train/acc", 7],
    ["`grad_norm/a` + acc", 11.25],
  ] as const)
    assert.equal(value, valueOf(text), text);
  assert.equal(Infinity, valueOf("1 / 0"));
});

test("what is no expression is refused, with what is wrong and where", () => {
  for (const [text, message] of [
    ["", /too early/],
    ["1 +", /too early/],
    ["(1", /bracket is missing/],
    ["1 2", /not expected here, at character 3/],
    ["perplexity", /no metric “perplexity”/],
    ["loss - 1", /no metric “loss”/],
    ["min(1)", /takes 2, not 1/],
    ["`x", /backtick is missing/],
    ["`x`", /no metric “x”/],
    ["alert(1)", /no metric “alert”/],
    ["lr.constructor", /not expected here/],
    ["constructor(1)", /no metric “constructor”/],
    [`${"(".repeat(5000)}1${")".repeat(5000)}`, /too deep/],
    [`${"-".repeat(5000)}1`, /too deep/],
  ] as const)
    assert.throws(
      () => parseExpression(text, NAMES),
      (error) => error instanceof ExpressionError && message.test(error.message),
      text.slice(0, 30),
    );
  assert.ok(FUNCTIONS.includes("log10") && !FUNCTIONS.includes("+"));
});

test("the metrics of an expression are those that it names, once each", () => {
  assert.deepEqual([1, 0], metricsIn(parseExpression("val/loss - train/loss / val/loss", NAMES)));
});

test("a list means metrics by name, by context and by pattern, and says which it does not know", () => {
  const texts = (list: string): readonly string[] =>
    chosenMetrics(list, METRICS).metrics.map((each) => namesOf(each)[0]);
  assert.deepEqual(["train/loss", "val/loss"], texts("train/loss, val/loss"));
  assert.deepEqual(["grad_norm/a", "grad_norm/b"], texts("/grad_norm\\/.*/"));
  assert.deepEqual(["val/loss", "lr"], texts('loss{"subset":"val"},lr, val/loss'));
  assert.deepEqual(["val/acc"], texts("acc"), "the one context that there is");
  assert.deepEqual(["x", "loss", "/(/"], chosenMetrics("x, loss, /(/", METRICS).missing);
  assert.deepEqual(["loss[fold=1,subset=val]", "/a,b/", "c"], entriesOf("loss[fold=1,subset=val], /a,b/, c"));
});

function part(run: string, key: SequenceKey, x: readonly number[], y: readonly number[]): FramePart {
  const base = { group: -1, part: "line", branch: null, exact: null, nan: 0, inf: 0, from: null } as const;
  return { ...base, run, metric: key, x: Float64Array.from(x), y: Float64Array.from(y), points: x.length };
}

test("curves are aligned at the points of the first one", () => {
  assert.deepEqual(
    [15, 20, NaN, NaN],
    [1, 2, 5, -1].map((x) => valueOn(Float64Array.of(0, 2), Float64Array.of(10, 20), x)),
  );
  const frame = {
    parts: [
      part("a", METRICS[0], [0, 10], [0, 10]),
      part("a", METRICS[1], [0, 5, 12], [1, 7, 3]),
      part("b", METRICS[1], [0], [1]),
    ],
    groups: [],
  } as unknown as Frame;
  const made = derivedFrame(frame, parseExpression("val/loss - train/loss", NAMES), METRICS, "gap");
  assert.deepEqual(
    [["a", "gap", [0, 5, 12], [1, 2, NaN]]],
    made.parts.map(({ run, metric: { name }, x, y }) => [run, name, [...x], [...y]]),
    "a run without one of the curves has none",
  );
});
