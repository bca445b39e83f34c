/// What a card asks the server for.

import type { Extent } from "../chart/extent";
import type { Smoothing } from "./smoothing";
import type { GroupChoice } from "../wire/groups";
import type { Aggregate, Field, SequenceKey, SeriesRequest, XAxis } from "../wire/types";

const MANY_RUNS = 1000;
const MANY_BUCKETS = 120;
const LEAST_BUCKETS = 60;
const MOST_BUCKETS = 4000;
const MARGIN_PX = 54; // of an ordinary plot; known better once it is painted
const REMEMBERED_MOST = 500;

/// A card, and how it is drawn now.
export interface CardView {
  readonly metrics: readonly SequenceKey[];
  /// The query of the page, and the only runs to draw; null: all that match.
  readonly query: string;
  readonly only: readonly string[] | null;
  /// Only the runs of this group; null: of all.
  readonly group?: GroupChoice | null;
  /// What is asked of the runs that are drawn, because not all of them are listed.
  readonly fields?: readonly Field[];
  /// How many runs are drawn.
  readonly run_count: number;
  readonly x: XAxis;
  readonly window: Extent | null;
  readonly smoothing: Smoothing;
  readonly aggregate: Aggregate | null;
  readonly branches: number;
  /// The width of the plot in device pixels; 0: not painted yet.
  readonly plot_width: number;
  /// The width of the card in CSS pixels, and how many device pixels one is.
  readonly card_width_px: number;
  readonly pixel_ratio: number;
}

/// How many parts a curve is asked for in. With a part for each device pixel of the plot, every column of pixels has
/// its true lowest and highest value.
export function bucketsOf(view: Pick<CardView, "run_count" | "plot_width" | "card_width_px" | "pixel_ratio">): number {
  if (view.run_count > MANY_RUNS) return MANY_BUCKETS;
  const width = view.plot_width || Math.round((view.card_width_px - MARGIN_PX) * view.pixel_ratio);
  return Math.max(LEAST_BUCKETS, Math.min(MOST_BUCKETS, width));
}

/// The request for a card; the same object for equal requests, so that a store sees when nothing changed.
export function cardRequest(view: CardView): SeriesRequest {
  return remembered({
    query: view.only ? "" : view.query,
    runs: view.only,
    metrics: view.metrics,
    x: view.x,
    window: view.window,
    buckets: bucketsOf(view),
    smooth: view.smoothing.amount,
    ...(view.smoothing.kind === "ema" ? {} : { smooth_kind: view.smoothing.kind }),
    aggregate: view.aggregate,
    ...(view.branches > 0 ? { branches: view.branches } : {}),
    ...(view.group ? { group: view.group } : {}),
    ...(view.fields && view.fields.length > 0 ? { fields: view.fields } : {}),
  });
}

const requests = new Map<string, SeriesRequest>();

function remembered(request: SeriesRequest): SeriesRequest {
  const text = JSON.stringify(request);
  const before = requests.get(text);
  if (before) return before;
  if (requests.size >= REMEMBERED_MOST) requests.clear();
  requests.set(text, request);
  return request;
}
