/// Round places for the marks of an axis, and their labels.

import type { ScaleKind } from "./scale";

/// How an axis's numbers are to be read. `date`: Unix seconds; `duration`: seconds.
export type AxisUnit = "number" | "date" | "duration";

const LABELS_MOST = 25; // on an axis: what is closer together than that is never told apart
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;
const TIME_STEPS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000,
];

/// About `count` round numbers in `lo … hi`: multiples of 1, 2 or 5 times a power of ten.
export function linearTicks(lo: number, hi: number, count: number): number[] {
  const span = hi - lo;
  if (!(span > 0) || !Number.isFinite(span)) return Number.isFinite(lo) ? [lo] : [];
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = rough / power;
  const step = power * (unit > 7 ? 10 : unit > 3.5 ? 5 : unit > 1.5 ? 2 : 1);
  const result: number[] = [];
  for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi + step * 1e-9; i++)
    result.push(Number((i * step).toPrecision(12)));
  return result;
}

/// Powers of ten in `lo … hi`; with 2 and 5 between them where there is room; linear ones within one decade.
export function logTicks(lo: number, hi: number, count: number): number[] {
  if (!(lo > 0)) return [];
  const first = Math.floor(Math.log10(lo));
  const last = Math.ceil(Math.log10(hi));
  const decades = last - first;
  const multiples = decades <= count / 3 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(decades / count));
  const result: number[] = [];
  for (let e = first; e <= last; e += stride) {
    for (const m of multiples) {
      const tick = Number((m * 10 ** e).toPrecision(12));
      if (tick >= lo * (1 - 1e-9) && tick <= hi * (1 + 1e-9)) result.push(tick);
    }
  }
  return result.length >= 2 ? result : linearTicks(lo, hi, count);
}

/// Zero and powers of ten on both sides, for an axis that goes through zero.
export function symlogTicks(lo: number, hi: number, count: number): number[] {
  const top = hi > 0 ? logTicks(Math.max(1e-2, lo), hi, Math.ceil(count / 2)).filter((v) => v > 0) : [];
  const bottom = lo < 0 ? logTicks(Math.max(1e-2, -hi), -lo, Math.ceil(count / 2)).filter((v) => v > 0) : [];
  const zero = lo <= 0 && hi >= 0 ? [0] : [];
  return [...bottom.map((v) => -v).reverse(), ...zero, ...top].filter((v) => v >= lo && v <= hi);
}

/// Marks for seconds: round minutes, hours and days. Dates are round in the reader's own time zone.
export function timeTicks(lo: number, hi: number, count: number, offset_s: number): number[] {
  const rough = (hi - lo) / Math.max(1, count);
  if (rough < 1) return linearTicks(lo, hi, count);
  const step = TIME_STEPS_S.find((s) => s >= rough) ?? Math.ceil(rough / 2592000) * 2592000;
  const result: number[] = [];
  for (let t = Math.ceil((lo + offset_s) / step) * step - offset_s; t <= hi; t += step) result.push(t);
  return result;
}

/// Marks of any axis.
export function axisTicks(kind: ScaleKind, unit: AxisUnit, lo: number, hi: number, count: number): number[] {
  if (kind === "log") return logTicks(lo, hi, count);
  if (kind === "symlog") return symlogTicks(lo, hi, count);
  if (unit === "number") return linearTicks(lo, hi, count);
  return timeTicks(lo, hi, count, unit === "date" ? -new Date(lo * 1000).getTimezoneOffset() * MINUTE_S : 0);
}

/// A mark's number, short: `12k`, `2.5M`, `1e-4`.
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e15 || size < 1e-3)
    return value
      .toExponential(2)
      .replace(/\.?0+e/, "e")
      .replace("e+", "e");
  for (const [unit, suffix] of [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e4, "k"],
  ] as const) {
    if (size >= unit) return String(Number((value / (suffix === "k" ? 1e3 : unit)).toPrecision(5))) + suffix;
  }
  return String(Number(value.toPrecision(6)));
}

/// A mark's number with as many digits as tell it from its neighbour `step` away: `1000000000.02` where `1G` would
/// stand at each.
export function exactNumber(value: number, step: number): string {
  const short = shortNumber(value);
  if (!(step > 0) || shortNumber(value + step) !== short) return short;
  const digits = Math.min(15, Math.max(1, Math.ceil(Math.log10(Math.abs(value) / step)) + 1));
  return String(Number(value.toPrecision(digits)));
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/// A mark's label. Dates show the clock within two days, else the day.
export function tickLabel(unit: AxisUnit, value: number, span: number): string {
  if (unit === "number") return exactNumber(value, span / LABELS_MOST);
  if (unit === "date") {
    const date = new Date(value * 1000);
    const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
    if (span < 5 * MINUTE_S) return `${clock}:${two(date.getSeconds())}`;
    if (span < 2 * DAY_S && clock !== "00:00") return clock;
    return `${date.toLocaleString("en", { month: "short" })} ${date.getDate()}`;
  }
  if (value === 0) return "0";
  if (span < 3 * MINUTE_S) return `${shortNumber(value)}s`;
  if (span < 3 * HOUR_S) return `${shortNumber(value / MINUTE_S)}m`;
  if (span < 3 * DAY_S) return `${shortNumber(value / HOUR_S)}h`;
  return `${shortNumber(value / DAY_S)}d`;
}
