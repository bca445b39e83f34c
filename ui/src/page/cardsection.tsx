/// One section of the workspace: its head, and its cards, which can be dragged elsewhere and made wider.

import type { ComponentChildren, JSX } from "preact";
import { placed, place, spans, widen } from "../model/arrangement";
import { toggleFolded } from "../model/workspace";
import { freshName, moveCard, shiftCard, SPAN_MOST, type ArrangedSection } from "../model/layout";
import { Icon } from "../widget/icon";
import type { MenuItem } from "../widget/popover";

const CARD_TYPE = "text/card";
const NEW_SECTION = "My section";

/// What a card knows of its place.
export interface CardPlace {
  readonly span: number;
  readonly items: () => readonly MenuItem[];
  readonly onDrag: (event: DragEvent) => void;
  readonly onDrop: (event: DragEvent) => void;
  readonly onSpan: (span: number) => void;
}

/// Adds a section of the reader's own, with these cards.
export function addSection(shown: readonly ArrangedSection[], cards: readonly string[] = []): void {
  const rest = placed
    .peek()
    .map((section) => ({ ...section, cards: section.cards.filter((id) => !cards.includes(id)) }));
  place([{ name: freshName([...shown, ...rest], NEW_SECTION), cards }, ...rest]);
}

/// The place of a card among those that are shown.
export function placeOf(shown: readonly ArrangedSection[], section: ArrangedSection, id: string): CardPlace {
  const span = spans.value.get(id) ?? 1;
  const shift = (by: -1 | 1): void => place(shiftCard(shown, placed.peek(), id, by));
  return {
    span,
    items: () => [
      ...(span < SPAN_MOST ? [{ label: "Wider", icon: "expand", run: () => widen(id, span + 1) } as const] : []),
      ...(span > 1 ? [{ label: "Narrower", icon: "expand", run: () => widen(id, span - 1) } as const] : []),
      ...(section.cards[0]?.id !== id ? [{ label: "Move back", icon: "arrowUp", run: () => shift(-1) } as const] : []),
      ...(section.cards.at(-1)?.id !== id
        ? [{ label: "Move on", icon: "arrowDown", run: () => shift(1) } as const]
        : []),
      ...shown
        .filter((other) => other.isOwn && other.name !== section.name)
        .map(
          (other) =>
            ({
              label: `Move to “${other.name}”`,
              icon: "folder",
              run: () => place(moveCard(shown, placed.peek(), id, other.name, null)),
            }) as const,
        ),
      { label: "Move to a new section", icon: "plus", run: () => addSection(shown, [id]) },
    ],
    onDrag: (event) => event.dataTransfer?.setData(CARD_TYPE, id),
    onDrop: (event) => {
      const moved = event.dataTransfer?.getData(CARD_TYPE);
      if (!moved || moved === id) return;
      event.preventDefault();
      event.stopPropagation();
      const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const at = section.cards.findIndex((card) => card.id === id);
      const next = event.clientX < box.left + box.width / 2 ? id : (section.cards[at + 1]?.id ?? null);
      place(
        moveCard(
          shown,
          placed.peek(),
          moved,
          section.name,
          next === moved ? (section.cards[at + 2]?.id ?? null) : next,
        ),
      );
    },
    onSpan: (next) => widen(id, next),
  };
}

interface CardSectionProps {
  readonly section: ArrangedSection;
  readonly shown: readonly ArrangedSection[];
  readonly isFolded: boolean;
  readonly extra?: ComponentChildren;
  readonly children: ComponentChildren;
}

/// The section. What is dropped on it, beside its cards, goes to its end.
export function CardSection({ section, shown, isFolded, extra, children }: CardSectionProps): JSX.Element {
  const { name, cards, isOwn } = section;
  const rename = (text: string): void => {
    const wanted = text.trim();
    if (wanted === "" || wanted === name) return;
    const fresh = freshName(shown, wanted);
    place(placed.peek().map((one) => (one.name === name ? { ...one, name: fresh } : one)));
  };
  return (
    <section
      aria-label={name}
      onDragOver={(event) => event.dataTransfer?.types.includes(CARD_TYPE) && event.preventDefault()}
      onDrop={(event) => {
        const moved = event.dataTransfer?.getData(CARD_TYPE);
        if (!moved) return;
        event.preventDefault();
        place(moveCard(shown, placed.peek(), moved, name, null));
      }}
    >
      <div class="section">
        <button
          type="button"
          class="fold"
          aria-expanded={!isFolded}
          aria-label={isOwn ? `Fold ${name}` : undefined}
          onClick={() => toggleFolded(name)}
        >
          <span class={isFolded ? "chevron" : "chevron open"}>
            <Icon name="chevron" size={12} />
          </span>
          {!isOwn && <b>{name}</b>}
        </button>
        {isOwn && (
          <input
            class="section-name"
            aria-label="Name of the section"
            value={name}
            onChange={(event) => rename(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
          />
        )}
        <span class="muted">
          {cards.length} metric{cards.length === 1 ? "" : "s"}
        </span>
        {isOwn && (
          <button
            type="button"
            class="bare"
            title="Take this section away; its cards go back"
            aria-label={`Remove section ${name}`}
            onClick={() => place(placed.peek().filter((one) => one.name !== name))}
          >
            <Icon name="close" size={13} />
          </button>
        )}
        {extra}
      </div>
      {!isFolded && cards.length > 0 && <div class="cards">{children}</div>}
      {!isFolded && cards.length === 0 && <p class="drop-here">Drag cards here by their titles, or use their menus.</p>}
    </section>
  );
}

/// The corner of a card by which it is made wider or narrower.
export function SpanGrip({ span, onSpan }: { span: number; onSpan: (span: number) => void }): JSX.Element {
  const grip = (event: PointerEvent): void => {
    event.preventDefault();
    const card = (event.currentTarget as HTMLElement).closest<HTMLElement>(".card");
    if (!card) return;
    const one_px = card.offsetWidth / span;
    const left = card.getBoundingClientRect().left;
    let now = span;
    const move = (next: PointerEvent): void => {
      const wanted = Math.max(1, Math.min(SPAN_MOST, Math.round((next.clientX - left) / one_px)));
      if (wanted !== now) onSpan((now = wanted));
    };
    const up = (): void => removeEventListener("pointermove", move);
    addEventListener("pointermove", move);
    addEventListener("pointerup", up, { once: true });
  };
  return <i class="span-grip" aria-hidden="true" title="Drag to change the width" onPointerDown={grip} />;
}
