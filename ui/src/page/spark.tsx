/// Small curves in the rows of a table: the target metric of the runs on the screen.

import { signal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { fetchSeries } from "../model/series";
import type { Field } from "../wire/types";
import { useApp } from "./app";

const BUCKETS = 30;
const PAUSE_MS = 160;
const WIDTH_PX = 68;
const HEIGHT_PX = 18;

/// Points of a small curve, already in pixels.
export type SparkPath = string;

/// A curve as an SVG path that fills the width and the height; values that are no numbers break it.
export function pathOf(x: ArrayLike<number>, y: ArrayLike<number>): SparkPath {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < y.length; i++) {
    if (y[i] < low && Number.isFinite(y[i])) low = y[i];
    if (y[i] > high && Number.isFinite(y[i])) high = y[i];
  }
  if (!(high >= low)) return "";
  const [first, last] = [x[0], x[x.length - 1]];
  let path = "";
  let pen = "M";
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) {
      pen = "M";
      continue;
    }
    const px = last > first ? ((x[i] - first) / (last - first)) * WIDTH_PX : WIDTH_PX / 2;
    const py = high > low ? HEIGHT_PX - 1 - ((y[i] - low) / (high - low)) * (HEIGHT_PX - 2) : HEIGHT_PX / 2;
    path += `${pen}${px.toFixed(1)} ${py.toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/// Curves of the runs on the screen, by hash; fetched once each and kept.
export function useSparks(
  visible: ReadonlySignal<readonly string[]>,
  metric: ReadonlySignal<Field | null>,
): ReadonlySignal<ReadonlyMap<string, SparkPath>> {
  const { scope } = useApp();
  const sparks = useMemo(() => signal<ReadonlyMap<string, SparkPath>>(new Map()), []);
  const state = useRef({ timer: 0, key: "", abort: new AbortController() });
  useSignalEffect(() => {
    const field = metric.value;
    const hashes = visible.value;
    const { current } = state;
    const key = `${scope.repo.value} ${JSON.stringify(field)}`;
    if (key !== current.key) sparks.value = new Map();
    current.key = key;
    clearTimeout(current.timer);
    if (!field || field[0] !== "metric") return undefined;
    current.timer = window.setTimeout(async () => {
      const missing = hashes.filter((hash) => !sparks.peek().has(hash));
      if (missing.length === 0) return;
      current.abort.abort();
      current.abort = new AbortController();
      const frame = await fetchSeries(
        scope,
        { query: "", runs: missing, metrics: [{ name: field[1], context: field[2] }], x: "step", buckets: BUCKETS },
        current.abort.signal,
      ).catch(() => null);
      if (!frame) return; // a table is whole without its small curves
      const next = new Map(sparks.peek());
      for (const hash of missing) next.set(hash, "");
      for (const part of frame.parts) if (part.run) next.set(part.run, pathOf(part.x, part.y));
      sparks.value = next;
    }, PAUSE_MS);
    return () => clearTimeout(current.timer);
  });
  return sparks;
}

export function Spark({ points, color }: { points: SparkPath | null; color: string }): JSX.Element | null {
  if (!points) return null;
  return (
    <svg class="spark" width={WIDTH_PX} height={HEIGHT_PX} aria-hidden="true">
      <path d={points} fill="none" stroke={color} stroke-width="1.25" />
    </svg>
  );
}
