/// The range of values that an axis shows.

import { visibleRange, type Line } from "./line";
import { transform, untransform, type ScaleKind } from "./scale";

export type Extent = readonly [number, number];

/// Ends of an axis that were given; null: that end is where the values are.
export type Limits = readonly [number | null, number | null];

/// A range with the ends that were given in place of its own; the range itself if they leave nothing.
export function limited([low, high]: Extent, limits: Limits | undefined): Extent {
  const [least, most] = [limits?.[0] ?? low, limits?.[1] ?? high];
  return least < most ? [least, most] : [low, high];
}

const ROBUST_LOW = 0.004;
const ROBUST_HIGH = 0.996;
const OUTLIER_RATIO = 3; // only a range this many times the robust one counts as stretched by outliers
const PAD = 0.05;
const SAMPLE_POINTS = 20_000;

/// Smallest and largest x of all lines; null if there are none.
export function xExtent(lines: readonly Line[]): Extent | null {
  let lo = Infinity;
  let hi = -Infinity;
  for (const { x, sorted } of lines) {
    if (x.length === 0) continue;
    if (sorted) {
      lo = Math.min(lo, x[0]);
      hi = Math.max(hi, x[x.length - 1]);
    } else {
      for (let i = 0; i < x.length; i++) {
        if (x[i] < lo) lo = x[i];
        if (x[i] > hi) hi = x[i];
      }
    }
  }
  return lo <= hi ? [lo, hi] : null;
}

/// Range of the finite y within an x window; positive ones only for log. Null if there are none.
export function yExtent(lines: readonly Line[], kind: ScaleKind, lo: number, hi: number): Extent | null {
  let least = Infinity;
  let most = -Infinity;
  for (const line of lines) {
    const [begin, end] = visibleRange(line, lo, hi);
    for (let i = begin; i < end; i++) {
      const x = line.x[i];
      const y = line.y[i];
      if (y - y !== 0 || (kind === "log" && y <= 0) || x < lo || x > hi) continue;
      if (y < least) least = y;
      if (y > most) most = y;
    }
  }
  return least <= most ? [least, most] : null;
}

/// The range without the few farthest values, if these would squeeze all others; else `full`.
export function withoutOutliers(lines: readonly Line[], kind: ScaleKind, full: Extent, lo: number, hi: number): Extent {
  let total = 0;
  for (const line of lines) total += line.y.length;
  const stride = Math.max(1, Math.floor(total / SAMPLE_POINTS));
  const sample: number[] = [];
  let skip = 0;
  for (const line of lines) {
    const [begin, end] = visibleRange(line, lo, hi);
    for (let i = begin; i < end; i++) {
      if (++skip % stride) continue;
      const t = transform(kind, line.y[i]);
      if (Number.isFinite(t) && line.x[i] >= lo && line.x[i] <= hi) sample.push(t);
    }
  }
  if (sample.length < 20) return full;
  const sorted = Float64Array.from(sample).sort();
  const low = sorted[Math.floor(ROBUST_LOW * (sorted.length - 1))];
  const high = sorted[Math.ceil(ROBUST_HIGH * (sorted.length - 1))];
  const span = transform(kind, full[1]) - transform(kind, full[0]);
  if (!(high > low) || span < OUTLIER_RATIO * (high - low)) return full;
  return [untransform(kind, low), untransform(kind, high)];
}

/// The range with some air on both sides; a single value gets a unit around it.
export function padded(extent: Extent, kind: ScaleKind): Extent {
  const a = transform(kind, extent[0]);
  const z = transform(kind, extent[1]);
  const air = z > a ? (z - a) * PAD : kind === "log" ? 0.3 : Math.abs(a) * 0.1 || 0.5;
  return [untransform(kind, a - air), untransform(kind, z + air)];
}
