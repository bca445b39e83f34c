/// The typed-array frame of docs/formats/wire.md, section 5. Bytes in, views out: nothing is copied.

import { exactText, parseJson, type BigInteger } from "./json";
import type { Field, IgnoredReason, Json, ParamPath, SequenceKey, WireColumn } from "./types";

const MAGIC = 0x31465841; // "AXF1" read as a little-endian word
const PREFIX_BYTES = 8;

export type XArray = Int32Array | Float64Array;
export type YArray = Float32Array | Float64Array;
/// Of integers that a double does not hold, by the index of the point: their digits.
export type ExactValues = ReadonlyMap<number, string>;
export type Part = "line" | "smooth" | "low" | "high";

/// One part of one drawn series. `x` and `y` have equal lengths; a NaN in `y` is a recorded NaN.
export interface FramePart {
  /// The run's hash, or null in an aggregated frame.
  readonly run: string | null;
  /// Index of the group in `Frame.groups`, or -1.
  readonly group: number;
  readonly metric: SequenceKey;
  readonly part: Part;
  /// Null, or which of the run's rewinds this is the state before.
  readonly branch: number | null;
  readonly x: XArray;
  readonly y: YArray;
  /// Null: no value is such an integer.
  readonly exact: ExactValues | null;
  /// Points of the whole series in the window, before reduction; and how many of these are NaN, infinite.
  readonly points: number;
  readonly nan: number;
  readonly inf: number;
  /// Null, or: this piece replaces everything from this x on.
  readonly from: number | null;
}

export interface FrameGroup {
  readonly key: readonly Json[];
  readonly runs: readonly string[];
}

/// A param that does not count in groups of equal params, and why.
export interface IgnoredParam {
  readonly path: ParamPath;
  readonly why: IgnoredReason;
}

export interface Frame {
  readonly cursor: string;
  /// How many series match; parts not counted.
  readonly total: number;
  /// How many of them came, those of the newest runs.
  readonly sent: number;
  /// In answer to `since`: this has all series, and replaces what was there.
  readonly isWhole: boolean;
  readonly parts: readonly FramePart[];
  readonly groups: readonly FrameGroup[];
  /// Of groups of equal params: which fields their keys are, and what was ignored. Else null.
  readonly by: readonly Field[] | null;
  readonly ignored: readonly IgnoredParam[] | null;
  /// The runs of the last answer, and what they have in the fields of the request, if it had any.
  readonly runs: readonly string[];
  readonly columns: readonly WireColumn[];
  readonly fields: readonly Field[];
}

interface Header {
  readonly cursor: string;
  readonly total: number;
  readonly sent?: number;
  readonly whole?: boolean;
  readonly runs: readonly string[];
  readonly metrics: readonly SequenceKey[];
  readonly x: "i4" | "f8";
  readonly y: "f4" | "f8";
  readonly series: {
    readonly run: readonly number[];
    readonly group?: readonly number[];
    readonly metric: readonly number[];
    readonly part: readonly Part[];
    readonly branch?: readonly (number | null)[];
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly n: readonly number[];
    readonly points: readonly number[];
    readonly nan: readonly number[];
    readonly inf: readonly number[];
    readonly from: readonly (number | null)[];
    readonly exact?: readonly (readonly (readonly [number, number | BigInteger])[] | null)[];
  };
  readonly groups?: readonly { readonly key: readonly Json[]; readonly runs: readonly number[] }[];
  readonly by?: readonly Field[];
  readonly ignored?: readonly IgnoredParam[];
  readonly columns?: readonly WireColumn[];
}

/// The bytes are not a frame of this format.
export class BadFrame extends Error {}

function exactValues(
  pairs: readonly (readonly [number, number | BigInteger])[] | null | undefined,
): ExactValues | null {
  return pairs ? new Map(pairs.map(([index, value]) => [index, exactText(value)])) : null;
}

