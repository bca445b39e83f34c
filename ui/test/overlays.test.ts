/// What is drawn over images: class numbers, colours, labels.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  classesOf,
  classLabel,
  labelColor,
  labelText,
  maskPixels,
  placeLabels,
  wordsOf,
  type Rect,
} from "../src/model/overlays";
import type { ObjectItem } from "../src/wire/objects";

const ITEM: ObjectItem = {
  sequence: 0,
  step: 0,
  epoch: null,
  time: 0,
  index: 0,
  labels: [
    [0, "road"],
    [7, "sky"],
  ],
};

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
    {
      ...ITEM,
      boxes: [
        { box: [0, 0, 1, 1], label: "cat 10", score: 0.5, layer: "guess" },
        { box: [0, 0, 1, 1], label: "cat 9" },
      ],
    },
    { ...ITEM, masks: ["truth"] },
  ]);
  assert.deepEqual(
    { labels: ["cat 9", "cat 10", "road", "sky"], layers: ["guess", "truth"], hasScores: true, hasMasks: true },
    words,
  );
});

test("labels beyond the palette keep colours of their own", () => {
  const labels = Array.from({ length: 40 }, (_, i) => `class ${i}`);
  for (const theme of ["light", "dark"] as const) {
    const colors = labels.map((label) => labelColor(labels, label, theme));
    assert.equal(40, new Set(colors).size);
    assert.ok(
      colors.every((color) => /^#[0-9a-f]{6}$|^rgb\(\d{1,3}, \d{1,3}, \d{1,3}\)$/.test(color)),
      colors.join(" "),
    );
  }
});

test("labels of boxes that lie on each other are all readable", () => {
  const boxes: Rect[] = [
    [5, 10, 30, 30],
    [6, 11, 28, 28],
    [5, 10, 30, 30],
    [50, 0, 25, 20],
  ];
  const placed = placeLabels(boxes, [12, 14, 10, 18], 4, [80, 60]);
  assert.deepEqual([5, 6, 12, 4], placed[0], "the first one stands above its box");
  placed.forEach(([ax, ay, aw, ah], i) => {
    assert.ok(ax >= 0 && ay >= 0 && ax + aw <= 80 && ay + ah <= 60, "within the picture");
    for (const [bx, by, bw, bh] of placed.slice(i + 1))
      assert.ok(ax + aw <= bx || bx + bw <= ax || ay + ah <= by || by + bh <= ay, "apart");
  });
});

test("a label that finds no room lies where it covers least, and one without text nowhere", () => {
  const [, second, none] = placeLabels(
    [
      [0, 0, 10, 10],
      [0, 0, 10, 10],
      [0, 0, 10, 10],
    ],
    [10, 10, 0],
    9,
    [10, 10],
  );
  assert.deepEqual([10, 9], second.slice(2));
  assert.deepEqual([0, 0, 0, 0], none);
});
