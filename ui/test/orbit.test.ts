/// The camera of 3D objects, and the frame that they are drawn in.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  axesOf,
  frameFor,
  middleOf,
  moved,
  nearer,
  orbitText,
  radiusOf,
  readOrbit,
  START,
  turned,
  united,
  type Bounds,
  type Triple,
} from "../src/chart/orbit";

const box = (least: Triple, most: Triple): Bounds => ({ least, most });
const UNIT = box([0, 0, 0], [1, 1, 1]);
const dot = (a: Triple, b: Triple): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

test("a camera is read back from its text, and the one at the start has none", () => {
  const camera = moved(nearer(turned(START, 100, -30), 2), 0.5, 0.5);
  assert.deepEqual(readOrbit(orbitText(camera)), camera);
  assert.equal(orbitText(START), "");
  assert.equal(readOrbit(""), START);
  assert.equal(readOrbit("1,2,x,4,5"), START);
});

test("turns go round, and stop above and below", () => {
  assert.equal(turned(START, -40, 0).azimuth, 355);
  assert.equal(turned(START, 0, 500).elevation, 89);
  assert.equal(turned(START, 0, -500).elevation, -89);
});

test("the zoom has bounds, and a move is less when near", () => {
  assert.equal(nearer(START, 1e9).zoom, 50);
  assert.equal(nearer(START, 1e-9).zoom, 0.1);
  assert.equal(moved(nearer(START, 2), 1, 0).aside, 0.5);
});

test("the directions are at right angles, with either axis up", () => {
  for (const upAxis of ["y", "z"] as const) {
    const [right, up, towards] = axesOf(turned(START, 77, 11), upAxis);
    for (const axis of [right, up, towards]) assert.ok(Math.abs(dot(axis, axis) - 1) < 1e-12);
    for (const [a, b] of [
      [right, up],
      [up, towards],
      [right, towards],
    ])
      assert.ok(Math.abs(dot(a, b)) < 1e-12);
    assert.ok(up[upAxis === "y" ? 1 : 2] > 0.7);
  }
});

test("a frame holds all boxes", () => {
  const all = united([UNIT, box([-1, 0, 0], [0, 3, 0])]);
  assert.deepEqual(all, box([-1, 0, 0], [1, 3, 1]));
  assert.deepEqual(middleOf(all!), [0, 1.5, 0.5]);
  assert.equal(united([]), null);
  assert.equal(radiusOf(box([1, 1, 1], [1, 1, 1])), 1);
});

test("a frame stays while its objects change little", () => {
  assert.equal(frameFor(UNIT, [box([0, 0, 0], [0.9, 0.9, 0.9])]), UNIT);
  assert.deepEqual(frameFor(UNIT, [box([0, 0, 0], [0.2, 0.2, 0.2])]), box([0, 0, 0], [0.2, 0.2, 0.2]));
  assert.deepEqual(frameFor(UNIT, [box([0, 0, 0], [2, 1, 1])]), box([0, 0, 0], [2, 1, 1]));
  assert.equal(frameFor(UNIT, []), UNIT);
});
