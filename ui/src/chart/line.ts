/// Marks of a line chart, drawn on a canvas in CSS pixels. Knows no run, no fetch, no page.

import { lowerBound, project, type Numbers, type Scale } from "./scale";

/// One drawn series. `x` and `y` are of equal length; a NaN in `y` breaks the line. Nothing here is copied.
export interface Line {
  /// Whose it is: lines with the focused owner are lit together.
  readonly owner: string;
  /// What the tooltip calls it, as far as that is known when it is read.
  readonly label: string;
  readonly x: Numbers;
  readonly y: Numbers;
  /// The digits of integers that a double does not hold, by the index of the point.
  readonly exact?: ReadonlyMap<number, string> | null;
  readonly color: string;
  readonly dash: readonly number[];
  /// Drawn thin and pale, and never found by the pointer: the raw line behind a smoothed one.
  readonly faint: boolean;
  /// Drawn thick: a pinned run, a group's mean.
  readonly strong: boolean;
  /// Drawn by the second y axis, on the right.
  readonly right?: boolean;
  /// Whether x never goes back; then the nearest point is found by halving.
  readonly sorted: boolean;
}

/// The area between two lines of equal x.
export interface Band {
  readonly owner: string;
  readonly x: Numbers;
  readonly low: Numbers;
  readonly high: Numbers;
  readonly color: string;
}

/// The part of a sorted series that `lo … hi` shows, with one point more on each side.
export function visibleRange(
  line: { readonly x: Numbers; readonly sorted: boolean },
  lo: number,
  hi: number,
): [number, number] {
  if (!line.sorted) return [0, line.x.length];
  return [Math.max(0, lowerBound(line.x, lo) - 1), Math.min(line.x.length, lowerBound(line.x, hi) + 2)];
}

/// Adds the path of one line. Allocates nothing per point.
export function tracePath(context: CanvasRenderingContext2D, line: Line, x: Scale, y: Scale): void {
  const xs = project(x.kind, line.x);
  const ys = project(y.kind, line.y);
  const [begin, end] = visibleRange(line, x.lo, x.hi);
  let pen = false;
  for (let i = begin; i < end; i++) {
    const py = y.k * ys[i] + y.b;
    if (py - py !== 0) {
      pen = false;
    } else if (pen) {
      context.lineTo(x.k * xs[i] + x.b, py);
    } else {
      const px = x.k * xs[i] + x.b;
      context.moveTo(px, py);
      pen = true;
    }
  }
}

const DOT_PX = 2.2;

/// Draws a dot at each point that has no neighbour to be joined to: a series of one value, or one between NaNs.
export function drawDots(context: CanvasRenderingContext2D, line: Line, x: Scale, y: Scale): void {
  const xs = project(x.kind, line.x);
  const ys = project(y.kind, line.y);
  const [begin, end] = visibleRange(line, x.lo, x.hi);
  context.fillStyle = line.color;
  for (let i = begin; i < end; i++) {
    if (
      !Number.isFinite(ys[i]) ||
      (i > 0 && Number.isFinite(ys[i - 1])) ||
      (i + 1 < ys.length && Number.isFinite(ys[i + 1]))
    )
      continue;
    context.beginPath();
    context.arc(x.k * xs[i] + x.b, y.k * ys[i] + y.b, DOT_PX, 0, 2 * Math.PI);
    context.fill();
  }
}

/// Strokes one line.
export function drawLine(context: CanvasRenderingContext2D, line: Line, x: Scale, y: Scale, width_px: number): void {
  context.beginPath();
  tracePath(context, line, x, y);
  context.strokeStyle = line.color;
  context.lineWidth = width_px;
  context.setLineDash(line.dash as number[]);
  context.stroke();
}

/// Fills one band.
export function drawBand(context: CanvasRenderingContext2D, band: Band, x: Scale, y: Scale, alpha: number): void {
  const xs = project(x.kind, band.x);
  const lows = project(y.kind, band.low);
  const highs = project(y.kind, band.high);
  context.fillStyle = band.color;
  context.globalAlpha = alpha;
  let begin = 0;
  while (begin < xs.length) {
    while (begin < xs.length && !(Number.isFinite(lows[begin]) && Number.isFinite(highs[begin]))) begin++;
    let end = begin;
    while (end < xs.length && Number.isFinite(lows[end]) && Number.isFinite(highs[end])) end++;
    if (end > begin) {
      context.beginPath();
      for (let i = begin; i < end; i++) context.lineTo(x.k * xs[i] + x.b, y.k * highs[i] + y.b);
      for (let i = end - 1; i >= begin; i--) context.lineTo(x.k * xs[i] + x.b, y.k * lows[i] + y.b);
      context.fill();
    }
    begin = end;
  }
  context.globalAlpha = 1;
}

const MARKER_PX = 3.5;
const MARKER_GAP_PX = 14; // a run that is NaN from here on is marked now and then, not at every point

/// Marks values that are not finite at the edge they left by: NaN as a cross and -inf as a triangle below, +inf as one
/// above. Returns how many were drawn; stops after `limit`.
export function drawMarkers(context: CanvasRenderingContext2D, line: Line, x: Scale, y: Scale, limit: number): number {
  const xs = project(x.kind, line.x);
  const [begin, end] = visibleRange(line, x.lo, x.hi);
  const top = y.to + MARKER_PX + 1;
  const bottom = y.from - MARKER_PX - 1;
  let count = 0;
  let free = -Infinity;
  context.setLineDash([]);
  context.lineWidth = 1.5;
  context.strokeStyle = context.fillStyle = line.color;
  for (let i = begin; i < end && count < limit; i++) {
    const value = line.y[i];
    if (Number.isFinite(value)) continue;
    const px = x.k * xs[i] + x.b;
    if (px < x.from || px > x.to || px < free) continue;
    free = px + MARKER_GAP_PX;
    count++;
    context.beginPath();
    if (Number.isNaN(value)) {
      context.moveTo(px - MARKER_PX, bottom - MARKER_PX);
      context.lineTo(px + MARKER_PX, bottom + MARKER_PX);
      context.moveTo(px + MARKER_PX, bottom - MARKER_PX);
      context.lineTo(px - MARKER_PX, bottom + MARKER_PX);
      context.stroke();
    } else {
      const up = value > 0;
      const base = up ? top + MARKER_PX : bottom - MARKER_PX;
      const tip = up ? top - MARKER_PX : bottom + MARKER_PX;
      context.moveTo(px - MARKER_PX, base);
      context.lineTo(px + MARKER_PX, base);
      context.lineTo(px, tip);
      context.fill();
    }
  }
  return count;
}
