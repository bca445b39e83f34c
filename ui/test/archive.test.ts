/// The answers of a page in one file, against what the server answers to the same requests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FileAnswers } from "../src/archive/answers";
import type { ArchivedAnswers } from "../src/archive/blocks";
import { columnOf, reducedIndices, windowOf } from "../src/archive/curves";
import { groupLine } from "../src/archive/groups";
import { smoothedValues } from "../src/archive/smoothing";
import { decodeFrame } from "../src/wire/frame";
import type { RunsAnswer, SeriesRequest } from "../src/wire/types";

const LOSS = { name: "loss", context: { subset: "val" } };
const SYSTEM = { name: "__system__cpu", context: {} };

/// A column as the exporter writes it: all first bytes, then all second ones.
function ranked(arrays: readonly (Int32Array | Float64Array)[]): Uint8Array {
  const parts = arrays.map((array) => {
    const bytes = new Uint8Array(array.buffer);
    const width = array.BYTES_PER_ELEMENT;
    return bytes.map((_, i) => bytes[(i % array.length) * width + Math.floor(i / array.length)]);
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/// Two runs, the newest first: `b` with loss at steps 0 … 3, `a` at steps 0 and 2; both have cpu. `curves`: more of the
/// table of curves.
function file(curves: object = {}): FileAnswers {
  const steps = Int32Array.from([0, 1, 1, 1, 0, 2]); // differences: 0 1 2 3, and 0 2
  const times = Int32Array.from([1000, 1000, 1000, 1000, 500, 500]);
  const values = Float64Array.from([4, 3, NaN, 1, 10, 6, 50, 60]);
  const blocks = ranked([steps, times, values]);
  const run = (hash: string, created_at: number): object => ({ hash, created_at });
  const answers = {
    format: 1,
    info: { repos: [] },
    written_at: 1,
    query: "q",
    is_whole: true,
    left_out: [],
    fields: {
      params: [
        { path: ["lr"], distinct: 2, runs: 2 },
        { path: ["seed"], distinct: 2, runs: 2 },
      ],
    },
    runs: {
      hash: ["b", "a"],
      fields: [
        ["param", "lr"],
        ["run", "name"],
        ["param", "seed"],
      ],
      columns: [
        { type: "number", values: [0.1, "NaN"] },
        { type: "string", values: ["one", "two"], codes: [1, 0] },
        { type: "number", values: [1, 2] },
      ],
    },
    pages: { a: run("a", 100), b: run("b", 200) },
    logs: { a: { x: { from: 2, total: 5, lines: ["two", "three", "four"] } } },
    records: { a: [{ level: "INFO" }, { level: "ERROR" }] },
    alerts: [],
    objects: {
      texts: {
        runs: ["a"],
        sequences: [{ ...LOSS, run: 0, kind: "aim.text", count: 3, steps: [0, 1, 2], index_count: 1 }],
        items: [0, 1, 2].map((step) => ({ sequence: 0, step, index: 0, text: `t${step}` })),
      },
    },
    tables: {},
    media: {},
    curves: {
      metrics: [LOSS, SYSTEM],
      run: [1, 0, 0],
      metric: [0, 0, 1],
      n: [4, 2, 2],
      points: [4, 2, 2],
      nan: [1, 0, 0],
      inf: [0, 0, 0],
      steps_of: [0, 1, 1],
      times_of: [0, 1, 1],
      epochs_of: [-1, -1, -1],
      ...curves,
      time_unit_s: 1e-3,
      columns: {
        steps: { type: "i4", at: 0, count: 6, lengths: [4, 2] },
        times: { type: "i4", at: 24, count: 6, lengths: [4, 2] },
        epochs: { type: "f8", at: 48, count: 0, lengths: [] },
        values: { type: "f8", at: 48, count: 8, lengths: [4, 2, 2] },
      },
    },
  };
  return FileAnswers.of(answers as object as ArchivedAnswers, blocks);
}

function ask(path: string, body?: object): { readonly status: number; readonly json: unknown } {
  const answer = file().answer(body ? "POST" : "GET", `repos/demo/${path}`, body);
  assert.ok("json" in answer);
  return { status: answer.status ?? 200, json: answer.json };
}

function series(request: Partial<SeriesRequest>): ReturnType<typeof decodeFrame> {
  const body = { query: "", metrics: null, x: "step", buckets: 100, ...request };
  const answer = file().answer("POST", "repos/demo/series", body);
  assert.ok("bytes" in answer);
  return decodeFrame(answer.bytes);
}

const points = ({ x, y }: { x: Iterable<number>; y: Iterable<number> }): object => ({ x: [...x], y: [...y] });

test("a column is put together from its bytes", () => {
  const numbers = Float64Array.from([0.1, -2, Infinity]);
  const place = { type: "f8", at: 0, count: 3, lengths: [3] } as const;
  assert.deepEqual([...numbers], [...columnOf(ranked([numbers]), place)]);
});

test("curves come by step, newest run first, without metrics of the machine", () => {
  const { parts, total } = series({});
  assert.equal(2, total);
  assert.deepEqual(
    ["b", "a"],
    parts.map(({ run }) => run),
  );
  assert.deepEqual({ x: [0, 1, 2, 3], y: [4, 3, NaN, 1] }, points(parts[0]));
  assert.deepEqual([4, 1], [parts[0].points, parts[0].nan]);
});

test("large integers keep their digits over each axis, in a window, and not when they are smoothed", () => {
  const integers = [null, [[1, { $int: "1152921504606846977" }]], null];
  const exact = (request: Partial<SeriesRequest>): unknown[] => {
    const body = { query: "", metrics: [LOSS], runs: ["a"], buckets: 100, x: "step" as const, ...request };
    const answer = file({ integers }).answer("POST", "repos/demo/series", body);
    assert.ok("bytes" in answer);
    return decodeFrame(answer.bytes).parts.map((part) => part.exact && [...part.exact]);
  };
  assert.deepEqual([[[1, "1152921504606846977"]]], exact({}));
  assert.deepEqual([[[1, "1152921504606846977"]], null], exact({ smooth: 0.5 }));
  assert.deepEqual([null], exact({ window: [-1, -0.5] }));
  assert.deepEqual([[[1, "1152921504606846977"]]], exact({ x: { name: SYSTEM.name, context: {} } }));
});

test("curves come over time, relative time, and another metric", () => {
  assert.deepEqual([201, 202, 203, 204], [...series({ x: "time" }).parts[0].x]);
  assert.deepEqual([0.5, 1], [...series({ x: "relative", runs: ["a"] }).parts[0].x]);
  const { parts } = series({ x: { name: SYSTEM.name, context: {} }, runs: ["a"] });
  assert.deepEqual({ x: [50, 60], y: [10, 6] }, points(parts[0]));
  assert.equal(0, series({ x: "epoch" }).parts.length);
});

test("a window has the point on each side of it, and counts what is inside", () => {
  assert.deepEqual([0, 1, 2], [...series({ window: [1, 1.5], runs: ["b"] }).parts[0].x]);
  assert.deepEqual([1, 3], windowOf(Float64Array.from([0, 1, 2, 3]), [1.5, 1.8]));
});

test("smoothing is the debiased mean, which skips what is not finite", () => {
  const x = Float64Array.of(0, 1, 2);
  assert.deepEqual([1, 1, 7 / 3], [...smoothedValues(x, Float64Array.of(1, NaN, 3), { smooth: 0.5 })]);
  assert.deepEqual(
    ["line", "smooth"],
    series({ smooth: 0.5, runs: ["b"] }).parts.map(({ part }) => part),
  );
});

test("each kind of smoothing has the values that numpy has", () => {
  const x = Float64Array.of(0, 1, 2, 10, 11);
  const y = Float64Array.of(1, 2, NaN, 4, 8);
  // numpy: see tests/engine/test_smoothing.py, of the same points without the NaN
  const expected = {
    ema: [1, 1.6666666666666667, 1.6666666666666667, 3, 5.666666666666667],
    "time-ema": [1, 1.2938745183236915, 1.2938745183236915, 3.687002503096535, 4.479428820650288],
    mean: [1.5, 2.333333333333333, 2.333333333333333, 4.666666666666667, 6],
    gaussian: [1.6219709481465459, 2.6040471858647765, 2.6040471858647765, 4.343662339146906, 6.108417160254804],
  } as const;
  for (const [kind, values] of Object.entries(expected)) {
    const smooth = kind === "mean" ? 3 : kind === "gaussian" ? 1 : 0.5;
    const means = smoothedValues(x, y, { smooth, smooth_kind: kind as keyof typeof expected });
    values.forEach((value, i) => assert.ok(Math.abs(value - means[i]) < 1e-12, `${kind} ${i} ${value} ${means[i]}`));
  }
});

test("a reduced curve has the least and the greatest value, and the first NaN", () => {
  const y = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i / 50));
  y[333] = -9;
  y[700] = 9;
  y[500] = NaN;
  const line = { x: Float64Array.from(y.keys()), y };
  const indices = reducedIndices(line, 0, 1000, 10);
  assert.ok([0, 333, 500, 700, 999].every((index) => indices.includes(index)));
  assert.ok(indices.length <= 50);
});

test("groups have the middle and the band of their members", () => {
  const members = [
    { x: Float64Array.of(0, 1), y: Float64Array.of(1, 2) },
    { x: Float64Array.of(0, 1), y: Float64Array.of(3, 6) },
  ];
  const { y, low, high } = groupLine(members, 10, "mean", "minmax");
  assert.deepEqual(
    [
      [2, 4],
      [1, 2],
      [3, 6],
    ],
    [[...y], [...(low ?? [])], [...(high ?? [])]],
  );
});

test("runs are grouped by a field, and by equal params without seeds", () => {
  const by = series({ aggregate: { by: [["run", "name"]], value: "mean", band: "none" } });
  assert.deepEqual(
    [["two"], ["one"]],
    by.groups.map(({ key }) => key),
  );
  const equal = series({ aggregate: { by: { equal: "params", ignored: null }, value: "mean", band: "none" } });
  assert.deepEqual(
    [[0.1], ["NaN"]],
    equal.groups.map(({ key }) => key),
  );
  assert.deepEqual([{ path: ["seed"], why: "seed" }], equal.ignored);
});

test("runs are sorted and narrowed; NaN comes last in both directions", () => {
  const request = (descending: boolean): object => ({
    query: "",
    fields: [["run", "name"]],
    sort: [{ field: ["param", "lr"], descending }],
    limit: 10,
  });
  for (const descending of [true, false])
    assert.deepEqual(["b", "a"], (ask("runs", request(descending)).json as RunsAnswer).hash);
  const only = ask("runs", {
    query: "",
    fields: [
      ["run", "name"],
      ["param", "x"],
    ],
    limit: 1,
    runs: ["a"],
  });
  assert.deepEqual(
    [
      { type: "string", values: ["one", "two"], codes: [0] },
      { type: "json", values: [null] },
    ],
    (only.json as RunsAnswer).columns,
  );
});

test("queries and changes are refused, in words", () => {
  assert.equal(400, ask("runs", { query: "run.x", fields: [], limit: 1 }).status);
  assert.equal(403, ask("edits", { runs: ["a"], change: {} }).status);
  assert.equal(404, ask("runs/c").status);
});

test("lines of a log count from its begin, those before the archived ones are empty", () => {
  assert.deepEqual({ from: 1, total: 5, lines: ["", "two"] }, ask("runs/a/log?log=x&from=1&limit=2").json);
  assert.deepEqual({ from: 3, total: 5, lines: ["three", "four"] }, ask("runs/a/log?log=x&from=-2&limit=9").json);
  assert.deepEqual({ total: 5, matches: [3] }, ask("runs/a/log?find=THREE").json);
  assert.deepEqual({ from: 0, total: 1, records: [{ level: "ERROR" }] }, ask("runs/a/records?level=WARNING").json);
});

test("objects come at a step and spread over all", () => {
  const at = (steps: object): unknown =>
    (ask("objects", { query: "", type: "texts", steps }).json as { items: { step: number }[] }).items.map(
      ({ step }) => step,
    );
  assert.deepEqual([1], at({ at: 1 }));
  assert.deepEqual([2], at({ at: null }));
  assert.deepEqual([0, 2], at({ from: null, to: null, count: 2 }));
});
