/// Curves of a page in one file: decoded from its block, and drawn as the server would.

import type { ColumnPlace, CurveTable, IndexedInteger } from "./blocks";

/// One curve. Times are seconds since the making of its run; without epochs, `epochs` is null.
export interface ArchivedCurve {
  readonly run: number;
  readonly metric: number;
  readonly steps: Float64Array;
  readonly times: Float64Array;
  readonly epochs: Float64Array | null;
  readonly values: Float32Array | Float64Array;
  readonly integers: ReadonlyMap<number, IndexedInteger[1]>;
  readonly points: number;
  readonly nan: number;
  readonly inf: number;
}

const ARRAYS = { i4: Int32Array, f4: Float32Array, f8: Float64Array } as const;

/// The numbers of a column, whose bytes are sorted by their rank.
export function columnOf(
  bytes: Uint8Array,
  { type, at, count }: ColumnPlace,
): Int32Array | Float32Array | Float64Array {
  const width = Number(type[1]);
  const sorted = new Uint8Array(count * width);
  for (let rank = 0; rank < width; rank++) {
    const from = at + rank * count;
    for (let i = 0, to = rank; i < count; i++, to += width) sorted[to] = bytes[from + i];
  }
  return new ARRAYS[type](sorted.buffer);
}

/// The arrays of a column of differences, each put together again.
function summed(bytes: Uint8Array, place: ColumnPlace, unit: number): Float64Array[] {
  const differences = columnOf(bytes, place);
  let at = 0;
  return place.lengths.map((length) => {
    const array = new Float64Array(length);
    let sum = 0;
    for (let i = 0; i < length; i++) array[i] = (sum += differences[at + i]) * unit;
    at += length;
    return array;
  });
}

/// The curves of a block, in its order.
export function curvesOf(bytes: Uint8Array, table: CurveTable): readonly ArchivedCurve[] {
  const steps = summed(bytes, table.columns.steps, 1);
  const times = summed(bytes, table.columns.times, table.time_unit_s);
  const allEpochs = columnOf(bytes, table.columns.epochs);
  const epochs: Float64Array[] = [];
  let at = 0;
  for (const length of table.columns.epochs.lengths) {
    epochs.push(allEpochs.subarray(at, at + length) as Float64Array);
    at += length;
  }
  const values = columnOf(bytes, table.columns.values) as Float32Array | Float64Array;
  let valueAt = 0;
  return table.n.map((n, i) => {
    const curve = {
      run: table.run[i],
      metric: table.metric[i],
      steps: steps[table.steps_of[i]],
      times: times[table.times_of[i]],
      epochs: table.epochs_of[i] < 0 ? null : epochs[table.epochs_of[i]],
      values: values.subarray(valueAt, valueAt + n),
      integers: new Map(table.integers?.[i] ?? []),
      points: table.points[i],
      nan: table.nan[i],
      inf: table.inf[i],
    };
    valueAt += n;
    return curve;
  });
}

/// A curve over the x that is asked for.
export interface ArchivedLine {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /// Of each point its index in the curve; without it all are there, in their order.
  readonly indices?: readonly number[];
}

/// The points of a line whose x is a number, in the order of x.
export function ordered(x: Float64Array, y: Float32Array | Float64Array): ArchivedLine {
  let isOrdered = true;
  for (let i = 0; i < x.length && isOrdered; i++) isOrdered = i === 0 ? x[i] === x[i] : x[i] >= x[i - 1];
  if (isOrdered) return { x, y: new Float64Array(y) };
  const indices = Array.from(x.keys()).filter((i) => x[i] === x[i]);
  indices.sort((a, b) => x[a] - x[b] || a - b);
  return { x: Float64Array.from(indices, (i) => x[i]), y: Float64Array.from(indices, (i) => y[i]), indices };
}

/// The first index in a window, with the point before it, and the one behind the last, with the point after it.
export function windowOf(x: Float64Array, window: readonly [number, number] | null | undefined): [number, number] {
  if (!window) return [0, x.length];
  const start = x.findIndex((value) => value >= window[0]);
  let stop = x.length;
  while (stop > 0 && x[stop - 1] > window[1]) stop--;
  return [Math.max(0, (start < 0 ? x.length : start) - 1), Math.min(x.length, stop + 1)];
}

/// The indices from `start` to `stop` that are drawn: of each bucket its first, last, least and greatest, and one NaN.
export function reducedIndices(line: ArchivedLine, start: number, stop: number, buckets: number): number[] {
  const count = stop - start;
  if (count <= 2 * buckets) return Array.from({ length: count }, (_, i) => start + i);
  const { x, y } = line;
  const low = x[start];
  const scale = buckets / (x[stop - 1] - low || 1);
  const indices: number[] = [];
  let from = start;
  for (let bucket = 0; bucket < buckets && from < stop; bucket++) {
    const end = bucket === buckets - 1 ? Infinity : bucket + 1;
    if ((x[from] - low) * scale >= end) continue;
    let [least, greatest, nan, to] = [from, from, -1, from];
    for (; to < stop && (x[to] - low) * scale < end; to++) {
      const value = y[to];
      if (value < y[least] || y[least] !== y[least]) least = to;
      if (value > y[greatest] || y[greatest] !== y[greatest]) greatest = to;
      if (nan < 0 && value !== value) nan = to;
    }
    const drawn = [from, least, greatest, nan, to - 1].sort((a, b) => a - b);
    for (let i = 0; i < drawn.length; i++) if (drawn[i] >= 0 && drawn[i] !== drawn[i - 1]) indices.push(drawn[i]);
    from = to;
  }
  return indices;
}
