/// What the query is narrowed to by a column's head and by a chart.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line } from "../src/chart/line";
import { layoutPlot } from "../src/chart/plot";
import { rangeClause } from "../src/model/cellclauses";
import { commonest, histogramOf } from "../src/model/histogram";
import { endsOf, extremeRuns, runsClause, runsInView } from "../src/model/inview";
import type { CardLines } from "../src/model/lines";

test("a range is a clause of one end or two, for what has numbers", () => {
  assert.equal("run.hparams.lr >= 0.1", rangeClause(["param", "hparams", "lr"], 0.1, null));
  assert.equal(
    'run.metrics["loss"].min >= 0.1 and run.metrics["loss"].min <= 2',
    rangeClause(["metric", "loss", {}, "min"], 0.1, 2),
  );
  assert.equal("run.duration <= 60", rangeClause(["run", "duration"], null, 60));
  assert.equal(null, rangeClause(["run", "created_at"], 0, 1));
  assert.equal(null, rangeClause(["param", "lr"], null, null));
});

test("a histogram counts finite numbers, by their logarithms where they are far apart", () => {
  const plain = histogramOf([0, 1, 1, 2, NaN, null, "text", Infinity]);
  assert.deepEqual(
    [4, false, 0, 1, 2],
    [plain?.counts.reduce((sum, count) => sum + count, 0), plain?.isLog, plain?.at(0), plain?.at(0.5), plain?.at(1)],
  );
  const wide = histogramOf([1e-4, 1e-2, 1]);
  assert.equal(true, wide?.isLog);
  assert.ok(Math.abs((wide?.at(0.5) ?? 0) - 1e-2) < 1e-9);
  assert.equal(null, histogramOf([3, 3]));
  assert.equal(null, histogramOf(["a"]));
  assert.deepEqual([{ cell: "a", count: 2 }], commonest(["a", "b", "a"], 1));
});

function line(owner: string, y: readonly number[]): Line {
  const x = Float64Array.from(y, (_, i) => i);
  return {
    owner,
    label: owner,
    x,
    y: Float64Array.from(y),
    color: "",
    dash: [],
    faint: false,
    strong: false,
    sorted: true,
  };
}

const LINES: CardLines = {
  data: { lines: [line("a", [9, 1, 5]), line("b", [8, 2, 4]), line("c", [7, 7, 7])], bands: [] },
  ownerOf: new Map(["a", "b", "c"].map((owner) => [owner, owner])),
  groupSize: new Map(),
};

test("a zoomed chart has the runs with a point in it, and the best and worst of these", () => {
  const options = { xKind: "linear", yKind: "linear", xUnit: "number", clip: false } as const;
  const whole = layoutPlot(LINES.data, { ...options, window: null, yWindow: null }, 400, 200);
  const zoomed = layoutPlot(LINES.data, { ...options, window: [0.5, 1.5], yWindow: [0, 3] }, 400, 200);
  assert.deepEqual(["a", "b", "c"], runsInView(LINES, whole));
  assert.deepEqual(["a", "b"], runsInView(LINES, zoomed));
  assert.deepEqual(["b"], extremeRuns(LINES, whole, { count: 1, direction: -1, isBest: true }));
  assert.deepEqual(["c"], extremeRuns(LINES, whole, { count: 1, direction: -1, isBest: false }));
  assert.deepEqual(["a"], extremeRuns(LINES, zoomed, { count: 1, direction: -1, isBest: true }));
  assert.deepEqual({ direction: -1, best: "best", worst: "worst" }, endsOf("loss"));
  assert.equal("highest", endsOf("lr").best);
  assert.equal('run.hash in ["a","b"]', runsClause(["a", "b"]));
});
