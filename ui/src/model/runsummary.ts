/// What a run's metrics came to: the last value and the best one of each, those first that say how good the run is.

import type { Cell } from "./cell";
import { betterDirection, isMetricKind, isSystemMetric, metricLabel, sequenceText, targetScore } from "./fields";
import { formatCell } from "./format";
import { numberOf, type RunAnswer, type SequenceSummary } from "../wire/types";

/// A metric of a run, summed up. Values that the server has not are null.
export interface SummaryRow {
  readonly id: string;
  /// The id of its card on the page of its run: contexts share a card.
  readonly card: string;
  readonly label: string;
  /// 1: more is better, -1: less is, 0: the name does not say.
  readonly direction: -1 | 0 | 1;
  readonly last: Cell;
  readonly lastStep: number | null;
  /// The best value and its step; null where the name does not say what is better.
  readonly best: Cell;
  readonly bestStep: number | null;
  readonly min: Cell;
  readonly max: Cell;
  readonly mean: Cell;
  readonly count: number;
}

function cellIn(value: SequenceSummary["last"]): Cell {
  return typeof value === "object" && value !== null ? value : numberOf(value);
}

/// The rows of a run's metrics without those of the machine, those that tell best how good it is first.
export function summaryRows(run: Pick<RunAnswer, "sequences">): readonly SummaryRow[] {
  const metrics = run.sequences.filter(({ kind, name }) => isMetricKind(kind) && !isSystemMetric(name));
  const scores = new Map(metrics.map((metric) => [metric, targetScore(metric)]));
  const ordered = [...metrics].sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0));
  return ordered.map((metric): SummaryRow => {
    const direction = betterDirection(metric.name);
    const best = direction === 0 ? null : cellIn(direction > 0 ? metric.max : metric.min);
    return {
      id: sequenceText(metric),
      card: metric.name,
      label: metricLabel(metric),
      direction,
      last: cellIn(metric.last),
      lastStep: metric.last_step,
      best,
      bestStep: direction === 0 ? null : ((direction > 0 ? metric.max_step : metric.min_step) ?? null),
      min: cellIn(metric.min),
      max: cellIn(metric.max),
      mean: cellIn(metric.mean),
      count: metric.count,
    };
  });
}

/// The last value of a card's metrics; of several that of the one that tells most, and all for a title. Null: none.
export function lastReading(
  rows: readonly SummaryRow[],
  card: string,
): { readonly text: string; readonly title: string } | null {
  const present = rows.filter((row) => row.card === card && row.last !== null);
  if (present.length === 0) return null;
  const title = present.map(({ label, last }) => `${label}: ${formatCell(last)}`).join("\n");
  return { text: formatCell(present[0].last), title: `The last value\n${title}` };
}

const EXCEPTION_LINE = /^\s*(?:[\w.]+\.)?([A-Z]\w*): (.+)$/;

/// What an exception said, from the lines that the run printed last; null: no line tells it.
export function exceptionMessage(lines: readonly string[], error: string | null): string | null {
  if (error === null) return null;
  for (const line of [...lines].reverse()) {
    const match = EXCEPTION_LINE.exec(line);
    if (match && match[1] === error) return match[2];
  }
  return null;
}
