/// How curves are drawn on every page: grouping, axes, smoothing. All of it is in the address.

import { computed } from "@preact/signals";
import { change, listSetting, setting } from "./address";
import { fieldText, metricLabel, parseField } from "./fields";
import { parseSmoothing, type Smoothing } from "./smoothing";
import type { ScaleKind } from "../chart/scale";
import type { AxisUnit } from "../chart/ticks";
import type { Aggregate, AggregateBand, AggregateValue, Field, ParamPath, XAxis } from "../wire/types";

/// The field that gives a run its colour.
export const colorField = setting("color");
/// The field that gives a run its dash.
export const dashField = setting("dash");
/// The field that gives a run its own card.
export const facetField = setting("facet");

/// Whether contexts of one metric share a card.
export const split = setting("cards", "context");

/// The x axis as the address writes it.
export const xSetting = setting("x", "step");
/// How curves are smoothed.
export const smoothing = computed<Smoothing>(() => parseSmoothing(smoothText.value));
const smoothText = setting("smooth");
/// The scale of the y axis.
export const yKind = computed<ScaleKind>(() =>
  yText.value === "log" || yText.value === "symlog" ? yText.value : "linear",
);
const yText = setting("y", "linear");
const outlierText = setting("outliers");

/// Whether values far from all others are left out of the y range.
export const isClipped = computed(() => outlierText.value !== "show");

/// The zoomed x range, shared by all cards.
export const xWindow = computed<readonly [number, number] | null>(() => {
  const ends = windowText.value.split(",").map(Number);
  return ends.length === 2 && ends.every(Number.isFinite) && ends[0] < ends[1] ? [ends[0], ends[1]] : null;
});
const windowText = setting("win");

/// How runs are averaged: `` not at all, `group` by colour, dash and facet, `seed` over runs that differ in the seed
/// only.
export const aggregateBy = setting("agg");
/// What the line of a group is: its mean, median, min or max.
export const aggregateValue = setting("value", "mean");
/// What the band around it is.
export const aggregateBand = setting("band", "std");

/// Sections that are folded.
export const folded = listSetting("fold");

/// The x axis as the server takes it.
export const xAxis = computed<XAxis>(() => {
  const text = xSetting.value;
  if (text === "epoch" || text === "time" || text === "relative") return text;
  const field = parseField(text);
  if (field && field[0] === "metric") return { name: field[1], context: field[2] };
  return "step";
});

/// How the x axis is to be read.
export const xUnit = computed<AxisUnit>(() =>
  xSetting.value === "time" ? "date" : xSetting.value === "relative" ? "duration" : "number",
);

const TIMES: Readonly<Record<string, string>> = { relative: "time since the start", time: "time of day" };

/// The x axis for people; the labels of its marks have the units of times.
export const xLabel = computed(() => {
  const axis = xAxis.value;
  return typeof axis === "string"
    ? (TIMES[axis] ?? axis)
    : metricLabel({ name: axis.name, context: axis.context ?? {} });
});

/// The fields by which runs are told apart in charts: those of colour, dash and facet.
export function groupFields(...texts: readonly string[]): readonly Field[] {
  return texts.map(parseField).filter((field) => field !== null);
}

/// The fields of runs that the drawing needs, besides their names.
export const drawingFields = computed<readonly Field[]>(() =>
  groupFields(colorField.value, dashField.value, facetField.value),
);

const NONE_IGNORED = "-";
const ignoredText = setting("ignore");

/// The params that the average over seeds ignores; null: the server chooses them.
export const ignoredParams = computed<readonly ParamPath[] | null>(() => {
  if (ignoredText.value === "") return null;
  if (ignoredText.value === NONE_IGNORED) return [];
  return ignoredText.value
    .split(",")
    .map((text) => parseField(decodeURIComponent(text)))
    .flatMap((field) => (field?.[0] === "param" ? [field.slice(1)] : []));
});

/// Ignores these params in place of those that the server chooses; null: those again.
export function ignoreParams(paths: readonly ParamPath[] | null): void {
  const texts = paths?.map((path) => encodeURIComponent(fieldText(["param", ...path])));
  change({ ignore: texts ? texts.join(",") || NONE_IGNORED : null });
}

/// The aggregation as the server takes it; null: none.
export const aggregate = computed<Aggregate | null>(() => {
  const mode = aggregateBy.value;
  if (mode === "") return null;
  const value = aggregateValue.value as AggregateValue;
  const band = aggregateBand.value as AggregateBand;
  if (mode !== "seed") return { by: drawingFields.value, value, band };
  return { by: { equal: "params", ignored: ignoredParams.value }, value, band };
});

/// Zooms all cards; null shows everything again.
export function zoom(window: readonly [number, number] | null): void {
  change({ win: window ? window.map((end) => Number(end.toPrecision(8))).join(",") : null });
}

/// Folds or unfolds a section.
export function toggleFolded(section: string): void {
  const list = folded.peek();
  change(
    { fold: (list.includes(section) ? list.filter((name) => name !== section) : [...list, section]).join(",") },
    true,
  );
}
