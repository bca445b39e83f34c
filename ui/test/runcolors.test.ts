/// Colours of runs: few share none, many share evenly, and nobody's changes when another run begins.

import assert from "node:assert/strict";
import { test } from "node:test";
import { coloring } from "../src/model/grouping";
import { ownColor, spread } from "../src/model/runcolors";
import { tableOf } from "../src/model/table";
import { ValueColors } from "../src/model/valuecolors";

const COLORS = 20;
const hashes = Array.from({ length: 90 }, (_, i) => `run-${i}`);
const usage = (places: ReadonlyMap<string, number>): number[] =>
  Array.from({ length: COLORS }, (_, color) => [...places.values()].filter((place) => place === color).length);

test("up to twenty runs share no colour, and more share evenly", () => {
  for (let count = 1; count <= hashes.length; count++) {
    const used = usage(spread(hashes.slice(0, count), COLORS, new Map()));
    assert.ok(Math.max(...used) <= Math.ceil(count / COLORS), `${count}: ${used.join(" ")}`);
  }
});

test("a run that begins later changes no other's colour", () => {
  for (let count = 1; count < hashes.length; count++) {
    const [before, after] = [count, count + 1].map((end) => spread(hashes.slice(0, end), COLORS, new Map()));
    assert.deepEqual([...before], [...after].slice(0, count));
  }
});

test("a choice of runs keeps its colours unless that crowds it, and all have theirs again afterwards", () => {
  const keep = new Map<string, number>();
  const all = spread(hashes, COLORS, keep);
  const alike = hashes.filter((hash) => all.get(hash) === 0);
  const chosen = spread(
    [...alike, ...hashes.filter((hash) => (all.get(hash) ?? 0) > 0)].slice(0, COLORS),
    COLORS,
    keep,
  );
  assert.equal(0, chosen.get(alike[0]));
  assert.deepEqual(new Array<number>(COLORS).fill(1), usage(chosen));
  assert.deepEqual(
    [...all],
    [...spread(hashes, COLORS, keep)].sort(([a], [b]) => hashes.indexOf(a) - hashes.indexOf(b)),
  );
});

test("a run looks the same by itself as it did beside others", () => {
  const hash = ["x1", "x2", "x3", "x4", "x5"];
  const answer = {
    cursor: "1",
    elapsed_ms: 1,
    total: 5,
    count: 5,
    hash,
    columns: [{ type: "number" as const, values: [5, 4, 3, 2, 1] }],
  };
  const { colorOf } = coloring(tableOf(answer, [["run", "created_at"]]), "", "dark", new ValueColors(null), "demo");
  assert.equal(5, new Set(hash.map(colorOf)).size);
  assert.deepEqual(
    hash.map(colorOf),
    hash.map((each) => ownColor(each, "dark")),
  );
});
