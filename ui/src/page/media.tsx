/// Everything tracked that is looked at or listened to, of all matching runs: by run and step, or by group.

import { cellLabel } from "../model/cell";
import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { setting } from "../model/address";
import { contextLabel, fieldText, sequenceText } from "../model/fields";
import { atPresent, bySequence, itemsOf, objectsStore, type Item } from "../model/objects";
import { wordsOf, type OverlayWords } from "../model/overlays";
import { makeScene, runName, type Scene } from "../model/scene";
import { cellOf } from "../model/table";
import { rowFields } from "../model/rowsettings";
import type { Field } from "../wire/types";
import type { ObjectsRequest } from "../wire/objects";
import { Icon } from "../widget/icon";
import { Notice, Skeleton } from "../widget/state";
import { Swatch } from "../widget/text";
import { useApp } from "./app";
import { useStore, useTitle } from "./hooks";
import { Lightbox } from "./lightbox";
import { PageLink } from "./link";
import { MediaToolbar, sizeOf } from "./mediatoolbar";
import { MoreOfRow, MoreSequences, shownSteps, useWholeRow } from "./moreitems";
import { OverlayBar } from "./overlay";
import { inTabOrder, NO_WORDS, Piece, rendererOf } from "./renderers";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { chosenSequences } from "./sequencepill";
import { useStepping, useStepSetting } from "./steps";

const COLUMNS = 8;
const WHOLE_STEPS = 100;
const ROW_ITEMS = 12;
const SEQUENCES_AT_ONCE = 200;
const PICKED_MOST = 4;

const subjectSetting = setting("type");
const layoutSetting = setting("layout", "step");

interface RowGroup {
  readonly label: string;
  readonly rows: readonly (readonly Item[])[];
}

/// The items as rows, one for each sequence, grouped by a field of their runs.
function grouped(items: readonly Item[], scene: Scene, fields: readonly Field[]): readonly RowGroup[] {
  const groups = new Map<string, (readonly Item[])[]>();
  for (const row of bySequence(items)) {
    const { run } = row[0];
    const label = fields.map((field) => cellLabel(cellOf(scene.table.value, fieldText(field), run))).join(" · ");
    groups.set(label, [...(groups.get(label) ?? []), row]);
  }
  return [...groups].map(([label, rows]) => ({ label, rows }));
}

/// The subjects that the runs have objects of, and the one that is chosen.
function useSubjects(): {
  readonly subjects: ReadonlySignal<readonly string[]>;
  readonly subject: ReadonlySignal<string | null>;
} {
  const { scope, session } = useApp();
  const subjects = useComputed(() => {
    const tracked = session.kinds.value.subjectsOf(scope.fields.value?.sequences ?? []);
    return inTabOrder(tracked).filter((subject) => rendererOf(subject).page === undefined);
  });
  const subject = useComputed(() =>
    subjects.value.includes(subjectSetting.value) ? subjectSetting.value : (subjects.value[0] ?? null),
  );
  return { subjects, subject };
}

function stepsOf(subject: string, isColumns: boolean, at: number | null): ObjectsRequest["steps"] {
  if (rendererOf(subject).whole) return { from: null, to: null, count: WHOLE_STEPS };
  return isColumns ? { from: null, to: null, count: COLUMNS } : { at };
}

/// The objects of the chosen kind, at the chosen steps.
function useMedia() {
  const app = useApp();
  const { scope, session } = app;
  const scene = useStore(() => makeScene(app, rowFields));
  const { subjects, subject } = useSubjects();
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
  const stepping = useStepping(store, at, set);
  return { scene, subjects, subject, sequences, isColumns, askedSteps, store, stepping, showMore };
}

/// The page.
export function MediaPage(): JSX.Element {
  useTitle("Media");
  const { scope, session } = useApp();
  const { scene, subjects, subject, sequences, isColumns, askedSteps, store, stepping, showMore } = useMedia();
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
  const labelOf = (item: Item): string => {
    const caption = item.caption ? ` · ${item.caption}` : "";
    return `${runName(scene.table.value, item.run)} · ${item.track.name} · step ${item.step}${caption}`;
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
        {grouped(items, scene, rowFields.value).map((group) => (
          <section key={group.label}>
            {rowFields.value.length > 0 && (
              <div class="section">
                <b>{group.label}</b> <span class="muted">{group.rows.length}</span>
              </div>
            )}
            {group.rows.map((row) => (
              <MediaRow
                key={`${row[0].run} ${sequenceText(row[0].track)}`}
                row={row}
                subject={subject.value ?? ""}
                scene={scene}
                words={words}
                isColumns={isColumns.value}
                askedSteps={askedSteps}
                picked={picked.value}
                onOpen={(item) => (open.value = [item])}
                onPick={pick}
              />
            ))}
          </section>
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
      <Notice icon="image" title="These runs have no images, videos, audio, tables, figures or distributions">
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

interface MediaRowProps {
  readonly row: readonly Item[];
  readonly subject: string;
  readonly scene: Scene;
  readonly words: OverlayWords;
  readonly isColumns: boolean;
  readonly askedSteps: ReadonlySignal<ObjectsRequest["steps"]>;
  readonly picked: readonly Item[];
  readonly onOpen: (item: Item) => void;
  readonly onPick: (item: Item) => void;
}

/// The objects of one sequence of a run.
function MediaRow(props: MediaRowProps): JSX.Element {
  const { row, subject, scene, words, isColumns, picked, onOpen, onPick } = props;
  const [{ run, track, step }] = row;
  const whole = useWholeRow(row, subject, props.askedSteps, isColumns ? 1 : ROW_ITEMS);
  const { whole: Whole, hasOverlays } = rendererOf(subject);
  const color = scene.looks.value.coloring.colorOf(run);
  return (
    <div class="media-row">
      <div class="media-name">
        <span class="line">
          <Swatch color={color} />
          <PageLink page="run" subject={run} class="name">
            {runName(scene.table.value, run)}
          </PageLink>
        </span>
        <span class="muted">
          {track.name} {contextLabel(track.context)}
          {isColumns || Whole ? shownSteps(row) : ` · step ${step}`}
        </span>
      </div>
      <div class="pictures">
        {Whole && <Whole items={row} color={color} />}
        {!Whole &&
          whole.items.map((item) => (
            <div key={`${item.step} ${item.index}`} class={picked.includes(item) ? "pickable on" : "pickable"}>
              <Piece
                subject={subject}
                item={item}
                size_px={sizeOf()}
                words={words}
                color={color}
                onOpen={() => onOpen(item)}
              />
              {hasOverlays && (
                <button
                  type="button"
                  class="tick pick"
                  aria-label="Choose to compare"
                  title="Choose to compare"
                  onClick={() => onPick(item)}
                >
                  {picked.includes(item) && <Icon name="check" size={12} />}
                </button>
              )}
              {isColumns && <span class="caption">step {item.step}</span>}
            </div>
          ))}
        {!Whole && <MoreOfRow row={whole} />}
      </div>
    </div>
  );
}
