/// Everything tracked that is looked at or listened to, of all matching runs: by run and step, or by group.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { change, setting } from "../model/address";
import { fieldLabel, parseField, sequenceText, contextLabel } from "../model/fields";
import { cellLabel } from "../model/grouping";
import { allSteps, itemsOf, objectsStore, objectType, OBJECT_WORDS, type Item } from "../model/objects";
import { makeScene, runName, type Scene } from "../model/scene";
import { fields, query } from "../model/scope";
import { cellOf } from "../model/table";
import type { ObjectsRequest, ObjectType } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover } from "../widget/popover";
import { Notice, Skeleton } from "../widget/state";
import { Swatch } from "../widget/text";
import { useCommands, useStore, useTitle } from "./hooks";
import { Lightbox } from "./lightbox";
import { PageLink } from "./link";
import { Distributions, Figure, Picture, Sound } from "./mediaitems";
import { StepSlider } from "./runtabs";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { groupChoices } from "./toolbar";
import { ViewButtons } from "./viewbuttons";

const TYPES: readonly ObjectType[] = ["images", "audios", "figures", "distributions"];
const COLUMNS = 8;
const MOST_PICKED = 4;

const typeSetting = setting("type");
const stepSetting = setting("step");
const layoutSetting = setting("layout", "step");
const sizeSetting = setting("size", "112");
const groupSetting = setting("group");

