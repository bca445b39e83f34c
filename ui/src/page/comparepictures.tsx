/// Pictures, sounds and 3D objects of several runs beside each other, at one step: a section for each kind.

import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { contextLabel, sequenceText } from "../model/fields";
import { atPresent, bySequence, hiddenCount, itemsOf, objectsStore, type Item } from "../model/objects";
import { wordsOf } from "../model/overlays";
import type { ObjectsRequest } from "../wire/objects";
import { useApp } from "./app";
import { useStore } from "./hooks";
import { Lightbox } from "./lightbox";
import { OverlayBar } from "./overlay";
import { inTabOrder, NO_WORDS, Piece, rendererOf } from "./renderers";
import { StepSlider, usePlainStepping, useStepping } from "./steps";

/// The kind whose steps follow the keys.
const PICTURES = "images";

const PICTURE_PX = 120;
const ROW_ITEMS = 8;
const ROW_ITEMS_MOST = 10_000;

/// Those of some kinds whose objects stand beside each other here.
export function comparedSubjects(subjects: readonly string[]): readonly string[] {
  return inTabOrder(subjects).filter((subject) => rendererOf(subject).flows);
}

/// The objects of the runs at the chosen step, and how many of each list are asked for.
function useObjects(subject: string, hashes: ReadonlySignal<readonly string[]>) {
  const { scope } = useApp();
  const at = useSignal<number | null>(null);
  const listLength = useSignal(ROW_ITEMS);
  const wish = useComputed<ObjectsRequest>(() => ({
    query: "",
    runs: hashes.value,
    type: subject,
    steps: { at: at.value },
    index: { from: 0, count: listLength.value },
  }));
  const store = useStore(() => objectsStore(scope, wish));
  const useSteps = subject === PICTURES ? useStepping : usePlainStepping; // a section's subject never changes
  const stepping = useSteps(store, at, (step) => (at.value = step));
  return { store, stepping, listLength };
}

/// The section of a kind.
export function ComparedObjects({
  subject,
  hashes,
  nameOf,
}: {
  subject: string;
  hashes: ReadonlySignal<readonly string[]>;
  nameOf: (hash: string) => string;
}): JSX.Element {
  const open = useSignal<readonly Item[] | null>(null);
  const { store, stepping, listLength } = useObjects(subject, hashes);
  const { session } = useApp();
  const title = session.kinds.value.titleOf(subject);
  const { hasOverlays, controls: Controls, scale = 1 } = rendererOf(subject);
  const items = itemsOf(store.answer.value);
  const words = hasOverlays ? wordsOf(items) : NO_WORDS;
  const hidden = bySequence(items)
    .map((row) => hiddenCount(row, listLength.value))
    .reduce((most, count) => Math.max(most, count), 0);
  const names = [...new Map(items.map((item) => [sequenceText(item.track), item.track])).values()];
  return (
    <section aria-label={title}>
      <div class="section">
        <b>{title}</b> <StepSlider stepping={stepping} />
        {Controls && <Controls />}
        {hidden > 0 && (
          <button type="button" class="pill" onClick={() => (listLength.value = ROW_ITEMS_MOST)}>
            +{hidden.toLocaleString("en")} of each list
          </button>
        )}
      </div>
      {hasOverlays && <OverlayBar items={items} />}
      {names.map((key) => (
        <div key={sequenceText(key)} class="sides" style={{ "--runs": String(hashes.value.length) }}>
          <div class="diff-row top">
            <div class="side-name">
              {key.name} <span class="muted">{contextLabel(key.context)}</span>
            </div>
            {hashes.value.map((hash) => (
              <div key={hash} class="side wrap">
                {items
                  .filter((item) => item.run === hash && sequenceText(item.track) === sequenceText(key))
                  .map((item) => (
                    <Piece
                      key={item.index}
                      subject={subject}
                      item={item}
                      size_px={PICTURE_PX * scale}
                      words={words}
                      onOpen={() =>
                        hasOverlays &&
                        (open.value = items.filter(
                          (other) => other.index === item.index && sequenceText(other.track) === sequenceText(key),
                        ))
                      }
                    />
                  ))}
              </div>
            ))}
          </div>
        </div>
      ))}
      {open.value && (
        <Lightbox
          items={atPresent(open.value, items)}
          labelOf={(item) => `${nameOf(item.run)} · step ${item.step}${item.caption ? ` · ${item.caption}` : ""}`}
          words={words}
          onStep={stepping.move}
          onClose={() => (open.value = null)}
        />
      )}
    </section>
  );
}
