/// The chart's pure parts: scales, ticks, extents, nearest points, density, distributions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addLine, makeRaster, toPixels } from "../src/chart/density";
import { densityAt, heatPixels, valueRange } from "../src/chart/distribution";
import { padded, withoutOutliers, xExtent, yExtent } from "../src/chart/extent";
import { visibleRange, type Line } from "../src/chart/line";
import { nearestLines } from "../src/chart/nearest";
import { channels, rampColor, runColor } from "../src/chart/palette";
import { layoutPlot, PLAIN_OPTIONS } from "../src/chart/plot";
import { isSorted, lowerBound, nearestIndex, project, Scale, transform, untransform } from "../src/chart/scale";
import { plotToSvg } from "../src/chart/svg";
import { peaksOf } from "../src/chart/waveform";
import { axisTicks, linearTicks, logTicks, shortNumber, symlogTicks, tickLabel, timeTicks } from "../src/chart/ticks";

function line(x: readonly number[], y: readonly number[], owner = "a"): Line {
  return {
    owner,
    label: owner,
    x: Float64Array.from(x),
    y: Float64Array.from(y),
    color: "#ff0000",
    dash: [],
    faint: false,
    strong: false,
    sorted: true,
  };
}

test("a scale gives back the value of a pixel that it gave for a value", () => {
  for (const kind of ["linear", "log", "symlog"] as const) {
    const scale = new Scale(kind, 0.001, 5000, 40, 340);
    for (const value of [0.001, 0.5, 3, 70, 5000])
      assert.ok(Math.abs(scale.value(scale.px(value)) / value - 1) < 1e-9, `${kind} ${value}`);
    assert.equal(40, Math.round(scale.px(0.001)));
    assert.equal(340, Math.round(scale.px(5000)));
  }
});

test("a log scale has no place for zero and below", () => {
  assert.ok(Number.isNaN(transform("log", 0)));
  assert.ok(Number.isNaN(transform("log", -3)));
});

test("symlog goes through zero and is symmetric", () => {
  assert.equal(0, transform("symlog", 0));
  assert.equal(-transform("symlog", 12), transform("symlog", -12));
  assert.ok(Math.abs(untransform("symlog", transform("symlog", -0.3)) + 0.3) < 1e-12);
});

test("a domain of one value is drawn in the middle", () => {
  assert.equal(50, new Scale("linear", 7, 7, 0, 100).px(7));
});

test("linear values are projected without a copy", () => {
  const values = Float32Array.of(1, 2);
  assert.equal(values, project("linear", values));
  assert.deepEqual([0, 2], [...project("log", Float64Array.of(1, 100))]);
});

test("searches in sorted values find the first not below, and the nearest", () => {
  const values = Int32Array.of(0, 10, 20, 30);
  assert.deepEqual(
    [0, 1, 1, 4],
    [-5, 1, 10, 31].map((value) => lowerBound(values, value)),
  );
  assert.deepEqual(
    [0, 0, 1, 3],
    [-5, 4, 6, 99].map((value) => nearestIndex(values, value)),
  );
  assert.equal(-1, nearestIndex(new Int32Array(0), 1));
  assert.ok(isSorted(values));
  assert.ok(!isSorted(Int32Array.of(1, 0)));
});

test("linear ticks are round and lie inside", () => {
  assert.deepEqual([0, 200, 400, 600, 800, 1000], linearTicks(0, 1000, 5));
  assert.deepEqual([0.1, 0.2, 0.3], linearTicks(0.08, 0.32, 3));
  assert.deepEqual([-1, 0, 1], linearTicks(-1, 1, 2));
  assert.deepEqual([5], linearTicks(5, 5, 4));
});

test("log ticks are powers of ten, with 2 and 5 where there is room", () => {
  assert.deepEqual([1, 10, 100, 1000], logTicks(1, 1000, 4));
  assert.deepEqual([1, 2, 5, 10], logTicks(1, 10, 6));
  assert.deepEqual([], logTicks(0, 10, 6));
});

