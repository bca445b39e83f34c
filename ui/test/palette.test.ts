/// The colours of data stay apart, also for eyes that see two of three channels.

import assert from "node:assert/strict";
import { test } from "node:test";
import { channels, FIRST_COLORS, freeColor, PALETTE, type Theme } from "../src/chart/palette";

type Vector = readonly number[];
type Matrix = readonly Vector[];

// Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency", 2009, at
// a severity of 1, over linear RGB.
const VISIONS: Readonly<Record<string, Matrix>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
// From linear RGB to OKLab: https://bottosson.github.io/posts/oklab/
const TO_CONES: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const TO_LAB: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];
const GROUNDS: Readonly<Record<Theme, string>> = { light: "#ffffff", dark: "#15171c" };
const ACCENTS: Readonly<Record<Theme, string>> = { light: "#2f5bea", dark: "#86a8ff" };

const times = (matrix: Matrix, vector: Vector): Vector =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i], 0));
const linear = (color: string): Vector =>
  channels(color)
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));

function seen(color: string, vision: Matrix): Vector {
  const light = times(vision, linear(color)).map((value) => Math.min(1, Math.max(0, value)));
  return times(TO_LAB, times(TO_CONES, light).map(Math.cbrt));
}

/// The OKLab distance of two colours, times 100, under one kind of vision.
function distance(a: string, b: string, vision: Matrix): number {
  const [one, other] = [seen(a, vision), seen(b, vision)];
  return 100 * Math.hypot(...one.map((value, i) => value - other[i]));
}

function leastDistance(colors: readonly string[]): readonly [number, string] {
  let least: readonly [number, string] = [Infinity, ""];
  for (const [name, vision] of Object.entries(VISIONS))
    colors.forEach((a, i) =>
      colors.slice(i + 1).forEach((b) => {
        const now = distance(a, b, vision);
        if (now < least[0]) least = [now, `${a} ${b} ${name}`];
      }),
    );
  return least;
}

function contrast(a: string, b: string): number {
  const [low, high] = [a, b]
    .map((color) => times([[0.2126, 0.7152, 0.0722]], linear(color))[0] + 0.05)
    .sort((one, other) => one - other);
  return high / low;
}

for (const theme of ["light", "dark"] as const) {
  test(`twenty ${theme} colours stay apart under each kind of colour blindness, the first eight more so`, () => {
    const colors = PALETTE[theme];
    assert.equal(20, new Set(colors).size);
    const [all, where] = leastDistance(colors);
    assert.ok(all >= 6.5, `${all.toFixed(2)} ${where}`);
    const [first, place] = leastDistance(colors.slice(0, FIRST_COLORS));
    assert.ok(first >= 7, `${first.toFixed(2)} ${place}`);
  });

  test(`each ${theme} colour has a contrast of 3 with the ground, and none is the accent`, () => {
    for (const color of PALETTE[theme]) {
      assert.ok(contrast(color, GROUNDS[theme]) >= 3, color);
      assert.ok(distance(color, ACCENTS[theme], VISIONS.normal) > 7, color);
    }
  });
}

test("the first colours are given away before the others, and evenly", () => {
  const used = new Array<number>(PALETTE.light.length).fill(0);
  const given = Array.from({ length: 2 * used.length }, (_, i) => {
    const index = freeColor(used, i * 7919);
    used[index]++;
    return index;
  });
  assert.ok(given.slice(0, FIRST_COLORS).every((index) => index < FIRST_COLORS));
  assert.ok(used.every((count) => count === 2));
});
