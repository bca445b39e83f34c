/// Loading of 3D objects: the file, what draws it, and the frame that all objects of a sequence are drawn in.

import { computed, signal, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { frameFor, type Bounds } from "../chart/orbit";
import { sequenceText } from "../model/fields";
import { blobUrl, type Item } from "../model/objects";
import { makeQueue } from "../model/queue";
import type { Body, Stage } from "../solid/solid";
import { request } from "../wire/request";
import { useApp } from "./app";

const AT_ONCE = 2;
const LOADED_BYTES_MOST = 32 << 20; // a larger file waits for a press

/// What the objects of each sequence fill, by a mark for each view; and the frame that they are drawn in.
const fills = signal<ReadonlyMap<object, readonly [sequence: string, bounds: Bounds]>>(new Map());
const frames = new Map<string, Bounds>();
/// The frame of each sequence.
export const framesNow = computed(() => {
  const boxes = new Map<string, Bounds[]>();
  for (const [sequence, bounds] of fills.value.values()) boxes.set(sequence, [...(boxes.get(sequence) ?? []), bounds]);
  for (const [sequence, list] of boxes) frames.set(sequence, frameFor(frames.get(sequence) ?? null, list)!);
  return new Map(frames);
});

const inTurn = makeQueue(AT_ONCE);

function fill(mark: object, entry: readonly [string, Bounds] | null): void {
  const next = new Map(fills.peek());
  if (entry) next.set(mark, entry);
  else next.delete(mark);
  fills.value = next;
}

/// An object that was loaded, and what draws it.
export interface Drawable {
  readonly stage: Stage;
  readonly body: Body;
}

/// How far the loading is. "large": it waits for a press.
export type State = { readonly drawable: Drawable } | { readonly fault: string } | "waiting" | "large";

function sentence(error: unknown, format: string): string {
  const text = error instanceof Error ? error.message : String(error);
  return /^[A-Z].*[.?!]$/.test(text) ? text : `This ${format} can't be drawn: ${text.replace(/\.$/, "")}.`;
}

async function load(url: string, format: string): Promise<Drawable> {
  const stage = await (await import("../solid/solid")).openStage(); // of a cell: once its script has come
  const bytes = await (await request(url)).arrayBuffer();
  return { stage, body: await stage.read(bytes, format) };
}

/// The object, once it was on the screen. The one before stays until the next is there.
export function useDrawable(
  item: Item,
  isSeen: ReadonlySignal<boolean>,
): { readonly state: Signal<State>; readonly sequence: string; readonly show: () => void } {
  const { scope } = useApp();
  const state = useSignal<State>("waiting");
  const isWanted = useSignal(false);
  const mark = useRef({});
  const { blob, format = "" } = item;
  const sequence = sequenceText(item.track);
  const held = useRef<Body | null>(null);
  useEffect(
    () => () => {
      fill(mark.current, null);
      held.current?.dispose();
    },
    [],
  );
  useEffect(() => {
    if (!isSeen.value || blob === undefined) return undefined;
    if ((item.size ?? 0) > LOADED_BYTES_MOST && !isWanted.value) {
      state.value = "large";
      return undefined;
    }
    let isGone = false;
    inTurn(
      () => 0,
      () => (isGone ? Promise.resolve(null) : load(blobUrl(scope, blob), format)),
    ).then(
      (drawable) => {
        if (!drawable) return;
        if (isGone) return drawable.body.dispose();
        held.current?.dispose();
        held.current = drawable.body;
        fill(mark.current, [sequence, drawable.body.bounds]);
        state.value = { drawable };
      },
      (error: unknown) => {
        if (!isGone) state.value = { fault: sentence(error, format) };
      },
    );
    return () => {
      isGone = true;
    };
  }, [blob, isSeen.value, isWanted.value]);
  return {
    state,
    sequence,
    show: () => {
      isWanted.value = true;
    },
  };
}
