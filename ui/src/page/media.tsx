/// Everything tracked that is looked at or listened to, of all matching runs: by run and step, or by group.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { change, setting } from "../model/address";
import { fieldLabel, parseField, sequenceText, contextLabel } from "../model/fields";
import { cellLabel } from "../model/grouping";
import { allSteps, atPresent, itemsOf, objectsStore, objectType, OBJECT_WORDS, type Item } from "../model/objects";
import { wordsOf } from "../model/overlays";
import { makeScene, runName, type Scene } from "../model/scene";
import { fields, query } from "../model/scope";
import { cellOf } from "../model/table";
import type { ObjectsRequest, ObjectType } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover } from "../widget/popover";
import { Notice, Skeleton } from "../widget/state";
import { Swatch } from "../widget/text";
import { useStore, useTitle } from "./hooks";
import { Lightbox } from "./lightbox";
import { PageLink } from "./link";
import { Distributions, NO_WORDS, Piece } from "./mediaitems";
import { OverlayBar } from "./overlay";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { StepSlider, useStepping, useStepSetting } from "./steps";
import { groupChoices } from "./toolbar";
import { ViewButtons } from "./viewbuttons";

const TYPES: readonly ObjectType[] = ["images", "videos", "audios", "tables", "figures", "distributions"];
const COLUMN_TYPES: readonly ObjectType[] = ["images", "videos", "figures"];
const COLUMNS = 8;
const MOST_PICKED = 4;

const typeSetting = setting("type");
const layoutSetting = setting("layout", "step");
const sizeSetting = setting("size", "112");
const groupSetting = setting("group");

interface RowGroup {
  readonly label: string;
  readonly rows: readonly (readonly Item[])[];
}

/// The items as rows, a row a sequence, put together by a field of their runs.
function grouped(items: readonly Item[], scene: Scene, key: string): readonly RowGroup[] {
  const rows = new Map<number, Item[]>();
  for (const item of items) rows.set(item.sequence, [...(rows.get(item.sequence) ?? []), item]);
  const groups = new Map<string, (readonly Item[])[]>();
  for (const row of rows.values()) {
    const label = key === "" ? "" : cellLabel(cellOf(scene.table.value, key, row[0].run));
    groups.set(label, [...(groups.get(label) ?? []), row]);
  }
  return [...groups].map(([label, list]) => ({ label, rows: list }));
}

