/// The difference of a metric between two groups of runs, as the server computes it.

import type { Scope } from "./scope";
import { sendJson } from "../wire/request";
import type { SequenceKey } from "../wire/types";

/// The runs of one group that have the metric.
export interface ComparedGroup {
  readonly count: number;
  readonly mean: number;
  readonly std: number | null;
  /// Null: no run records a seed.
  readonly seeds: number | null;
}

/// The answer; `low` and `high` are null when there is no interval.
export interface GroupComparison {
  readonly metric: string;
  readonly value: string;
  readonly method: "welch" | "paired";
  readonly difference: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly confidence: number;
  readonly t: number | null;
  readonly degrees: number | null;
  readonly p: number | null;
  readonly a: ComparedGroup;
  readonly b: ComparedGroup;
  readonly separated_by: readonly string[];
  readonly also_varying: readonly string[];
  readonly warnings: readonly string[];
  readonly explanation: string;
}

/// Compares two groups. `value`: `best`, or a summary such as `last`.
export function compareGroups(
  scope: Scope,
  metric: SequenceKey,
  value: string,
  a: readonly string[],
  b: readonly string[],
  abort?: AbortSignal,
): Promise<GroupComparison> {
  return sendJson<GroupComparison>(scope.here("compare-groups"), { metric, value, a, b }, abort);
}

/// What an interval says, as a sentence: whether it holds 0.
export function verdict({ low, high, confidence }: Pick<GroupComparison, "low" | "high" | "confidence">): string {
  if (low === null || high === null) return "There is no interval, so chance can't be told from a difference.";
  const share = `${100 * confidence} %`;
  if (low > 0) return `The ${share} interval lies above 0: the second group is higher.`;
  if (high < 0) return `The ${share} interval lies below 0: the second group is lower.`;
  return `The ${share} interval holds 0: these runs do not show which group is higher.`;
}
