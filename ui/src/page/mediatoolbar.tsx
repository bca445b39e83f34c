/// The bar above media: which kind, how it is grouped and laid out, which step, and how large.

import type { JSX } from "preact";
import { change, setting } from "../model/address";
import type { Item } from "../model/objects";
import type { SequenceKey } from "../wire/types";
import { Icon } from "../widget/icon";
import { RowGroupPill } from "./grouppill";
import { rendererOf } from "./renderers";
import { SequencePill } from "./sequencepill";
import { StepSlider, type Stepping } from "./steps";
import { ViewButtons } from "./viewbuttons";

const SIZE_PX = "112";
const sizeSetting = setting("size", SIZE_PX);

/// How large pictures are drawn.
export function sizeOf(): number {
  return Number(sizeSetting.value) || Number(SIZE_PX);
}

interface MediaToolbarProps {
  /// The subjects that there are, and what they are called.
  readonly titles: readonly (readonly [subject: string, title: string])[];
  readonly subject: string | null;
  /// The sequences of the subject.
  readonly sequences: readonly SequenceKey[];
  readonly isColumns: boolean;
  readonly stepping: Stepping;
  readonly picked: readonly Item[];
  readonly onCompare: () => void;
}

/// The bar.
export function MediaToolbar(props: MediaToolbarProps): JSX.Element {
  const { titles, subject, sequences, isColumns, stepping, picked, onCompare } = props;
  const renderer = subject === null ? null : rendererOf(subject);
  const Controls = renderer?.controls;
  const resize = (text: string): void => change({ size: text === SIZE_PX ? null : text }, true);
  return (
    <div class="toolbar media-bar">
      <span>
        <span class="segments" role="group" aria-label="What to show">
          {titles.map(([name, title], i) => (
            <button
              key={name}
              type="button"
              class={name === subject ? "on" : ""}
              onClick={() => change({ type: i === 0 ? null : name, step: null, seq: null })}
            >
              {title}
            </button>
          ))}
        </span>
        <SequencePill all={sequences} />
        <RowGroupPill />
      </span>
      <span class="how">
        {renderer?.hasColumns && (
          <span class="segments" role="group" aria-label="Layout">
            <button type="button" class={isColumns ? "" : "on"} onClick={() => change({ layout: null })}>
              one step
            </button>
            <button type="button" class={isColumns ? "on" : ""} onClick={() => change({ layout: "steps" })}>
              steps in columns
            </button>
          </span>
        )}
        {!isColumns && !renderer?.whole && <StepSlider stepping={stepping} />}
        {Controls && <Controls />}
        {renderer?.isSized && (
          <label class="size">
            size{" "}
            <input
              type="range"
              min="48"
              max="360"
              step="8"
              value={sizeOf()}
              onInput={(event) => resize(event.currentTarget.value)}
            />
          </label>
        )}
      </span>
      <span class="tail">
        {picked.length > 0 && (
          <button type="button" class="pill strong" onClick={onCompare}>
            <Icon name="compare" size={14} />
            Compare {picked.length}
          </button>
        )}
        <ViewButtons />
      </span>
    </div>
  );
}
