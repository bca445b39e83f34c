/// Charts that the reader makes: how the address keeps them, and what charts over runs show.

import assert from "node:assert/strict";
import { test } from "node:test";
import { limited } from "../src/chart/extent";
import type { Line } from "../src/chart/line";
import { nearestLines } from "../src/chart/nearest";
import { layoutPlot, yOf, type PlotOptions, PLAIN_OPTIONS } from "../src/chart/plot";
import { plotToSvg } from "../src/chart/svg";
import { boxStats, densityCurve, quantile } from "../src/model/distributionstats";
import { heatMap, valuesByGroup } from "../src/model/groupchart";
import {
  chartFields,
  EMPTY_CHART,
  formatCharts,
  limitsOf,
  ofKind,
  parseCharts,
  withChart,
} from "../src/model/madecharts";
import { tableOf } from "../src/model/table";
import type { Field, RunsAnswer } from "../src/wire/types";

const LINES = { ...EMPTY_CHART, id: "1", metrics: "val/loss", xLog: true, title: "A & B" };
const HEAT = { ...EMPTY_CHART, id: "2", kind: "heat" as const, x: "lr", y: "batch", value: "metric:acc:max" };

test("charts come back from the address as they were", () => {
  assert.deepEqual([LINES, HEAT], parseCharts(formatCharts([LINES, HEAT])));
  assert.equal("", formatCharts([]));
  assert.ok(!formatCharts([LINES]).includes("formula"), "what is empty is left out");
});

test("what is no chart is left out, and changes no other", () => {
  for (const text of ["", "x", "{}", "[1,null,{}]", '[{"id":"1","kind":"pie"}]', '[{"kind":"bar"}]'])
    assert.deepEqual([], parseCharts(text), text);
  const [read] = parseCharts('[{"id":"1","kind":"bar","y":7,"yLog":"yes","more":1},{"id":"1","kind":"box"}]');
  assert.deepEqual({ ...EMPTY_CHART, id: "1", kind: "bar" }, read);
});

test("a chart is changed by its id, and a new one gets the next", () => {
  const charts = withChart([LINES, HEAT], { ...EMPTY_CHART, kind: "box" });
  assert.deepEqual(
    ["1", "2", "3"],
    charts.map(({ id }) => id),
  );
  assert.equal("other", withChart(charts, { ...HEAT, title: "other" })[1].title);
});

test("a chart over runs begins with settings and a result, and keeps what was chosen", () => {
  const started = ofKind(EMPTY_CHART, "heat", ["lr", "batch", "decay"], "metric:acc:max");
  assert.deepEqual({ ...HEAT, id: "" }, started);
  assert.equal("decay", ofKind({ ...started, x: "decay" }, "scatter", ["lr"], "metric:acc:max").x);
  assert.equal("metric:acc:max", ofKind(EMPTY_CHART, "box", [], "metric:acc:max").y);
  assert.deepEqual({ ...started, kind: "line" }, ofKind(started, "line", ["lr"], "metric:acc:max"));
});

test("limits may leave an end to the values", () => {
  assert.deepEqual([0, null], limitsOf("0,"));
  assert.deepEqual([null, 1.5], limitsOf(" , 1.5"));
  assert.deepEqual([null, null], limitsOf("x"));
  assert.deepEqual([0, 7], limited([3, 7], [0, null]));
  assert.deepEqual([3, 7], limited([3, 7], [9, null]), "limits that leave nothing do not count");
});

test("a chart asks for the fields that it shows", () => {
  assert.deepEqual(
    [
      ["param", "lr"],
      ["param", "batch"],
      ["metric", "acc", {}, "max"],
    ],
    chartFields(HEAT),
  );
  assert.deepEqual([], chartFields(LINES));
});

test("quartiles, whiskers and outliers are those of numpy", () => {
  assert.equal(2.5, quantile([1, 2, 3, 4], 0.5));
  const stats = boxStats([1, 2, 3, 4, 100]);
  assert.deepEqual(
    [5, 22, 2, 3, 4, 1, 4, [100]],
    stats && [stats.count, stats.mean, stats.q1, stats.median, stats.q3, stats.low, stats.high, stats.outliers],
  );
  assert.equal(null, boxStats([]));
});

test("the density of a violin has an area of 1", () => {
  const curve = densityCurve([1, 2, 2, 3, 5, 8]);
  const area = curve.slice(1).reduce((sum, [x, y], i) => sum + ((x - curve[i][0]) * (y + curve[i][1])) / 2, 0);
  assert.ok(Math.abs(area - 1) < 0.05, String(area));
  assert.deepEqual([], densityCurve([3, 3]));
});

const FIELDS: readonly Field[] = [
  ["param", "lr"],
  ["param", "batch"],
  ["metric", "acc", {}, "max"],
];
const ANSWER: RunsAnswer = {
  cursor: "1",
  elapsed_ms: 1,
  total: 4,
  count: 4,
  hash: ["a", "b", "c", "d"],
  columns: [
    { type: "number", values: [0.1, 0.1, 0.01, 0.01] },
    { type: "number", values: [32, 32, 32, 64] },
    { type: "number", values: [1, 3, 5, "NaN"] },
  ],
};
const TABLE = tableOf(ANSWER, FIELDS);

test("a heat map averages the runs of a cell, and leaves out those without a value", () => {
  const map = heatMap(TABLE, ["lr", "batch", "metric:acc:max"], () => true);
  assert.deepEqual([[0.01, 0.1], [32], 2, 5], [map.columns, map.rows, map.low, map.high]);
  assert.deepEqual(
    [2, 1],
    map.cells.map(({ count }) => count).sort((a, b) => b - a),
  );
  assert.equal(1, heatMap(TABLE, ["lr", "batch", "metric:acc:max"], (hash) => hash !== "c").cells.length);
});

test("groups have the values of their runs that are drawn", () => {
  const group = { label: "g", value: 1, color: "#fff", hashes: ["a", "b", "d"], count: 3 };
  const [only] = valuesByGroup([group, { ...group, hashes: ["d"] }], TABLE, "metric:acc:max", (hash) => hash !== "b");
  assert.deepEqual([1], only.values);
});

const OPTIONS: PlotOptions = PLAIN_OPTIONS;

test("lines of the second axis have a scale of their own", () => {
  const line = (owner: string, y: readonly number[], right: boolean): Line => {
    const look = { label: owner, color: "#f00", dash: [], faint: false, strong: false, sorted: true };
    return { owner, ...look, x: Float64Array.of(0, 1), y: Float64Array.from(y), right };
  };
  const lines = [line("loss", [0, 1], false), line("lr", [1000, 3000], true)];
  const plot = layoutPlot({ lines, bands: [] }, { ...OPTIONS, limits: { x: [null, 2], y: [0, 5] } }, 400, 200);
  assert.deepEqual([0, 5, 0, 2], [plot.y.lo, plot.y.hi, plot.x.lo, plot.x.hi]);
  assert.ok(plot.right && plot.right.lo < 1000 && plot.right.hi > 3000 && plot.rightTicks.length > 1);
  const [, lr] = lines;
  const [hit] = nearestLines(lines, plot.x.px(1), yOf(plot, lr).px(3000), plot.x, plot.y, 1, plot.right);
  assert.equal("lr", hit.line.owner);
  assert.match(plotToSvg(plot, { ground: "", ink: "", grid: "", accent: "" }, ""), />2000</);
});
