/// The frame of a card: its title with hints and a menu above, and words in place of a chart that has nothing to draw.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { DENSITY_LINES } from "../chart/plot";
import type { Card } from "../model/cards";
import type { CardSettings } from "../model/cardsettings";
import { formatDuration } from "../model/format";
import { ageOf } from "../model/livestore";
import { Icon } from "../widget/icon";
import { MenuItems, Popover, type MenuItem } from "../widget/popover";
import { cardTitle } from "./cardactions";
import type { CardData } from "./carddata";

const CLOCK_MS = 1000;

/// The menu of a card; `items` are made when it opens.
export function CardMenu({ title, items }: { title: string; items: () => readonly MenuItem[] }): JSX.Element {
  return (
    <Popover
      isIcon
      button={<Icon name="dots" size={14} />}
      label={`More for ${title}`}
      buttonClass="bare"
      align="right"
    >
      {(close) => <MenuItems items={items()} close={close} />}
    </Popover>
  );
}

/// How old the curves are, when the server is slower than the runs.
function CardAge({ store }: { store: CardData["store"] }): JSX.Element | null {
  const age_s = useSignal<number | null>(null);
  useEffect(() => {
    const look = (): void => {
      age_s.value = ageOf(store.behindSince.peek(), performance.now());
    };
    const timer = setInterval(look, CLOCK_MS);
    const stop = store.behindSince.subscribe(look);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, []);
  return age_s.value === null ? null : (
    <span class="hint age" title="The server answers more slowly than the runs record.">
      {formatDuration(age_s.value)} old
    </span>
  );
}

/// What a reader should know of the curves: how old they are, outliers that are cut, curves that are not drawn.
function CardHints({ data }: { data: CardData }): JSX.Element {
  const frame = data.store.answer.value;
  const count = data.lines.value.data.lines.length;
  return (
    <>
      <CardAge store={data.store} />
      {data.hasOutliers.value && (
        <span class="hint" title="A few values lie outside. Choose y › ignore outliers to see them.">
          outliers cut
        </span>
      )}
      {frame && frame.sent < frame.total && (
        <span class="hint" title="Those of the newest runs. Narrow the query to see the others.">
          newest {frame.sent.toLocaleString("en")} of {frame.total.toLocaleString("en")}
        </span>
      )}
      {count > DENSITY_LINES && <span class="hint">density of {count.toLocaleString("en")}</span>}
    </>
  );
}

/// What a card's curve came to, and more about it for a title.
export interface CardReading {
  readonly text: string;
  readonly title: string;
}

/// The line above the chart.
export function CardHead({
  card,
  data,
  reading,
  actions,
  onExpand,
  onDrag,
}: {
  card: Card;
  data: CardData;
  reading: CardReading | null;
  actions: () => readonly MenuItem[];
  onExpand?: (card: Card) => void;
  onDrag?: (event: DragEvent) => void;
}): JSX.Element {
  const title = cardTitle(card);
  return (
    <header draggable={onDrag !== undefined} onDragStart={onDrag}>
      <h3 title={title}>
        {card.title} <span>{card.subtitle}</span>
      </h3>
      {reading !== null && (
        <b class="reading" title={reading.title}>
          {reading.text}
        </b>
      )}
      <CardHints data={data} />
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
        <CardMenu title={title} items={actions} />
      </span>
    </header>
  );
}

/// Where points are missing, for a chart without any.
function emptyText({ xAxis, xLabel }: CardSettings): string {
  if (xAxis.value === "epoch") return "No points with an epoch.";
  return typeof xAxis.value === "object" ? `No points at a step of ${xLabel.value}.` : "No points here.";
}

/// What stands over the chart while there is nothing to draw.
export function CardNotice({
  title,
  data,
  settings,
}: {
  title: string;
  data: CardData;
  settings: CardSettings;
}): JSX.Element | null {
  const { answer, isLoading, error } = data.store;
  const isEmpty = data.lines.value.data.lines.every((line) => line.x.length === 0);
  if (answer.value) return isEmpty && !isLoading.value ? <p class="fault">{emptyText(settings)}</p> : null;
  if (isLoading.value) return <i class="waiting" role="status" aria-label={`Loading ${title}`} />;
  return error.value ? (
    <p class="fault" role="alert">
      {error.value.message}
    </p>
  ) : null;
}
