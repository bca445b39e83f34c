/// Frames as the server sends them (docs/formats/wire.md, section 5), made by a second implementation of the format.

import { exactText } from "../src/wire/json";
import type { Field, Json, SequenceKey } from "../src/wire/types";

/// One part of a series.
export interface GivenPart {
  readonly run: string | null;
  readonly metric: SequenceKey;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly part?: "line" | "smooth" | "low" | "high";
  readonly group?: number;
  readonly branch?: number | null;
  readonly points?: number;
  readonly from?: number | null;
  /// The digits of large integers, by the index of the point.
  readonly exact?: readonly (readonly [number, string])[];
}

/// What stands beside the parts.
export interface GivenFrame {
  readonly cursor?: string;
  readonly total?: number;
  readonly sent?: number;
  readonly whole?: boolean;
  readonly x?: "i4" | "f8";
  readonly y?: "f4" | "f8";
  readonly by?: readonly Field[];
  readonly groups?: readonly { readonly key: readonly Json[]; readonly runs: readonly string[] }[];
}

function indexIn<T>(list: T[], value: T, isSame: (a: T, b: T) => boolean): number {
  const index = list.findIndex((other) => isSame(other, value));
  return index >= 0 ? index : list.push(value) - 1;
}

/// The bytes of a frame.
export function encodeFrame(parts: readonly GivenPart[], given: GivenFrame = {}): ArrayBuffer {
  const { x: xType = "i4", y: yType = "f4" } = given;
  const runs: string[] = [];
  const metrics: SequenceKey[] = [];
  const sameText = (a: string, b: string): boolean => a === b;
  const sameKey = (a: SequenceKey, b: SequenceKey): boolean => JSON.stringify(a) === JSON.stringify(b);
  const groups = given.groups?.map(({ key, runs: hashes }) => ({
    key,
    runs: hashes.map((hash) => indexIn(runs, hash, sameText)),
  }));
  let offset = 0;
  const offsets = parts.map(({ x }) => (offset += x.length) - x.length);
  const header = {
    cursor: given.cursor ?? "1",
    total: given.total ?? parts.length,
    ...(given.sent === undefined ? {} : { sent: given.sent }),
    ...(given.whole === undefined ? {} : { whole: given.whole }),
    x: xType,
    y: yType,
    series: {
      run: parts.map(({ run }) => (run === null ? -1 : indexIn(runs, run, sameText))),
      ...(groups ? { group: parts.map(({ group = -1 }) => group) } : {}),
      metric: parts.map(({ metric }) => indexIn(metrics, metric, sameKey)),
      part: parts.map(({ part = "line" }) => part),
      branch: parts.map(({ branch = null }) => branch),
      x: offsets,
      y: offsets,
      n: parts.map(({ x }) => x.length),
      points: parts.map(({ points, x }) => points ?? x.length),
      nan: parts.map(({ y }) => y.filter(Number.isNaN).length),
      inf: parts.map(({ y }) => y.filter((value) => Math.abs(value) === Infinity).length),
      from: parts.map(({ from = null }) => from),
      ...(parts.some(({ exact }) => exact)
        ? { exact: parts.map(({ exact }) => exact?.map(([index, digits]) => [index, { $int: digits }]) ?? null) }
        : {}),
    },
    ...(groups ? { groups } : {}),
    ...(given.by ? { by: given.by } : {}),
    runs,
    metrics,
  };
  const text = new TextEncoder().encode(exactText(header));
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const xWidth = xType === "i4" ? 4 : 8;
  const yWidth = yType === "f4" ? 4 : 8;
  const xBytes = Math.ceil((offset * xWidth) / 8) * 8;
  const buffer = new ArrayBuffer(8 + headerBytes + xBytes + offset * yWidth);
  const view = new DataView(buffer);
  view.setUint32(0, 0x31465841, true);
  view.setUint32(4, headerBytes, true);
  const bytes = new Uint8Array(buffer);
  bytes.fill(32, 8, 8 + headerBytes);
  bytes.set(text, 8);
  let at = 0;
  for (const { x, y } of parts) {
    x.forEach((value, i) => {
      const xAt = 8 + headerBytes + (at + i) * xWidth;
      if (xType === "i4") view.setInt32(xAt, value, true);
      else view.setFloat64(xAt, value, true);
      const yAt = 8 + headerBytes + xBytes + (at + i) * yWidth;
      if (yType === "f4") view.setFloat32(yAt, y[i], true);
      else view.setFloat64(yAt, y[i], true);
    });
    at += x.length;
  }
  return buffer;
}
