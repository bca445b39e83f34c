/// Pictures of several runs beside each other, at one step.

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
import { Piece } from "./renderers";
import { StepSlider, useStepping } from "./steps";

/// The subject of pictures.
export const PICTURES = "images";

const PICTURE_PX = 120;
const ROW_ITEMS = 8;
const ROW_ITEMS_MOST = 10_000;

/// The pictures of the runs at the chosen step, and how many of each list are asked for.
function usePictures(hashes: ReadonlySignal<readonly string[]>) {
  const { scope } = useApp();
  const at = useSignal<number | null>(null);
  const listLength = useSignal(ROW_ITEMS);
  const wish = useComputed<ObjectsRequest>(() => ({
    query: "",
    runs: hashes.value,
    type: PICTURES,
    steps: { at: at.value },
    index: { from: 0, count: listLength.value },
  }));
  const store = useStore(() => objectsStore(scope, wish));
  const stepping = useStepping(store, at, (step) => (at.value = step));
  return { store, stepping, listLength };
}

/// The section.
export function Pictures({
  hashes,
  nameOf,
}: {
  hashes: ReadonlySignal<readonly string[]>;
  nameOf: (hash: string) => string;
}): JSX.Element {
  const open = useSignal<readonly Item[] | null>(null);
  const { store, stepping, listLength } = usePictures(hashes);
  const items = itemsOf(store.answer.value);
  const words = wordsOf(items);
  const hidden = bySequence(items)
    .map((row) => hiddenCount(row, listLength.value))
    .reduce((most, count) => Math.max(most, count), 0);
  const names = [...new Map(items.map((item) => [sequenceText(item.track), item.track])).values()];
  return (
    <section aria-label="Images">
      <div class="section">
        <b>Images</b> <StepSlider stepping={stepping} />
        {hidden > 0 && (
          <button type="button" class="pill" onClick={() => (listLength.value = ROW_ITEMS_MOST)}>
            +{hidden.toLocaleString("en")} of each list
          </button>
        )}
      </div>
      <OverlayBar items={items} />
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
                      subject={PICTURES}
                      item={item}
                      size_px={PICTURE_PX}
                      words={words}
                      onOpen={() =>
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
