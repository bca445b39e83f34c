/// Going through the steps of objects: a slider, keys, and playing them one after another.

import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { change, setting } from "../model/address";
import type { LiveStore } from "../model/livestore";
import { allSteps, longestCount } from "../model/objects";
import { plural } from "../model/words";
import type { ObjectsAnswer } from "../wire/objects";
import { Icon } from "../widget/icon";
import { useCommands } from "./hooks";

const PLAY_MS = 550;

const stepSetting = setting("step");

/// Where a page is among steps. `at` null is the last step, whichever that will be.
export interface Stepping {
  readonly steps: ReadonlySignal<readonly number[]>;
  readonly at: ReadonlySignal<number | null>;
  readonly index: ReadonlySignal<number>;
  readonly isPlaying: ReadonlySignal<boolean>;
  /// How many steps the longest sequence has; over that of `steps`, the slider has evenly spread ones.
  readonly count: ReadonlySignal<number>;
  readonly show: (index: number) => void;
  readonly move: (by: number) => void;
  readonly play: () => void;
}

/// The step in the address; null: the last.
export function useStepSetting(): {
  readonly at: ReadonlySignal<number | null>;
  readonly set: (step: number | null) => void;
} {
  const at = useComputed(() => (stepSetting.value === "" ? null : Number(stepSetting.value)));
  return { at, set: (step) => change({ step: step === null ? null : String(step) }, true) };
}

/// The steps of a store's objects, with the keys `[` and `]`. Playing waits until the step that was asked for last is
/// on the screen, so that it never runs ahead of what is seen.
export function useStepping(
  store: LiveStore<ObjectsAnswer>,
  at: ReadonlySignal<number | null>,
  set: (step: number | null) => void,
): Stepping {
  const stepping = usePlainStepping(store, at, set);
  const { move, play } = stepping;
  useCommands(() => [
    { keys: "[", label: "Previous step", section: "Media", run: () => move(-1) },
    { keys: "]", label: "Next step", section: "Media", run: () => move(1) },
    { keys: "", label: "Play the steps", section: "Media", run: play },
  ]);
  return stepping;
}

/// The same without keys, for a page that has several.
export function usePlainStepping(
  store: LiveStore<ObjectsAnswer>,
  at: ReadonlySignal<number | null>,
  set: (step: number | null) => void,
): Stepping {
  const steps = useComputed(() => allSteps(store.answer.value));
  const count = useComputed(() => longestCount(store.answer.value));
  const isReady = (): boolean => !store.isLoading.peek();
  const isPlaying = useSignal(false);
  const index = useComputed(() => {
    const list = steps.value;
    return at.value === null
      ? list.length - 1
      : Math.max(
          0,
          list.findLastIndex((step) => step <= (at.value ?? 0)),
        );
  });
  const show = (next: number): void => {
    const list = steps.peek();
    const target = Math.max(0, Math.min(list.length - 1, next));
    set(target === list.length - 1 && !isPlaying.peek() ? null : list[target]);
  };
  const move = (by: number): void => {
    isPlaying.value = false;
    show(index.peek() + by);
  };
  const play = (): void => {
    isPlaying.value = !isPlaying.peek();
  };
  useEffect(() => {
    if (!isPlaying.value) return undefined;
    const timer = setInterval(() => {
      if (isReady()) show(index.peek() >= steps.peek().length - 1 ? 0 : index.peek() + 1);
    }, PLAY_MS);
    return () => clearInterval(timer);
  }, [isPlaying.value]);
  return { steps, at, index, isPlaying, count, show, move, play };
}

/// A slider over the steps that there are.
export function StepSlider({ stepping }: { stepping: Stepping }): JSX.Element | null {
  const { steps, at, index, isPlaying, show, move, play } = stepping;
  if (steps.value.length < 2) return null;
  return (
    <span class="stepper">
      <button
        type="button"
        class="bare"
        aria-label={isPlaying.value ? "Pause" : "Play the steps"}
        title={isPlaying.value ? "Pause" : "Play the steps"}
        onClick={play}
      >
        <Icon name={isPlaying.value ? "pause" : "play"} size={12} />
      </button>
      <button type="button" class="bare" aria-label="Previous step" title="Previous step ([)" onClick={() => move(-1)}>
        <span class="chevron back">
          <Icon name="chevron" size={12} />
        </span>
      </button>
      <input
        type="range"
        min="0"
        max={steps.value.length - 1}
        value={index.value}
        aria-label="Step"
        aria-valuetext={`step ${steps.value[index.value]}`}
        onInput={(event) => show(Number(event.currentTarget.value))}
      />
      <button type="button" class="bare" aria-label="Next step" title="Next step (])" onClick={() => move(1)}>
        <Icon name="chevron" size={12} />
      </button>
      <b>step {steps.value[index.value]}</b>
      {at.value === null && <span class="muted">last</span>}
      <StepCount stepping={stepping} />
    </span>
  );
}

/// How many of the steps the slider stops at, where it can't stop at all.
function StepCount({ stepping: { steps, count } }: { stepping: Stepping }): JSX.Element | null {
  if (count.value <= steps.value.length) return null;
  return (
    <span class="muted" title="The slider stops at evenly spread steps. ?step=1234 in the address shows any step.">
      {steps.value.length.toLocaleString("en")} of {plural(count.value, "step")}
    </span>
  );
}
