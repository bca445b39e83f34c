/// A line chart as part of a page: draws what it is given, lights what the pointer is on anywhere, and shows the tip.

import { effect, useSignal, type ReadonlySignal } from "@preact/signals";
import type { CSSProperties, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Extent } from "../chart/extent";
import { LineChart, type HoverPoint } from "../chart/linechart";
import { indexAt } from "../chart/nearest";
import { Scale } from "../chart/scale";
import type { ChartTheme, Plot, PlotOptions } from "../chart/plot";
import type { AxisUnit } from "../chart/ticks";
import { valueTitle, type Cell } from "../model/cell";
import { deltaText, formatCell, formatDuration, formatNumber, formatTime } from "../model/format";
import { valueAt } from "../model/linerows";
import type { CardLines } from "../model/lines";
import { Icon } from "../widget/icon";
import { Swatch } from "../widget/text";
import { useApp } from "./app";

const BESIDE_PX = 16;
const TIP_LEAST_PX = 200;

/// The theme's colours for canvases.
export function chartTheme(): ChartTheme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return { ground: read("--panel"), ink: read("--ink-3"), grid: read("--line-2"), accent: read("--accent") };
}

interface ChartViewProps {
  readonly lines: ReadonlySignal<CardLines>;
  readonly options: ReadonlySignal<PlotOptions>;
  readonly label: string;
  /// What x is called in the tip.
  readonly xName: string;
  readonly onZoom: (window: Extent | null, yWindow: Extent | null) => void;
  readonly onPainted?: (plot: Plot) => void;
  /// Opens a line's owner; null: it has no page of its own.
  readonly openOf?: (owner: string) => (() => void) | null;
  /// The owner that values are compared to in the tip.
  readonly baseline?: ReadonlySignal<string | null>;
  readonly chartRef?: { current: LineChart | null };
  /// Keeps what the reader writes at an x, for all who look; without it nothing can be written.
  readonly onAnnotate?: (x: number, text: string) => void;
}

/// The place of x for people.
export function xText(unit: AxisUnit, x: number, name: string): string {
  if (unit === "date") return formatTime(x);
  if (unit === "duration") return formatDuration(x);
  return `${name} ${formatNumber(x)}`;
}

/// A chart that fills its parent.
export function ChartView(props: ChartViewProps): JSX.Element {
  const { session, marks } = useApp();
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<LineChart | null>(null);
  const tip = useSignal<HoverPoint | null>(null);
  const pinned = useSignal<HoverPoint | null>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    if (!host.current) return undefined;
    const made = new LineChart(host.current, {
      hover: (point) => {
        tip.value = point;
        marks.hot.value = point ? { owner: point.hits[0].line.owner, x: point.x } : null;
      },
      zoom: (window, yWindow) => {
        pinned.value = null;
        latest.current.onZoom(window, yWindow);
      },
      click: (point) => (pinned.value = pinned.peek() ? null : point),
      painted: (plot) => {
        // What the picture's pixels mean, for tests and for tools that read it.
        const { x, y } = plot;
        if (host.current)
          host.current.dataset.scales = JSON.stringify({
            x: [x.lo, x.hi, x.from, x.to],
            y: [y.lo, y.hi, y.from, y.to],
          });
        latest.current.onPainted?.(plot);
      },
    });
    chart.current = made;
    if (props.chartRef) props.chartRef.current = made;
    const stops = [
      effect(() => {
        void session.theme.value;
        made.show(props.lines.value.data, props.options.value, chartTheme());
      }),
      effect(() => {
        const on = marks.hot.value;
        const owner = on ? (props.lines.value.ownerOf.get(on.owner) ?? on.owner) : null;
        made.light(owner === null ? null : new Set([owner]), on?.x ?? null);
      }),
    ];
    return () => {
      stops.forEach((stop) => stop());
      made.destroy();
      if (marks.hot.peek()) marks.hot.value = null;
    };
  }, []);
  useEffect(() => {
    if (!pinned.value) return undefined;
    const unpin = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !host.current?.contains(event.target as Node))
        pinned.value = null;
      if (event instanceof KeyboardEvent && event.key === "Escape") event.stopPropagation();
    };
    addEventListener("keydown", unpin, true);
    addEventListener("pointerdown", unpin, true);
    return () => {
      removeEventListener("keydown", unpin, true);
      removeEventListener("pointerdown", unpin, true);
    };
  }, [pinned.value]);
  const point = pinned.value ?? tip.value;
  return (
    <div class="chart" ref={host}>
      <div class="chart-picture" role="img" aria-label={props.label} />
      {point && (
        <Tip
          point={point}
          isPinned={pinned.value !== null}
          onClose={() => (pinned.value = null)}
          {...props}
          width={host.current?.clientWidth ?? 0}
        />
      )}
    </div>
  );
}

