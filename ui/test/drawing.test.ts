/// What charts draw, stroke by stroke: on a canvas that writes down what is asked of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { randomSource } from "../src/model/importance";
import { addLine, makeRaster, toPixels } from "../src/chart/density";
import { heatPixels, outline } from "../src/chart/distribution";
import { padded, withoutOutliers, xExtent, yExtent } from "../src/chart/extent";
import { drawBand, drawDots, drawLine, drawMarkers, visibleRange, type Band, type Line } from "../src/chart/line";
import { indexAt, nearestLines } from "../src/chart/nearest";
import { channels, DASHES, GREY, hashOf, PALETTE, rampColor, runColor } from "../src/chart/palette";
import { DENSITY_LINES, drawAxes, layoutPlot, paintPlot, type PlotOptions, PLAIN_OPTIONS } from "../src/chart/plot";
import { lowerBound, nearestIndex, Scale, SYMLOG_CORNER, transform, untransform } from "../src/chart/scale";
import { plotToSvg } from "../src/chart/svg";
import {
  axisTicks,
  exactNumber,
  linearTicks,
  logTicks,
  shortNumber,
  symlogTicks,
  tickLabel,
  timeTicks,
} from "../src/chart/ticks";
import { clipText } from "../src/chart/canvas";
import { pathOf } from "../src/page/spark";

/// A canvas context that remembers calls and settings.
class Recorder {
  readonly calls: string[] = [];
  globalAlpha = 1;
  lineWidth = 1;
  fillStyle = "";
  strokeStyle = "";
  font = "";
  textAlign = "";
  textBaseline = "";
  lineJoin = "";
  private note(name: string, ...numbers: readonly unknown[]): void {
    const text = numbers.map((value) => (typeof value === "number" ? String(Number(value.toFixed(2))) : String(value)));
    this.calls.push([name, ...text].join(" "));
  }
  beginPath(): void {
    this.note("begin");
  }
  moveTo(x: number, y: number): void {
    this.note("move", x, y);
  }
  lineTo(x: number, y: number): void {
    this.note("line", x, y);
  }
  arc(x: number, y: number, radius: number): void {
    this.note("arc", x, y, radius);
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.note("rect", x, y, width, height);
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    this.note("fillRect", x, y, width, height);
  }
  fillText(text: string, x: number, y: number): void {
    this.note("text", text, x, y);
  }
  stroke(): void {
    this.note("stroke", this.strokeStyle, this.lineWidth, this.globalAlpha);
  }
  fill(): void {
    this.note("fill", this.fillStyle, this.globalAlpha);
  }
  setLineDash(dash: readonly number[]): void {
    this.note("dash", dash.join(","));
  }
  clip(): void {
    this.note("clip");
  }
  save(): void {
    this.note("save");
  }
  restore(): void {
    this.note("restore");
  }
  measureText(text: string): { readonly width: number } {
    return { width: text.length * 6 };
  }
  /// The calls of some names.
  of(...names: readonly string[]): readonly string[] {
    return this.calls.filter((call) => names.includes(call.split(" ")[0]));
  }
  get context(): CanvasRenderingContext2D {
    return this as unknown as CanvasRenderingContext2D;
  }
}

function line(x: readonly number[], y: readonly number[], more: Partial<Line> = {}): Line {
  const look = { owner: "a", label: "a", color: "#ff0000", dash: [], faint: false, strong: false, sorted: true };
  return { ...look, x: Float64Array.from(x), y: Float64Array.from(y), ...more };
}

const X = new Scale("linear", 0, 10, 0, 100);
const Y = new Scale("linear", 0, 10, 100, 0);
const OPTIONS: PlotOptions = PLAIN_OPTIONS;
const THEME = { ground: "#fff", ink: "#000", grid: "#eee", accent: "#00f" };

test("a line goes from point to point", () => {
  const recorder = new Recorder();
  drawLine(recorder.context, line([0, 5, 10], [0, 10, 5], { dash: [6, 3] }), X, Y, 1.4);
  assert.deepEqual(
    ["begin", "move 0 100", "line 50 0", "line 100 50", "dash 6,3", "stroke #ff0000 1.4 1"],
    recorder.calls,
  );
});

test("a line breaks at values that are no numbers", () => {
  const recorder = new Recorder();
  drawLine(recorder.context, line([0, 2, 4, 6, 8], [1, 2, NaN, 3, Infinity]), X, Y, 1);
  assert.deepEqual(["move 0 90", "line 20 80", "move 60 70"], recorder.of("move", "line"));
});

