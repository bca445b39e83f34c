/// What is drawn over images: class numbers, colours, labels.

import assert from "node:assert/strict";
import { test } from "node:test";
import { classesOf, classLabel, labelColor, labelText, maskPixels, wordsOf } from "../src/model/overlays";
import type { ObjectItem } from "../src/wire/types";

const ITEM: ObjectItem = { sequence: 0, step: 0, epoch: null, time: 0, index: 0, labels: [[0, "road"], [7, "sky"]] };

test("a mask's picture gives its class numbers, one byte or three", () => {
  const pixels = Uint8ClampedArray.of(3, 3, 3, 255, 44, 1, 0, 255);
  assert.deepEqual([3, 44], [...classesOf(pixels, true)]);
  assert.deepEqual([0x030303, 300], [...classesOf(pixels, false)]);
});

test("a class without a colour leaves the image to be seen", () => {
  const pixels = maskPixels(Uint32Array.of(0, 5, 0), (number) => (number === 5 ? "#102030" : null));
  assert.deepEqual([0, 0, 0, 0, 16, 32, 48, 255, 0, 0, 0, 0], [...pixels]);
});

test("the ground is class 0, unless the labels name it", () => {
  assert.equal("road", classLabel(ITEM, 0));
  assert.equal("3", classLabel(ITEM, 3));
  assert.equal(null, classLabel({ ...ITEM, labels: undefined }, 0));
  assert.equal("sky", labelText(ITEM, 7));
  assert.equal("9", labelText(ITEM, 9));
  assert.equal("cat", labelText(ITEM, "cat"));
});

test("the words of images are their labels in order, and their layers", () => {
  const words = wordsOf([
    { ...ITEM, boxes: [{ box: [0, 0, 1, 1], label: "cat 10", score: 0.5, layer: "guess" }, { box: [0, 0, 1, 1], label: "cat 9" }] },
    { ...ITEM, masks: ["truth"] },
  ]);
  assert.deepEqual({ labels: ["cat 9", "cat 10", "road", "sky"], layers: ["guess", "truth"], hasScores: true, hasMasks: true }, words);
});

test("labels beyond the palette keep colours of their own", () => {
  const labels = Array.from({ length: 40 }, (_, i) => `class ${i}`);
  for (const theme of ["light", "dark"] as const) {
    const colors = labels.map((label) => labelColor(labels, label, theme));
    assert.equal(40, new Set(colors).size);
    assert.ok(colors.every((color) => /^#[0-9a-f]{6}$|^rgb\(\d{1,3}, \d{1,3}, \d{1,3}\)$/.test(color)), colors.join(" "));
  }
});
