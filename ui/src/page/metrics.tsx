/// The workspace, and the start page: all metrics of all matching runs, in sections, beside the list of runs.

import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { change, setting } from "../model/address";
import { sectionsOf, type Card } from "../model/cards";
import { applyDefault } from "../model/defaults";
import { workspaceSettings, type CardSettings } from "../model/cardsettings";
import { metricsOf, parseField, fieldText, sequenceText } from "../model/fields";
import { splitBy } from "../model/grouping";
import { arrange, withoutCards, type ArrangedSection } from "../model/layout";
import { chartFields, MADE_PREFIX, madeCharts, putCharts, withChart, type MadeChart } from "../model/madecharts";
import { formatSmoothing } from "../model/smoothing";
import { makeScene, type Scene } from "../model/scene";
import { facetField, folded, split, smoothing, yKind, zoom } from "../model/workspace";
import { FindField } from "../widget/findfield";
import { useApp } from "./app";
import type { CardSubject } from "./carddata";
import { ChartCard } from "./chartcard";
import { ChartEditor } from "./charteditor";
import { addSection, CardSection, Sections, positionOf, type CardPosition } from "./cardsection";
import { FullCard } from "./fullcard";
import { GroupLegend } from "./grouplegend";
import { useCommands, useStore, useTitle } from "./hooks";
import { cardsOfCharts, lineSubject, MadeCard } from "./madecard";
import { RunList } from "./runlist";
import { listColumns } from "./runlisthead";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { SelectionBar } from "./selectionbar";
import { ChartToolbar } from "./toolbar";
import { ViewButtons } from "./viewbuttons";
import { MenuItems, Popover, type MenuItem } from "../widget/popover";
import { Skeleton } from "../widget/state";

/// The card on the full screen.
const fullSetting = setting("full");

const CHARTS_SECTION = "charts";
const SMOOTH_STEPS = ["", "0.6", "0.9", "0.97"];

/// The card under the pointer, else the first.
function cardAtPointer(sections: readonly ArrangedSection[]): Card | null {
  const id = document.querySelector<HTMLElement>(".card:hover")?.dataset.card;
  const cards = sections.flatMap((section) => section.cards);
  return cards.find((card) => card.id === id) ?? cards[0] ?? null;
}

function expand(card: Card | null): void {
  change({ full: card && card.id });
}

function nextSmoothing(): string {
  const current = formatSmoothing(smoothing.peek()) ?? "";
  return SMOOTH_STEPS[(SMOOTH_STEPS.indexOf(current) + 1) % SMOOTH_STEPS.length];
}

function useChartCommands(sections: ReadonlySignal<readonly ArrangedSection[]>): void {
  const toggleLog = (): void => change({ y: yKind.peek() === "log" ? null : "log" });
  const expandAny = (): void => expand(cardAtPointer(sections.peek()));
  useCommands(() => [
    { keys: "l", label: "Logarithmic y axis", section: "Charts", run: toggleLog },
    { keys: "s", label: "More smoothing", section: "Charts", run: () => change({ smooth: nextSmoothing() }) },
    { keys: "0", label: "Reset zoom", section: "Charts", run: () => zoom(null) },
    { keys: "f", label: "Chart under the pointer on the full screen", section: "Charts", run: expandAny },
  ]);
}

function MetricsToolbar({
  sections,
  settings,
  onMake,
}: {
  sections: ReadonlySignal<readonly ArrangedSection[]>;
  settings: CardSettings;
  onMake: () => void;
}): JSX.Element {
  const { arrangement } = useApp();
  const isArranged = arrangement.sections.value.length > 0 || arrangement.spans.value.size > 0;
  const hidden = [...arrangement.hidden.value];
  return (
    <ChartToolbar settings={settings}>
      <button type="button" class="pill add" title="A chart of the metrics and runs that you choose" onClick={onMake}>
        + chart
      </button>
      <button
        type="button"
        class="pill add"
        title="A section of your own, for cards that you drag there"
        onClick={() => addSection(arrangement, sections.peek())}
      >
        + section
      </button>
      {hidden.length > 0 && (
        <Popover button={`${hidden.length} hidden`} label="Charts that are hidden" align="right">
          {(close) => (
            <MenuItems
              close={close}
              items={[
                { label: "Show all", icon: "eye", run: () => arrangement.hide(new Set()) },
                ...hidden.map((id): MenuItem => ({
                  label: `Show ${id}`,
                  run: () => arrangement.hide(new Set(hidden.filter((other) => other !== id))),
                })),
              ]}
            />
          )}
        </Popover>
      )}
      {isArranged && (
        <button type="button" class="pill" title="Put all cards back where they were" onClick={arrangement.reset}>
          Reset cards
        </button>
      )}
      <ViewButtons />
    </ChartToolbar>
  );
}