test("on a logarithmic axis a line breaks at zero and below", () => {
  const recorder = new Recorder();
  drawLine(recorder.context, line([0, 5, 10], [10, 0, 100]), X, new Scale("log", 1, 100, 100, 0), 1);
  assert.deepEqual(["move 0 50", "move 100 0"], recorder.of("move", "line"));
});

test("of a zoomed line only the part on the screen is drawn, with one point on each side", () => {
  const x = Array.from({ length: 1000 }, (_, i) => i);
  const recorder = new Recorder();
  drawLine(recorder.context, line(x, x), new Scale("linear", 500, 510, 0, 100), Y, 1);
  assert.equal(13, recorder.of("move", "line").length);
  assert.deepEqual([499, 512], visibleRange(line(x, x), 500, 510));
  assert.deepEqual(
    [0, 1000],
    visibleRange(line(x, x, { sorted: false }), 500, 510),
    "unsorted points may lie anywhere",
  );
});

test("a point without neighbours is a dot", () => {
  const recorder = new Recorder();
  drawDots(recorder.context, line([0, 2, 4, 6, 8], [1, NaN, 5, NaN, NaN]), X, Y);
  assert.deepEqual(["arc 0 90 2.2", "arc 40 50 2.2"], recorder.of("arc"));
  const joined = new Recorder();
  drawDots(joined.context, line([0, 2], [1, 2]), X, Y);
  assert.deepEqual([], joined.of("arc"));
});

function band(low: readonly number[], high: readonly number[]): Band {
  const array = (values: readonly number[]): Float64Array => Float64Array.from(values);
  return { owner: "g", x: array(low.map((_, i) => i * 2)), low: array(low), high: array(high), color: "#00ff00" };
}

test("a band is filled between its sides, and parted where one is missing", () => {
  const whole = new Recorder();
  drawBand(whole.context, band([1, 2], [3, 4]), X, Y, 0.2);
  assert.deepEqual(["line 0 70", "line 20 60", "line 20 80", "line 0 90"], whole.of("line"));
  assert.deepEqual(["fill #00ff00 0.2"], whole.of("fill"));
  assert.equal(1, whole.globalAlpha);
  const parted = new Recorder();
  drawBand(parted.context, band([1, NaN, 2, 3], [3, 4, 5, 6]), X, Y, 0.2);
  assert.equal(2, parted.of("fill").length);
});

test("NaN is a cross at the foot, infinities are triangles where they left", () => {
  const recorder = new Recorder();
  const count = drawMarkers(recorder.context, line([0, 3, 6, 9], [NaN, Infinity, -Infinity, 1]), X, Y, 100);
  assert.equal(3, count);
  assert.deepEqual(["stroke #ff0000 1.5 1"], recorder.of("stroke"));
  assert.equal(2, recorder.of("fill").length);
  const heights = recorder.of("move").map((call) => Number(call.split(" ")[2]));
  assert.ok(heights[0] > 80 && heights[2] < 20 && heights[3] > 80, heights.join());
});

test("a run that is NaN from some step on is marked now and then, and not more often than allowed", () => {
  const x = Array.from({ length: 1000 }, (_, i) => i / 100);
  const nan = line(
    x,
    x.map(() => NaN),
  );
  const recorder = new Recorder();
  const count = drawMarkers(recorder.context, nan, X, Y, 100);
  assert.ok(count > 4 && count < 9, String(count));
  assert.equal(3, drawMarkers(new Recorder().context, nan, X, Y, 3));
});

test("a layout of 200 runs has round ticks within its range and room for its labels", () => {
  const random = randomSource(2);
  const lines = Array.from({ length: 200 }, () => {
    const x = Array.from({ length: 100 }, (_, i) => i * 100);
    return line(
      x,
      x.map((step) => Math.exp(-step / 3000) + random() * 0.1),
    );
  });
  const plot = layoutPlot({ lines, bands: [] }, OPTIONS, 600, 240);
  assert.deepEqual([0, 2000, 4000, 6000, 8000], plot.xTicks.filter((tick) => tick % 2000 === 0).slice(0, 5));
  assert.ok(plot.yTicks.length >= 3 && plot.yTicks.every((tick) => tick >= plot.y.lo && tick <= plot.y.hi));
  assert.deepEqual([0, 9900], [plot.x.lo, plot.x.hi]);
  assert.ok(plot.x.from > 20 && plot.x.to === 588 && plot.y.to === 8 && plot.y.from === 218);
  assert.equal(false, plot.isClipped);
});