/// Decodes a frame; throws `BadFrame` where the bytes are not one. `fields`: those of the request. Cost: O(series),
/// nothing a point.
export function decodeFrame(buffer: ArrayBuffer, fields: readonly Field[] = []): Frame {
  const view = new DataView(buffer);
  if (buffer.byteLength < PREFIX_BYTES || view.getUint32(0, true) !== MAGIC)
    throw new BadFrame("The answer is no AXF1 frame.");
  const headerBytes = view.getUint32(4, true);
  const xStart = PREFIX_BYTES + headerBytes;
  if (xStart > buffer.byteLength) throw new BadFrame("The frame is cut short in its header.");
  const header = parseJson(new TextDecoder().decode(new Uint8Array(buffer, PREFIX_BYTES, headerBytes))) as Header;
  const { series } = header;
  let xCount = 0;
  let yCount = 0;
  for (let i = 0; i < series.n.length; i++) {
    xCount = Math.max(xCount, series.x[i] + series.n[i]);
    yCount = Math.max(yCount, series.y[i] + series.n[i]);
  }
  const xWidth = header.x === "i4" ? 4 : 8;
  const yWidth = header.y === "f4" ? 4 : 8;
  const yStart = xStart + Math.ceil((xCount * xWidth) / 8) * 8;
  if (yStart + yCount * yWidth > buffer.byteLength) throw new BadFrame("The frame is cut short in its values.");
  const parts = series.n.map((n, i): FramePart => {
    const xAt = xStart + series.x[i] * xWidth;
    const yAt = yStart + series.y[i] * yWidth;
    return {
      run: series.run[i] < 0 ? null : header.runs[series.run[i]],
      group: series.group ? series.group[i] : -1,
      metric: header.metrics[series.metric[i]],
      part: series.part[i],
      branch: series.branch?.[i] ?? null,
      x: header.x === "i4" ? new Int32Array(buffer, xAt, n) : new Float64Array(buffer, xAt, n),
      y: header.y === "f4" ? new Float32Array(buffer, yAt, n) : new Float64Array(buffer, yAt, n),
      exact: exactValues(series.exact?.[i]),
      points: series.points[i],
      nan: series.nan[i],
      inf: series.inf[i],
      from: series.from[i],
    };
  });
  const groups = (header.groups ?? []).map((group) => ({
    key: group.key,
    runs: group.runs.map((index) => header.runs[index]),
  }));
  return {
    cursor: header.cursor,
    total: header.total,
    sent: header.sent ?? header.total,
    isWhole: header.whole === true,
    parts,
    groups,
    by: header.by ?? null,
    ignored: header.ignored ?? null,
    runs: header.runs,
    columns: header.columns ?? [],
    fields,
  };
}

function joinX(head: XArray, count: number, tail: XArray): XArray {
  const size = count + tail.length;
  const joined =
    head instanceof Int32Array && tail instanceof Int32Array ? new Int32Array(size) : new Float64Array(size);
  joined.set(head.subarray(0, count));
  joined.set(tail, count);
  return joined;
}

function joinY(head: YArray, count: number, tail: YArray): YArray {
  const size = count + tail.length;
  const joined =
    head instanceof Float32Array && tail instanceof Float32Array ? new Float32Array(size) : new Float64Array(size);
  joined.set(head.subarray(0, count));
  joined.set(tail, count);
  return joined;
}

function joinExact(head: ExactValues | null, count: number, tail: ExactValues | null): ExactValues | null {
  if (!head && !tail) return null;
  const before = [...(head ?? [])].filter(([index]) => index < count);
  const after = [...(tail ?? [])].map(([index, digits]) => [index + count, digits] as const);
  return new Map([...before, ...after]);
}

/// `old` with the tail `next` put in place of everything from `next.from` on; `next` itself if it is whole.
export function appendTail(old: FramePart, next: FramePart): FramePart {
  if (next.from === null) return next;
  let keep = old.x.length;
  while (keep > 0 && old.x[keep - 1] >= next.from) keep--;
  return {
    ...next,
    x: joinX(old.x, keep, next.x),
    y: joinY(old.y, keep, next.y),
    exact: joinExact(old.exact, keep, next.exact),
    from: null,
  };
}
