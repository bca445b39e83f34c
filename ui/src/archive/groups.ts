/// Several curves of a page in one file as one: the middle of a group and a band around it, as the server makes them.

import type { AggregateBand, AggregateValue } from "../wire/types";
import type { ArchivedLine } from "./curves";

/// A group's line; without a band, `low` and `high` are null.
export interface GroupLine extends ArchivedLine {
  readonly low: Float64Array | null;
  readonly high: Float64Array | null;
}

const CI95 = 1.96;

/// The value below which the part `share` of sorted values lies.
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function middle(sorted: readonly number[], value: AggregateValue): number {
  if (value === "median") return quantile(sorted, 0.5);
  if (value === "min") return sorted[0];
  return value === "max" ? sorted[sorted.length - 1] : mean(sorted);
}

function bandOf(sorted: readonly number[], y: number, band: AggregateBand): readonly [number, number] {
  if (band === "minmax") return [sorted[0], sorted[sorted.length - 1]];
  if (band === "iqr") return [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  const center = mean(sorted);
  const variance = sorted.reduce((sum, value) => sum + (value - center) ** 2, 0) / Math.max(1, sorted.length - 1);
  const spread = band === "std" ? 1 : (band === "ci95" ? CI95 : 1) / Math.sqrt(sorted.length);
  const deviation = sorted.length > 1 ? Math.sqrt(variance) * spread : 0;
  return [y - deviation, y + deviation];
}

/// The finite values of all members by x: their own x where these are few, else the middle of each bucket.
function cellsOf(members: readonly ArchivedLine[], buckets: number): Map<number, number[]> {
  const all = new Set<number>();
  for (const { x } of members) for (const value of x) all.add(value);
  const sorted = [...all].sort((a, b) => a - b);
  const [low, high] = [sorted[0], sorted[sorted.length - 1]];
  const width = (high - low) / buckets || 1;
  const isBinned = sorted.length > 2 * buckets;
  const cells = new Map<number, number[]>();
  for (const { x, y } of members) {
    const sums = new Map<number, [number, number]>();
    for (let i = 0; i < x.length; i++) {
      if (!Number.isFinite(y[i])) continue;
      const bucket = Math.min(buckets - 1, Math.floor((x[i] - low) / width));
      const at = isBinned ? low + width * (bucket + 0.5) : x[i];
      const [sum, count] = sums.get(at) ?? [0, 0];
      sums.set(at, [sum + y[i], count + 1]);
    }
    for (const [at, [sum, count]] of sums) cells.set(at, [...(cells.get(at) ?? []), sum / count]);
  }
  return new Map([...cells].sort(([a], [b]) => a - b));
}

/// Aggregates curves.
export function groupLine(
  members: readonly ArchivedLine[],
  buckets: number,
  value: AggregateValue,
  band: AggregateBand,
): GroupLine {
  const cells = cellsOf(members, buckets);
  const y: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  for (const values of cells.values()) {
    const sorted = [...values].sort((a, b) => a - b);
    y.push(middle(sorted, value));
    const [below, above] = bandOf(sorted, y[y.length - 1], band);
    low.push(below);
    high.push(above);
  }
  const hasBand = band !== "none";
  return {
    x: Float64Array.from(cells.keys()),
    y: Float64Array.from(y),
    low: hasBand ? Float64Array.from(low) : null,
    high: hasBand ? Float64Array.from(high) : null,
  };
}
