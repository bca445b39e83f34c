/// What people write at a step: which cards show it, and where its text stands.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line } from "../src/chart/line";
import { placedNotes } from "../src/chart/notes";
import { layoutPlot, PLAIN_OPTIONS } from "../src/chart/plot";
import { plotToSvg } from "../src/chart/svg";
import { annotationsFor, annotationsOf } from "../src/model/annotations";
import type { StoredDocument } from "../src/wire/types";

const stored = (
  id: string,
  body: StoredDocument["body"],
  kind: StoredDocument["kind"] = "annotation",
): StoredDocument => ({
  kind,
  id,
  revision: "1",
  updated_at: 0,
  body,
});
const LOSS = { name: "loss", context: { subset: "val" } };

test("a card shows what is written about its metric and about all, in the order of steps", () => {
  const list = annotationsOf([
    stored("b", { step: 50, text: "restart", metric: null }),
    stored("a", { step: 7, text: "lr dropped here", metric: 'loss{"subset":"val"}' }),
    stored("c", { step: "x", text: "no step" }),
    stored("d", { step: 1, text: "a view" }, "view"),
  ]);
  assert.deepEqual(
    ["a", "b"],
    list.map(({ id }) => id),
  );
  assert.deepEqual(
    ["a", "b"],
    annotationsFor(list, [LOSS]).map(({ id }) => id),
  );
  assert.deepEqual(
    ["b"],
    annotationsFor(list, [{ name: "acc", context: {} }]).map(({ id }) => id),
  );
  assert.deepEqual([], annotationsOf(null));
});

test("texts that stand close together are in other rows, and one at the end is left of its line", () => {
  const look = { owner: "a", label: "a", color: "#f00", dash: [], faint: false, strong: false, sorted: true };
  const line: Line = { ...look, x: Float64Array.of(0, 100), y: Float64Array.of(0, 1) };
  const notes = [
    { x: 10, text: "lr dropped here" },
    { x: 12, text: "<restart>" },
    { x: 99, text: "the end of it all" },
    { x: 500, text: "far away" },
  ];
  const options = PLAIN_OPTIONS;
  const plot = layoutPlot({ lines: [line], bands: [] }, { ...options, notes }, 400, 200);
  const placed = placedNotes(plot);
  assert.deepEqual(
    [false, false, true],
    placed.map(({ isLeft }) => isLeft),
  );
  assert.notEqual(placed[0].py, placed[1].py);
  const svg = plotToSvg(plot, { ground: "", ink: "", grid: "", accent: "" }, "");
  assert.ok(svg.includes("lr dropped here") && svg.includes("&#60;restart&#62;") && !svg.includes("far away"));
});
