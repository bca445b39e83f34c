/// Texts of all matching runs: samples side by side, and what changed between two. Tables of samples are on this page
/// too: whoever reads what a model says has recorded one or the other.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { change, setting } from "../model/address";
import { contextLabel } from "../model/fields";
import { bySequence, hiddenCount, itemKey, itemsOf, objectsStore, type Item } from "../model/objects";
import { makeScene, type Scene } from "../model/scene";
import type { ObjectsRequest } from "../wire/objects";
import { FindField } from "../widget/findfield";
import { Icon } from "../widget/icon";
import { Notice, Skeleton } from "../widget/state";
import { Copy, Swatch } from "../widget/text";
import { useApp } from "./app";
import { Difference } from "./difference";
import { useStore, useTitle } from "./hooks";
import { PageLink } from "./link";
import { Media, TABLES, TEXT_SUBJECTS } from "./media";
import { MoreSequences } from "./moreitems";
import { StepSlider, useStepping, useStepSetting } from "./steps";
import { ScopeNotice, useHasRuns } from "./scopenotice";

const typeSetting = setting("type");
const SEQUENCES_AT_ONCE = 200;
const LIST_TEXTS = 32;
const LIST_TEXTS_MOST = 10_000;

/// The texts at the chosen step, and how many of them are asked for.
function useTexts() {
  const { scope } = useApp();
  const { at, set } = useStepSetting();
  const limit = useSignal(SEQUENCES_AT_ONCE);
  const listLength = useSignal(LIST_TEXTS);
  const wish = useComputed<ObjectsRequest>(() => ({
    query: scope.query.value,
    type: "texts",
    steps: { at: at.value },
    index: { from: 0, count: listLength.value },
    limit: limit.value,
  }));
  const store = useStore(() => objectsStore(scope, wish));
  return { store, at, set, limit, listLength };
}

/// The page: texts, or tables where there are no texts or the reader asks for them.
export function TextsPage(): JSX.Element {
  const { scope, session } = useApp();
  const tracked = session.kinds.value.subjectsOf(scope.fields.value?.sequences ?? []);
  const subjects = TEXT_SUBJECTS.filter((subject) => tracked.includes(subject));
  const isTables = subjects.includes(TABLES) && (subjects.length === 1 || typeSetting.value === TABLES);
  return isTables ? <Media isText /> : <Texts offersTables={subjects.includes(TABLES)} />;
}

function Texts({ offersTables }: { offersTables: boolean }): JSX.Element {
  const app = useApp();
  const { scope, session } = app;
  useTitle("Text");
  const { store, at, set, limit, listLength } = useTexts();
  const drawn = useComputed(() => store.answer.value?.runs ?? []);
  const scene = useStore(() => makeScene(app, { isListed: true, drawn }));
  const base = useSignal<string | null>(null);
  const find = useSignal("");
  const items = useComputed(() =>
    itemsOf(store.answer.value).filter((item) => (item.text ?? "").toLowerCase().includes(find.value)),
  );
  const stepping = useStepping(store, at, set);
  const state = useHasRuns(scene);
  if (state !== "runs") return <ScopeNotice state={state} scene={scene} />;
  if (
    scope.fields.value &&
    !scope.fields.value.sequences.some(({ kind }) => session.kinds.value.subjectOf(kind) === "texts")
  ) {
    return <NoTexts />;
  }
  const hidden = bySequence(itemsOf(store.answer.value))
    .map((row) => hiddenCount(row, listLength.value))
    .reduce((sum, count) => sum + count, 0);
  const baseItem = items.value.find((item) => itemKey(item) === base.value);
  return (
    <main class="main">
      <div class="toolbar">
        {offersTables && (
          <span class="segments" role="group" aria-label="What to show">
            <button type="button" class="on">
              {session.kinds.value.titleOf("texts")}
            </button>
            <button type="button" onClick={() => change({ type: TABLES, step: null })}>
              {session.kinds.value.titleOf(TABLES)}
            </button>
          </span>
        )}
        <StepSlider stepping={stepping} />
        <span class="spacer" />
        {baseItem && (
          <button type="button" class="pill on" onClick={() => (base.value = null)}>
            differences to {scene.looks.value.nameOf(baseItem.run)} <Icon name="close" size={12} />
          </button>
        )}
        <FindField label="Find in the texts" setText={(text) => (find.value = text.toLowerCase())} />
      </div>
      {!store.answer.value && <Skeleton />}
      <div class={store.isLoading.value ? "texts stale" : "texts"}>
        {items.value.map((item) => (
          <TextArticle
            key={itemKey(item)}
            item={item}
            scene={scene}
            base={baseItem}
            isBase={base.value === itemKey(item)}
            onBase={() => (base.value = base.value === itemKey(item) ? null : itemKey(item))}
          />
        ))}
        {store.answer.value && items.value.length === 0 && <p class="muted">No text has these words.</p>}
        {hidden > 0 && (
          <button type="button" class="pill" onClick={() => (listLength.value = LIST_TEXTS_MOST)}>
            Show all texts of a list: {hidden.toLocaleString("en")} more
          </button>
        )}
        {store.answer.value && (
          <MoreSequences answer={store.answer.value} onMore={() => (limit.value += SEQUENCES_AT_ONCE)} />
        )}
      </div>
    </main>
  );
}

function NoTexts(): JSX.Element {
  return (
    <main class="main">
      <Notice icon="note" title="These runs have no texts">
        <p>
          Record one with <code>run.track(Text("…"), name="samples")</code>, or a table of samples with{" "}
          <code>run.track(Table(rows), name="samples")</code>.
        </p>
      </Notice>
    </main>
  );
}

interface TextArticleProps {
  readonly item: Item;
  readonly scene: Scene;
  /// The text that the others are compared with.
  readonly base: Item | undefined;
  readonly isBase: boolean;
  readonly onBase: () => void;
}

/// One text, or how it differs from the chosen one.
function TextArticle({ item, scene, base, isBase, onBase }: TextArticleProps): JSX.Element {
  return (
    <article class="panel">
      <h2>
        <Swatch color={scene.looks.value.coloring.colorOf(item.run)} />
        <PageLink page="run" subject={item.run} class="name">
          {scene.looks.value.nameOf(item.run)}
        </PageLink>
        <span class="muted">
          {item.track.name} {contextLabel(item.track.context)} · step {item.step}
        </span>
        <span class="spacer" />
        <button
          type="button"
          class={isBase ? "bare on" : "bare"}
          title="Show how the others differ from this"
          aria-label="Compare the others with this text"
          onClick={onBase}
        >
          <Icon name="compare" size={14} />
        </button>
        <Copy text={item.text ?? ""} label="Copy the text" />
      </h2>
      <pre class="prose">
        {base && base !== item ? <Difference from={base.text ?? ""} to={item.text ?? ""} /> : item.text}
      </pre>
      {item.cut && <p class="muted">Only its beginning is shown.</p>}
    </article>
  );
}
