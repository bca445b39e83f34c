/// One picture of lines: where its axes lie, and how it is painted step by step.
///
/// Painting is a generator that rests after every few lines, so that a caller may paint a thousand of them over several
/// frames. Strokes of at most one device pixel take the fast path of software rasters, so the mass is drawn as
/// hairlines and only the few strong lines thick.

import { drawBest, type BestEnd } from "./best";
import { FONT } from "./canvas";
import { addLine, makeRaster, toPixels } from "./density";
import { limited, padded, withoutOutliers, xExtent, yExtent, type Extent, type Limits } from "./extent";
import { endLabels, labelRoom, type EndLabel } from "./endlabels";
import { drawBand, drawDots, drawLine, drawMarkers, type Band, type Line } from "./line";
import { drawNotes, type ChartNote } from "./notes";
import { Scale, type ScaleKind } from "./scale";
import { axisTicks, tickLabel, type AxisUnit } from "./ticks";

/// Above this many lines single ones say nothing: a density picture is drawn.
export const DENSITY_LINES = 1500;
const FEW_LINES = 20; // so few may be thicker than a hairline; more are thinner, and fainter the more there are
const MANY_LINES = 200; // so many are drawn half transparent
const ALPHA_FEW = 0.92;
const ALPHA_MANY = 0.5;
const TICKS_MOST = 5;
const MARKER_LIMIT = 400;
const MARKER_SIDE_PX = 6; // a mark at the first or last x is drawn whole
const REST_LINES = 8;
const BEST_LINES = 6; // on so few lines the best point is marked
const CHAR_PX = 6.3;
const LABEL_PX = 12;
const TOP_PX = 8;
const BOTTOM_PX = 22;
const RIGHT_PX = 12;
const RIGHT_AXIS_PX = 52;
const Y_NAME_PX = 16;
const Y_NAME_HEIGHT_PX = 260;

/// Colours of the ground and the axes, from the page's theme.
export interface ChartTheme {
  readonly ground: string;
  readonly ink: string;
  readonly grid: string;
  readonly accent: string;
}

export interface PlotData {
  readonly lines: readonly Line[];
  readonly bands: readonly Band[];
}

export interface PlotOptions {
  readonly xKind: ScaleKind;
  readonly yKind: ScaleKind;
  readonly xUnit: AxisUnit;
  /// Leave the farthest few values out of the y range where they would squeeze the rest.
  readonly clip: boolean;
  /// Shown range of x and of y; null: all that there is.
  readonly window: Extent | null;
  readonly yWindow: Extent | null;
  /// Which end of the values is the best, so that it is marked on a few lines; nothing: none is.
  readonly best?: BestEnd | null;
  /// What the axes are called; y only where there is room for it.
  readonly xName?: string;
  readonly yName?: string;
  /// Ends of the axes that hold unless a part is shown.
  readonly limits?: { readonly x: Limits; readonly y: Limits };
  /// Texts at an x.
  readonly notes?: readonly ChartNote[];
  /// The scale and the shown range of the second y axis.
  readonly rightKind?: ScaleKind;
  readonly rightWindow?: Extent | null;
}

/// Of a plot with nothing particular.
export const PLAIN_OPTIONS: PlotOptions = {
  xKind: "linear",
  yKind: "linear",
  xUnit: "number",
  clip: false,
  window: null,
  yWindow: null,
};

/// A laid-out picture, in CSS pixels.
export interface Plot {
  readonly data: PlotData;
  readonly options: PlotOptions;
  readonly width: number;
  readonly height: number;
  readonly x: Scale;
  readonly y: Scale;
  /// The second y axis, of the lines that are drawn by it; null: there are none.
  readonly right: Scale | null;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly rightTicks: readonly number[];
  /// Whether values lie outside because outliers are left out.
  readonly isClipped: boolean;
  /// The names of few lines, at their ends.
  readonly labels: readonly EndLabel[];
}

/// About `most` marks of an axis, and not more.
function fewTicks(kind: ScaleKind, unit: AxisUnit, lo: number, hi: number, most: number): readonly number[] {
  for (let count = most; count > 1; count--) {
    const ticks = axisTicks(kind, unit, lo, hi, count);
    if (ticks.length <= most) return ticks;
  }
  return axisTicks(kind, unit, lo, hi, 1);
}