test("a layout of nothing is a layout", () => {
  const plot = layoutPlot({ lines: [], bands: [] }, OPTIONS, 300, 150);
  assert.deepEqual([0, 1], [plot.x.lo, plot.x.hi]);
  const log = layoutPlot({ lines: [], bands: [] }, { ...OPTIONS, xKind: "log", yKind: "log" }, 300, 150);
  assert.ok(log.x.lo > 0 && log.y.lo > 0);
  const recorder = new Recorder();
  drawAxes(recorder.context, plot, THEME);
  assert.deepEqual([], recorder.of("text"), "an axis of nothing has no labels");
});

test("one point, and one value, are in the middle", () => {
  const plot = layoutPlot({ lines: [line([5], [7])], bands: [] }, OPTIONS, 300, 150);
  assert.deepEqual([4.5, 5.5], [plot.x.lo, plot.x.hi]);
  assert.ok(plot.y.lo < 7 && plot.y.hi > 7);
});

test("a band counts for the range of y", () => {
  const data = { lines: [line([0, 2], [5, 5])], bands: [band([0, 1], [9, 10])] };
  const { y } = layoutPlot(data, OPTIONS, 300, 150);
  assert.ok(y.lo <= 0 && y.hi >= 10);
});

test("a picture has bands below, then faint lines, then clear ones, strong ones on top", () => {
  const recorder = new Recorder();
  const lines = [
    line([0, 10], [1, 1], { color: "strong", strong: true }),
    line([0, 10], [2, 2], { color: "clear" }),
    line([0, 10], [3, 3], { color: "faint", faint: true }),
  ];
  paintPlot(recorder.context, layoutPlot({ lines, bands: [band([1, 2], [3, 4])] }, OPTIONS, 300, 150), THEME, 2);
  const marks = recorder.of("fill", "stroke").filter((call) => !call.includes(THEME.grid));
  assert.deepEqual(["fill #00ff00 0.17", "stroke faint 0.5 0.3", "stroke clear 1.4 0.92", "stroke strong 2 1"], marks);
  assert.equal(recorder.of("save").length, recorder.of("restore").length);
});

test("many lines are hairlines and half transparent", () => {
  const recorder = new Recorder();
  const lines = Array.from({ length: 250 }, () => line([0, 10], [1, 2]));
  paintPlot(recorder.context, layoutPlot({ lines, bands: [] }, OPTIONS, 300, 150), THEME, 2);
  assert.equal(250, recorder.of("stroke").filter((call) => call === "stroke #ff0000 0.5 0.5").length);
  assert.ok(DENSITY_LINES > 1000);
});

test("labels of x do not run into each other", () => {
  const recorder = new Recorder();
  const plot = layoutPlot({ lines: [line([0, 1e6], [0, 1])], bands: [] }, OPTIONS, 320, 150);
  drawAxes(recorder.context, plot, THEME);
  const labels = recorder.of("text").filter((call) => call.endsWith(" 143"));
  let end = -Infinity;
  for (const label of labels) {
    const [, text, x] = label.split(" ");
    assert.ok(Number(x) - text.length * 3 >= end, label);
    end = Number(x) + text.length * 3;
  }
  assert.ok(labels.length >= 2);
});