function TipName({ label, open }: { label: string; open: (() => void) | null }): JSX.Element {
  return open ? (
    <button type="button" class="name" title={`Open ${label}`} onClick={open}>
      {label}
    </button>
  ) : (
    <span class="name" title={label}>
      {label}
    </span>
  );
}

/// The value of a point as the tip shows it: seven digits where there is time to read them, and all of an integer.
function valueText(value: Cell, isPinned: boolean): string {
  const isRounded = isPinned && typeof value === "number" && !Number.isInteger(value);
  return isRounded ? String(Number(value.toPrecision(7))) : formatCell(value);
}

/// Where a tip stands: beside its point where there is room, in a narrow chart at the edge that is farther from it.
function besidePoint(at_px: number, width_px: number): CSSProperties {
  const isRight = at_px > width_px / 2;
  const room_px = (isRight ? at_px : width_px - at_px) - BESIDE_PX;
  if (room_px < TIP_LEAST_PX) return isRight ? { left: "0" } : { right: "0" };
  const maxWidth = `min(290px, ${room_px}px)`;
  return isRight
    ? { right: `${width_px - at_px + BESIDE_PX}px`, maxWidth }
    : { left: `${at_px + BESIDE_PX}px`, maxWidth };
}

function Tip({
  point,
  width,
  isPinned,
  onClose,
  openOf,
  options,
  lines,
  baseline,
  xName,
  onAnnotate,
}: ChartViewProps & { point: HoverPoint; width: number; isPinned: boolean; onClose: () => void }): JSX.Element {
  const side = besidePoint(point.px, width);
  const { xUnit } = options.value;
  const owner = baseline?.value ?? null;
  const base = owner === null ? undefined : lines.value.data.lines.find((line) => line.owner === owner && !line.faint);
  const at = base ? indexAt(base, point.x, new Scale("linear", point.x, point.x + 1, 0, 1e9)) : -1;
  const baseValue = base && at >= 0 ? valueAt(base, at) : null;
  return (
    <div
      class={isPinned ? "tip pinned" : "tip"}
      style={side}
      role={isPinned ? "dialog" : undefined}
      aria-label={isPinned ? "Values here" : undefined}
    >
      <h4>
        {xText(xUnit, point.x, xName)}
        {isPinned && (
          <button type="button" class="bare" aria-label="Close the values" onClick={onClose}>
            <Icon name="close" size={11} />
          </button>
        )}
      </h4>
      {point.hits.map(({ line, index }, i) => {
        const value = valueAt(line, index);
        return (
          <div key={i} class={i === 0 ? "hit best" : "hit"}>
            <Swatch color={line.color} dash={line.dash.length > 0 ? line.dash : undefined} />
            <TipName label={line.label} open={isPinned ? (openOf?.(line.owner) ?? null) : null} />
            <span class="value" title={valueTitle(value)}>
              {valueText(value, isPinned)}
            </span>
            {baseValue !== null && (
              <span class="delta">{line.owner === owner ? "base" : (deltaText(value, baseValue) ?? "NaN")}</span>
            )}
          </div>
        );
      })}
      {isPinned && onAnnotate && (
        <AnnotationForm
          onSave={(text) => {
            onAnnotate(point.x, text);
            onClose();
          }}
        />
      )}
    </div>
  );
}

/// The line in a tip that stays, by which something is written at its x.
function AnnotationForm({ onSave }: { onSave: (text: string) => void }): JSX.Element {
  const text = useSignal("");
  return (
    <form
      class="annotation"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.value.trim() !== "") onSave(text.value.trim());
      }}
    >
      <input
        class="field"
        placeholder="Annotate this step…"
        aria-label="Annotate this step, for all who look"
        maxLength={200}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
    </form>
  );
}