/// Decides ranges, ticks and margins. Cost: O(points) when the y range is not given.
export function layoutPlot(data: PlotData, options: PlotOptions, width: number, height: number): Plot {
  const allX = xExtent(data.lines) ?? [0, 1];
  let [x0, x1] = options.window ?? limited(allX, options.limits?.x);
  if (x0 === x1) [x0, x1] = [x0 - 0.5, x1 + 0.5];
  if (options.xKind === "log" && x0 <= 0) x0 = Math.min(1, x1 / 1000);
  const edges: Line[] = data.lines.filter((line) => !line.right);
  for (const { owner, x, low, high, color } of data.bands) {
    const side = { owner, label: "", x, color, dash: [], faint: true, strong: false, sorted: true };
    edges.push({ ...side, y: low }, { ...side, y: high });
  }
  const { range, isCut } = yRange(edges, options.yKind, options.clip, options.yWindow, [x0, x1]);
  const [y0, y1] = options.yWindow ?? limited(range, options.limits?.y);
  const rightLines = data.lines.filter((line) => line.right);
  const rightKind = options.rightKind ?? "linear";
  const other = yRange(rightLines, rightKind, options.clip, options.rightWindow ?? null, [x0, x1]);
  const yTicks = fewTicks(options.yKind, "number", y0, y1, Math.min(TICKS_MOST, Math.max(2, Math.floor(height / 40))));
  const chars = Math.max(...yTicks.map((tick) => tickLabel("number", tick, y1 - y0).length), 3);
  const left = Math.round(chars * CHAR_PX) + 16 + (hasYName(options, height) ? Y_NAME_PX : 0);
  const hasRight = rightLines.length > 0;
  const yCount = Math.min(TICKS_MOST, Math.max(2, Math.floor(height / 40)));
  const rightTicks = hasRight ? fewTicks(rightKind, "number", ...other.range, yCount) : [];
  const right_px = hasRight ? RIGHT_AXIS_PX : labelRoom(data.lines, width);
  const x = new Scale(options.xKind, x0, x1, left, Math.max(left + 10, width - (right_px || RIGHT_PX)));
  const y = new Scale(options.yKind, y0, y1, Math.max(TOP_PX + 10, height - BOTTOM_PX), TOP_PX);
  const xCount = Math.min(TICKS_MOST, Math.max(2, Math.floor((x.to - left) / 60)));
  const xTicks = fewTicks(options.xKind, options.xUnit, x0, x1, xCount);
  const right = hasRight ? new Scale(rightKind, ...other.range, y.from, y.to) : null;
  const labels = right_px > 0 && !hasRight ? endLabels(data.lines, x, y, right_px) : [];
  const isClipped = isCut || other.isCut;
  return { data, options, width, height, x, y, right, xTicks, yTicks, rightTicks, isClipped, labels };
}

/// The range of y that is shown, and whether values lie outside because outliers are left out.
function yRange(
  lines: readonly Line[],
  kind: ScaleKind,
  clip: boolean,
  window: Extent | null,
  [x0, x1]: Extent,
): { readonly range: Extent; readonly isCut: boolean } {
  if (window) return { range: window, isCut: false };
  const full = yExtent(lines, kind, x0, x1) ?? (kind === "log" ? [0.1, 1] : [0, 1]);
  const inner = clip ? withoutOutliers(lines, kind, full, x0, x1) : full;
  return { range: padded(inner, kind), isCut: inner !== full };
}

/// The y axis by which a line is drawn.
export function yOf({ y, right }: Pick<Plot, "y" | "right">, line: Line): Scale {
  return line.right && right ? right : y;
}

