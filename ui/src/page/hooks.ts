/// Bridges between components and what lives outside them.

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { RefObject } from "preact";
import { addCommands, type Command } from "../model/keys";

/// Makes something once and stops it when the component goes.
export function useStore<T extends { readonly stop: () => void }>(make: () => T): T {
  const store = useMemo(make, []);
  useEffect(() => store.stop, []);
  return store;
}

/// Commands of the page that is open. They may read the newest props through refs or signals.
export function useCommands(make: () => readonly Command[]): void {
  useEffect(() => addCommands(make()), []);
}

/// Whether an element is on the screen, or nearly; and how wide it is.
export function useOnScreen(): {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly isSeen: Signal<boolean>;
  readonly width_px: Signal<number>;
} {
  const ref = useRef<HTMLDivElement>(null);
  const isSeen = useSignal(false);
  const width_px = useSignal(340);
  useEffect(() => {
    if (!ref.current) return undefined;
    const watch = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          width_px.value = Math.round(entries[0].boundingClientRect.width);
          isSeen.value = true;
        }
      },
      { rootMargin: "160px" },
    );
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return { ref, isSeen, width_px };
}

/// How wide an element is; 0 before it is on the page.
export function useWidth(): {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly width_px: Signal<number>;
} {
  const ref = useRef<HTMLDivElement>(null);
  const width_px = useSignal(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const measure = (): void => {
      width_px.value = element.clientWidth;
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return { ref, width_px };
}

/// Sets the window's title.
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Aim`;
  }, [title]);
}
