/// Figures for paper and slides: a chart laid out anew for a size in millimetres, with text and lines in points.
///
/// The plot is laid out in pixels in which its text has the size that it has on the screen, and then scaled: so
/// margins, ticks and labels fit as they do there, whatever the size of the figure.

import type { Line } from "./line";
import { PALETTE } from "./palette";
import { layoutPlot, type ChartTheme, type Plot, type PlotData } from "./plot";
import { HEAD_PX, plotToSvg } from "./svg";

const TEXT_PX = 10.5; // of labels on the screen
/// Points in a millimetre.
export const POINTS_A_MM = 72 / 25.4;
/// The colours of paper.
export const PAPER: ChartTheme = { ground: "#ffffff", ink: "#1b1d22", grid: "#e3e3e0", accent: "#2f5bea" };

/// The families of fonts; each begins with one that every reader of PDF has.
export const FONTS = {
  sans: "Helvetica, Arial, sans-serif",
  serif: "Times, 'Times New Roman', serif",
  mono: "Courier, 'Courier New', monospace",
} as const;

export type FontName = keyof typeof FONTS;

/// A figure's size in millimetres, its font, and the sizes of text and lines in points.
export interface PrintSettings {
  readonly width_mm: number;
  readonly height_mm: number;
  readonly font: FontName;
  readonly text_pt: number;
  readonly line_pt: number;
}

/// Sizes to choose from, by their names.
export const PRESETS: Readonly<Record<string, PrintSettings>> = {
  "one column": { width_mm: 84, height_mm: 56, font: "sans", text_pt: 8, line_pt: 0.8 },
  "two columns": { width_mm: 174, height_mm: 87, font: "sans", text_pt: 8, line_pt: 1 },
  slide: { width_mm: 254, height_mm: 143, font: "sans", text_pt: 18, line_pt: 2.5 },
};

/// The bounds of the numbers.
export const BOUNDS = {
  width_mm: [30, 600],
  height_mm: [20, 600],
  text_pt: [4, 48],
  line_pt: [0.1, 10],
} as const;

export type Measure = keyof typeof BOUNDS;

/// Settings from a text that was kept; what is missing or out of bounds is that of one column.
export function readSettings(text: string | null): PrintSettings {
  const [first] = Object.values(PRESETS);
  let kept: Partial<Record<string, unknown>> = {};
  try {
    kept = (JSON.parse(text ?? "{}") ?? {}) as typeof kept;
  } catch {
    return first;
  }
  const measure = (name: Measure): number => {
    const [least, most] = BOUNDS[name];
    const value = kept[name];
    return typeof value === "number" && value >= least && value <= most ? value : first[name];
  };
  const { font } = kept;
  return {
    width_mm: measure("width_mm"),
    height_mm: measure("height_mm"),
    font: font === "serif" || font === "mono" ? font : "sans",
    text_pt: measure("text_pt"),
    line_pt: measure("line_pt"),
  };
}

/// The colours of a dark page as those of a light one, since paper is white. Colours that people chose stay.
export function onPaper({ lines, bands }: PlotData): PlotData {
  const colors = new Map(PALETTE.dark.map((color, i) => [color, PALETTE.light[i]]));
  const paint = <T extends { readonly color: string }>(mark: T): T => ({
    ...mark,
    color: colors.get(mark.color) ?? mark.color,
  });
  const named = (line: Line): Line => ({ ...paint(line), label: line.label }); // which may be looked up when it is read
  return { lines: lines.map(named), bands: bands.map(paint) };
}

/// The figure as SVG of that size; text stays text.
export function printedSvg(plot: Plot, title: string, settings: PrintSettings): string {
  const { width_mm, height_mm, font, text_pt, line_pt } = settings;
  const points_a_px = text_pt / TEXT_PX;
  const [width, height] = [width_mm, height_mm].map((side) => (side * POINTS_A_MM) / points_a_px);
  const laidOut = layoutPlot(onPaper(plot.data), plot.options, width, height - HEAD_PX);
  return plotToSvg(laidOut, PAPER, title, {
    font: FONTS[font],
    line_px: Number((line_pt / points_a_px).toFixed(3)),
    width: `${width_mm}mm`,
    height: `${height_mm}mm`,
  });
}

const WESTERN = /^[\n\u0020-\u007e\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]$/;

/// The letters of texts that the fonts of PDF lack, which have those of Western Europe alone.
export function lackingLetters(texts: Iterable<string>): readonly string[] {
  const letters = new Set([...texts].flatMap((text) => [...text]));
  return [...letters].filter((letter) => !WESTERN.test(letter));
}
