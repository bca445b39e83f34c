/// The curves that a request asks for, as a frame of docs/formats/wire.md, section 5.

import type { ArchivedAnswers, IndexedInteger } from "./blocks";
import { ordered, reducedIndices, windowOf, type ArchivedCurve, type ArchivedLine } from "./curves";
import { smoothedValues } from "./smoothing";
import { groupLine } from "./groups";
import { cellOf, type RunColumnsOfFile } from "./tables";
import { exactText } from "../wire/json";
import type { Aggregate, Field, Json, SequenceKey, SeriesRequest } from "../wire/types";

const MAGIC = 0x31465841;
const PREFIX_BYTES = 8;
const SYSTEM_PREFIX = "__system__";
const LIMIT = 5000;

interface Piece {
  readonly run: number;
  readonly group: number;
  readonly metric: number;
  readonly part: string;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly counts: readonly [number, number, number];
  readonly exact: readonly IndexedInteger[];
}

/// A context as one text, whatever the order of its keys.
export function contextText(context: SequenceKey["context"]): string {
  return JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/// Whether a sequence is one of `keys`; null: all, but those of the machine.
export function isAskedFor(
  key: SequenceKey,
  keys: readonly { readonly name: string; readonly context?: SequenceKey["context"] }[] | null | undefined,
): boolean {
  if (!keys) return !key.name.startsWith(SYSTEM_PREFIX);
  return keys.some(
    ({ name, context }) => name === key.name && (!context || contextText(context) === contextText(key.context)),
  );
}

function picked(values: Float64Array, indices: readonly number[]): Float64Array {
  const chosen = new Float64Array(indices.length);
  for (let i = 0; i < indices.length; i++) chosen[i] = values[indices[i]];
  return chosen;
}

/// Of the points of a line at `indices` those that are integers beyond 2^53, by their index there.
function exactOf(curve: ArchivedCurve, line: ArchivedLine, indices: readonly number[]): IndexedInteger[] {
  if (curve.integers.size === 0) return [];
  return indices.flatMap((index, i): IndexedInteger[] => {
    const value = curve.integers.get(line.indices ? line.indices[index] : index);
    return value === undefined ? [] : [[i, value]];
  });
}

/// How many values there are from `start` to `stop`, how many of them NaN, and infinite.
function countsOf(y: Float64Array, start: number, stop: number): readonly [number, number, number] {
  let nan = 0;
  let infinite = 0;
  for (let i = start; i < stop; i++) {
    if (y[i] !== y[i]) nan++;
    else if (y[i] === Infinity || y[i] === -Infinity) infinite++;
  }
  return [stop - start, nan, infinite];
}

/// The curves of a page in one file, and what answers requests about them.
export class CurveAnswers {
  private readonly rankOfRun: ReadonlyMap<string, number>;
  private readonly hashes: readonly string[];

  constructor(
    private readonly answers: ArchivedAnswers,
    private readonly curves: readonly ArchivedCurve[],
    private readonly columns: RunColumnsOfFile,
  ) {
    this.rankOfRun = new Map(answers.runs.hash.map((hash, rank) => [hash, rank]));
    this.hashes = Object.keys(answers.pages);
  }

  /// The frame for a request.
  frame(request: SeriesRequest): ArrayBuffer {
    const { metrics } = this.answers.curves;
    const only = request.runs ? new Set(request.runs) : null;
    const isAsked = metrics.map((key) => isAskedFor(key, request.metrics));
    const chosen = this.curves.filter(({ run, metric }) => isAsked[metric] && (!only || only.has(this.hashes[run])));
    chosen.sort((a, b) => this.rank(a) - this.rank(b) || a.metric - b.metric);
    const sent = chosen.slice(0, request.limit ?? LIMIT);
    const lines = sent.map((curve) => this.line(curve, request));
    const header: Record<string, Json> = { cursor: "file", total: chosen.length };
    if (sent.length < chosen.length) header.sent = sent.length;
    const pieces = request.aggregate
      ? this.groupPieces(sent, lines, request, request.aggregate, header)
      : sent.flatMap((curve, i) => this.linePieces(curve, lines[i], request));
    return frameOf({ ...header, runs: this.hashes, metrics: metrics as readonly Json[] & typeof metrics }, pieces);
  }

  private rank({ run }: ArchivedCurve): number {
    return this.rankOfRun.get(this.hashes[run]) ?? Infinity;
  }

  /// A curve over the x of a request, points without such an x left out.
  private line(curve: ArchivedCurve, { x: axis }: SeriesRequest): ArchivedLine {
    const { steps, times, epochs, values } = curve;
    if (axis === "step") return ordered(steps, values);
    if (axis === "epoch") return ordered(epochs ?? new Float64Array(steps.length).fill(NaN), values);
    if (axis === "relative") return ordered(times, values);
    if (axis === "time") {
      const created = this.answers.pages[this.hashes[curve.run]].created_at;
      return ordered(
        times.map((time) => time + created),
        values,
      );
    }
    const own = this.answers.curves.metrics[curve.metric];
    const wished = { name: axis.name, context: axis.context ?? own.context };
    const other = this.curves.find(
      ({ run, metric }) => run === curve.run && isAskedFor(this.answers.curves.metrics[metric], [wished]),
    );
    const valueAt = new Map<number, number>();
    other?.steps.forEach((step, i) => valueAt.set(step, other.values[i]));
    return ordered(
      steps.map((step) => valueAt.get(step) ?? NaN),
      values,
    );
  }

  private linePieces(curve: ArchivedCurve, line: ArchivedLine, request: SeriesRequest): Piece[] {
    if (line.x.length === 0) return [];
    const [start, stop] = windowOf(line.x, request.window);
    const counts = request.window ? countsOf(line.y, start, stop) : ([curve.points, curve.nan, curve.inf] as const);
    const indices = reducedIndices(line, start, stop, request.buckets);
    const x = picked(line.x, indices);
    const piece = (part: string, y: Float64Array): Piece => ({
      run: curve.run,
      group: -1,
      metric: curve.metric,
      part,
      x,
      y: picked(y, indices),
      counts,
      exact: part === "line" ? exactOf(curve, line, indices) : [],
    });
    const pieces = [piece("line", line.y)];
    if (request.smooth) pieces.push(piece("smooth", smoothedValues(line.x, line.y, request)));
    return pieces;
  }

  private groupPieces(
    curves: readonly ArchivedCurve[],
    lines: readonly ArchivedLine[],
    request: SeriesRequest,
    aggregate: Aggregate,
    header: Record<string, Json>,
  ): Piece[] {
    const by = this.groupFields(aggregate, header);
    const groups = new Map<string, { readonly key: readonly Json[]; readonly runs: Set<number> }>();
    const members = new Map<
      string,
      { readonly group: number; readonly metric: number; readonly lines: ArchivedLine[] }
    >();
    curves.forEach((curve, i) => {
      const row = this.rank(curve);
      const key = by.map((field) => cellOf(this.columns.column(field), row));
      const text = JSON.stringify(key);
      if (!groups.has(text)) groups.set(text, { key, runs: new Set() });
      groups.get(text)?.runs.add(curve.run);
      const group = [...groups.keys()].indexOf(text);
      const name = `${group} ${curve.metric}`;
      if (!members.has(name)) members.set(name, { group, metric: curve.metric, lines: [] });
      const [start, stop] = windowOf(lines[i].x, request.window);
      const y = request.smooth ? smoothedValues(lines[i].x, lines[i].y, request) : lines[i].y;
      members.get(name)?.lines.push({ x: lines[i].x.subarray(start, stop), y: y.subarray(start, stop) });
    });
    header.groups = [...groups.values()].map(({ key, runs }) => ({ key, runs: [...runs] }));
    return [...members.values()].flatMap(({ group, metric, lines: own }) => {
      const { x, y, low, high } = groupLine(own, request.buckets, aggregate.value, aggregate.band);
      const piece = (part: string, values: Float64Array): Piece => ({
        run: -1,
        group,
        metric,
        part,
        x,
        y: values,
        counts: [x.length, 0, 0],
        exact: [],
      });
      if (x.length === 0) return [];
      return [piece("line", y), ...(low && high ? [piece("low", low), piece("high", high)] : [])];
    });
  }

  /// The fields that groups are made by. Of equal params: those that differ, but for the ignored ones and seeds.
  private groupFields({ by }: Aggregate, header: Record<string, Json>): readonly Field[] {
    if (!("equal" in by)) return by;
    const paths = this.answers.fields.params.filter(({ distinct, runs }) => distinct > 1 || runs < this.hashes.length);
    const isIgnored = (path: readonly (string | number)[]): boolean =>
      by.ignored
        ? by.ignored.some((other) => JSON.stringify(other) === JSON.stringify(path))
        : path.some((key) => /(^|_)seed($|_)/i.test(String(key)));
    const fields = paths.filter(({ path }) => !isIgnored(path)).map(({ path }): Field => ["param", ...path]);
    header.by = fields as readonly Json[] & typeof fields;
    header.ignored = paths
      .filter(({ path }) => isIgnored(path))
      .map(({ path }) => ({ path, why: by.ignored ? "chosen" : "seed" }));
    return fields;
  }
}

/// The bytes of a frame.
export function frameOf(header: Record<string, Json>, pieces: readonly Piece[]): ArrayBuffer {
  const starts: number[] = [];
  let count = 0;
  for (const { x } of pieces) {
    starts.push(count);
    count += x.length;
  }
  const hasGroups = "groups" in header;
  const series: Record<string, Json> = {
    run: pieces.map(({ run }) => run),
    ...(hasGroups ? { group: pieces.map(({ group }) => group) } : {}),
    metric: pieces.map(({ metric }) => metric),
    part: pieces.map(({ part }) => part),
    x: starts,
    y: starts,
    n: pieces.map(({ x }) => x.length),
    points: pieces.map(({ counts }) => counts[0]),
    nan: pieces.map(({ counts }) => counts[1]),
    inf: pieces.map(({ counts }) => counts[2]),
    from: pieces.map(() => null),
    ...(pieces.some(({ exact }) => exact.length > 0)
      ? { exact: pieces.map(({ exact }) => (exact.length > 0 ? (exact as readonly Json[] & typeof exact) : null)) }
      : {}),
  };
  const text = new TextEncoder().encode(exactText({ ...header, x: "f8", y: "f8", series }));
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const buffer = new ArrayBuffer(PREFIX_BYTES + headerBytes + count * 16);
  new DataView(buffer).setUint32(0, MAGIC, true);
  new DataView(buffer).setUint32(4, headerBytes, true);
  const head = new Uint8Array(buffer, PREFIX_BYTES, headerBytes);
  head.fill(32);
  head.set(text);
  const xs = new Float64Array(buffer, PREFIX_BYTES + headerBytes, count);
  const ys = new Float64Array(buffer, PREFIX_BYTES + headerBytes + count * 8, count);
  pieces.forEach(({ x, y }, i) => {
    xs.set(x, starts[i]);
    ys.set(y, starts[i]);
  });
  return buffer;
}
