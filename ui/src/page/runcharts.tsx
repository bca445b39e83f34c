/// The metrics of one run as small cards.

import { useComputed, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Extent } from "../chart/extent";
import { change, setting } from "../model/address";
import { sectionsOf, type Card } from "../model/cards";
import { isMetricKind, isSystemMetric } from "../model/fields";
import { hot } from "../model/marks";
import type { Scene } from "../model/scene";
import { xWindow } from "../model/workspace";
import type { RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { ChartCard } from "./chartcard";
import { ChartToolbar } from "./toolbar";

const BRANCHES_MOST = 50;

const cardSetting = setting("card");
const atSetting = setting("at");

/// The card that the address leads to: scrolled to, zoomed, with the place lit.
function useFound(run: RunAnswer, shared: Signal<Extent | null>): string {
  const [id, at, window] = [cardSetting.value, atSetting.value, xWindow.value];
  useEffect(() => {
    if (id === "") return;
    if (window) shared.value = window;
    document.querySelector(`[data-card="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "center" });
    if (at !== "") hot.value = { owner: run.hash, x: Number(at) };
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
  const runs = useComputed<readonly string[] | null>(() => only.value);
  const shared = useSignal<Extent | null>(null);
  const found = useFound(run, shared);
  const isHistory = historySetting.value !== "" && run.rewinds.length > 0;
  const branches = useComputed(() => (historySetting.value === "" ? 0 : BRANCHES_MOST));
  const keys = run.sequences.filter(({ kind }) => isMetricKind(kind)).map(({ name, context }) => ({ name, context }));
  const own = keys.filter(({ name }) => isSystemMetric(name) === isSystem);
  const others = keys.filter(({ name }) => isSystemMetric(name) !== isSystem);
  const isBeside = besideSetting.value !== "" && others.length > 0;
  const title = (card: Card): string =>
    isSystemMetric(card.metrics[0].name) ? card.title.replace(/^__system__/, "").replace(/_/g, " ") : card.title;
  const section = (name: string, cards: readonly Card[], isNamed: boolean): JSX.Element => (
    <section key={name}>
      {isNamed && (
        <div class="section">
          <b>{name}</b> <span class="muted">{cards.length}</span>
        </div>
      )}
      <div class="cards">
        {cards.map((card) => (
          <ChartCard
            key={card.id}
            card={{ ...card, title: title(card) }}
            scene={scene}
            runs={runs}
            shared={shared}
            branches={branches}
            isFound={card.id === found}
            isPlain
          />
        ))}
      </div>
    </section>
  );
  const sections = sectionsOf(own, "name");
  const press = (): void => {
    shared.value = null;
    change(isBeside ? { system: null, x: null } : { system: "beside", x: "relative" }, true);
  };
  if (own.length === 0) return <p class="muted">No metrics were tracked{run.status === "running" ? " yet" : ""}.</p>;
  return (
    <>
      <ChartToolbar isPlain>
        {shared.value && (
          <button
            type="button"
            class="pill on"
            onClick={() => {
              shared.value = null;
              change({ win: null, card: null, at: null }, true);
            }}
          >
            zoomed <Icon name="close" size={12} />
          </button>
        )}
        {run.rewinds.length > 0 && (
          <button
            type="button"
            class={isHistory ? "pill on" : "pill"}
            aria-pressed={isHistory}
            title="The curves as they were before each rewind, behind those of now"
            onClick={() => change({ history: isHistory ? null : "shown" }, true)}
          >
            history
          </button>
        )}
        {others.length > 0 && (
          <button
            type="button"
            class={isBeside ? "pill on" : "pill"}
            aria-pressed={isBeside}
            title="Both over the same time, zoomed together"
            onClick={press}
          >
            {isSystem ? "training beside" : "system beside"}
          </button>
        )}
      </ChartToolbar>
      {isBeside &&
        isSystem &&
        section(
          "training",
          sectionsOf(others, "name").flatMap(({ cards }) => cards),
          true,
        )}
      {sections.map(({ name, cards }) => section(name, cards, sections.length > 1))}
      {isBeside &&
        !isSystem &&
        section(
          "system",
          sectionsOf(others, "name").flatMap(({ cards }) => cards),
          true,
        )}
    </>
  );
}