interface RowGroup { readonly label: string; readonly rows: readonly (readonly Item[])[] }

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
  const there = useComputed(() => TYPES.filter((type) => fields.value?.sequences.some(({ kind }) => objectType(kind) === type)));
  const type = useComputed<ObjectType | null>(() => there.value.find((one) => one === typeSetting.value) ?? there.value[0] ?? null);
  const at = useComputed(() => (stepSetting.value === "" ? null : Number(stepSetting.value)));
  const isColumns = useComputed(() => layoutSetting.value === "steps");
  const wish = useComputed<ObjectsRequest | null>(() => {
    if (!type.value) return null;
    const steps = type.value === "distributions" ? { from: null, to: null, count: 100 } : isColumns.value ? { from: null, to: null, count: COLUMNS } : { at: at.value };
    return { query: query.value, type: type.value, steps, index: { from: 0, count: isColumns.value ? 1 : 12 }, limit: 200 };
  });
  const store = useStore(() => objectsStore(wish));
  const open = useSignal<readonly Item[] | null>(null);
  const picked = useSignal<readonly Item[]>([]);
  const steps = useComputed(() => allSteps(store.answer.value));
  const step = (by: number): void => {
    const list = steps.peek();
    const index = at.peek() === null ? list.length - 1 : list.indexOf(at.peek() ?? 0);
    const next = Math.max(0, Math.min(list.length - 1, index + by));
    change({ step: next === list.length - 1 ? null : String(list[next]) }, true);
  };
  useCommands(() => [
    { keys: "[", label: "Previous step", section: "Media", run: () => step(-1) },
    { keys: "]", label: "Next step", section: "Media", run: () => step(1) },
  ]);
  const state = useHasRuns(scene);
  if (state !== "runs") return <ScopeNotice state={state} scene={scene} />;
  if (fields.value && there.value.length === 0) {
    return <main class="main"><Notice icon="image" title="These runs have no images, audio, figures or distributions"><p>Record one with <code>run.track(Image(array), name="samples")</code>.</p></Notice></main>;
  }
  const size_px = Number(sizeSetting.value) || 112;
  const pick = (item: Item, isAdded: boolean): void => {
    if (!isAdded) open.value = [item];
    else picked.value = picked.value.includes(item) ? picked.value.filter((other) => other !== item) : [...picked.value, item].slice(-MOST_PICKED);
  };
  const groups = grouped(itemsOf(store.answer.value), scene, groupSetting.value);
  const labelOf = (item: Item): string => `${runName(scene.table.value, item.run)} · ${item.of.name} · step ${item.step}${item.caption ? ` · ${item.caption}` : ""}`;
  return (
    <main class="main">
      <div class="toolbar">
        <span class="segments" role="group" aria-label="What to show">
          {there.value.map((one) => <button key={one} type="button" class={one === type.value ? "on" : ""} onClick={() => change({ type: one === there.value[0] ? null : one, step: null })}>{OBJECT_WORDS[one]}</button>)}
        </span>
        <Popover button={groupSetting.value ? <>group <b>{fieldLabel(parseField(groupSetting.value) ?? ["run", "?"])}</b></> : <>+ group</>} label="Group by" buttonClass={groupSetting.value ? "pill" : "pill add"}>
          {(close) => <Picker choices={groupChoices()} chosen={new Set([groupSetting.value])} placeholder="Group by…" onPick={(value) => {
            change({ group: value === groupSetting.peek() ? null : value });
            close();
          }} />}
        </Popover>
        {(type.value === "images" || type.value === "figures") && <span class="segments" role="group" aria-label="Layout">
          <button type="button" class={isColumns.value ? "" : "on"} onClick={() => change({ layout: null })}>one step</button>
          <button type="button" class={isColumns.value ? "on" : ""} onClick={() => change({ layout: "steps" })}>steps in columns</button>
        </span>}
        {!isColumns.value && type.value !== "distributions" && <StepSlider steps={steps.value} at={at.value} onChange={(next) => change({ step: next === null ? null : String(next) }, true)} />}
        <span class="spacer" />
        {picked.value.length > 0 && <button type="button" class="pill strong" onClick={() => (open.value = picked.value)}><Icon name="compare" size={14} />Compare {picked.value.length}</button>}
        {type.value === "images" && <label class="size">size <input type="range" min="48" max="360" step="8" value={size_px} onInput={(event) => change({ size: event.currentTarget.value === "112" ? null : event.currentTarget.value }, true)} /></label>}
        <ViewButtons />
      </div>
      {!store.answer.value && <Skeleton rows={8} />}
      <div class={store.isLoading.value ? "media stale" : "media"}>
        {groups.map((group) => (
          <section key={group.label}>
            {groupSetting.value && <div class="section"><b>{group.label}</b> <span class="muted">{group.rows.length}</span></div>}
            {group.rows.map((row) => (
              <div key={`${row[0].run} ${sequenceText(row[0].of)}`} class="media-row">
                <div class="media-name">
                  <span class="line"><Swatch color={scene.looks.value.coloring.colorOf(row[0].run)} /><PageLink page="run" rest={row[0].run} class="name">{runName(scene.table.value, row[0].run)}</PageLink></span>
                  <span class="muted">{row[0].of.name} {contextLabel(row[0].of.context)}{isColumns.value || type.value === "distributions" ? "" : ` · step ${row[0].step}`}</span>
                </div>
                <div class="pictures">
                  {type.value === "distributions" && <Distributions items={row} color={scene.looks.value.coloring.colorOf(row[0].run)} at={null} />}
                  {type.value !== "distributions" && row.map((item) => (
                    <div key={`${item.step} ${item.index}`} class={picked.value.includes(item) ? "pickable on" : "pickable"}>
                      {type.value === "images" && <><Picture item={item} size_px={size_px} onOpen={() => pick(item, false)} /><button type="button" class="tick pick" aria-label="Choose to compare" title="Choose to compare" onClick={() => pick(item, true)}>{picked.value.includes(item) && <Icon name="check" size={12} />}</button></>}
                      {type.value === "audios" && <Sound item={item} />}
                      {type.value === "figures" && <Figure item={item} />}
                      {isColumns.value && <span class="caption">step {item.step}</span>}
                    </div>
                  ))}
                </div>
              </div>
            ))}
          </section>
        ))}
        {store.answer.value && store.answer.value.total > store.answer.value.sequences.length && <p class="muted">The first {store.answer.value.sequences.length} of {store.answer.value.total}. Narrow the query to see others.</p>}
      </div>
      {open.value && <Lightbox items={open.value} labelOf={labelOf} onStep={step} onClose={() => (open.value = null)} />}
    </main>
  );
}

