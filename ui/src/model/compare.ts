/// Several runs beside each other: which values differ, and by how much.

import { digitsOf, type BigInteger } from "../wire/json";
import { numberIn, type Cell } from "./cell";
import { isMetricKind, isSystemMetric, pathText, sequenceText } from "./fields";
import {
  type Json,
  numberOf,
  type RunAnswer,
  type SequenceKey,
  type SequenceSummary,
  type WireNumber,
} from "../wire/types";
import { compareCells } from "./table";

/// One row of a comparison: a name, and a value of each run; undefined where a run has none.
export interface DiffRow {
  readonly name: string;
  readonly path: readonly string[];
  readonly values: readonly (Json | undefined)[];
  readonly isSame: boolean;
}

function isBranch(value: Json): value is { readonly [key: string]: Json } {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && !(keys.length === 1 && keys[0].startsWith("$"));
}

/// The leaves of a tree of values, by path. An empty dict and a list are leaves.
export function leaves(
  tree: { readonly [key: string]: Json },
  path: readonly string[] = [],
): readonly { readonly path: readonly string[]; readonly value: Json }[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isBranch(value) ? leaves(value, [...path, key]) : [{ path: [...path, key], value }],
  );
}

/// The rows of several trees, in the order in which the keys first appear.
export function diffTrees(trees: readonly ({ readonly [key: string]: Json } | null)[]): readonly DiffRow[] {
  const rows = new Map<string, { path: readonly string[]; values: (Json | undefined)[] }>();
  trees.forEach((tree, i) => {
    for (const { path, value } of tree ? leaves(tree) : []) {
      const key = JSON.stringify(path);
      let row = rows.get(key);
      if (!row) rows.set(key, (row = { path, values: trees.map(() => undefined) }));
      row.values[i] = value;
    }
  });
  return [...rows.values()].map(({ path, values }) => {
    const first = JSON.stringify(values[0]);
    return { name: pathText(path), path, values, isSame: values.every((value) => JSON.stringify(value) === first) };
  });
}

/// One metric of several runs: the last value of each, and which is best by its name.
export interface MetricRow {
  readonly key: SequenceKey;
  readonly last: readonly Cell[];
  readonly min: readonly Cell[];
  readonly max: readonly Cell[];
}

function summaryCell(value: WireNumber | BigInteger | null | undefined): Cell {
  return digitsOf(value) === null ? numberOf(value) : (value ?? null);
}

/// The metrics of several runs, those that most of them have first.
export function metricRows(
  runs: readonly (RunAnswer | null)[],
  isListed: (sequence: SequenceSummary) => boolean,
): readonly MetricRow[] {
  const rows = new Map<string, { key: SequenceKey; summaries: (SequenceSummary | null)[] }>();
  runs.forEach((run, i) => {
    for (const sequence of run?.sequences ?? []) {
      if (!isListed(sequence)) continue;
      const text = sequenceText(sequence);
      let row = rows.get(text);
      if (!row)
        rows.set(
          text,
          (row = { key: { name: sequence.name, context: sequence.context }, summaries: runs.map(() => null) }),
        );
      row.summaries[i] = sequence;
    }
  });
  return [...rows.values()].map(({ key, summaries }) => ({
    key,
    last: summaries.map((sequence) => summaryCell(sequence?.last)),
    min: summaries.map((sequence) => summaryCell(sequence?.min)),
    max: summaries.map((sequence) => summaryCell(sequence?.max)),
  }));
}

/// The metrics that people tracked in any of the runs.
export function trackedMetrics(runs: readonly (RunAnswer | null)[]): readonly SequenceKey[] {
  const sequences = runs.flatMap((run) => run?.sequences ?? []);
  const metrics = sequences.filter(({ name, kind }) => isMetricKind(kind) && !isSystemMetric(name));
  return [...new Map(metrics.map((key) => [sequenceText(key), { name: key.name, context: key.context }])).values()];
}

/// The best of some values; null where neither more nor less is better, or where there is nothing to compare.
export function bestOf(values: readonly Cell[], direction: -1 | 0 | 1): Cell {
  const numbers = values.filter((value) => Number.isFinite(numberIn(value) ?? NaN));
  if (direction === 0 || numbers.length < 2) return null;
  return [...numbers].sort((a, b) => compareCells(a, b, direction > 0))[0];
}

/// A JSON value as a tree of values; null if it is none.
export function asTree(value: unknown): { readonly [key: string]: Json } | null {
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })
    : null;
}

/// A tree without one of its keys.
export function without(tree: { readonly [key: string]: Json } | null, key: string): typeof tree {
  return tree && Object.fromEntries(Object.entries(tree).filter(([name]) => name !== key));
}
