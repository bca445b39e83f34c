/// Work that is done soon, but not more often than a server should be asked.

import { signal, type ReadonlySignal } from "@preact/signals";

/// A function that may be called at any time and runs at most once every pause.
export interface Throttled {
  readonly call: () => void;
  /// Begins a pause now, as after work that was done without a call.
  readonly pause: () => void;
  readonly stop: () => void;
}

/// Calls `run` soon, at most once every `pause_ms()`; calls during the pause become one call at its end.
export function throttled(pause_ms: () => number, run: () => void): Throttled {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last_ms = -Infinity;
  const pause = (): void => {
    last_ms = performance.now();
  };
  const fire = (): void => {
    timer = undefined;
    pause();
    run();
  };
  return {
    call: () => {
      timer ??= setTimeout(fire, Math.max(0, last_ms + pause_ms() - performance.now()));
    },
    pause,
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/// A signal that follows another one.
export interface Following<T> {
  readonly value: ReadonlySignal<T>;
  readonly stop: () => void;
}

/// Follows a signal once it has had the same value for so long, as when a drag ends or the pointer rests.
export function delayed<T>(source: ReadonlySignal<T>, pause_ms: number): Following<T> {
  const value = signal(source.peek());
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stopFollowing = source.subscribe((next) => {
    clearTimeout(timer);
    timer = next === value.peek() ? undefined : setTimeout(() => (value.value = next), pause_ms);
  });
  return {
    value,
    stop: () => {
      stopFollowing();
      clearTimeout(timer);
    },
  };
}
