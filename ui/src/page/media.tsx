/// Everything tracked that is looked at or listened to, of all matching runs: a section for each sequence, in it the
/// runs, grouped by a field.

import { cellLabel } from "../model/cell";
import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { setting } from "../model/address";
import { fieldText, sequenceText } from "../model/fields";
import { atPresent, bySequence, itemsOf, objectsStore, type Item } from "../model/objects";
import { wordsOf } from "../model/overlays";
import { makeScene, type Scene } from "../model/scene";
import { cellOf } from "../model/table";
import { rowFields } from "../model/rowsettings";
import type { Field } from "../wire/types";
import type { ObjectsRequest } from "../wire/objects";
import { Notice, Skeleton } from "../widget/state";
import { useApp } from "./app";
import { useStore, useTitle } from "./hooks";
import { Lightbox } from "./lightbox";
import { MediaSection, ROW_ITEMS, type MediaView, type RowGroup } from "./mediasection";
import { MediaToolbar } from "./mediatoolbar";
import { MoreSequences } from "./moreitems";
import { OverlayBar } from "./overlay";
import { inTabOrder, NO_WORDS, rendererOf } from "./renderers";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { chosenSequences } from "./sequencepill";
import { useStepping, useStepSetting } from "./steps";

const COLUMNS = 8;
const WHOLE_STEPS = 100;
const SEQUENCES_AT_ONCE = 200;
const PICKED_MOST = 4;

/// What the page of texts shows: texts, and tables of them.
export const TABLES = "tables";
export const TEXT_SUBJECTS: readonly string[] = ["texts", TABLES];

const subjectSetting = setting("type");
const layoutSetting = setting("layout", "step");

/// The items as one list of groups for each sequence; in a group a row for each run, grouped by a field of the runs.
export function sectionsOfItems(
  items: readonly Item[],
  scene: Scene,
  fields: readonly Field[],
): readonly (readonly [name: string, groups: readonly RowGroup[]])[] {
  const sections = new Map<string, Map<string, (readonly Item[])[]>>();
  for (const row of bySequence(items)) {
    const { run, track } = row[0];
    const name = sequenceText(track);
    const label = fields.map((field) => cellLabel(cellOf(scene.tableFor(run), fieldText(field), run))).join(" · ");
    const groups = sections.get(name) ?? new Map<string, (readonly Item[])[]>();
    sections.set(name, groups.set(label, [...(groups.get(label) ?? []), row]));
  }
  return [...sections].map(([name, groups]) => [name, [...groups].map(([label, rows]) => ({ label, rows }))] as const);
}

/// An object's run, sequence, step and caption.
export function itemTitle({ run, track, step, caption }: Item, scene: Scene): string {
  return [scene.looks.value.nameOf(run), track.name, `step ${step}`, caption].filter(Boolean).join(" · ");
}

/// The subjects that the runs have objects of, and the one that is chosen. `isText`: of the page of texts.
function useSubjects(isText: boolean): {
  readonly subjects: ReadonlySignal<readonly string[]>;
  readonly subject: ReadonlySignal<string | null>;
} {
  const { scope, session } = useApp();
  const subjects = useComputed(() => {
    const tracked = session.kinds.value.subjectsOf(scope.fields.value?.sequences ?? []);
    const isListed = (subject: string): boolean =>
      isText ? TEXT_SUBJECTS.includes(subject) : rendererOf(subject).page === undefined;
    return inTabOrder(tracked).filter(isListed);
  });
  const subject = useComputed(() => {
    if (isText) return TABLES;
    return subjects.value.includes(subjectSetting.value) ? subjectSetting.value : (subjects.value[0] ?? null);
  });
  return { subjects, subject };
}

/// What is asked of the steps of a kind: some of all where they stand in columns or are drawn as one, else one.
export function stepsOf(subject: string, isColumns: boolean, at: number | null): ObjectsRequest["steps"] {
  if (rendererOf(subject).whole) return { from: null, to: null, count: WHOLE_STEPS };
  return isColumns ? { from: null, to: null, count: COLUMNS } : { at };
}