function emptyText(hidden: ReadonlySet<string>): string {
  return hidden.size > 0 ? "All charts are hidden." : "These runs have no metrics yet.";
}

/// The page.
export function MetricsPage(): JSX.Element {
  const app = useApp();
  const { scope, arrangement } = app;
  const columns = useComputed(listColumns);
  const needed = useComputed(() => [...columns.value, ...madeCharts.value.flatMap(chartFields)]);
  const scene = useStore(() => makeScene(app, { more: needed, isListed: true }));
  const edited = useSignal<MadeChart | "new" | null>(null);
  const settings = useMemo(workspaceSettings, []);
  const find = useSignal("");
  useTitle("Metrics");
  useEffect(() => {
    if (arrangement.recall()) void scope.whenKnown().then(app.documents.load);
    else void applyDefault(scope, app.documents);
  }, []);
  const sections = useComputed(() => {
    if (!scope.fields.value) return [];
    const metrics = metricsOf(scope.fields.value);
    const matching = metrics.filter((metric) => sequenceText(metric).toLowerCase().includes(find.value));
    const made = cardsOfCharts(madeCharts.value);
    const automatic = sectionsOf(matching, split.value === "name" ? "name" : "context");
    const all = made.length > 0 ? [{ name: CHARTS_SECTION, cards: made }, ...automatic] : automatic;
    return arrange(withoutCards(all, arrangement.hidden.value), arrangement.sections.value);
  });
  const full = useComputed(
    () => sections.value.flatMap((section) => section.cards).find((card) => card.id === fullSetting.value) ?? null,
  );
  useChartCommands(sections);
  const state = useHasRuns(scene);
  if (state !== "runs") return <ScopeNotice state={state} scene={scene} />;
  const search = <FindField label="Find a metric" setText={(text) => (find.value = text.toLowerCase())} />;
  return (
    <div class="workspace" style={{ "--columns": String(columns.value.length) }}>
      <RunList scene={scene} />
      <main class="main">
        <MetricsToolbar sections={sections} settings={settings} onMake={() => (edited.value = "new")} />
        <GroupLegend scene={scene} />
        {scope.fields.value === null && <Skeleton rows={10} />}
        <MetricSections
          sections={sections}
          scene={scene}
          settings={settings}
          head={search}
          onEdit={(chart) => (edited.value = chart)}
        />
        {scope.fields.value !== null && sections.value.length === 0 && (
          <div class="section">
            <span class="muted">{find.value ? "No metric has this name." : emptyText(arrangement.hidden.value)}</span>
            {find.value && search}
          </div>
        )}
        {find.value === "" && <MediaBelow scene={scene} />}
      </main>
      <SelectionBar scene={scene} />
      {full.value && <FullOf key={full.value.id} card={full.value} scene={scene} settings={settings} />}
      {edited.value && (
        <ChartEditor
          chart={edited.value === "new" ? null : edited.value}
          onSave={(chart) => {
            putCharts(withChart(madeCharts.peek(), chart));
            edited.value = null;
          }}
          onClose={() => (edited.value = null)}
        />
      )}
    </div>
  );
}

/// Images and the like below the charts; their part of the pages is fetched where the runs have any.
function MediaBelow({ scene }: { scene: Scene }): JSX.Element | null {
  const { scope, session } = useApp();
  const subjects = useComputed(() => session.kinds.value.subjectsOf(scope.fields.value?.sequences ?? []));
  const [Sections, setSections] = useState<ComponentType<{ scene: Scene; subjects: readonly string[] }> | null>(null);
  const hasAny = subjects.value.length > 0;
  useEffect(() => {
    if (hasAny)
      import("./workspacemedia").then(({ WorkspaceMedia }) => setSections(() => WorkspaceMedia), session.report);
  }, [hasAny]);
  return Sections && <Sections scene={scene} subjects={subjects.value} />;
}

