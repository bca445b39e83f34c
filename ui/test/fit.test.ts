/// How large the pictures of a grid are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fittedSize, GRID_GAP_PX, widestAspect } from "../src/model/fit";

test("a full row of pictures is as wide as its grid", () => {
  for (const width of [362, 800, 1108, 1588])
    for (const aspect of [0.5, 1, 4 / 3]) {
      const size = fittedSize(width, 112, aspect, 1000);
      const columns = Math.round((width + GRID_GAP_PX) / (size * aspect + GRID_GAP_PX));
      assert.ok(size >= 112, `${size}`);
      assert.ok(
        Math.abs(columns * size * aspect + (columns - 1) * GRID_GAP_PX - width) <= columns * aspect,
        `${width}`,
      );
    }
});

test("few pictures grow, and not without end", () => {
  assert.equal(448, fittedSize(1588, 112, 1, 1));
  assert.equal(48 * 4, fittedSize(1588, 48, 1, 2));
  assert.equal(448, fittedSize(1588, 360, 1, 2));
});

test("a picture wider than its grid is made smaller", () => {
  assert.equal(100, fittedSize(200, 112, 2, 3));
});

test("the widest picture decides, and one of unknown size counts as a square", () => {
  assert.equal(1, widestAspect([{}]));
  assert.equal(
    2,
    widestAspect([
      { width: 10, height: 10 },
      { width: 20, height: 10 },
    ]),
  );
});
