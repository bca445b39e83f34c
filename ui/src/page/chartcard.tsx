/// One card of a page: a metric's curves, fetched when the card comes near the screen. Its data, its frame and its
/// actions have files of their own.

import { batch } from "@preact/signals";
import type { JSX } from "preact";
import type { Extent } from "../chart/extent";
import { goTo } from "../model/address";
import { annotate, annotationsFor, annotationsOf, removeAnnotation } from "../model/annotations";
import type { Card } from "../model/cards";
import { type CardLines, GROUP_PREFIX } from "../model/lines";
import type { MenuItem } from "../widget/popover";
import { useApp } from "./app";
import { cardActions, cardTitle } from "./cardactions";
import { useCardData, type CardSubject } from "./carddata";
import { CardHead, CardNotice, type CardReading } from "./cardframe";
import { SpanGrip, type CardPosition } from "./cardsection";
import { ChartView } from "./chartview";

interface ChartCardProps extends CardSubject {
  readonly onExpand?: (card: Card) => void;
  readonly isLarge?: boolean;
  /// Where it stands among the others, if it can be moved.
  readonly position?: CardPosition;
  /// An address leads here: it stands out.
  readonly isTarget?: boolean;
  /// What the curve came to, beside the title.
  readonly reading?: CardReading | null;
  readonly onLines?: (lines: CardLines) => void;
}

/// The card. All of its drawing follows signals; it renders again only for its own few words.
export function ChartCard(props: ChartCardProps): JSX.Element {
  const { card, scene, settings, position, onExpand, isLarge = false, isTarget = false } = props;
  const app = useApp();
  const data = useCardData(props, props.onLines);
  const { store, yWindow } = data;
  const { baseline } = scene;
  const zoom = (window: Extent | null, box: Extent | null): void =>
    batch(() => {
      yWindow.value = box;
      settings.zoom(window);
    });
  const title = cardTitle(card);
  const { documents, edits } = app;
  const [metric = null] = card.metrics.length === 1 ? card.metrics : [];
  const canAnnotate = settings.xAxis.value === "step" && edits.canEdit();
  const save = (x: number, text: string): void => void annotate(documents, x, text, metric);
  const removals = (): readonly MenuItem[] =>
    edits.canEdit()
      ? annotationsFor(annotationsOf(documents.all.peek()), card.metrics).map((each) => ({
          label: `Remove “${each.text}”`,
          icon: "trash",
          run: () => void removeAnnotation(documents, each),
        }))
      : [];
  const classes = ["card", isLarge && "large", isTarget && "found", position && `span-${position.span}`];
  return (
    <article class={classes.filter(Boolean).join(" ")} ref={data.ref} data-card={card.id} onDrop={position?.onDrop}>
      <CardHead
        card={card}
        data={data}
        reading={props.reading ?? null}
        actions={() => cardActions(app, card, data, onExpand, [...(position?.items() ?? []), ...removals()])}
        onExpand={onExpand}
        onDrag={position?.onDrag}
      />
      <div class={store.isLoading.value && store.answer.value ? "plot stale" : "plot"}>
        {data.isSeen.value && (
          <ChartView
            lines={data.lines}
            options={data.options}
            label={`${title} over ${settings.xLabel.value}`}
            xName={settings.xLabel.value}
            onZoom={zoom}
            baseline={baseline}
            openOf={(owner) => (owner.startsWith(GROUP_PREFIX) ? null : () => goTo("run", owner))}
            onPainted={data.painted}
            onAnnotate={canAnnotate ? save : undefined}
          />
        )}
        <CardNotice title={title} data={data} settings={settings} />
      </div>
      {position && <SpanGrip span={position.span} onSpan={position.onSpan} />}
    </article>
  );
}
