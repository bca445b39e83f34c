/// The objects of one kind of a run.

import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { contextLabel, sequenceText } from "../model/fields";
import { atPresent, bySequence, itemsOf, objectsStore, type Item } from "../model/objects";
import { wordsOf, type OverlayWords } from "../model/overlays";
import { ownColor } from "../model/runcolors";
import type { ObjectsRequest } from "../wire/objects";
import type { RunAnswer } from "../wire/types";
import { Skeleton } from "../widget/state";
import { useApp } from "./app";
import { useStore } from "./hooks";
import { Lightbox } from "./lightbox";
import { MoreOfRow, shownSteps, useWholeRow } from "./moreitems";
import { OverlayBar } from "./overlay";
import { Piece, rendererOf } from "./renderers";
import { StepSlider, useStepping } from "./steps";

const WHOLE_STEPS = 200;
const ROW_ITEMS = 64;
const PICTURE_PX = 150;

/// The tab.
export function ObjectsTab({ run, subject }: { run: RunAnswer; subject: string }): JSX.Element {
  const { scope } = useApp();
  const at = useSignal<number | null>(null);
  const open = useSignal<readonly Item[] | null>(null);
  const { whole, hasOverlays, controls: Controls } = rendererOf(subject);
  const askedSteps = useComputed<ObjectsRequest["steps"]>(() =>
    whole ? { from: null, to: null, count: WHOLE_STEPS } : { at: at.value },
  );
  const wish = useComputed<ObjectsRequest>(() => ({
    query: "",
    runs: [run.hash],
    type: subject,
    steps: askedSteps.value,
    index: { from: 0, count: ROW_ITEMS },
  }));
  const store = useStore(() => objectsStore(scope, wish));
  const stepping = useStepping(store, at, (step) => (at.value = step));
  const items = itemsOf(store.answer.value);
  const words = wordsOf(items);
  if (!store.answer.value) return store.error.value ? <p class="failure">{store.error.value.message}</p> : <Skeleton />;
  return (
    <>
      {((!whole && stepping.steps.value.length > 1) || Controls) && (
        <div class="toolbar">
          {!whole && stepping.steps.value.length > 1 && <StepSlider stepping={stepping} />}
          {Controls && <Controls />}
        </div>
      )}
      {hasOverlays && <OverlayBar items={items} />}
      {bySequence(items).map((group) => (
        <Sequence
          key={sequenceText(group[0].track)}
          group={group}
          subject={subject}
          run={run.hash}
          askedSteps={askedSteps}
          words={words}
          onOpen={(item) => (open.value = [item])}
        />
      ))}
      {open.value && (
        <Lightbox
          items={atPresent(open.value, items)}
          labelOf={(item) => `${item.track.name} · step ${item.step}${item.caption ? ` · ${item.caption}` : ""}`}
          words={words}
          onStep={stepping.move}
          onClose={() => (open.value = null)}
        />
      )}
    </>
  );
}

interface SequenceProps {
  readonly group: readonly Item[];
  readonly subject: string;
  readonly run: string;
  readonly askedSteps: ReadonlySignal<ObjectsRequest["steps"]>;
  readonly words: OverlayWords;
  readonly onOpen: (item: Item) => void;
}

/// The objects of one sequence, at one step or as a whole. Texts stand below each other.
function Sequence({ group, subject, run, askedSteps, words, onOpen }: SequenceProps): JSX.Element {
  const { session } = useApp();
  const { whole: Whole, page, scale = 1 } = rendererOf(subject);
  const [{ track, step }] = group;
  const row = useWholeRow(group, subject, askedSteps, ROW_ITEMS);
  const steps = Whole ? [shownSteps(group).replace(" · ", "")] : [`step ${step}`, `${track.count} steps`];
  const pieces = row.items.map((item) => (
    <Piece
      key={item.index}
      subject={subject}
      item={item}
      size_px={PICTURE_PX * scale}
      words={words}
      onOpen={() => onOpen(item)}
    />
  ));
  return (
    <section>
      <div class="section">
        <b>{track.name}</b>{" "}
        <span class="muted">{[contextLabel(track.context), ...steps].filter(Boolean).join(" · ")}</span>
      </div>
      {Whole && <Whole items={group} color={ownColor(run, session.theme.value)} />}
      {!Whole && (page === "text" ? pieces : <div class="pictures">{pieces}</div>)}
      {!Whole && <MoreOfRow row={row} />}
    </section>
  );
}