const TICKS: readonly (readonly [number, number, number, readonly number[]])[] = [
  [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [0, 10, 4, [0, 2, 4, 6, 8, 10]],
  [-5, 5, 2, [-5, 0, 5]],
  [0.001, 0.0042, 3, [0.001, 0.002, 0.003, 0.004]],
  [1e6, 3e6, 2, [1e6, 2e6, 3e6]],
  [NaN, 1, 3, []],
  [3, 3, 3, [3]],
];

test("ticks are round numbers", () => {
  for (const [lo, hi, count, ticks] of TICKS) assert.deepEqual(ticks, linearTicks(lo, hi, count), `${lo} … ${hi}`);
});

test("ticks of any range are few, in order, inside, and evenly apart", () => {
  const random = randomSource(8);
  for (let i = 0; i < 300; i++) {
    const lo = (random() - 0.5) * 10 ** (random() * 12 - 6);
    const hi = lo + 10 ** (random() * 12 - 6);
    const ticks = linearTicks(lo, hi, 5);
    assert.ok(ticks.length >= 2 && ticks.length <= 11, `${lo} ${hi}: ${ticks.length}`);
    const slack = (hi - lo) * 1e-6;
    assert.ok(
      ticks.every((tick) => tick >= lo - slack && tick <= hi + slack),
      `${lo} ${hi}`,
    );
    const gaps = ticks.slice(1).map((tick, j) => tick - ticks[j]);
    assert.ok(
      gaps.every((gap) => gap > 0 && Math.abs(gap - gaps[0]) < gaps[0] * 1e-3),
      `${lo} ${hi}`,
    );
  }
});

test("logarithmic ticks are powers, few over many decades", () => {
  assert.deepEqual([1e-4, 1e-3, 1e-2, 1e-1], logTicks(1e-4, 0.1, 5));
  assert.deepEqual([1, 2, 5, 10, 20, 50, 100], logTicks(1, 100, 8));
  assert.ok(logTicks(1e-12, 1e12, 5).length <= 6);
  assert.deepEqual([3, 4, 5, 6], logTicks(2.5, 6.2, 4), "within a decade the linear ones");
  assert.deepEqual([], logTicks(-1, 10, 4));
});

test("symlog ticks have both signs and zero, in order", () => {
  for (const [lo, hi] of [
    [-1000, 1000],
    [-5, 200],
    [-1e-3, 1e-3],
    [0.5, 80],
    [-80, -0.5],
  ] as const) {
    const ticks = symlogTicks(lo, hi, 7);
    assert.deepEqual(
      [...ticks].sort((a, b) => a - b),
      ticks,
    );
    assert.ok(
      ticks.every((tick) => tick >= lo && tick <= hi),
      `${lo} ${hi}`,
    );
    assert.equal(lo <= 0 && hi >= 0, ticks.includes(0));
  }
});

test("times are marked at round minutes, hours and days", () => {
  const hour = 3600;
  assert.deepEqual([0, 900, 1800, 2700, 3600], timeTicks(0, hour, 4, 0));
  assert.deepEqual([0, 6 * hour, 12 * hour, 18 * hour, 24 * hour], timeTicks(0, 24 * hour, 4, 0));
  assert.deepEqual([0, 30 * 24 * hour, 60 * 24 * hour], timeTicks(0, 60 * 24 * hour, 2, 0));
  assert.deepEqual([23 * hour], timeTicks(20 * hour, 25 * hour, 1, hour).slice(0, 1), "midnight of the reader");
  assert.deepEqual([0, 0.2, 0.4], timeTicks(0, 0.4, 2, 0));
  assert.deepEqual(linearTicks(0, 5, 3), axisTicks("linear", "number", 0, 5, 3));
  assert.deepEqual(logTicks(1, 1e3, 3), axisTicks("log", "duration", 1, 1e3, 3));
});

test("numbers on an axis are short, and exact enough to be told apart", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0"],
    [1, "1"],
    [-1500, "-1500"],
    [15_000, "15k"],
    [1_250_000, "1.25M"],
    [3e9, "3G"],
    [2e12, "2T"],
    [1e15, "1e15"],
    [0.00025, "2.5e-4"],
    [0.001, "0.001"],
    [1 / 3, "0.333333"],
  ];
  for (const [value, text] of cases) assert.equal(text, shortNumber(value));
  assert.equal("1000000000.02", exactNumber(1e9 + 0.02, 0.01));
  assert.equal("12k", exactNumber(12_000, 1000));
  assert.equal("1G", exactNumber(1e9, 0));
});

test("durations and dates are labelled by the span that is shown", () => {
  const label = (value: number, span: number): string => tickLabel("duration", value, span);
  assert.deepEqual(
    ["0", "30s", "5m", "2h", "3d"],
    [label(0, 10), label(30, 60), label(300, 3600), label(7200, 86_400), label(259_200, 1e6)],
  );
  const noon = new Date(2024, 4, 17, 12, 30, 15).getTime() / 1000;
  assert.equal("12:30:15", tickLabel("date", noon, 60));
  assert.equal("12:30", tickLabel("date", noon, 3600));
  assert.equal("May 17", tickLabel("date", noon, 1e6));
  assert.equal("May 17", tickLabel("date", new Date(2024, 4, 17).getTime() / 1000, 3600), "midnight is a day");
});

