/// Which metrics a text means that people type: `loss`, `val/loss`, `loss[subset=val]`, or `/grad_norm\/.*/` for all
/// whose name matches.

import { sequenceText } from "./fields";
import type { SequenceKey } from "../wire/types";

/// The names of a metric, the first one is its own: `val/loss`, and `loss` where no other context has it.
export function namesOf(metric: SequenceKey): readonly string[] {
  const entries = Object.entries(metric.context).map(([key, value]) => [key, String(value)] as const);
  if (entries.length === 0) return [metric.name];
  const long = `${metric.name}[${entries.map(([key, value]) => `${key}=${value}`).join(",")}]`;
  const short = entries.length === 1 ? [`${entries[0][1]}/${metric.name}`] : [];
  return [...short, long, sequenceText(metric)];
}

/// Each name with the index of its metric; of a name that several have, the first one counts. A bare name means the
/// metric without a context, or the one context that there is.
export function metricIndexes(metrics: readonly SequenceKey[]): ReadonlyMap<string, number> {
  const indexes = new Map<string, number>();
  const put = (name: string, index: number): void => {
    if (!indexes.has(name)) indexes.set(name, index);
  };
  metrics.forEach((metric, i) => Object.keys(metric.context).length === 0 && put(metric.name, i));
  metrics.forEach((metric, i) => namesOf(metric).forEach((name) => put(name, i)));
  metrics.forEach((metric, i) => {
    if (metrics.filter(({ name }) => name === metric.name).length === 1) put(metric.name, i);
  });
  return indexes;
}

/// The entries of a list: parts between commas that are not inside brackets, braces or a pattern.
export function entriesOf(text: string): readonly string[] {
  const entries = text.match(/\s*\/(?:\\.|[^/\\])+\/(?=\s*(?:,|$))|(?:\[[^\]]*\]|\{[^}]*\}|[^,])+/g) ?? [];
  return entries.map((entry) => entry.trim()).filter(Boolean);
}

/// The metrics that a list means, in its order, and its entries that mean none.
export function chosenMetrics(
  text: string,
  metrics: readonly SequenceKey[],
): { readonly metrics: readonly SequenceKey[]; readonly missing: readonly string[] } {
  const indexes = metricIndexes(metrics);
  const chosen = new Set<number>();
  const missing: string[] = [];
  for (const entry of entriesOf(text)) {
    const indices = matching(entry, metrics) ?? [indexes.get(entry)].filter((index) => index !== undefined);
    if (indices.length === 0) missing.push(entry);
    for (const index of indices) chosen.add(index);
  }
  return { metrics: [...chosen].map((index) => metrics[index]), missing };
}

/// The indices of the metrics whose names match a pattern; null: the entry is no pattern.
function matching(entry: string, metrics: readonly SequenceKey[]): readonly number[] | null {
  if (entry.length < 3 || !entry.startsWith("/") || !entry.endsWith("/")) return null;
  try {
    const pattern = new RegExp(entry.slice(1, -1));
    return metrics.flatMap((metric, i) =>
      [metric.name, ...namesOf(metric)].some((name) => pattern.test(name)) ? [i] : [],
    );
  } catch {
    return [];
  }
}
