/// The workspace, and the start page: all metrics of all matching runs, in sections, beside the list of runs.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { change, setting } from "../model/address";
import { placed, recallArrangement, resetArrangement, spans } from "../model/arrangement";
import { sectionsOf, type Card } from "../model/cards";
import { metricsOf, parseField, fieldText, sequenceText } from "../model/fields";
import { splitBy } from "../model/grouping";
import { arrange } from "../model/layout";
import { makeScene, type Scene } from "../model/scene";
import { fields } from "../model/scope";
import { facetField, folded, split, smoothing, yKind, zoom } from "../model/workspace";
import { Icon } from "../widget/icon";
import { ChartCard } from "./chartcard";
import { addSection, CardSection, placeOf, type CardPlace } from "./cardsection";
import { FullCard } from "./fullcard";
import { useCommands, useStore, useTitle } from "./hooks";
import { RunList } from "./runlist";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { SelectionBar } from "./selectionbar";
import { ChartToolbar } from "./toolbar";
import { ViewButtons } from "./viewbuttons";
import { Skeleton } from "../widget/state";

/// The card on the full screen.
const fullSetting = setting("full");

const SMOOTH_STEPS = ["", "0.6", "0.9", "0.97"];

/// Finds a card by its title.
function CardSearch({ onFind }: { onFind: (text: string) => void }): JSX.Element {
  return (
    <span class="find">
      <Icon name="search" size={14} />
      <input
        type="text"
        placeholder="Find a metric"
        aria-label="Find a metric"
        onInput={(event) => onFind(event.currentTarget.value.toLowerCase())}
      />
    </span>
  );
}

export function MetricsPage(): JSX.Element {
  const scene = useStore(() => makeScene());
  const find = useSignal("");
  useTitle("Metrics");
  useEffect(recallArrangement, []);
  useCommands(() => [
    {
      keys: "l",
      label: "Logarithmic y axis",
      section: "Charts",
      run: () => change({ y: yKind.peek() === "log" ? null : "log" }),
    },
    {
      keys: "s",
      label: "More smoothing",
      section: "Charts",
      run: () =>
        change({
          smooth:
            SMOOTH_STEPS[
              (SMOOTH_STEPS.indexOf(smoothing.peek() ? String(smoothing.peek()) : "") + 1) % SMOOTH_STEPS.length
            ],
        }),
    },
    { keys: "0", label: "Reset zoom", section: "Charts", run: () => zoom(null) },
    {
      keys: "f",
      label: "First chart on the full screen",
      section: "Charts",
      run: () => expand(hovered() ?? sections.peek()[0]?.cards[0] ?? null),
    },
  ]);
  const sections = useComputed(() => {
    if (!fields.value) return [];
    const wanted = metricsOf(fields.value).filter((metric) => sequenceText(metric).toLowerCase().includes(find.value));
    return arrange(sectionsOf(wanted, split.value === "name" ? "name" : "context"), placed.value);
  });
  const full = useComputed(
    () => sections.value.flatMap((section) => section.cards).find((card) => card.id === fullSetting.value) ?? null,
  );
  const expand = (card: Card | null): void => change({ full: card && card.id });
  const hovered = (): Card | null => {
    const id = document.querySelector<HTMLElement>(".card:hover")?.dataset.card;
    return (
      sections
        .peek()
        .flatMap((section) => section.cards)
        .find((card) => card.id === id) ?? null
    );
  };
  const state = useHasRuns(scene);
  if (state !== "runs") return <ScopeNotice state={state} scene={scene} />;
  return (
    <div class="workspace">
      <RunList scene={scene} />
      <main class="main">
        <ChartToolbar>
          <button
            type="button"
            class="pill add"
            title="A section of your own, for cards that you drag there"
            onClick={() => addSection(sections.peek())}
          >
            + section
          </button>
          {(placed.value.length > 0 || spans.value.size > 0) && (
            <button
              type="button"
              class="pill"
              title="Put all cards back where they are by themselves"
              onClick={resetArrangement}
            >
              Reset cards
            </button>
          )}
          <ViewButtons />
        </ChartToolbar>
        {fields.value === null && <Skeleton rows={10} />}
        {sections.value.map((section, i) => (
          <CardSection
            key={section.name}
            section={section}
            shown={sections.value}
            isFolded={folded.value.includes(section.name)}
            extra={i === 0 && <CardSearch onFind={(text) => (find.value = text)} />}
          >
            {section.cards.map((card) => (
              <CardOrFacets
                key={card.id}
                card={card}
                scene={scene}
                place={placeOf(sections.value, section, card.id)}
                onExpand={expand}
              />
            ))}
          </CardSection>
        ))}
        {fields.value !== null && sections.value.length === 0 && (
          <div class="section">
            <span class="muted">{find.value ? "No metric has this name." : "These runs have no metrics yet."}</span>
            {find.value && <CardSearch onFind={(text) => (find.value = text)} />}
          </div>
        )}
      </main>
      <SelectionBar scene={scene} />
      {full.value && <FullCard key={full.value.id} card={full.value} scene={scene} onClose={() => expand(null)} />}
    </div>
  );
}

const MOST_FACETS = 24;

/// A card, or one for each value of the facet.
function CardOrFacets({
  card,
  scene,
  place,
  onExpand,
}: {
  card: Card;
  scene: Scene;
  place: CardPlace;
  onExpand: (card: Card) => void;
}): JSX.Element {
  const facet = parseField(facetField.value);
  if (!facet) return <ChartCard card={card} scene={scene} place={place} onExpand={onExpand} />;
  const parts = splitBy(scene.table.value, fieldText(facet)).slice(0, MOST_FACETS);
  return (
    <>
      {parts.map((part) => (
        <FacetCard
          key={part.label}
          card={card}
          scene={scene}
          label={part.label}
          hashes={part.hashes}
          onExpand={onExpand}
        />
      ))}
    </>
  );
}

function FacetCard({
  card,
  scene,
  label,
  hashes,
  onExpand,
}: {
  card: Card;
  scene: Scene;
  label: string;
  hashes: readonly string[];
  onExpand: (card: Card) => void;
}): JSX.Element {
  const text = hashes.join(" ");
  const runs = useSignal<readonly string[] | null>(hashes);
  if ((runs.peek() ?? []).join(" ") !== text) runs.value = hashes;
  return (
    <ChartCard
      card={{ ...card, subtitle: [card.subtitle, label].filter(Boolean).join(" · ") }}
      scene={scene}
      runs={runs}
      onExpand={onExpand}
    />
  );
}