test("a scale and its inverse meet, for each kind and any range", () => {
  const random = randomSource(4);
  for (let i = 0; i < 200; i++) {
    const [a, b] = [10 ** (random() * 6 - 3), 10 ** (random() * 6 - 3)].sort((p, q) => p - q);
    for (const kind of ["linear", "log", "symlog"] as const) {
      const scale = new Scale(kind, a, b, 300, 20);
      const value = a + (b - a) * random();
      assert.ok(Math.abs(scale.value(scale.px(value)) - value) <= Math.abs(value) * 1e-6, `${kind} ${a} ${b}`);
      assert.ok(scale.px(a) >= scale.px(b), "y grows upwards");
    }
  }
  assert.equal(7, new Scale("linear", 7, 7, 0, 100).value(3));
  assert.equal(0, untransform("symlog", 0));
  assert.ok(transform("symlog", SYMLOG_CORNER) > 0);
});

test("a search by halves finds what a search one by one finds", () => {
  const random = randomSource(6);
  const values = Float64Array.from({ length: 200 }, () => Math.floor(random() * 50)).sort();
  for (let value = -1; value <= 51; value += 0.5) {
    const first = values.findIndex((other) => other >= value);
    assert.equal(first < 0 ? values.length : first, lowerBound(values, value));
    const least = Math.min(...values.map((other) => Math.abs(other - value)));
    assert.equal(least, Math.abs(values[nearestIndex(values, value)] - value));
  }
});

test("extents of unsorted x are those of all points", () => {
  assert.deepEqual([1, 9], xExtent([line([5, 9, 1], [0, 0, 0], { sorted: false })]));
  assert.equal(null, xExtent([line([], [])]));
  assert.deepEqual([2, 2], yExtent([line([0, 5, 10], [1, 2, 3])], "linear", 4, 6));
  assert.equal(null, yExtent([line([0], [-1])], "log", 0, 1));
});

test("outliers of a logarithmic axis are judged by their powers", () => {
  const x = Array.from({ length: 1000 }, (_, i) => i);
  const y = x.map((i) => (i === 500 ? 1e30 : 1 + (i % 10)));
  const [low, high] = withoutOutliers([line(x, y)], "log", [1, 1e30], 0, 999);
  assert.ok(low >= 0.9 && high <= 11, `${low} ${high}`);
  const few = [1, 1e30] as const;
  assert.equal(few, withoutOutliers([line([0, 1], [1, 1e30])], "log", few, 0, 1), "two points are no crowd");
  const [a, b] = padded([1, 100], "log");
  assert.ok(a > 0.5 && a < 1 && b > 100 && b < 200);
});

test("the nearest lines are those nearest in y at the pointer, in order", () => {
  const lines = [1, 2, 5, 9].map((y) => line([0, 5, 10], [y, y, y], { owner: `y${y}` }));
  const owners = (py: number, count: number): readonly string[] =>
    nearestLines(lines, 50, py, X, Y, count).map((hit) => hit.line.owner);
  assert.deepEqual(["y5", "y2", "y1"], owners(50, 3));
  assert.deepEqual(["y9"], owners(0, 1));
  assert.deepEqual(["y1", "y2", "y5", "y9"], owners(100, 10));
});

test("a value that is no number is farther than any other", () => {
  const lines = [line([0, 5], [1, NaN], { owner: "nan" }), line([0, 5], [9, 9], { owner: "far" })];
  assert.deepEqual(
    ["far", "nan"],
    nearestLines(lines, 50, 100, X, Y, 2).map((hit) => hit.line.owner),
  );
});

test("of unsorted points the nearest in x counts", () => {
  assert.equal(2, indexAt(line([9, 1, 4], [0, 0, 0], { sorted: false }), 5, X));
  assert.equal(-1, indexAt(line([], []), 5, X));
  assert.equal(1, indexAt(line([0, 5], [0, 0]), 6, X), "just behind the end is near");
  assert.equal(-1, indexAt(line([0, 5], [0, 0]), 9, X));
});

test("the colours of a theme are told apart, and grey is none of them", () => {
  for (const theme of ["light", "dark"] as const) {
    assert.equal(20, new Set(PALETTE[theme]).size);
    assert.ok(!PALETTE[theme].includes(GREY[theme]));
    assert.ok(PALETTE[theme].every((color) => channels(color).every((value) => value >= 0 && value <= 255)));
    assert.ok(PALETTE[theme].includes(runColor("abc", theme)));
  }
  assert.equal(4, new Set(DASHES.map((dash) => dash.join())).size);
  assert.equal(hashOf("loss"), hashOf("loss"));
  assert.notEqual(hashOf("ab"), hashOf("ba"));
});

