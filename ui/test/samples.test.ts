/// The rows of logged tables: windows, what a row is compared with, and the answers of a page in one file.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rowsAnswer } from "../src/archive/rows";
import type { Item } from "../src/model/objects";
import { cardForm } from "../src/model/samplecards";
import { guessKey, relatives, RowWindows, tableLabel, WINDOW_ROWS } from "../src/model/samples";
import type { RowsAnswer, RowsRequest, TableAnswer } from "../src/wire/objects";
import type { Json } from "../src/wire/types";

const COLUMNS = [
  { name: "id", type: "int" },
  { name: "text", type: "text" },
];

function table(rows: readonly (readonly Json[])[]): TableAnswer {
  return { columns: COLUMNS, total: rows.length, from: 0, rows };
}

function item(run: string, step: number): Item {
  const track = { run: 0, name: "samples", context: {}, kind: "aim.table", count: 3, steps: [], index_count: 1 };
  return { sequence: 0, step, epoch: null, time: 0, index: 0, blob: `${run}-${step}`, run, track };
}

const WHOLE: Pick<RowsRequest, "blobs" | "from" | "limit"> = { blobs: [], from: 0, limit: 100 };

test("only the windows that come into view are asked for, and each once", async () => {
  const asked: number[] = [];
  const windows = new RowWindows(
    (from, limit) => {
      asked.push(from);
      const numbers = Array.from({ length: limit }, (_, i) => from + i);
      const rows = numbers.map((number) => [number]);
      return Promise.resolve({
        columns: [],
        total: 100_000,
        count: 100_000,
        from,
        numbers,
        rows,
        cut: [],
      } as RowsAnswer);
    },
    (error) => assert.fail(String(error)),
  );
  windows.need(0, 1);
  await Promise.resolve();
  windows.need(0, 40);
  windows.need(99_950, 99_990);
  windows.need(WINDOW_ROWS - 1, WINDOW_ROWS + 1);
  await Promise.resolve();
  assert.deepEqual([0, 99_900, WINDOW_ROWS], asked);
  assert.deepEqual([99_960], [...(windows.rowAt(99_960)?.cells ?? [])]);
  assert.equal(undefined, windows.rowAt(50_000));
});

test("the column that names rows is guessed by its name", () => {
  const named = (...names: string[]) => guessKey(names.map((name) => ({ name, type: "text" })));
  assert.equal("id", named("prompt", "id"));
  assert.equal("prompt", named("answer", "prompt"));
  assert.equal(null, named("answer", "score"));
});

test("a row is looked for at other steps of its run, or in other runs at the step nearest to its own", () => {
  const [base, ...others] = [item("a", 10), item("a", 0), item("a", 20), item("b", 0), item("b", 12), item("c", 10)];
  const blobs = (items: readonly Item[]): readonly (string | undefined)[] => items.map(({ blob }) => blob);
  assert.deepEqual(["a-0", "a-20"], blobs(relatives(base, others, "steps", 5)));
  assert.deepEqual(["b-12", "c-10"], blobs(relatives(base, others, "runs", 5)));
  assert.equal(
    "name of b · step 12",
    tableLabel(others[3], (run) => `name of ${run}`, base),
  );
});

test("a page in one file answers as the server does", () => {
  const owl = { kind: "aim.text", fields: { text: "a10 OWL" }, file: null };
  const first = table([
    [2, owl],
    [1, "a2 bear"],
    [3, null],
  ]);
  const second = table([
    [1, "ONE"],
    [4, "four"],
  ]);
  const numbers = (request: Partial<RowsRequest>): readonly number[] =>
    rowsAnswer([first], { ...WHOLE, ...request }).numbers;
  assert.deepEqual([1, 0, 2], numbers({ sort: { column: 1, descending: false } }));
  assert.deepEqual([2, 0, 1], numbers({ sort: { column: 0, descending: true } }));
  assert.deepEqual([0], numbers({ find: "owl" }));
  assert.deepEqual([0, 2], numbers({ where: [{ column: 0, operator: ">=", value: 2 }] }));
  assert.deepEqual([1], numbers({ where: [{ column: 0, operator: "==", value: 1 }] }));
  assert.deepEqual([0], numbers({ where: [{ column: 1, operator: "contains", value: "Owl" }] }));
  const joined = rowsAnswer([first, second], { ...WHOLE, key: "id", limit: 10 });
  assert.deepEqual(
    [
      [2, owl, null, null],
      [1, "a2 bear", 1, "ONE"],
      [3, null, null, null],
      [null, null, 4, "four"],
    ],
    joined.rows,
  );
});

test("cards have short values in lines, and room for the texts that they have", () => {
  const column = (label: string, index: number, type: string) => ({ label, index, type, table: 0 });
  const columns = [
    column("id", 0, "int"),
    column("prompt", 1, "text"),
    column("answer", 2, "text"),
    column("score", 3, "float"),
    column("picture", 4, "aim.image"),
  ];
  const rows = [
    [1, "What is it?", "short", 0.123456789, null],
    [2, "A longer question", "long ".repeat(100), 1, null],
  ];
  const { values, valueLines, texts, height_px } = cardForm(columns, rows);
  assert.deepEqual(
    ["id", "score"],
    values.map(({ label }) => label),
  );
  assert.equal(1, valueLines);
  assert.deepEqual(
    [
      ["prompt", 1],
      ["answer", 4],
      ["picture", 4],
    ],
    texts.map(({ column: { label }, lines }) => [label, lines]),
  );
  assert.ok(height_px > cardForm(columns.slice(0, 2), rows).height_px);
  const many = Array.from({ length: 12 }, (_, i) => column(`field ${i}`, i, "int"));
  assert.ok(cardForm(many, [many.map(() => 12345)]).valueLines > 2);
});