export function MediaPage(): JSX.Element {
  useTitle("Media");
  const groupField = useComputed(() => [parseField(groupSetting.value)].filter((field) => field !== null));
  const scene = useStore(() => makeScene(groupField));
  const there = useComputed(() =>
    TYPES.filter((type) => fields.value?.sequences.some(({ kind }) => objectType(kind) === type)),
  );
  const type = useComputed<ObjectType | null>(
    () => there.value.find((one) => one === typeSetting.value) ?? there.value[0] ?? null,
  );
  const { at, set } = useStepSetting();
  const isColumns = useComputed(
    () => layoutSetting.value === "steps" && type.value !== null && COLUMN_TYPES.includes(type.value),
  );
  const wish = useComputed<ObjectsRequest | null>(() => {
    if (!type.value) return null;
    const steps =
      type.value === "distributions"
        ? { from: null, to: null, count: 100 }
        : isColumns.value
          ? { from: null, to: null, count: COLUMNS }
          : { at: at.value };
    return {
      query: query.value,
      type: type.value,
      steps,
      index: { from: 0, count: isColumns.value ? 1 : 12 },
      limit: 200,
    };
  });
  const store = useStore(() => objectsStore(wish));
  const open = useSignal<readonly Item[] | null>(null);
  const picked = useSignal<readonly Item[]>([]);
  const steps = useComputed(() => allSteps(store.answer.value));
  const stepping = useStepping(steps, at, set, () => !store.isLoading.peek());
  const state = useHasRuns(scene);
  if (state !== "runs") return <ScopeNotice state={state} scene={scene} />;
  if (fields.value && there.value.length === 0) {
    return (
      <main class="main">
        <Notice icon="image" title="These runs have no images, videos, audio, tables, figures or distributions">
          <p>
            Record one with <code>run.track(Image(array), name="samples")</code>.
          </p>
        </Notice>
      </main>
    );
  }
  const size_px = Number(sizeSetting.value) || 112;
  const pick = (item: Item, isAdded: boolean): void => {
    if (!isAdded) open.value = [item];
    else
      picked.value = picked.value.includes(item)
        ? picked.value.filter((other) => other !== item)
        : [...picked.value, item].slice(-MOST_PICKED);
  };
  const items = itemsOf(store.answer.value);
  const words = type.value === "images" ? wordsOf(items) : NO_WORDS;
  const groups = grouped(items, scene, groupSetting.value);
  const labelOf = (item: Item): string =>
    `${runName(scene.table.value, item.run)} · ${item.of.name} · step ${item.step}${item.caption ? ` · ${item.caption}` : ""}`;
  return (
    <main class="main">
      <div class="toolbar">
        <span class="segments" role="group" aria-label="What to show">
          {there.value.map((one) => (
            <button
              key={one}
              type="button"
              class={one === type.value ? "on" : ""}
              onClick={() => change({ type: one === there.value[0] ? null : one, step: null })}
            >
              {OBJECT_WORDS[one]}
            </button>
          ))}
        </span>
        <Popover
          button={
            groupSetting.value ? (
              <>
                group <b>{fieldLabel(parseField(groupSetting.value) ?? ["run", "?"])}</b>
              </>
            ) : (
              <>+ group</>
            )
          }
          label="Group by"
          buttonClass={groupSetting.value ? "pill" : "pill add"}
        >
          {(close) => (
            <Picker
              choices={groupChoices()}
              chosen={new Set([groupSetting.value])}
              placeholder="Group by…"
              onPick={(value) => {
                change({ group: value === groupSetting.peek() ? null : value });
                close();
              }}
            />
          )}
        </Popover>
        {type.value && COLUMN_TYPES.includes(type.value) && (
          <span class="segments" role="group" aria-label="Layout">
            <button type="button" class={isColumns.value ? "" : "on"} onClick={() => change({ layout: null })}>
              one step
            </button>
            <button type="button" class={isColumns.value ? "on" : ""} onClick={() => change({ layout: "steps" })}>
              steps in columns
            </button>
          </span>
        )}
        {!isColumns.value && type.value !== "distributions" && <StepSlider stepping={stepping} />}
        <span class="spacer" />
        {picked.value.length > 0 && (
          <button type="button" class="pill strong" onClick={() => (open.value = picked.value)}>
            <Icon name="compare" size={14} />
            Compare {picked.value.length}
          </button>
        )}
        {(type.value === "images" || type.value === "videos") && (
          <label class="size">
            size{" "}
            <input
              type="range"
              min="48"
              max="360"
              step="8"
              value={size_px}
              onInput={(event) =>
                change({ size: event.currentTarget.value === "112" ? null : event.currentTarget.value }, true)
              }
            />
          </label>
        )}
        <ViewButtons />
      </div>
      {type.value === "images" && <OverlayBar items={items} />}
      {!store.answer.value &&
        (store.error.value ? (
          <p class="failure" role="alert">
            {store.error.value.message}
          </p>
        ) : (
          <Skeleton rows={8} />
        ))}
      <div class={store.isLoading.value ? "media stale" : "media"}>
        {groups.map((group) => (
          <section key={group.label}>
            {groupSetting.value && (
              <div class="section">
                <b>{group.label}</b> <span class="muted">{group.rows.length}</span>
              </div>
            )}
            {group.rows.map((row) => (
              <div key={`${row[0].run} ${sequenceText(row[0].of)}`} class="media-row">
                <div class="media-name">
                  <span class="line">
                    <Swatch color={scene.looks.value.coloring.colorOf(row[0].run)} />
                    <PageLink page="run" rest={row[0].run} class="name">
                      {runName(scene.table.value, row[0].run)}
                    </PageLink>
                  </span>
                  <span class="muted">
                    {row[0].of.name} {contextLabel(row[0].of.context)}
                    {isColumns.value || type.value === "distributions" ? "" : ` · step ${row[0].step}`}
                  </span>
                </div>
                <div class="pictures">
                  {type.value === "distributions" && (
                    <Distributions items={row} color={scene.looks.value.coloring.colorOf(row[0].run)} at={null} />
                  )}
                  {type.value !== "distributions" &&
                    row.map((item) => (
                      <div
                        key={`${item.step} ${item.index}`}
                        class={picked.value.includes(item) ? "pickable on" : "pickable"}
                      >
                        {type.value && (
                          <Piece
                            type={type.value}
                            item={item}
                            size_px={size_px}
                            words={words}
                            color={scene.looks.value.coloring.colorOf(item.run)}
                            onOpen={() => pick(item, false)}
                          />
                        )}
                        {type.value === "images" && (
                          <button
                            type="button"
                            class="tick pick"
                            aria-label="Choose to compare"
                            title="Choose to compare"
                            onClick={() => pick(item, true)}
                          >
                            {picked.value.includes(item) && <Icon name="check" size={12} />}
                          </button>
                        )}
                        {isColumns.value && <span class="caption">step {item.step}</span>}
                      </div>
                    ))}
                </div>
              </div>
            ))}
          </section>
        ))}
        {store.answer.value && store.answer.value.total > store.answer.value.sequences.length && (
          <p class="muted">
            The first {store.answer.value.sequences.length} of {store.answer.value.total}. Narrow the query to see
            others.
          </p>
        )}
      </div>
      {open.value && (
        <Lightbox
          items={isColumns.value ? open.value : atPresent(open.value, items)}
          labelOf={labelOf}
          words={words}
          onStep={stepping.move}
          onClose={() => (open.value = null)}
        />
      )}
    </main>
  );
}