test("the ramp goes from dark to light, and stays on its ends", () => {
  const light = (t: number): number => channels(rampColor(t, "light")).reduce((sum, value) => sum + value, 0);
  for (let t = 0.1; t <= 1; t += 0.1) assert.ok(light(t) >= light(t - 0.1) - 25, String(t));
  assert.equal(rampColor(0, "light"), rampColor(-5, "light"));
  assert.equal(rampColor(1, "dark"), rampColor(7, "dark"));
});

test("a density picture is darker where more lines cross", () => {
  const raster = makeRaster(20, 20);
  for (let i = 0; i < 100; i++)
    addLine(raster, line([0, 10], [5, 5]), new Scale("linear", 0, 10, 0, 20), new Scale("linear", 0, 10, 20, 0));
  addLine(raster, line([0, 10], [1, 1]), new Scale("linear", 0, 10, 0, 20), new Scale("linear", 0, 10, 20, 0));
  const pixels = toPixels(raster);
  const alpha = (row: number): number => pixels[(row * 20 + 5) * 4 + 3];
  assert.ok(alpha(10) > alpha(18) && alpha(18) > 0 && alpha(3) === 0, [10, 18, 3].map(alpha).join());
});

test("a histogram's outline begins and ends on its ground", () => {
  const path = outline({ step: 0, low: 0, high: 2, weights: [1, 2] }, 100, 50, [0, 2]);
  assert.ok(path.startsWith("M0.0 50") && path.endsWith("L100.0 50Z"), path);
  assert.ok(path.includes("L50.0 2.0"), "the largest bin reaches the top");
  const pixels = heatPixels([{ step: 0, low: 0, high: 1, weights: [0, 1] }], 2, "#102030");
  assert.deepEqual([255, 0], [pixels[3], pixels[7]], "high values are at the top");
  assert.ok(
    heatPixels([{ step: 0, low: 0, high: 0, weights: [] }], 2, "#102030").every((_, i, all) => all[i * 4 + 3] !== 255),
  );
});

test("a small curve fills its height, and breaks at NaN", () => {
  assert.equal("M0.0 17.0L34.0 9.0L68.0 1.0", pathOf([0, 1, 2], [0, 1, 2]));
  assert.equal("M0.0 17.0M68.0 1.0", pathOf([0, 1, 2], [0, NaN, 2]));
  assert.equal("M34.0 9.0", pathOf([5], [3]));
  assert.equal("", pathOf([0, 1], [NaN, NaN]));
});

test("a text is cut where it does not fit", () => {
  const { context } = new Recorder();
  assert.equal("short", clipText(context, "short", 100));
  assert.equal("long te…", clipText(context, "long text that goes on", 50));
});

test("an SVG has the axes, the lines with their names, and the bands of its plot", () => {
  const lines = [
    line([0, 5, 10], [1, NaN, 3], { label: "a < b", dash: [6, 3] }),
    line([0, 10], [2, 2], { faint: true }),
    line([0, 10], [3, 3], { strong: true }),
  ];
  const plot = layoutPlot({ lines, bands: [band([1, 2, 3], [3, 4, 5])] }, OPTIONS, 300, 150);
  const svg = plotToSvg(plot, THEME, 'x & "y"');
  assert.ok(svg.startsWith("<svg xmlns=") && svg.endsWith("</svg>"));
  assert.equal(plot.xTicks.length + plot.yTicks.length + plot.labels.length + 1, svg.match(/<text /g)?.length);
  assert.equal(3, svg.match(/<title>/g)?.length);
  assert.ok(svg.includes("a &#60; b") && svg.includes("x &#38; &#34;y&#34;"));
  assert.ok(svg.includes('stroke-dasharray="6 3"') && svg.includes('fill-opacity="0.17"'));
  assert.ok(svg.includes('stroke-opacity="0.3"') && svg.includes('stroke-width="2"'));
  assert.equal(2, svg.match(/<circle /g)?.length, "points without neighbours are dots");
  assert.equal(svg.match(/<(\w+)/g)?.length, svg.match(/<\/(\w+)>/g)?.length, "every element is closed");
});

test("a band with a gap is drawn from the points that it has", () => {
  const data = { lines: [], bands: [band([1, NaN, 3, 4], [3, 4, 5, 6]), band([NaN], [1])] };
  const svg = plotToSvg(layoutPlot(data, OPTIONS, 300, 150), THEME, "");
  assert.equal(1, svg.match(/fill-opacity/g)?.length, "a band of one point is none");
});
