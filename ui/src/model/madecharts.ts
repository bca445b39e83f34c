/// Charts that the reader makes, as the address has them, so that links and saved views keep them: a JSON list of what
/// each shows. What can't be read is left out.

import { change, setting } from "./address";
import { parseField } from "./fields";
import { computed } from "@preact/signals";
import type { Field } from "../wire/types";

/// What a chart is. `line` is over steps; the others are over runs, or groups of them.
export const CHART_KINDS = ["line", "scatter", "bar", "box", "violin", "heat"] as const;

export type ChartKind = (typeof CHART_KINDS)[number];

/// One chart; texts that are empty are left out of the address.
export interface MadeChart {
  readonly id: string;
  readonly kind: ChartKind;
  readonly title: string;
  /// Of a line chart: metrics, those of the right axis, and an expression over curves in place of metrics.
  readonly metrics: string;
  readonly right: string;
  readonly formula: string;
  readonly smooth: string;
  /// Of the others: fields of runs. `x` is the group of a bar, a box or a violin; `value` is what a cell of a heat map
  /// averages.
  readonly x: string;
  readonly y: string;
  readonly value: string;
  readonly xLog: boolean;
  readonly yLog: boolean;
  /// `low,high`; either may be missing.
  readonly xLimits: string;
  readonly yLimits: string;
}

/// The prefix of the ids of such charts among those of all cards.
export const MADE_PREFIX = "chart:";

const CHARTS_MOST = 50;
const chartsText = setting("charts");

/// A chart that shows nothing yet.
export const EMPTY_CHART: MadeChart = {
  id: "",
  kind: "line",
  title: "",
  metrics: "",
  right: "",
  formula: "",
  smooth: "",
  x: "",
  y: "",
  value: "",
  xLog: false,
  yLog: false,
  xLimits: "",
  yLimits: "",
};

/// A chart of another kind: what it lacks begins with `params`, the first settings that differ, and with `result`.
export function ofKind(chart: MadeChart, kind: ChartKind, params: readonly string[], result: string): MadeChart {
  const [first = "", second = ""] = params;
  const next = { ...chart, kind };
  if (kind === "line") return next;
  if (kind === "heat") return { ...next, x: next.x || first, y: next.y || second, value: next.value || result };
  if (kind === "scatter") return { ...next, x: next.x || first, y: next.y || result };
  return { ...next, y: next.y || result };
}

function isKind(value: unknown): value is ChartKind {
  return CHART_KINDS.some((kind) => kind === value);
}

/// Reads one chart; null: it is none.
function readChart(value: unknown): MadeChart | null {
  if (typeof value !== "object" || value === null) return null;
  const given = value as Readonly<Record<string, unknown>>;
  if (typeof given.id !== "string" || given.id === "" || !isKind(given.kind)) return null;
  const entries = Object.entries(EMPTY_CHART).map(([key, empty]) => [
    key,
    typeof given[key] === typeof empty ? given[key] : empty,
  ]);
  return Object.fromEntries(entries) as MadeChart;
}

/// Reads the charts of an address.
export function parseCharts(text: string): readonly MadeChart[] {
  if (text === "") return [];
  try {
    const list = JSON.parse(text) as unknown;
    if (!Array.isArray(list)) return [];
    const charts = list
      .slice(0, CHARTS_MOST)
      .map(readChart)
      .filter((chart) => chart !== null);
    return charts.filter(({ id }, i) => charts.findIndex((chart) => chart.id === id) === i);
  } catch {
    return [];
  }
}

/// Writes charts for an address.
export function formatCharts(charts: readonly MadeChart[]): string {
  if (charts.length === 0) return "";
  return JSON.stringify(
    charts.map((chart) =>
      Object.fromEntries(Object.entries(chart).filter(([, value]) => value !== "" && value !== false)),
    ),
  );
}

/// The charts of the page.
export const madeCharts = computed(() => parseCharts(chartsText.value));

/// Puts a chart in place of the one of its id, or adds it; one without an id gets the next number.
export function withChart(charts: readonly MadeChart[], chart: MadeChart): readonly MadeChart[] {
  if (charts.some(({ id }) => id === chart.id)) return charts.map((each) => (each.id === chart.id ? chart : each));
  const numbers = charts.map(({ id }) => Number(id)).filter(Number.isFinite);
  return [...charts, { ...chart, id: String(Math.max(0, ...numbers) + 1) }];
}

/// Shows these charts.
export function putCharts(charts: readonly MadeChart[]): void {
  change({ charts: formatCharts(charts) || null });
}

/// The two ends of limits; null: that end is not given.
export function limitsOf(text: string): readonly [number | null, number | null] {
  const [low, high] = text
    .split(",")
    .map((end) => (end.trim() === "" || !Number.isFinite(Number(end)) ? null : Number(end)));
  return [low ?? null, high ?? null];
}

/// The fields of runs that a chart is drawn from.
export function chartFields({ kind, x, y, value }: MadeChart): readonly Field[] {
  if (kind === "line") return [];
  return (kind === "heat" ? [x, y, value] : [x, y]).map(parseField).filter((field) => field !== null);
}
