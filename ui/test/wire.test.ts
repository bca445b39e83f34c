/// The frame, as docs/formats/wire.md gives its bytes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { appendTail, BadFrame, decodeFrame } from "../src/wire/frame";
import { mergeFrames } from "../src/model/series";
import { numberOf } from "../src/wire/types";

declare const UI_ROOT: string;

/// The worked example of the specification, put together from its own lines.
function example(): ArrayBuffer {
  const page = readFileSync(join(UI_ROOT, "..", "docs", "formats", "wire.md"), "utf8");
  const json = /\n(\{"cursor":"41","total":2,"runs":\[.*?\n ".*?\}\})\n/s.exec(page);
  assert.ok(json);
  const header = Buffer.from(json[1].replace(/\n /g, ""));
  const hex = (start: number): Buffer => {
    const line = new RegExp(`\\n *${start}  ((?:[0-9a-f]{2} {1,2})+)`).exec(page);
    assert.ok(line);
    return Buffer.from(line[1].replace(/ /g, ""), "hex");
  };
  assert.equal(310, header.length);
  const bytes = Buffer.concat([hex(0), header, Buffer.from("  "), hex(320), hex(336)]);
  assert.equal(360, bytes.length);
  return new Uint8Array(bytes).buffer;
}

test("the example of the specification decodes to what it says", () => {
  const frame = decodeFrame(example());
  assert.equal("41", frame.cursor);
  assert.equal(2, frame.parts.length);
  const [first, second] = frame.parts;
  assert.deepEqual([0, 10, 20], [...first.x]);
  assert.deepEqual([0.5, NaN, 0.25], [...first.y]);
  assert.deepEqual([0, 10], [...second.x]);
  assert.deepEqual([0.75, 0.5], [...second.y]);
  assert.equal("3df703c1b2a94c5d8e6f7a80", first.run);
  assert.equal(1, first.nan);
  assert.deepEqual({ subset: "val" }, second.metric.context);
});

test("decoding copies no values", () => {
  const bytes = example();
  assert.equal(bytes, decodeFrame(bytes).parts[0].y.buffer);
});

test("other bytes and frames cut short are refused", () => {
  assert.throws(() => decodeFrame(new ArrayBuffer(4)), BadFrame);
  assert.throws(() => decodeFrame(new TextEncoder().encode('{"kind":"query"}').buffer as ArrayBuffer), BadFrame);
  for (const size of [12, 200, 330, 340, 352])
    assert.throws(() => decodeFrame(example().slice(0, size)), BadFrame, String(size));
});

test("a tail replaces everything from its beginning on", () => {
  const [part] = decodeFrame(example()).parts;
  const tail = { ...part, x: Int32Array.of(20, 30), y: Float32Array.of(7, 8), from: 20 };
  const joined = appendTail(part, tail);
  assert.deepEqual([0, 10, 20, 30], [...joined.x]);
  assert.deepEqual([0.5, NaN, 7, 8], [...joined.y]);
  assert.equal(null, joined.from);
  assert.equal(part, appendTail(tail, part));
});

test("a later frame changes its own series only, and adds new ones", () => {
  const old = decodeFrame(example());
  const [first, second] = old.parts;
  const next = {
    ...old,
    cursor: "42",
    parts: [
      { ...second, y: Float32Array.of(9, 9) },
      { ...first, run: "new" },
    ],
  };
  const merged = mergeFrames(old, next);
  assert.equal("42", merged.cursor);
  assert.deepEqual(
    [first.run, second.run, "new"],
    merged.parts.map((part) => part.run),
  );
  assert.equal(first, merged.parts[0]);
  assert.deepEqual([9, 9], [...merged.parts[1].y]);
});

test("numbers that JSON has not are spelled out", () => {
  assert.deepEqual(
    [null, 1.5, NaN, Infinity, -Infinity],
    [null, 1.5, "NaN", "Infinity", "-Infinity"].map((value) => numberOf(value as number | null)),
  );
});
