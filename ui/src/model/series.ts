/// The curves of one card, kept up to date: fetched when wanted, appended to while runs are live.

import type { ReadonlySignal } from "@preact/signals";
import { sequenceText } from "./fields";
import { liveStore, type LiveStore } from "./livestore";
import { makeQueue } from "./queue";
import type { Scope } from "./scope";
import { appendTail, decodeFrame, type Frame, type FramePart } from "../wire/frame";
import { sendForBytes } from "../wire/request";
import type { SeriesRequest } from "../wire/types";

const AT_ONCE = 4; // requests; browsers allow six connections a host, and one is the live stream
const FIRST_SERIES = 300; // of many curves the newest are drawn while the others are on their way
// What is asked for in which order: cards that have nothing yet, from the top of the page on; the other curves of very
// many; and what is only newer, which takes turns. All of that for cards on the screen before any for the others.
const STAGES = { first: 0, others: 1, newer: 2 } as const;
const STAGE_RANKS = 1e12; // more than pixels and turns
const OFF_SCREEN_RANKS = 3 * STAGE_RANKS;
const TAIL_PAUSE_MS = 900;
const WHOLE_PAUSE_MS = 4000; // an aggregate has no tail: all of it is asked for again

const inTurn = makeQueue(AT_ONCE);

let turn = 0;

/// Where a card is on the page: `order` is least for the first one.
export interface CardPlace {
  readonly order: number;
  readonly isOnScreen: boolean;
}

const ALONE: CardPlace = { order: 0, isOnScreen: true };

/// The rank of a request of a card that may be scrolled while it waits.
function rankOf(place: () => CardPlace, stage: keyof typeof STAGES): () => number {
  const own = turn++;
  return () => {
    const { order, isOnScreen } = place();
    return STAGES[stage] * STAGE_RANKS + (stage === "newer" ? own : order) + (isOnScreen ? 0 : OFF_SCREEN_RANKS);
  };
}

/// Fetches the curves of a request, waiting for a free connection. `rank`: the order among those that wait, least
/// first.
export function fetchSeries(
  scope: Scope,
  body: SeriesRequest,
  abort?: AbortSignal,
  rank: () => number = () => 0,
): Promise<Frame> {
  return inTurn(rank, async () => {
    abort?.throwIfAborted();
    return decodeFrame(await sendForBytes(scope.question("series"), body, abort), body.fields);
  });
}

function partKey(part: FramePart): string {
  return `${part.run}|${sequenceText(part.metric)}|${part.branch ?? ""}|${part.part}`;
}

/// `old` with the series of a later frame put in.
export function mergeFrames(old: Frame, next: Frame): Frame {
  if (next.isWhole) return next;
  const { cursor, runs, columns, fields } = next;
  if (next.parts.length === 0) return { ...old, cursor };
  const byKey = new Map(next.parts.map((part) => [partKey(part), part]));
  const parts = old.parts.map((part) => {
    const key = partKey(part);
    const fresh = byKey.get(key);
    byKey.delete(key);
    return fresh ? appendTail(part, fresh) : part;
  });
  const total = Math.max(old.total, next.total);
  return {
    ...old,
    cursor,
    runs,
    columns,
    fields,
    total,
    sent: old.sent < old.total ? old.sent : total,
    parts: [...parts, ...byKey.values()],
  };
}

/// Starts a store that follows `wish`; null: nothing is asked for yet, as for a card that is off the screen. `place`
/// tells where on the page it is drawn. What is higher up is fetched first, and every card gets its turn.
export function seriesStore(
  scope: Scope,
  wish: ReadonlySignal<SeriesRequest | null>,
  place: () => CardPlace = () => ALONE,
): LiveStore<Frame> {
  let answered: SeriesRequest | null = null;
  const fetchFirst = async (
    request: SeriesRequest,
    abort: AbortSignal,
    show: (part: Frame) => void,
    old: Frame | null,
  ): Promise<Frame> => {
    const stage = request === answered ? "newer" : "first";
    if (old !== null || request.aggregate) return fetchSeries(scope, request, abort, rankOf(place, stage));
    const first = await fetchSeries(scope, { ...request, limit: FIRST_SERIES }, abort, rankOf(place, stage));
    if (first.total <= FIRST_SERIES) return first;
    show(first);
    return fetchSeries(scope, request, abort, rankOf(place, "others"));
  };
  return liveStore<SeriesRequest, Frame>(scope, {
    wish,
    pause_ms: ({ aggregate }) => (aggregate ? WHOLE_PAUSE_MS : TAIL_PAUSE_MS),
    fetch: async (request, abort, show, old) => {
      const frame = await fetchFirst(request, abort, show, old);
      answered = request;
      return frame;
    },
    merge: (old, _, request) =>
      request.aggregate
        ? null
        : async (abort) =>
            mergeFrames(
              old,
              await fetchSeries(scope, { ...request, since: old.cursor }, abort, rankOf(place, "newer")),
            ),
    concerns: ({ cursor, changed }, { runs }, frame) =>
      cursor !== frame?.cursor && (!runs || changed === null || changed.some((hash) => runs.includes(hash))),
  });
}