test("symlog ticks have zero and both signs", () => {
  const ticks = symlogTicks(-100, 100, 6);
  assert.ok(ticks.includes(0) && ticks.some((tick) => tick < 0) && ticks.some((tick) => tick > 0));
  assert.deepEqual(
    [...ticks].sort((a, b) => a - b),
    ticks,
  );
});

test("time ticks are round minutes and hours", () => {
  assert.deepEqual([0, 600, 1200, 1800], timeTicks(0, 1800, 4, 0));
  assert.deepEqual([3600, 7200], timeTicks(1, 7300, 3, 0));
  assert.deepEqual([0, 60, 120], axisTicks("linear", "duration", 0, 120, 3));
});

test("labels are short", () => {
  assert.deepEqual(
    ["0", "12k", "2.5M", "1e-4", "0.25", "-3", "1200"],
    [0, 12000, 2.5e6, 1e-4, 0.25, -3, 1200].map(shortNumber),
  );
  assert.deepEqual(
    ["0", "90s", "2m", "1.5h"],
    [
      tickLabel("duration", 0, 60),
      tickLabel("duration", 90, 120),
      tickLabel("duration", 120, 1200),
      tickLabel("duration", 5400, 86400),
    ],
  );
});

test("extents leave NaN and infinities out, and for log what is not positive", () => {
  const lines = [line([0, 1, 2, 3, 4], [1, NaN, Infinity, -2, 5])];
  assert.deepEqual([0, 4], xExtent(lines));
  assert.deepEqual([-2, 5], yExtent(lines, "linear", 0, 4));
  assert.deepEqual([1, 5], yExtent(lines, "log", 0, 4));
  assert.deepEqual([1, 1], yExtent(lines, "linear", 0, 1));
  assert.equal(null, yExtent([], "linear", 0, 1));
});

test("outliers are left out only where they squeeze the rest", () => {
  const calm = Array.from({ length: 1000 }, (_, i) => Math.sin(i));
  const steps = calm.map((_, i) => i);
  const full = [-1, 1] as const;
  assert.equal(full, withoutOutliers([line(steps, calm)], "linear", full, 0, 999));
  const spiked = [...calm];
  spiked[500] = 1e6;
  const [, high] = withoutOutliers([line(steps, spiked)], "linear", [-1, 1e6], 0, 999);
  assert.ok(high < 2, String(high));
});

test("a padded range has air, also around one value", () => {
  assert.deepEqual([-0.5, 10.5], padded([0, 10], "linear"));
  const [low, high] = padded([3, 3], "linear");
  assert.ok(low < 3 && high > 3);
});

test("the visible part of a line has one more point on each side", () => {
  assert.deepEqual([1, 6], visibleRange(line([0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0, 0]), 2, 4));
});

test("the nearest line is found first, faint ones never", () => {
  const x = new Scale("linear", 0, 10, 0, 100);
  const y = new Scale("linear", 0, 10, 100, 0);
  const low = line([0, 5, 10], [1, 1, 1], "low");
  const high = line([0, 5, 10], [9, 9, 9], "high");
  const hits = nearestLines([low, high, { ...low, owner: "raw", faint: true }], 50, 85, x, y, 5);
  assert.deepEqual(
    ["low", "high"],
    hits.map((hit) => hit.line.owner),
  );
  assert.equal(1, hits[0].index);
});

test("a line that ended long before the pointer is not near", () => {
  const x = new Scale("linear", 0, 100, 0, 1000);
  const y = new Scale("linear", 0, 10, 100, 0);
  assert.deepEqual([], nearestLines([line([0, 10], [1, 1])], 900, 50, x, y, 5));
});

test("the density raster counts every line once in each column", () => {
  const raster = makeRaster(10, 10);
  const x = new Scale("linear", 0, 9, 0, 9.99);
  const y = new Scale("linear", 0, 9, 9.99, 0);
  addLine(raster, line([0, 9], [4, 4]), x, y);
  addLine(raster, line([0, 9], [4, 4]), x, y);
  assert.equal(
    20,
    raster.count.reduce((sum, n) => sum + n, 0),
  );
  assert.equal(2, Math.max(...raster.count));
  const pixels = toPixels(raster);
  assert.equal(255, Math.max(...pixels));
});

