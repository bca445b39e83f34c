/// One card of the workspace: a metric's curves, fetched when the card comes near the screen, and what can be done with them.

import {
  batch,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
  type ReadonlySignal,
  type Signal,
} from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Extent } from "../chart/extent";
import type { LineChart } from "../chart/linechart";
import { DENSITY_LINES, type Plot, type PlotOptions } from "../chart/plot";
import type { Card } from "../model/cards";
import { queryLiteral } from "../model/fields";
import { linesOf } from "../model/lines";
import { isBaseline } from "../model/marks";
import type { Scene } from "../model/scene";
import { here, query } from "../model/scope";
import { report, toast } from "../model/session";
import { seriesStore } from "../model/series";
import { aggregate, isClipped, smoothing, xAxis, xLabel, xUnit, xWindow, yKind, zoom } from "../model/workspace";
import type { SeriesRequest } from "../wire/types";
import { Icon } from "../widget/icon";
import { MenuItems, Popover, type MenuItem } from "../widget/popover";
import { SpanGrip, type CardPlace } from "./cardsection";
import { ChartView } from "./chartview";
import { DATA_FORMATS, exportPng, exportSvg, exportUrl } from "./chartexport";
import { goTo } from "../model/address";
import { useOnScreen, useStore } from "./hooks";

const MANY_RUNS = 1000;
const MANY_BUCKETS = 120;
const MARGIN_PX = 54; // of an ordinary plot; known better once it is painted
const ZOOM_PAUSE_MS = 80;

interface ChartCardProps {
  readonly card: Card;
  readonly scene: Scene;
  /// Only these runs: a facet's, or those of a page about few runs. Null: all that match.
  readonly runs?: ReadonlySignal<readonly string[] | null>;
  readonly onExpand?: (card: Card) => void;
  readonly isLarge?: boolean;
  /// Where it is among the others, if it can be moved.
  readonly place?: CardPlace;
  /// Follows the smoothing, zoom and aggregation of the workspace. Else it is a plain card with its own zoom.
  readonly isPlain?: boolean;
  /// An address leads here: it stands out.
  readonly isFound?: boolean;
  /// The zoom that plain cards of one page share.
  readonly shared?: Signal<Extent | null>;
  /// How many earlier branches of rewound runs are drawn behind; none if it is not given.
  readonly branches?: ReadonlySignal<number>;
  readonly onLines?: (lines: ReturnType<typeof linesOf>) => void;
}

