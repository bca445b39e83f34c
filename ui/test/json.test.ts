/// Integers beyond what a JavaScript number holds: no digit is lost on the way from the server to what is read.

import { cellLabel } from "../src/model/cell";
import assert from "node:assert/strict";
import { test } from "node:test";
import { queryLiteral } from "../src/model/fields";
import { formatCell, formatNumber } from "../src/model/format";
import { cellOf, sorted, tableOf } from "../src/model/table";
import { leafText, type TreeValue } from "../src/widget/tree";
import { digitsOf, exactText, parseJson } from "../src/wire/json";
import { apiUrl, sendJson } from "../src/wire/request";
import { numberOf, type Field, type Json, type RunsAnswer } from "../src/wire/types";

const SEED = "9223372036854775807"; // 2^63 - 1

test("large integers keep their digits, and nothing else is changed", () => {
  const text = `{"seed":${SEED},"low":-${SEED},"list":[${SEED},1],"x":0.1234567890123456789,"e":1e300,
    "text":"${SEED} \\"${SEED}","safe":9007199254740991,"unsafe":9007199254740993}`;
  assert.deepEqual(
    {
      seed: { $int: SEED },
      low: { $int: `-${SEED}` },
      list: [{ $int: SEED }, 1],
      x: 0.1234567890123456789,
      e: 1e300,
      text: `${SEED} "${SEED}`,
      safe: 9007199254740991,
      unsafe: { $int: "9007199254740993" },
    },
    parseJson(text),
  );
  assert.deepEqual({ a: [1, "x"] }, parseJson('{"a":[1,"x"]}'));
});

test("large integers are read with all their digits wherever a value stands", () => {
  const seed = parseJson(SEED) as Json;
  assert.equal(SEED, digitsOf(seed));
  assert.equal(SEED, formatCell(seed));
  assert.equal(SEED, cellLabel(seed));
  assert.equal(SEED, leafText(seed as TreeValue));
  assert.equal(SEED, queryLiteral(seed));
  assert.equal(`[${SEED},1]`, exactText([seed, 1]));
  assert.equal(2 ** 63, numberOf({ $int: SEED }));
  assert.equal(null, digitsOf({ $int: SEED, more: 1 }));
  assert.deepEqual(["2147483647", "2147483647"], [formatNumber(2147483647), cellLabel(2147483647)]);
});

test("a column of large integers is sorted by all their digits", () => {
  const field: Field = ["param", "seed"];
  const answer = parseJson(
    `{"cursor":"1","elapsed_ms":1,"total":4,"count":4,"hash":["a","b","c","d"],
      "columns":[{"type":"number","values":[9223372036854775807,9223372036854775806,5,"NaN"]}]}`,
  ) as RunsAnswer;
  const table = tableOf(answer, [field]);
  const key = [...table.columns.keys()][0];
  assert.equal(SEED, formatCell(cellOf(table, key, "a")));
  assert.deepEqual(["c", "b", "a", "d"], sorted(table, key, false).hashes);
  assert.deepEqual(["a", "b", "c", "d"], sorted(table, key, true).hashes);
});

test("what came from the server goes back with the same digits", async () => {
  let sent = "";
  globalThis.fetch = (_, init) => {
    sent = String(init?.body);
    return Promise.resolve(new Response(`{"seed":${SEED}}`));
  };
  const answer = await sendJson(apiUrl("things"), { context: { seed: { $int: SEED } } });
  assert.equal(`{"context":{"seed":${SEED}}}`, sent);
  assert.deepEqual({ seed: { $int: SEED } }, answer);
});