/// The objects of the chosen kind, at the chosen steps.
function useMedia(isText: boolean) {
  const app = useApp();
  const { scope, session } = app;
  const { subjects, subject } = useSubjects(isText);
  const { at, set } = useStepSetting();
  const isColumns = useComputed(
    () => layoutSetting.value === "steps" && subject.value !== null && rendererOf(subject.value).hasColumns === true,
  );
  const limit = useSignal(SEQUENCES_AT_ONCE);
  const sequences = useComputed(() => {
    const { subjectOf } = session.kinds.value;
    return (scope.fields.value?.sequences ?? []).filter(({ kind }) => subjectOf(kind) === subject.value);
  });
  const askedSteps = useComputed(() => stepsOf(subject.value ?? "", isColumns.value, at.value));
  const wish = useComputed<ObjectsRequest | null>(() => {
    if (subject.value === null) return null;
    return {
      query: scope.query.value,
      type: subject.value,
      sequences: chosenSequences(sequences.value),
      steps: askedSteps.value,
      index: { from: 0, count: isColumns.value ? 1 : ROW_ITEMS },
      limit: limit.value,
    };
  });
  const showMore = (): void => {
    limit.value += SEQUENCES_AT_ONCE;
  };
  const store = useStore(() => objectsStore(scope, wish));
  const drawn = useComputed(() => store.answer.value?.runs ?? []);
  const scene = useStore(() => makeScene(app, { more: rowFields, isListed: true, drawn }));
  const stepping = useStepping(store, at, set);
  return { scene, subjects, subject, sequences, isColumns, askedSteps, store, stepping, showMore };
}

/// The page.
export function MediaPage(): JSX.Element {
  return <Media isText={false} />;
}

/// What is on the page; `isText`: tables, on the page of texts.
export function Media({ isText }: { isText: boolean }): JSX.Element {
  useTitle(isText ? "Text" : "Media");
  const { scope, session } = useApp();
  const { scene, subjects, subject, sequences, isColumns, askedSteps, store, stepping, showMore } = useMedia(isText);
  const open = useSignal<readonly Item[] | null>(null);
  const picked = useSignal<readonly Item[]>([]);
  const state = useHasRuns(scene);
  if (state !== "runs") return <ScopeNotice state={state} scene={scene} />;
  if (scope.fields.value && subject.value === null) return <NoMedia />;
  const items = itemsOf(store.answer.value);
  const hasOverlays = subject.value !== null && rendererOf(subject.value).hasOverlays === true;
  const words = hasOverlays ? wordsOf(items) : NO_WORDS;
  const pick = (item: Item): void => {
    const list = picked.peek();
    picked.value = list.includes(item) ? list.filter((other) => other !== item) : [...list, item].slice(-PICKED_MOST);
  };
  const labelOf = (item: Item): string => itemTitle(item, scene);
  const view: MediaView = {
    subject: subject.value ?? "",
    scene,
    words,
    isColumns: isColumns.value,
    askedSteps,
    picked: picked.value,
    onOpen: (item) => (open.value = [item]),
    onPick: pick,
  };
  return (
    <main class="main">
      <MediaToolbar
        titles={subjects.value.map((name) => [name, session.kinds.value.titleOf(name)])}
        subject={subject.value}
        sequences={sequences.value}
        isColumns={isColumns.value}
        stepping={stepping}
        picked={picked.value}
        onCompare={() => (open.value = picked.value)}
      />
      {hasOverlays && <OverlayBar items={items} />}
      {!store.answer.value && <Waiting message={store.error.value?.message ?? null} />}
      <div class={store.isLoading.value ? "media stale" : "media"}>
        {sectionsOfItems(items, scene, rowFields.value).map(([name, groups]) => (
          <MediaSection key={name} groups={groups} view={view} />
        ))}
        {store.answer.value && <MoreSequences answer={store.answer.value} onMore={showMore} />}
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

function NoMedia(): JSX.Element {
  return (
    <main class="main">
      <Notice
        icon="image"
        title="These runs have no images, videos, audio, tables, figures, distributions or 3D objects"
      >
        <p>
          Record one with <code>run.track(Image(array), name="samples")</code>.
        </p>
      </Notice>
    </main>
  );
}

function Waiting({ message }: { message: string | null }): JSX.Element {
  return message === null ? (
    <Skeleton rows={8} />
  ) : (
    <p class="failure" role="alert">
      {message}
    </p>
  );
}
