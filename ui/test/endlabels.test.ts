/// The names at the ends of lines, the marks of axes, and how strong lines are.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line } from "../src/chart/line";
import { alphaOf, layoutPlot, xLabels, type PlotOptions, PLAIN_OPTIONS } from "../src/chart/plot";
import { plotToSvg } from "../src/chart/svg";

const OPTIONS: PlotOptions = {
  ...PLAIN_OPTIONS,
  xName: "step",
  yName: "loss",
};
const THEME = { ground: "#fff", ink: "#888", grid: "#eee", accent: "#00f" };

function line(label: string, end: number, color = "#ff0000"): Line {
  const x = Float64Array.from({ length: 101 }, (_, i) => i);
  return {
    owner: label,
    label,
    x,
    y: x.map((i) => end + i - 100),
    color,
    dash: [],
    faint: false,
    strong: false,
    sorted: true,
  };
}

test("two to six lines have their names at their ends, apart from each other", () => {
  const lines = ["vit-small-patch-1", "vit-small-patch-2", "vit-small-patch-3"].map((name, i) =>
    line(name, 50 + i / 100),
  );
  const plot = layoutPlot({ lines, bands: [] }, OPTIONS, 400, 200);
  assert.deepEqual(["…1", "…2", "…3"], plot.labels.map(({ text }) => text).sort());
  const places = plot.labels.map(({ py }) => py);
  for (let i = 1; i < places.length; i++) assert.ok(places[i] - places[i - 1] >= 11.9);
  assert.ok(plot.labels.every(({ px, py }) => px > plot.x.to && py <= plot.y.from + 0.1 && py >= plot.y.to));
  assert.ok(plotToSvg(plot, THEME, "loss").includes("…2"));
});

test("a name that is too long is cut in the middle, since names that begin alike often end differently", () => {
  const lines = ["baseline-of-march-with-warmup", "baseline-of-march-with-decay", "other"].map((name, i) =>
    line(name, 50 + 10 * i),
  );
  const plot = layoutPlot({ lines, bands: [] }, OPTIONS, 400, 200);
  assert.deepEqual(["baseline…-warmup", "baseline…h-decay", "other"], plot.labels.map(({ text }) => text).sort());
});

test("one line, seven lines and narrow charts have no names, and faint lines do not count", () => {
  const many = Array.from({ length: 7 }, (_, i) => line(`run ${i}`, i));
  const labelsOf = (lines: readonly Line[], width = 400): number =>
    layoutPlot({ lines, bands: [] }, OPTIONS, width, 200).labels.length;
  assert.equal(0, labelsOf(many.slice(0, 1)));
  assert.equal(6, labelsOf(many.slice(0, 6)));
  assert.equal(0, labelsOf(many));
  assert.equal(6, labelsOf([...many.slice(0, 6), { ...many[6], faint: true }]));
  assert.equal(0, labelsOf(many.slice(0, 6), 200));
});

test("a name is beside the last point that a zoom shows", () => {
  const lines = [line("up", 100), line("down", 50)];
  const plot = layoutPlot({ lines, bands: [] }, { ...OPTIONS, window: [0, 50] }, 400, 200);
  const up = plot.labels.find(({ text }) => text === "up");
  assert.ok(up && Math.abs(up.py - plot.y.px(50)) < 1);
});

test("axes have at most five marks and a name", () => {
  for (const hi of [1, 7, 19, 333, 90_000])
    for (const kind of ["linear", "log"] as const)
      for (const [width, height] of [
        [360, 206],
        [1500, 900],
      ]) {
        const lines = [{ ...line("a", hi), y: Float64Array.from({ length: 101 }, (_, i) => 0.01 + (hi * i) / 100) }];
        const plot = layoutPlot({ lines, bands: [] }, { ...OPTIONS, yKind: kind }, width, height);
        for (const ticks of [plot.xTicks, plot.yTicks])
          assert.ok(ticks.length >= 2 && ticks.length <= 5, `${hi} ${kind} ${width}: ${ticks.join(" ")}`);
        assert.equal("step", xLabels(plot).name);
      }
  const tall = plotToSvg(layoutPlot({ lines: [line("a", 1)], bands: [] }, OPTIONS, 600, 400), THEME, "title");
  assert.match(tall, /rotate\(-90\)[^>]*>loss</);
});

test("lines are fainter the more there are, from twenty on", () => {
  const alphas = [1, 20, 21, 60, 200, 1000].map(alphaOf);
  assert.equal(alphas[0], alphas[1]);
  for (let i = 2; i < 5; i++) assert.ok(alphas[i] < alphas[i - 1]);
  assert.equal(alphas[4], alphas[5]);
});
