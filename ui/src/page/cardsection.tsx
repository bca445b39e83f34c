/// One section of the workspace: its head, and its cards, which can be dragged elsewhere and made wider.

import type { ComponentChildren, JSX } from "preact";
import type { Arrangement } from "../model/arrangement";
import { toggleFolded } from "../model/workspace";
import { freshName, moveCard, shiftCard, SPAN_MOST, type ArrangedSection } from "../model/layout";
import { Icon } from "../widget/icon";
import type { MenuItem } from "../widget/popover";
import { useApp } from "./app";

const CARD_TYPE = "text/card";
const NEW_SECTION = "My section";

/// Where a card stands, and how it is moved.
export interface CardPosition {
  readonly span: number;
  readonly items: () => readonly MenuItem[];
  readonly onDrag: (event: DragEvent) => void;
  readonly onDrop: (event: DragEvent) => void;
  readonly onSpan: (span: number) => void;
}

/// Adds a section of the reader's own, with these cards.
export function addSection(
  arrangement: Arrangement,
  current: readonly ArrangedSection[],
  cards: readonly string[] = [],
): void {
  const others = arrangement.sections
    .peek()
    .map((section) => ({ ...section, cards: section.cards.filter((id) => !cards.includes(id)) }));
  arrangement.arrange([{ name: freshName([...current, ...others], NEW_SECTION), cards }, ...others]);
}

/// The items of a card's menu that move it or change its width.
function moveItems(
  arrangement: Arrangement,
  current: readonly ArrangedSection[],
  section: ArrangedSection,
  id: string,
): readonly MenuItem[] {
  const { sections, spans, arrange, widen } = arrangement;
  const span = spans.peek().get(id) ?? 1;
  const shift = (by: -1 | 1): void => arrange(shiftCard(current, sections.peek(), id, by));
  const moveTo = (name: string): void => arrange(moveCard(current, sections.peek(), id, name, null));
  const isFirst = section.cards[0]?.id === id;
  const isLast = section.cards.at(-1)?.id === id;
  const others = current.filter((other) => other.isOwn && other.name !== section.name);
  const items: (MenuItem | false)[] = [
    span < SPAN_MOST && { label: "Wider", icon: "wider", run: () => widen(id, span + 1) },
    span > 1 && { label: "Narrower", icon: "shrink", run: () => widen(id, span - 1) },
    !isFirst && { label: "Move back", icon: "arrowUp", run: () => shift(-1) },
    !isLast && { label: "Move on", icon: "arrowDown", run: () => shift(1) },
    ...others.map(({ name }): MenuItem => ({ label: `Move to “${name}”`, icon: "folder", run: () => moveTo(name) })),
    {
      label: "Hide this chart",
      icon: "eyeOff",
      run: () => arrangement.hide(new Set([...arrangement.hidden.peek(), id])),
    },
    { label: "Move to a new section", icon: "plus", run: () => addSection(arrangement, current, [id]) },
  ];
  return items.filter((item) => item !== false);
}

/// The position of a card among those on the page.
export function positionOf(
  arrangement: Arrangement,
  current: readonly ArrangedSection[],
  section: ArrangedSection,
  id: string,
): CardPosition {
  const drop = (event: DragEvent): void => {
    const moved = event.dataTransfer?.getData(CARD_TYPE);
    if (!moved || moved === id) return;
    event.preventDefault();
    event.stopPropagation();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const index = section.cards.findIndex((card) => card.id === id);
    const idAt = (i: number): string | null => section.cards[i]?.id ?? null;
    const next = event.clientX < box.left + box.width / 2 ? id : idAt(index + 1);
    const before = next === moved ? idAt(index + 2) : next;
    arrangement.arrange(moveCard(current, arrangement.sections.peek(), moved, section.name, before));
  };
  return {
    span: arrangement.spans.value.get(id) ?? 1,
    items: () => moveItems(arrangement, current, section, id),
    onDrag: (event) => event.dataTransfer?.setData(CARD_TYPE, id),
    onDrop: drop,
    onSpan: (next) => arrangement.widen(id, next),
  };
}

const SMALL_MOST = 2;
const FEW_CARDS = 3;
const SEVERAL_CARDS = 6;

/// How many cards' widths a section needs.
function widthOf(section: ArrangedSection, spans: ReadonlyMap<string, number>): number {
  return section.cards.reduce((sum, card) => sum + (spans.get(card.id) ?? 1), 0);
}

/// Sections one after the other, small ones beside each other. `facets`: each card is drawn for several values.
export function Sections({
  sections,
  hasFacets,
  children,
}: {
  readonly sections: readonly ArrangedSection[];
  readonly hasFacets: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { arrangement } = useApp();
  const count = sections.reduce((sum, section) => sum + widthOf(section, arrangement.spans.value), 0);
  const size = hasFacets ? "" : count <= FEW_CARDS ? "few" : count <= SEVERAL_CARDS ? "several" : "";
  return <div class={`sections ${size}`}>{children}</div>;
}

interface CardSectionProps {
  readonly section: ArrangedSection;
  /// All sections on the page.
  readonly current: readonly ArrangedSection[];
  readonly isFolded: boolean;
  /// Whether each card is drawn for several values.
  readonly hasFacets: boolean;
  readonly extra?: ComponentChildren;
  readonly children: ComponentChildren;
}

/// The section. What is dropped on it, beside its cards, goes to its end.
export function CardSection({ section, current, isFolded, hasFacets, extra, children }: CardSectionProps): JSX.Element {
  const { arrangement } = useApp();
  const { name, cards, isOwn } = section;
  const width = widthOf(section, arrangement.spans.value);
  const isSmall = !hasFacets && width > 0 && width <= SMALL_MOST;
  const rename = (text: string): void => {
    if (text === "" || text === name) return;
    const fresh = freshName(current, text);
    arrangement.arrange(
      arrangement.sections.peek().map((other) => (other.name === name ? { ...other, name: fresh } : other)),
    );
  };
  return (
    <section
      aria-label={name}
      class={isSmall ? `small-${width}` : undefined}
      onDragOver={(event) => event.dataTransfer?.types.includes(CARD_TYPE) && event.preventDefault()}
      onDrop={(event) => {
        const moved = event.dataTransfer?.getData(CARD_TYPE);
        if (!moved) return;
        event.preventDefault();
        arrangement.arrange(moveCard(current, arrangement.sections.peek(), moved, name, null));
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
            defaultValue={name} // not `value`: what is being typed outlives a rendering for new data
            onChange={(event) => rename(event.currentTarget.value.trim())}
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
            title="Remove this section; its cards go back where they were"
            aria-label={`Remove section ${name}`}
            onClick={() => arrangement.arrange(arrangement.sections.peek().filter((other) => other.name !== name))}
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
    const column_px = card.offsetWidth / span;
    const left = card.getBoundingClientRect().left;
    let now = span;
    const move = (next: PointerEvent): void => {
      const next_span = Math.max(1, Math.min(SPAN_MOST, Math.round((next.clientX - left) / column_px)));
      if (next_span !== now) onSpan((now = next_span));
    };
    const up = (): void => removeEventListener("pointermove", move);
    addEventListener("pointermove", move);
    addEventListener("pointerup", up, { once: true });
  };
  return <i class="span-grip" aria-hidden="true" title="Drag to change the width" onPointerDown={grip} />;
}
