/// Integers beyond what a JavaScript number holds: no digit is lost on the way from the server to what is read.

import { axisOf } from "../src/model/axes";
import { cellLabel } from "../src/model/cell";
import assert from "node:assert/strict";
import { test } from "node:test";
import { differingKeys } from "../src/model/columns";
import { bestOf, metricRows } from "../src/model/compare";
import { fieldText, queryLiteral } from "../src/model/fields";
import { deltaText, formatCell, formatNumber } from "../src/model/format";
import { splitBy } from "../src/model/grouping";
import { sortedLines } from "../src/model/linerows";
import { cellOf, sorted, tableOf } from "../src/model/table";
import { defaultAxes } from "../src/page/paramstudy";
import { leafText, type TreeValue } from "../src/widget/tree";
import { digitsOf, exactText, parseJson } from "../src/wire/json";
import { apiUrl, sendJson } from "../src/wire/request";
import {
  numberOf,
  type Field,
  type FieldsAnswer,
  type Json,
  type ParamInfo,
  type RunAnswer,
  type RunsAnswer,
} from "../src/wire/types";
import { fieldsAnswer } from "./project";

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

const [LARGE, LARGER] = [parseJson(SEED), parseJson("9223372036854775806")] as Json[];

test("seeds that no double tells apart have a place each on an axis", () => {
  const field: Field = ["param", "seed"];
  const axis = axisOf({ field, key: "seed", type: "number", cells: [LARGE, LARGER, LARGE] }, "seed");
  assert.deepEqual([1, 0, 1], [...axis.positions]);
  assert.deepEqual(
    ["9223372036854775806", SEED],
    axis.ticks.map(({ label }) => label),
  );
  const mixed = axisOf({ field, key: "n", type: "number", cells: [1, LARGE, NaN, 2 ** 62] }, "n");
  assert.equal("log", mixed.kind);
  assert.deepEqual([0, 1, true], [mixed.positions[0], mixed.positions[1], Number.isNaN(mixed.positions[2])]);
});

test("the page of params shows the seeds where nothing else differs", () => {
  const seed: ParamInfo = { path: ["seed"], type: "number", runs: 3, distinct: 3, examples: [] };
  const lr: ParamInfo = { path: ["lr"], type: "number", runs: 3, distinct: 2, examples: [] };
  const answer = (params: readonly ParamInfo[]): FieldsAnswer => ({ ...fieldsAnswer([]), params });
  assert.deepEqual([["param", "seed"]], defaultAxes(answer([seed]), null));
  assert.deepEqual([["param", "lr"]], defaultAxes(answer([seed, lr]), null));
});

test("differences of large integers have all their digits", () => {
  assert.equal("+1", deltaText(LARGE, LARGER));
  assert.equal("−1", deltaText(LARGER, LARGE));
  assert.equal("±0", deltaText(LARGE, LARGE));
  assert.equal("+9223372036854775804", deltaText(LARGE, 3));
  assert.equal("+0.5", deltaText(1, 0.5));
  assert.deepEqual([null, null, null], [deltaText(null, 1), deltaText("x", 1), deltaText(NaN, 1)]);
});

test("a comparison has the summaries of large integers, and the best of them", () => {
  const run = (last: Json): RunAnswer =>
    ({
      sequences: [{ name: "reward", context: {}, kind: "int", count: 1, first_step: 0, last_step: 0, last }],
    }) as Partial<RunAnswer> as RunAnswer;
  const [row] = metricRows([run(LARGER), run(LARGE), run("NaN")], () => true);
  assert.deepEqual([LARGER, LARGE, NaN], row.last);
  assert.deepEqual(LARGE, bestOf(row.last, 1));
  assert.deepEqual(LARGER, bestOf(row.last, -1));
});

test("numbers and texts in one column are sorted as what they are, on the page as by the server", () => {
  const field: Field = ["param", "clip"];
  const answer = {
    ...{ cursor: "1", elapsed_ms: 1, total: 6, count: 6, hash: ["auto", "nan", "inf", "one", "none", "low"] },
    columns: [
      { type: "json" as const, values: ["NaN", { $float: "nan" }, { $float: "inf" }, 1, null, { $float: "-inf" }] },
    ],
  };
  const table = tableOf(answer, [field]);
  const key = fieldText(field);
  assert.deepEqual([NaN, Infinity], [cellOf(table, key, "nan"), cellOf(table, key, "inf")]);
  assert.deepEqual(["low", "one", "inf", "auto", "nan", "none"], sorted(table, key, false).hashes);
  assert.deepEqual(["auto", "inf", "one", "low", "nan", "none"], sorted(table, key, true).hashes);
  assert.equal(6, splitBy(table, key).length, "the text NaN is no number");
  assert.equal(6, new Set(splitBy(table, key).map(({ label }) => label)).size);
  assert.deepEqual(new Set([key]), differingKeys(table.columns, [1, 4]), "NaN is not missing");
});

test("values that are equal in six digits are groups of their own, with labels of their own", () => {
  const field: Field = ["param", "lr"];
  const answer = { ...{ cursor: "1", elapsed_ms: 1, total: 2, count: 2, hash: ["a", "b"] } };
  const column = { type: "number" as const, values: [0.12345678, 0.12345679] };
  assert.deepEqual(
    ["0.12345678", "0.12345679"],
    splitBy(tableOf({ ...answer, columns: [column] }, [field]), "lr").map(({ label }) => label),
  );
});

test("lines without a finite value are last, whichever the order", () => {
  const line = (owner: string, last: number) => ({ owner, label: owner, color: "", last, min: 0, max: 0, points: 1 });
  const rows = [line("none", NaN), line("low", 1), line("high", 2)];
  assert.deepEqual(
    ["low", "high", "none"],
    sortedLines(rows, "last", false).map(({ owner }) => owner),
  );
  assert.deepEqual(
    ["high", "low", "none"],
    sortedLines(rows, "last", true).map(({ owner }) => owner),
  );
});
