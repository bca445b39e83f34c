/// What is looked at or listened to, below the charts: a section for each kind, of those runs that are drawn.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { itemsOf, objectsStore, atPresent, type Item } from "../model/objects";
import { wordsOf } from "../model/overlays";
import type { Scene } from "../model/scene";
import { folded, toggleFolded } from "../model/workspace";
import type { ObjectsRequest } from "../wire/objects";
import { Icon } from "../widget/icon";
import { Skeleton } from "../widget/state";
import { useApp } from "./app";
import { useOnScreen, useStore } from "./hooks";
import { Lightbox } from "./lightbox";
import { PageLink } from "./link";
import { itemTitle, sectionsOfItems, stepsOf } from "./media";
import { MediaSection, ROW_ITEMS, type MediaView } from "./mediasection";
import { MoreSequences } from "./moreitems";
import { inTabOrder, NO_WORDS, rendererOf } from "./renderers";
import { StepSlider, usePlainStepping } from "./steps";

const SEQUENCES_AT_ONCE = 24;
const COLUMNS_LEAST = 4; // few pictures are no larger than that: the charts are what the page is for

/// The sections. `subjects`: what the runs have.
export function WorkspaceMedia({ scene, subjects }: { scene: Scene; subjects: readonly string[] }): JSX.Element {
  return (
    <>
      {inTabOrder(subjects)
        .filter((subject) => rendererOf(subject).page === undefined && subject !== "tables")
        .map((subject) => (
          <SubjectSection key={subject} subject={subject} scene={scene} />
        ))}
    </>
  );
}

/// One kind: asked for when it comes near the screen, at the last step or at the one that its slider is at.
function SubjectSection({ subject, scene }: { subject: string; scene: Scene }): JSX.Element {
  const { scope, session } = useApp();
  const { ref, isSeen } = useOnScreen();
  const title = session.kinds.value.titleOf(subject);
  const isFolded = useComputed(() => folded.value.includes(title));
  const limit = useSignal(SEQUENCES_AT_ONCE);
  const at = useSignal<number | null>(null);
  const open = useSignal<Item | null>(null);
  const steps = useComputed<ObjectsRequest["steps"]>(() => stepsOf(subject, false, at.value));
  const wish = useComputed<ObjectsRequest | null>(() => {
    if (!isSeen.value || isFolded.value) return null;
    const index = { from: 0, count: ROW_ITEMS };
    const query = scope.query.value;
    return { query, type: subject, steps: steps.value, index, limit: limit.value };
  });
  const store = useStore(() => objectsStore(scope, wish));
  const stepping = usePlainStepping(store, at, (step) => (at.value = step));
  const all = itemsOf(store.answer.value);
  const items = all.filter(({ run }) => scene.looks.value.isShown(run));
  const words = rendererOf(subject).hasOverlays ? wordsOf(items) : NO_WORDS;
  const view: MediaView = {
    subject,
    scene,
    words,
    isColumns: false,
    askedSteps: steps,
    picked: [],
    columnsLeast: COLUMNS_LEAST,
    onOpen: (item) => (open.value = item),
  };
  return (
    <section ref={ref} class="workspace-media" aria-label={title}>
      <div class="section">
        <button type="button" class="fold" aria-expanded={!isFolded.value} onClick={() => toggleFolded(title)}>
          <span class={isFolded.value ? "chevron" : "chevron open"}>
            <Icon name="chevron" size={12} />
          </span>
          <b>{title}</b>
        </button>
        <PageLink page="media" changes={{ type: subject }} class="muted" title="All of them, on the page of media">
          open in Media
        </PageLink>
        {!isFolded.value && !rendererOf(subject).whole && <StepSlider stepping={stepping} />}
      </div>
      {!isFolded.value && !store.answer.value && <Skeleton rows={3} />}
      {!isFolded.value && (
        <div class={store.isLoading.value ? "media stale" : "media"}>
          {sectionsOfItems(items, scene, []).map(([name, groups]) => (
            <MediaSection key={name} groups={groups} view={view} />
          ))}
          {all.length > 0 && items.length === 0 && <p class="muted">The runs of these are hidden.</p>}
          {store.answer.value && (
            <MoreSequences answer={store.answer.value} onMore={() => (limit.value += SEQUENCES_AT_ONCE)} />
          )}
        </div>
      )}
      {open.value && (
        <Lightbox
          items={atPresent([open.value], items)}
          labelOf={(item) => itemTitle(item, scene)}
          words={words}
          onStep={stepping.move}
          onClose={() => (open.value = null)}
        />
      )}
    </section>
  );
}
