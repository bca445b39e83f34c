/// The data of a card: its request, its curves, and how they are drawn, as signals that follow each other.

import { untracked, useComputed, useSignal, useSignalEffect, type ReadonlySignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";
import type { BestEnd } from "../chart/best";
import type { Extent } from "../chart/extent";
import type { ChartNote } from "../chart/notes";
import type { Plot, PlotOptions } from "../chart/plot";
import { annotationsFor, annotationsOf } from "../model/annotations";
import { cardRequest } from "../model/cardrequest";
import type { Card } from "../model/cards";
import type { CardSettings } from "../model/cardsettings";
import { betterDirection } from "../model/fields";
import { linesOf, type CardLines } from "../model/lines";
import type { LiveStore } from "../model/livestore";
import type { Scene } from "../model/scene";
import { seriesStore, type CardPlace } from "../model/series";
import { delayed } from "../model/throttle";
import type { Frame } from "../wire/frame";
import type { RunHead } from "../model/runheads";
import type { Field, SeriesRequest, StoredDocument } from "../wire/types";
import { useApp } from "./app";
import { cardTitle } from "./cardactions";
import { useOnScreen, useStore } from "./hooks";

const ZOOM_PAUSE_MS = 80;
const ROW_RANK = 10_000; // cards are fetched row by row: a pixel further down counts more than any to the right

/// What is drawn in a card.
export interface CardSubject {
  readonly card: Card;
  readonly scene: Scene;
  readonly settings: CardSettings;
  /// Only these runs: a facet's, or those of a page about few runs. Null: all that match.
  readonly runs?: ReadonlySignal<readonly string[] | null>;
  /// Only the runs of this group, which are too many to be named.
  readonly head?: { readonly by: Field; readonly head: RunHead };
  /// Makes the lines of what was fetched, in place of a line for each curve.
  readonly reshape?: (frame: Frame | null) => CardLines;
}

/// The data of a card that is on the page.
export interface CardData {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly isSeen: ReadonlySignal<boolean>;
  readonly request: ReadonlySignal<SeriesRequest | null>;
  readonly store: LiveStore<Frame>;
  readonly lines: ReadonlySignal<CardLines>;
  readonly options: ReadonlySignal<PlotOptions>;
  /// The last picture; null: none was painted yet.
  readonly plot: { current: Plot | null };
  readonly hasOutliers: Signal<boolean>;
  readonly yWindow: Signal<Extent | null>;
  /// Takes a picture that was painted; the next request is as fine as it is wide.
  readonly painted: (plot: Plot) => void;
}

/// Makes the data of a card. Nothing is fetched before the card comes near the screen.
export function useCardData(
  { card, scene, settings, runs, head, reshape }: CardSubject,
  onLines?: (lines: CardLines) => void,
): CardData {
  const { scope, documents } = useApp();
  const { ref, isSeen, width_px } = useOnScreen();
  useEffect(documents.need, []); // its annotations
  const yWindow = useSignal<Extent | null>(null);
  const plot = useRef<Plot | null>(null);
  const hasOutliers = useSignal(false);
  const plotWidth = useSignal(0);
  const { value: window } = useStore(() => delayed(settings.window, ZOOM_PAUSE_MS)); // a drag asks the server once
  const request = useComputed<SeriesRequest | null>(() => {
    if (!isSeen.value || scene.isUndecided.value) return null;
    const only = runs?.value ?? null;
    return cardRequest({
      metrics: card.metrics,
      query: scope.query.value,
      only,
      group: head ? { by: [head.by], key: head.head.key } : null,
      fields: scene.askedOfDrawn.value,
      run_count: head?.head.count ?? (only ? only.length : scene.table.value.count),
      x: settings.xAxis.value,
      window: window.value,
      smoothing: settings.smoothing.value,
      aggregate: settings.aggregate.value,
      branches: settings.branches.value,
      plot_width: plotWidth.value,
      card_width_px: width_px.value,
      pixel_ratio: devicePixelRatio || 1,
    });
  });
  const place = (): CardPlace => {
    const box = ref.current?.getBoundingClientRect();
    if (!box) return { order: 0, isOnScreen: false };
    const isOnScreen = box.bottom > 0 && box.top < innerHeight;
    return { order: Math.round(box.top) * ROW_RANK + box.left, isOnScreen };
  };
  const store = useStore(() => seriesStore(scope, request, place));
  const lines = useComputed(() =>
    reshape ? reshape(store.answer.value) : linesOf(store.answer.value, card.metrics, scene.looks.value),
  );
  useSignalEffect(() => {
    const next = lines.value;
    untracked(() => onLines?.(next));
  });
  useSignalEffect(() => {
    const frame = store.answer.value;
    if (frame === null) return;
    untracked(() => scene.learn(frame));
    if (settings.aggregate.value === null) return;
    untracked(() => {
      scene.setGroups(frame);
      settings.ignored.value = frame.ignored;
    });
  });
  const options = useComputed<PlotOptions>(() => ({
    xKind: settings.xKind ?? "linear",
    limits: settings.limits,
    notes: settings.xAxis.value === "step" ? notesOf(documents.all.value, card) : [],
    yKind: settings.yKind.value,
    xUnit: settings.xUnit.value,
    clip: settings.isClipped.value,
    window: settings.window.value,
    yWindow: yWindow.value,
    best: settings.marksBest ? bestEnd(card) : null,
    xName: settings.xLabel.value,
    yName: cardTitle(card),
  }));
  const painted = (next: Plot): void => {
    plot.current = next;
    if (hasOutliers.peek() !== next.isClipped) hasOutliers.value = next.isClipped;
    const width = Math.round((next.x.to - next.x.from) * (devicePixelRatio || 1));
    const isSampled = store.answer.peek()?.parts.some((part) => part.points > part.x.length) ?? false;
    if (isSampled && width !== plotWidth.peek()) plotWidth.value = width;
  };
  return { ref, isSeen, request, store, lines, options, plot, hasOutliers, yWindow, painted };
}

/// What people wrote at steps of a card's metrics.
function notesOf(documents: readonly StoredDocument[] | null, { metrics }: Card): readonly ChartNote[] {
  return annotationsFor(annotationsOf(documents), metrics).map(({ step, text }) => ({ x: step, text }));
}

/// The best end of a card's values; null: its metrics do not say what is better, or not the same.
function bestEnd({ metrics }: Card): BestEnd | null {
  const directions = new Set(metrics.map(({ name }) => betterDirection(name)));
  const [direction] = directions;
  return directions.size > 1 || direction === 0 ? null : direction > 0 ? "max" : "min";
}