interface MetricSectionsProps {
  readonly sections: ReadonlySignal<readonly ArrangedSection[]>;
  readonly scene: Scene;
  readonly settings: CardSettings;
  /// What stands in the head of the first one.
  readonly head: JSX.Element;
  readonly onEdit: (chart: MadeChart) => void;
}

function MetricSections({ sections, scene, settings, head, onEdit }: MetricSectionsProps): JSX.Element {
  const { arrangement } = useApp();
  const hasFacets = facetField.value !== "";
  return (
    <Sections sections={sections.value} hasFacets={hasFacets}>
      {sections.value.map((section, i) => (
        <CardSection
          key={section.name}
          section={section}
          current={sections.value}
          isFolded={folded.value.includes(section.name)}
          hasFacets={hasFacets}
          extra={i === 0 && head}
        >
          {section.cards.map((card) => (
            <CardOrFacets
              key={card.id}
              card={card}
              scene={scene}
              settings={settings}
              position={positionOf(arrangement, sections.value, section, card.id)}
              onEdit={onEdit}
            />
          ))}
        </CardSection>
      ))}
    </Sections>
  );
}

const FACETS_MOST = 24;

function chartOf(card: Card): MadeChart | undefined {
  return madeCharts.value.find(({ id }) => MADE_PREFIX + id === card.id);
}

/// A card on the full screen; a chart over runs has no such view.
function FullOf({ card, scene, settings }: CardSubject): JSX.Element | null {
  const { scope } = useApp();
  const chart = chartOf(card);
  if (!chart) return <FullCard card={card} scene={scene} settings={settings} onClose={() => expand(null)} />;
  const subject = lineSubject(chart, scope.fields.value ? metricsOf(scope.fields.value) : [], scene, settings);
  if (chart.kind !== "line" || typeof subject === "string") return null;
  return <FullCard {...subject} scene={scene} onClose={() => expand(null)} />;
}

/// A card, or one for each value of the facet.
function CardOrFacets({
  card,
  scene,
  settings,
  position,
  onEdit,
}: {
  card: Card;
  scene: Scene;
  settings: CardSettings;
  position: CardPosition;
  onEdit: (chart: MadeChart) => void;
}): JSX.Element {
  const made = chartOf(card);
  if (made) {
    const subject = { scene, settings, position, onEdit, onExpand: expand };
    return <MadeCard key={JSON.stringify(made)} chart={made} {...subject} />;
  }
  const facet = parseField(facetField.value);
  if (!facet) return <ChartCard card={card} scene={scene} settings={settings} position={position} onExpand={expand} />;
  if (scene.long.isPart.value) {
    const heads = (scene.long.facets.answer.value ?? []).slice(0, FACETS_MOST);
    return (
      <>
        {heads.map((head) => (
          <ChartCard
            key={head.label}
            card={{ ...card, subtitle: [card.subtitle, head.label].filter(Boolean).join(" · ") }}
            scene={scene}
            settings={settings}
            head={{ by: facet, head }}
            onExpand={expand}
          />
        ))}
      </>
    );
  }
  const parts = splitBy(scene.table.value, fieldText(facet)).slice(0, FACETS_MOST);
  return (
    <>
      {parts.map(({ label, hashes }) => (
        <FacetCard key={label} card={card} scene={scene} settings={settings} label={label} hashes={hashes} />
      ))}
    </>
  );
}

function FacetCard({
  card,
  scene,
  settings,
  label,
  hashes,
}: {
  card: Card;
  scene: Scene;
  settings: CardSettings;
  label: string;
  hashes: readonly string[];
}): JSX.Element {
  const text = hashes.join(" ");
  const runs = useSignal<readonly string[] | null>(hashes);
  if ((runs.peek() ?? []).join(" ") !== text) runs.value = hashes;
  return (
    <ChartCard
      card={{ ...card, subtitle: [card.subtitle, label].filter(Boolean).join(" · ") }}
      scene={scene}
      settings={settings}
      runs={runs}
      onExpand={expand}
    />
  );
}
