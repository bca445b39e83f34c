/// The metrics of one run as small cards.

import { useComputed, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Extent } from "../chart/extent";
import { change, setting } from "../model/address";
import { sectionsOf, type Card } from "../model/cards";
import { plainSettings } from "../model/cardsettings";
import { isMetricKind, isSystemMetric } from "../model/fields";
import { lastReading, summaryRows } from "../model/runsummary";
import type { Scene } from "../model/scene";
import { xWindow } from "../model/workspace";
import type { RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { useApp } from "./app";
import { ChartCard } from "./chartcard";
import { ChartToolbar } from "./toolbar";

const cardSetting = setting("card");
const atSetting = setting("at");

/// The card that the address leads to: scrolled to, zoomed, with the step lit.
function useTargetCard(run: RunAnswer, cardWindow: Signal<Extent | null>): string {
  const { marks } = useApp();
  const [id, at, window] = [cardSetting.value, atSetting.value, xWindow.value];
  useEffect(() => {
    if (id === "") return;
    if (window) cardWindow.value = window;
    document.querySelector(`[data-card="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "center" });
    if (at !== "") marks.hot.value = { owner: run.hash, x: Number(at) };
  }, [id, at, window?.join()]);
  return id;
}

const besideSetting = setting("system");
const historySetting = setting("history");

/// The run's metrics as small cards: those of the training, or those of the machine; or both over the same time.
export function Charts({
  run,
  scene,
  only,
  isSystem,
}: {
  run: RunAnswer;
  scene: Scene;
  only: ReadonlySignal<readonly string[]>;
  isSystem: boolean;
}): JSX.Element {
  const { session } = useApp();
  const runs = useComputed<readonly string[] | null>(() => only.value);
  const window = useSignal<Extent | null>(null);
  const branches = useComputed(() => (historySetting.value === "" ? 0 : (session.server.value?.limits.branches ?? 0)));
  const settings = useMemo(() => plainSettings(window, branches), []);
  const target = useTargetCard(run, window);
  const keys = run.sequences.filter(({ kind }) => isMetricKind(kind)).map(({ name, context }) => ({ name, context }));
  const metrics = keys.filter(({ name }) => isSystemMetric(name) === isSystem);
  const others = keys.filter(({ name }) => isSystemMetric(name) !== isSystem);
  const rows = summaryRows(run);
  const isBeside = besideSetting.value !== "" && others.length > 0;
  const section = (name: string, cards: readonly Card[], isNamed: boolean): JSX.Element => (
    <section key={name} class={isNamed && cards.length <= 2 ? `small-${cards.length}` : undefined}>
      {isNamed && (
        <div class="section">
          <b>{name}</b> <span class="muted">{cards.length}</span>
        </div>
      )}
      <div class="cards">
        {cards.map((card) => (
          <ChartCard
            key={card.id}
            card={{ ...card, title: titleOf(card) }}
            scene={scene}
            settings={settings}
            runs={runs}
            isTarget={card.id === target}
            reading={lastReading(rows, card.id)}
          />
        ))}
      </div>
    </section>
  );
  if (metrics.length === 0)
    return <p class="muted">No metrics were tracked{run.status === "running" ? " yet" : ""}.</p>;
  const sections = sectionsOf(metrics, "name");
  const otherCards = sectionsOf(others, "name").flatMap(({ cards }) => cards);
  return (
    <>
      <ChartToolbar>
        <RunChartPills
          window={window}
          hasRewinds={run.rewinds.length > 0}
          besideWord={others.length === 0 ? null : isSystem ? "training beside" : "system beside"}
          isBeside={isBeside}
        />
      </ChartToolbar>
      <div class="sections">
        {isBeside && isSystem && section("training", otherCards, true)}
        {sections.map(({ name, cards }) => section(name, cards, sections.length > 1))}
        {isBeside && !isSystem && section("system", otherCards, true)}
      </div>
    </>
  );
}

/// The title of a card; a system metric without its prefix.
function titleOf({ title, metrics }: Card): string {
  return isSystemMetric(metrics[0].name) ? title.replace(/^__system__/, "").replace(/_/g, " ") : title;
}

interface RunChartPillsProps {
  readonly window: Signal<Extent | null>;
  readonly hasRewinds: boolean;
  /// Null: the run has no metrics to put beside these.
  readonly besideWord: string | null;
  readonly isBeside: boolean;
}

function RunChartPills({ window, hasRewinds, besideWord, isBeside }: RunChartPillsProps): JSX.Element {
  const isHistory = historySetting.value !== "" && hasRewinds;
  const showAll = (): void => {
    window.value = null;
    change({ win: null, card: null, at: null }, true);
  };
  const toggleBeside = (): void => {
    window.value = null;
    change(isBeside ? { system: null, x: null } : { system: "beside", x: "relative" }, true);
  };
  return (
    <>
      {window.value && (
        <button type="button" class="pill on" onClick={showAll}>
          zoomed <Icon name="close" size={12} />
        </button>
      )}
      {hasRewinds && (
        <button
          type="button"
          class={isHistory ? "pill on" : "pill"}
          aria-pressed={isHistory}
          title="Draw the curves as they were before each rewind, behind the current ones"
          onClick={() => change({ history: isHistory ? null : "shown" }, true)}
        >
          history
        </button>
      )}
      {besideWord !== null && (
        <button
          type="button"
          class={isBeside ? "pill on" : "pill"}
          aria-pressed={isBeside}
          title="Both over the same time, zoomed together"
          onClick={toggleBeside}
        >
          {besideWord}
        </button>
      )}
    </>
  );
}
