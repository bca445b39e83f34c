/// How smoothing is written in the address, and what it is for people.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSmoothing, parseSmoothing, smoothingLabel, SMOOTHINGS } from "../src/model/smoothing";

test("a setting is read as it was written", () => {
  for (const text of ["0.6", "time-ema:0.9", "mean:21", "gaussian:2.5"])
    assert.equal(text, formatSmoothing(parseSmoothing(text)));
  assert.equal(null, formatSmoothing(parseSmoothing("")));
});

test("a typed value stays within what the kind can be", () => {
  assert.deepEqual({ kind: "ema", amount: 0.999 }, parseSmoothing("7"));
  assert.deepEqual({ kind: "mean", amount: 10_000 }, parseSmoothing("mean:1e9"));
  for (const text of ["-1", "much", "wavelet:3", "mean:x", "NaN"]) assert.equal(0, parseSmoothing(text).amount, text);
});

test("a kind that is chosen is kept also when its amount is 0", () => {
  assert.deepEqual({ kind: "gaussian", amount: 0 }, parseSmoothing("gaussian:0"));
});

test("the pill names the kind and the amount", () => {
  assert.deepEqual(["0", "0.6", "running mean 21"], ["", "0.6", "mean:21"].map(parseSmoothing).map(smoothingLabel));
  assert.equal(4, new Set(SMOOTHINGS.map(({ label }) => label)).size);
});
