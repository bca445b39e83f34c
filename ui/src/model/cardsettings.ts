/// How the curves of a card are drawn: the settings of the workspace, or those of a page about few runs.

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Extent, Limits } from "../chart/extent";
import type { ScaleKind } from "../chart/scale";
import type { AxisUnit } from "../chart/ticks";
import type { Smoothing } from "./smoothing";
import { aggregate, isClipped, smoothing, xAxis, xLabel, xUnit, xWindow, yKind, zoom } from "./workspace";
import type { IgnoredParam } from "../wire/frame";
import type { Aggregate, XAxis } from "../wire/types";

/// The settings that a card follows.
export interface CardSettings {
  readonly xAxis: ReadonlySignal<XAxis>;
  /// What x is called, for people.
  readonly xLabel: ReadonlySignal<string>;
  readonly xUnit: ReadonlySignal<AxisUnit>;
  readonly yKind: ReadonlySignal<ScaleKind>;
  /// Whether values far from all others are left out of the y range.
  readonly isClipped: ReadonlySignal<boolean>;
  readonly smoothing: ReadonlySignal<Smoothing>;
  /// How runs are averaged; null: each has its own line.
  readonly aggregate: ReadonlySignal<Aggregate | null>;
  /// The params that the last answer ignored when it put runs with equal params into groups; null: no such groups.
  readonly ignored: Signal<readonly IgnoredParam[] | null>;
  /// How many earlier branches of rewound runs are drawn behind.
  readonly branches: ReadonlySignal<number>;
  /// The zoomed x range; null: all.
  readonly window: ReadonlySignal<Extent | null>;
  readonly zoom: (window: Extent | null) => void;
  /// Whether the best point of a curve is marked, where the metric's name says what is better.
  readonly marksBest: boolean;
  /// Of a chart that the reader made: the scale of x, and limits.
  readonly xKind?: ScaleKind;
  readonly limits?: { readonly x: Limits; readonly y: Limits };
}

const AXES = { xAxis, xLabel, xUnit, yKind, isClipped, smoothing };

/// The settings of the workspace: its zoom and its aggregation are those in the address.
export function workspaceSettings(): CardSettings {
  return { ...AXES, aggregate, ignored: signal(null), branches: signal(0), window: xWindow, zoom, marksBest: false };
}

/// The settings of a page about few runs: no aggregation, and a zoom that only its cards share.
export function plainSettings(
  window: Signal<Extent | null> = signal(null),
  branches: ReadonlySignal<number> = signal(0),
): CardSettings {
  return {
    ...AXES,
    aggregate: signal(null),
    ignored: signal(null),
    branches,
    window,
    zoom: (next) => (window.value = next),
    marksBest: true,
  };
}