/// The card. All of its drawing follows signals; it renders again only for its own few words.
export function ChartCard({
  card,
  scene,
  runs,
  onExpand,
  place: cardPlace,
  isLarge = false,
  isPlain = false,
  isFound = false,
  shared,
  branches,
  onLines,
}: ChartCardProps): JSX.Element {
  const { ref, isSeen, width_px } = useOnScreen();
  const yWindow = useSignal<Extent | null>(null);
  const alone = useSignal<Extent | null>(null);
  const ownWindow = shared ?? alone;
  const plot = useRef<Plot | null>(null);
  const chart = useRef<LineChart | null>(null);
  const isCut = useSignal(false);
  const plotWidth_px = useSignal(0);
  const window = isPlain ? ownWindow : xWindow;
  const slowWindow = useDelayed(window);
  const wish = useComputed<SeriesRequest | null>(() => {
    if (!isSeen.value) return null;
    const only = runs?.value ?? null;
    const count = only ? only.length : scene.table.value.count;
    // A part for each device pixel of the plot: then every pixel column shows its true lowest and highest value.
    const wide = plotWidth_px.value || Math.round((width_px.value - MARGIN_PX) * (devicePixelRatio || 1));
    const buckets = count > MANY_RUNS ? MANY_BUCKETS : Math.max(60, Math.min(4000, wide));
    return stable({
      query: only ? "" : query.value,
      runs: only,
      metrics: card.metrics,
      x: xAxis.value,
      window: slowWindow.value,
      buckets,
      smooth: smoothing.value,
      aggregate: isPlain ? null : aggregate.value,
      ...(branches?.value ? { branches: branches.value } : {}),
    });
  });
  const place = (): number => {
    const box = ref.current?.getBoundingClientRect();
    return box ? Math.round(box.top) * 10_000 + box.left : 0;
  };
  const store = useStore(() => seriesStore(wish, place));
  const lines = useComputed(() => linesOf(store.frame.value, card.metrics, scene.looks.value));
  useSignalEffect(() => {
    const made = lines.value;
    untracked(() => onLines?.(made));
  });
  const options = useComputed<PlotOptions>(() => ({
    xKind: "linear",
    yKind: yKind.value,
    xUnit: xUnit.value,
    clip: isClipped.value,
    window: window.value,
    yWindow: yWindow.value,
  }));
  const baseline = useComputed(() => scene.table.value.hashes.find(isBaseline) ?? null);
  const onZoom = (next: Extent | null, box: Extent | null): void =>
    batch(() => {
      yWindow.value = box;
      if (isPlain) ownWindow.value = next;
      else zoom(next);
    });
  const title = [card.title, card.subtitle].filter(Boolean).join(" ");
  const items = (): MenuItem[] => [
    ...(onExpand ? [{ label: "Full screen", icon: "expand", hint: "f", run: () => onExpand(card) } as const] : []),
    { label: "PNG picture", icon: "download", run: () => plot.current && exportPng(plot.current, title) },
    { label: "SVG picture", icon: "download", run: () => plot.current && exportSvg(plot.current, title) },
    ...DATA_FORMATS.map(
      ([format, name]) =>
        ({
          label: `${name} of all points`,
          icon: "download",
          run: () => wish.value && location.assign(exportUrl(here, "series", format, wish.value)),
        }) as const,
    ),
    { label: "Copy as Python", icon: "copy", run: () => void copyPython(card) },
    { label: "Copy link", icon: "link", run: () => void copyText(location.href, "Link copied.") },
    ...(cardPlace?.items() ?? []),
  ];
  const { frame } = store;
  const shown = lines.value.data.lines.length;
  const isEmpty = lines.value.data.lines.every((line) => line.x.length === 0);
  return (
    <article
      class={["card", isLarge && "large", isFound && "found", cardPlace && `span-${cardPlace.span}`]
        .filter(Boolean)
        .join(" ")}
      ref={ref}
      data-card={card.id}
      onDrop={cardPlace?.onDrop}
    >
      <header draggable={cardPlace !== undefined} onDragStart={cardPlace?.onDrag}>
        <h3 title={title}>
          {card.title} <span>{card.subtitle}</span>
        </h3>
        {isCut.value && (
          <span class="hint" title="A few values lie outside. Choose y › ignore outliers to see them.">
            outliers cut
          </span>
        )}
        {frame.value && frame.value.sent < frame.value.total && (
          <span class="hint" title="Those of the newest runs. Narrow the query to see the others.">
            newest {frame.value.sent.toLocaleString("en")} of {frame.value.total.toLocaleString("en")}
          </span>
        )}
        {shown > DENSITY_LINES && <span class="hint">density of {shown.toLocaleString("en")}</span>}
        <span class="acts">
          {onExpand && (
            <button
              type="button"
              class="bare"
              aria-label={`Full screen: ${title}`}
              title="Full screen"
              onClick={() => onExpand(card)}
            >
              <Icon name="expand" size={14} />
            </button>
          )}
          <Popover
            isIcon
            button={<Icon name="dots" size={14} />}
            label={`More for ${title}`}
            buttonClass="bare"
            align="right"
          >
            {(close) => <MenuItems items={items()} close={close} />}
          </Popover>
        </span>
      </header>
      <div class={store.isLoading.value && frame.value ? "plot stale" : "plot"}>
        {isSeen.value && (
          <ChartView
            lines={lines}
            options={options}
            label={`${title} over ${xLabel.value}`}
            xName={xLabel.value}
            onZoom={onZoom}
            baseline={baseline}
            chartRef={chart}
            openOf={(owner) => (scene.table.value.rowOf.has(owner) ? () => goTo("run", owner) : null)}
            onPainted={(next) => {
              plot.current = next;
              if (isCut.peek() !== next.isClipped) isCut.value = next.isClipped;
              const wide = Math.round((next.x.to - next.x.from) * (devicePixelRatio || 1));
              const isSampled = frame.peek()?.parts.some((part) => part.points > part.x.length) ?? false;
              if (isSampled && wide !== plotWidth_px.peek()) plotWidth_px.value = wide;
            }}
          />
        )}
        {store.isLoading.value && !frame.value && <i class="waiting" role="status" aria-label={`Loading ${title}`} />}
        {store.error.value && !frame.value && (
          <p class="fault" role="alert">
            {store.error.value.message}
          </p>
        )}
        {frame.value && isEmpty && !store.isLoading.value && (
          <p class="fault">
            No points{" "}
            {xAxis.value === "epoch"
              ? "with an epoch"
              : typeof xAxis.value === "object"
                ? `at a step of ${xLabel.value}`
                : "here"}
            .
          </p>
        )}
      </div>
      {cardPlace && <SpanGrip span={cardPlace.span} onSpan={cardPlace.onSpan} />}
    </article>
  );
}

async function copyText(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch (error) {
    report(error);
  }
}

/// The card's data in SDK code.
async function copyPython(card: Card): Promise<void> {
  const clauses = card.metrics.map(({ name, context }) =>
    [
      `metric.name == ${queryLiteral(name)}`,
      ...Object.entries(context).map(
        ([key, value]) => `metric.context[${queryLiteral(key)}] == ${queryLiteral(value)}`,
      ),
    ].join(" and "),
  );
  const wanted = clauses.length === 1 ? clauses[0] : clauses.map((clause) => `(${clause})`).join(" or ");
  const text = query.peek() === "" ? wanted : `(${query.peek()}) and (${wanted})`;
  await copyText(
    `from aim import Repo\n\nrepo = Repo(".")\nfor metric in repo.query_metrics(${JSON.stringify(text)}):\n    steps, values = metric.values.sparse_numpy()\n    print(metric.run.name, steps[-1], values[-1])\n`,
    "Python code copied.",
  );
}

/// A signal that follows another one a little later, so that a drag asks the server once.
function useDelayed<T>(source: ReadonlySignal<T>): ReadonlySignal<T> {
  const later = useSignal(source.peek());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = source.subscribe((value) => {
      clearTimeout(timer);
      timer = setTimeout(() => (later.value = value), ZOOM_PAUSE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  return later;
}

let last = new Map<string, SeriesRequest>();

/// The same object for equal requests, so that a store sees when nothing changed.
function stable(request: SeriesRequest): SeriesRequest {
  const text = JSON.stringify(request);
  const known = last.get(text);
  if (known) return known;
  if (last.size > 500) last = new Map();
  last.set(text, request);
  return request;
}
