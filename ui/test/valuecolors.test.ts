/// A group's colour belongs to its value: the same when runs arrive, under each query, and after a reload.

import assert from "node:assert/strict";
import { test } from "node:test";
import { arrivingRun, LR, makeRuns, MODEL, runsAnswer, TABLE_FIELDS, type GeneratedRun } from "./project";
import { coloring, dashing } from "../src/model/grouping";
import { tableOf, type RunTable } from "../src/model/table";
import { fieldMemory, runColors, ValueColors, type ColorStorage } from "../src/model/valuecolors";
import type { Cell } from "../src/model/cell";

const RUNS = makeRuns(200);
const tableFor = (runs: readonly GeneratedRun[]): RunTable => tableOf(runsAnswer(runs, TABLE_FIELDS), TABLE_FIELDS);

/// A storage as a browser has it, for some reloads.
function storage(): NonNullable<ColorStorage> {
  const items = new Map<string, string>();
  return { getItem: (key) => items.get(key) ?? null, setItem: (key, text) => void items.set(key, text) };
}

function colorsByLabel(memory: ValueColors, runs: readonly GeneratedRun[], key: string): ReadonlyMap<string, string> {
  const { groups } = coloring(tableFor(runs), key, "light", memory, "demo");
  return new Map(groups.map(({ label, color }) => [label, color]));
}

for (const [name, key] of [
  ["numbers", LR],
  ["texts", MODEL],
] as const) {
  test(`groups of ${name} keep their colours when runs arrive, when a query leaves few, and after a reload`, () => {
    const store = storage();
    const memory = new ValueColors(store);
    const first = colorsByLabel(memory, RUNS.slice(0, 60), key);
    const arrived = [...Array.from({ length: 30 }, (_, i) => arrivingRun(i)), ...RUNS];
    for (const [now, runs] of [
      [memory, arrived],
      [memory, RUNS.slice(40, 50)],
      [new ValueColors(store), arrived],
    ] as const)
      for (const [label, color] of colorsByLabel(now, runs, key))
        if (first.has(label)) assert.equal(color, first.get(label), label);
    assert.equal(first.size, new Set(first.values()).size, "no two share a colour");
  });
}

test("a number that comes later lies between its neighbours on the ramp, or beyond the last one", () => {
  const memory = new ValueColors(null);
  const reds = (values: readonly Cell[], asked: readonly Cell[]): readonly number[] => {
    const colorOf = memory.of("demo lr", values, "light");
    return asked.map((value) => Number(/\d+, (\d+)/.exec(colorOf(value))?.[1]));
  };
  const [low, high] = reds([1, 2], [1, 2]);
  const greens = reds([0, 1, 1.5, 2, 3, 4], [0, 1, 1.5, 2, 3, 4]);
  assert.deepEqual([low, high], [greens[1], greens[3]]);
  assert.deepEqual(
    [...greens].sort((a, b) => a - b),
    greens,
    "green grows along the ramp",
  );
  assert.equal(greens.length, new Set(greens).size);
});

test("missing and NaN are grey, infinities are at the ends, and large integers among the numbers", () => {
  const colorOf = new ValueColors(null).of("demo x", [1, 2, NaN, null, { $int: "9223372036854775807" }], "light");
  assert.equal(colorOf(null), colorOf(NaN));
  assert.notEqual(colorOf(null), colorOf(1));
  assert.equal(3, new Set([1, 2, { $int: "9223372036854775807" }].map(colorOf)).size);
  assert.equal(6, new Set([-Infinity, 1, 2, Infinity, null, { $int: "9223372036854775807" }].map(colorOf)).size);
});