/// Ground, grid lines and labels.
export function drawAxes(context: CanvasRenderingContext2D, plot: Plot, theme: ChartTheme): void {
  const { x, y, width, height } = plot;
  context.globalAlpha = 1;
  context.setLineDash([]);
  context.fillStyle = theme.ground;
  context.fillRect(0, 0, width, height);
  if (plot.data.lines.length === 0 && plot.data.bands.length === 0) return;
  context.font = `10.5px ${FONT}`;
  context.fillStyle = theme.ink;
  context.strokeStyle = theme.grid;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  let last = Infinity;
  for (const tick of plot.yTicks) {
    const py = Math.round(y.px(tick)) + 0.5;
    if (Math.abs(py - last) < LABEL_PX) continue; // marks of a symlog axis may lie too close to be read
    last = py;
    context.beginPath();
    context.moveTo(x.from, py);
    context.lineTo(x.to, py);
    context.stroke();
    context.fillText(tickLabel("number", tick, y.hi - y.lo), x.from - 7, py);
  }
  context.textAlign = "left";
  for (const tick of plot.rightTicks)
    if (plot.right)
      context.fillText(tickLabel("number", tick, plot.right.hi - plot.right.lo), x.to + 7, plot.right.px(tick));
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  const { ticks, name } = xLabels(plot);
  for (const { px, label } of ticks) context.fillText(label, px, height - 7);
  if (name !== "") {
    context.textAlign = "right";
    context.font = `600 10.5px ${FONT}`;
    context.fillText(name, width - 4, height - 7);
  }
  if (hasYName(plot.options, height)) {
    context.save();
    context.translate(11, (y.from + y.to) / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(plot.options.yName ?? "", 0, 0);
    context.restore();
  }
}

/// Whether the y axis is named: on tall charts.
export function hasYName({ yName = "" }: PlotOptions, height: number): boolean {
  return yName !== "" && height >= Y_NAME_HEIGHT_PX;
}

/// The labels of the x axis without those that would overlap, and its name at the end of their row.
export function xLabels({ x, xTicks, options, width }: Plot): {
  readonly ticks: readonly { readonly px: number; readonly label: string }[];
  readonly name: string;
} {
  const { xName = "" } = options;
  const name = xName.length * CHAR_PX < (x.to - x.from) / 2 ? xName : "";
  const end = name === "" ? width : width - name.length * CHAR_PX - 14;
  const ticks: { px: number; label: string }[] = [];
  let free = 0;
  for (const tick of xTicks) {
    const label = tickLabel(options.xUnit, tick, x.hi - x.lo);
    const half = (label.length * CHAR_PX) / 2;
    const px = Math.min(x.px(tick), width - half - 2);
    if (px - half < free || px + half > end) continue;
    ticks.push({ px, label });
    free = px + half + 8;
  }
  return { ticks, name };
}

/// Writes the names of few lines at their ends.
function drawLabels(context: CanvasRenderingContext2D, { labels }: Plot): void {
  context.font = `550 10.5px ${FONT}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const { text, px, py, color } of labels) {
    context.fillStyle = color;
    context.fillText(text, px, py);
  }
  context.textBaseline = "alphabetic";
}

function clipToPlot(context: CanvasRenderingContext2D, { x, y }: Plot, side_px = 0): void {
  context.beginPath();
  context.rect(x.from - side_px, y.to - 2, x.to - x.from + 2 * side_px, y.from - y.to + 4);
  context.clip();
}

function* drawDensity(context: CanvasRenderingContext2D, plot: Plot): Generator<void> {
  const { x, y, data } = plot;
  const width = Math.max(1, Math.round(x.to - x.from));
  const height = Math.max(1, Math.round(y.from - y.to));
  const raster = makeRaster(width, height);
  const rx = new Scale(x.kind, x.lo, x.hi, 0, width);
  const ry = new Scale(y.kind, y.lo, y.hi, height, 0);
  for (let i = 0; i < data.lines.length; i++) {
    if (!data.lines[i].faint) addLine(raster, data.lines[i], rx, ry);
    if (i % REST_LINES === 0) yield;
  }
  const picture = new OffscreenCanvas(width, height);
  picture.getContext("2d")?.putImageData(new ImageData(toPixels(raster), width, height), 0, 0);
  context.drawImage(picture, x.from, y.to, width, height);
}

/// How opaque each of so many lines is: fainter the more there are.
export function alphaOf(count: number): number {
  if (count <= FEW_LINES) return ALPHA_FEW;
  const share = Math.min(1, Math.log(count / FEW_LINES) / Math.log(MANY_LINES / FEW_LINES));
  return ALPHA_FEW + (ALPHA_MANY - ALPHA_FEW) * share;
}

/// Bands, lines and markers, bottom up; rests after every few lines. `dpr`: device pixels a CSS pixel.
export function* drawMarks(context: CanvasRenderingContext2D, plot: Plot, dpr: number): Generator<void> {
  const { x, y, data } = plot;
  context.save();
  clipToPlot(context, plot);
  context.lineJoin = "round";
  const clear = data.lines.filter((line) => !line.faint);
  for (const band of data.bands) drawBand(context, band, x, y, data.bands.length > 12 ? 0.1 : 0.17);
  if (clear.length > DENSITY_LINES) {
    yield* drawDensity(context, plot);
  } else {
    const hairline = 1 / dpr;
    const width = clear.length <= FEW_LINES ? 1.4 : hairline;
    let count = 0;
    context.globalAlpha = 0.3;
    for (const line of data.lines) {
      if (!line.faint) continue;
      drawLine(context, line, x, yOf(plot, line), hairline);
      if (++count % REST_LINES === 0) yield;
    }
    context.globalAlpha = alphaOf(clear.length);
    for (const line of clear) {
      if (line.strong) continue;
      drawLine(context, line, x, yOf(plot, line), width);
      if (++count % REST_LINES === 0) yield;
    }
  }
  context.globalAlpha = 1;
  for (const line of clear) if (line.strong) drawLine(context, line, x, yOf(plot, line), 2);
  context.restore();
  context.save();
  clipToPlot(context, plot, MARKER_SIDE_PX);
  if (clear.length <= DENSITY_LINES) for (const line of clear) drawDots(context, line, x, yOf(plot, line));
  let left = MARKER_LIMIT;
  for (const line of data.lines) if (left > 0) left -= drawMarkers(context, line, x, yOf(plot, line), left);
  context.restore();
  drawLabels(context, plot);
}

/// Rings at the best points of a few lines and texts at an x, over the lines.
export function drawOver(context: CanvasRenderingContext2D, plot: Plot, { ground, ink }: ChartTheme): void {
  drawNotes(context, plot, ink, ground);
  const clear = plot.data.lines.filter((line) => !line.faint);
  const { best } = plot.options;
  if (!best || clear.length > BEST_LINES) return;
  for (const line of clear) drawBest(context, line, best, plot, ground);
}

/// Paints everything at once.
export function paintPlot(context: CanvasRenderingContext2D, plot: Plot, theme: ChartTheme, dpr: number): void {
  drawAxes(context, plot, theme);
  for (const _ of drawMarks(context, plot, dpr)) continue;
  drawOver(context, plot, theme);
}