test("a spike of one point is in the density raster", () => {
  const raster = makeRaster(100, 50);
  const steps = Array.from({ length: 100 }, (_, i) => i);
  const values = steps.map((i) => (i === 60 ? 49 : 0));
  addLine(raster, line(steps, values), new Scale("linear", 0, 99, 0, 100), new Scale("linear", 0, 49, 49.9, 0));
  assert.ok(
    raster.count.slice(0, 100).some((n) => n > 0),
    "the top row has the spike",
  );
});

test("colours are steady and have three channels", () => {
  assert.equal(runColor("abc", "light"), runColor("abc", "light"));
  assert.deepEqual([255, 128, 0], channels("#ff8000"));
  assert.deepEqual([1, 2, 3], channels("rgb(1, 2, 3)"));
  assert.notEqual(rampColor(0, "dark"), rampColor(1, "dark"));
});

test("a layout keeps the zoomed window and says when it cut outliers", () => {
  const steps = Array.from({ length: 400 }, (_, i) => i);
  const data = {
    lines: [
      line(
        steps,
        steps.map((i) => (i === 7 ? 1e5 : Math.cos(i))),
      ),
    ],
    bands: [],
  };
  const options = {
    xKind: "linear",
    yKind: "linear",
    xUnit: "number",
    clip: true,
    window: null,
    yWindow: null,
  } as const;
  assert.ok(layoutPlot(data, options, 400, 200).isClipped);
  const zoomed = layoutPlot(data, { ...options, window: [100, 200] }, 400, 200);
  assert.ok(!zoomed.isClipped);
  assert.deepEqual([100, 200], [zoomed.x.lo, zoomed.x.hi]);
});

test("an SVG breaks the line at NaN and escapes names", () => {
  const data = { lines: [{ ...line([0, 1, 2, 3], [1, NaN, 2, 3]), label: "<a & b>" }], bands: [] };
  const options = PLAIN_OPTIONS;
  const svg = plotToSvg(
    layoutPlot(data, options, 300, 150),
    { ground: "#fff", ink: "#000", grid: "#eee", accent: "#00f" },
    "x < y",
  );
  assert.equal(2, svg.match(/<path d="M[^"]*" stroke="#ff0000"/)?.[0].match(/M/g)?.length);
  assert.ok(!svg.includes("<a & b>") && !svg.includes("x < y"));
});

test("a distribution's density adds up to one", () => {
  const histogram = { step: 0, low: -1, high: 1, weights: [1, 3, 0, 4] };
  const total = [-0.75, -0.25, 0.25, 0.75].reduce((sum, value) => sum + densityAt(histogram, value) * 0.5, 0);
  assert.ok(Math.abs(total - 1) < 1e-12);
  assert.equal(0, densityAt(histogram, 5));
  assert.deepEqual([-1, 3], valueRange([histogram, { ...histogram, high: 3 }]));
  assert.equal(4 * 8, heatPixels([histogram], 8, "#102030").length);
});

test("marks of an axis are told apart, however close they are to each other", () => {
  const labels = linearTicks(1e9, 1e9 + 0.05, 5).map((tick) => tickLabel("number", tick, 0.05));
  assert.equal(labels.length, new Set(labels).size, labels.join(" "));
  assert.ok(labels.every((label, i) => i === 0 || Number(label) > Number(labels[i - 1])));
  assert.equal("12k", tickLabel("number", 12_000, 10_000));
  assert.equal("0", tickLabel("number", 0, 1e-9));
});

test("the shape of a sound loses no peak", () => {
  const left = new Float32Array(10_000);
  const right = new Float32Array(10_000);
  left[4321] = 0.9;
  right[9999] = -0.7;
  const peaks = peaksOf([left, right], 100);
  assert.equal(200, peaks.length);
  assert.equal(Math.fround(0.9), peaks[43 * 2 + 1]);
  assert.equal(Math.fround(-0.7), peaks[99 * 2]);
  assert.equal(2, [...peaks].filter((peak) => peak !== 0).length);
  assert.deepEqual(
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
    [...peaksOf([Float32Array.of(0.5)], 3)],
    "fewer samples than columns",
  );
  assert.deepEqual([0, 0], [...peaksOf([], 1)]);
});