test("a text among numbers has a colour of the palette, and changes no number's", () => {
  const memory = new ValueColors(null);
  const before = memory.of("demo clip", [0.1, 0.5, 1], "dark");
  const colors = [0.1, 0.5, 1].map(before);
  const after = memory.of("demo clip", [0.1, 0.5, 1, "auto"], "dark");
  assert.deepEqual(colors, [0.1, 0.5, 1].map(after));
  assert.match(after("auto"), /^#/);
});

test("ten thousand values are coloured by the value alone", () => {
  const memory = new ValueColors(storage());
  const values = Array.from({ length: 10_000 }, (_, i) => i / 7);
  const colorOf = memory.of("demo x", values, "light");
  const names = values.map((value) => `run ${value}`);
  const nameOf = memory.of("demo name", names, "light");
  const [colors, nameColors] = [values.map(colorOf), names.map(nameOf)];
  assert.deepEqual(colors, values.map(memory.of("demo x", [...values, -5, 99_999], "light")));
  assert.deepEqual(nameColors, names.map(memory.of("demo name", ["new", ...names], "light")));
  assert.ok(new Set(colors).size > 200, "the ramp is used as a whole");
});

test("runs that are averaged keep their group's colour when a run joins, and under a query", () => {
  const store = storage();
  const memory = new ValueColors(store);
  const groups = Array.from({ length: 8 }, (_, g) => Array.from({ length: 5 }, (_, i) => `g${g} r${i}`));
  const first = memory.ofGroups("demo seeds", groups, "light");
  assert.equal(8, new Set(first.values()).size);
  const grown = groups.map((runs, g) => [`g${g} new`, ...runs]);
  const reloaded = new ValueColors(store);
  for (const [now, list] of [
    [memory, grown],
    [memory, grown.slice(3, 5)],
    [reloaded, [...grown, ["another"]]],
  ] as const)
    for (const runs of list) {
      const colors = now.ofGroups("demo seeds", list, "light");
      for (const hash of runs) assert.equal(colors.get(runs[0]), colors.get(hash), hash);
      for (const hash of runs.filter((each) => first.has(each))) assert.equal(first.get(hash), colors.get(hash));
    }
});

test("two tabs that meet new values do not forget each other's", () => {
  const store = storage();
  const [one, other] = [new ValueColors(store), new ValueColors(store)];
  const a = one.of("demo model", ["a"], "light")("a");
  const b = other.of("demo model", ["b"], "light")("b");
  const both = new ValueColors(store).of("demo model", ["a", "b"], "light");
  assert.deepEqual([a, b], [both("a"), both("b")]);
});

test("a browser that stores nothing, or something else, has colours all the same", () => {
  const full: ColorStorage = {
    getItem: () => "{broken",
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  };
  const memory = new ValueColors(full);
  assert.equal(2, new Set(["a", "b"].map(memory.of("demo model", ["a", "b"], "light"))).size);
});

test("dashes stay with their values too", () => {
  const memory = new ValueColors(null);
  const before = dashing(tableFor(RUNS.slice(100, 110)), MODEL, memory, "demo");
  const after = dashing(tableFor(RUNS), MODEL, memory, "demo");
  for (const { hash } of RUNS.slice(100, 110)) assert.deepEqual(before(hash), after(hash));
});

test("a colour that the reader gives to a value, a run or a name stays, and is taken back", () => {
  const store = storage();
  const memory = new ValueColors(store);
  const table = tableFor(RUNS.slice(0, 6));
  const [hash] = table.hashes;
  const before = coloring(table, "", "light", memory, "demo").colorOf(hash);
  const name = RUNS[0].name;
  memory.choose(runColors("demo", "name"), name, "#123456");
  const reloaded = new ValueColors(store);
  assert.equal("#123456", coloring(table, "", "light", reloaded, "demo").colorOf(RUNS[0].hash));
  reloaded.choose(runColors("demo", "run"), RUNS[0].hash, "#654321");
  assert.equal("#654321", coloring(table, "", "dark", reloaded, "demo").colorOf(RUNS[0].hash), "a run before its name");
  reloaded.choose(runColors("demo", "run"), RUNS[0].hash, null);
  reloaded.choose(runColors("demo", "name"), name, null);
  assert.equal(before, coloring(table, "", "light", reloaded, "demo").colorOf(hash));

  const field = fieldMemory("demo", MODEL);
  const [group] = coloring(table, MODEL, "light", reloaded, "demo").groups;
  reloaded.choose(field, group.value, "#abcdef");
  assert.equal("#abcdef", coloring(table, MODEL, "light", reloaded, "demo").colorOf(group.hashes[0]));
  assert.notEqual("#abcdef", coloring(table, MODEL, "light", reloaded, "other").colorOf(group.hashes[0]));
});
