/// Figures for paper: their sizes, their colours, and what is kept of a choice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PALETTE } from "../src/chart/palette";
import { layoutPlot, PLAIN_OPTIONS } from "../src/chart/plot";
import { lackingLetters, onPaper, PRESETS, printedSvg, readSettings } from "../src/chart/print";
import type { Line } from "../src/chart/line";

const line: Line = {
  owner: "a",
  label: "run a",
  x: Float64Array.of(0, 1, 2),
  y: Float64Array.of(1, 3, 2),
  color: PALETTE.dark[2],
  dash: [],
  faint: false,
  strong: false,
  sorted: true,
};
const plot = layoutPlot({ lines: [line], bands: [] }, PLAIN_OPTIONS, 600, 300);

test("text and lines have their size in points, whatever the size of the figure", () => {
  for (const settings of Object.values(PRESETS)) {
    const svg = printedSvg(plot, "loss", settings);
    const [, width] = /viewBox="0 -24 ([\d.]+) /.exec(svg)!;
    const points_a_px = (settings.width_mm * 72) / 25.4 / Number(width);
    const [, line_px] = /stroke-width="([\d.]+)"/.exec(svg)!;
    assert.ok(svg.includes(`width="${settings.width_mm}mm"`) && svg.includes(`height="${settings.height_mm}mm"`));
    assert.ok(Math.abs(10.5 * points_a_px - settings.text_pt) < 0.01);
    assert.ok(Math.abs(Number(line_px) * points_a_px - settings.line_pt) < 0.01);
    assert.match(svg, /font-family="Helvetica/);
  }
});

test("colours of the dark are those of the light on paper, and chosen ones stay", () => {
  const { lines } = onPaper({ lines: [line, { ...line, color: "#123456" }], bands: [] });
  assert.deepEqual([PALETTE.light[2], "#123456"], [lines[0].color, lines[1].color]);
});

test("what was kept is read back; what is missing or wrong is that of one column", () => {
  const own = { width_mm: 120, height_mm: 80, font: "serif", text_pt: 9, line_pt: 0.5 } as const;
  assert.deepEqual(own, readSettings(JSON.stringify(own)));
  const first = PRESETS["one column"];
  for (const text of [null, "", "{", "null", "[]", '{"width_mm": 1e9, "font": "Comic Sans", "text_pt": "8"}'])
    assert.deepEqual(first, readSettings(text), String(text));
});

test("letters that the fonts of PDF lack are named", () => {
  assert.deepEqual([], lackingLetters(["grad ‖norm".replace("‖", "|"), "µ ± 3 · “x”", "Größe…"]));
  assert.deepEqual(["α", "→"], lackingLetters(["α → α"]));
});
