/// Pictures on the whole screen, side by side: zoomed and moved together; two of them also one over the other.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { blobUrl, deletion, type Item } from "../model/objects";
import type { OverlayWords } from "../model/overlays";
import { Dialog } from "../widget/dialog";
import { Icon } from "../widget/icon";
import { useApp } from "./app";
import { Overlay, OverlayBar } from "./overlay";
import { Address } from "./reference";

const ZOOM_MOST = 40;

const STAGE_SHARE = 0.72; // of the window: about how high a picture is shown

interface LightboxProps {
  readonly items: readonly Item[];
  readonly words: OverlayWords;
  readonly labelOf: (item: Item) => string;
  readonly onStep?: (by: number) => void;
  readonly onClose: () => void;
}

export function Lightbox({ items, words, labelOf, onStep, onClose }: LightboxProps): JSX.Element {
  const { edits, scope } = useApp();
  const view = useSignal({ scale: 1, x: 0, y: 0 });
  const isSwiped = useSignal(false);
  const split = useSignal(50);
  const drag = useRef<{ x: number; y: number } | null>(null);
  const wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const { scale, x, y } = view.value;
    const next = Math.max(1, Math.min(ZOOM_MOST, scale * Math.exp(-event.deltaY / 300)));
    const [px, py] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    view.value =
      next === 1
        ? { scale: 1, x: 0, y: 0 }
        : { scale: next, x: px - ((px - x) * next) / scale, y: py - ((py - y) * next) / scale };
  };
  const pan = {
    onWheel: wheel,
    onPointerDown: (event: PointerEvent) => {
      drag.current = { x: event.clientX - view.value.x, y: event.clientY - view.value.y };
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      if (drag.current)
        view.value = { ...view.value, x: event.clientX - drag.current.x, y: event.clientY - drag.current.y };
    },
    onPointerUp: () => (drag.current = null),
    onDblClick: () => (view.value = { scale: 1, x: 0, y: 0 }),
  };
  const { scale, x, y } = view.value;
  const fitted = (item: Item): number =>
    Math.min(
      (innerHeight * STAGE_SHARE) / (item.height || innerHeight),
      (innerWidth * 0.9) / columns / (item.width || innerWidth),
    );
  const columns = isSwiped.value ? 1 : Math.min(4, items.length);
  const image = (item: Item): JSX.Element => (
    <div class="shown" style={{ transform: `translate(${x}px, ${y}px) scale(${scale})` }}>
      <img
        src={item.blob === undefined ? "" : blobUrl(scope, item.blob)}
        alt={labelOf(item)}
        draggable={false}
        style={{ imageRendering: (item.width ?? 999) < 400 || scale > 3 ? "pixelated" : "auto" }}
      />
      <Overlay item={item} words={words} scale={fitted(item) * scale} />
    </div>
  );
  const [a, b] = items;
  return (
    <Dialog title={items.length === 1 ? labelOf(a) : `${items.length} pictures`} isWide onClose={onClose}>
      <div
        class="lightbox"
        tabIndex={0}
        onKeyDown={(event) => {
          if (event.key === "ArrowLeft") onStep?.(-1);
          if (event.key === "ArrowRight") onStep?.(1);
        }}
      >
        <div class="toolbar">
          {items.length === 2 && (
            <button
              type="button"
              class={isSwiped.value ? "pill on" : "pill"}
              onClick={() => (isSwiped.value = !isSwiped.value)}
            >
              one over the other
            </button>
          )}
          {isSwiped.value && (
            <input
              type="range"
              min="0"
              max="100"
              value={split.value}
              aria-label="How much of the first picture to show"
              onInput={(event) => (split.value = Number(event.currentTarget.value))}
            />
          )}
          <span class="spacer" />
          {items.length === 1 && edits.canEdit() && (
            <button
              type="button"
              class="pill"
              onClick={() => {
                onClose();
                void edits.edit([a.run], deletion(a), "Deleted an image of");
              }}
            >
              <Icon name="trash" size={14} />
              Delete
            </button>
          )}
          <span class="muted">wheel zooms · drag moves · double click resets{onStep ? " · [ ] steps" : ""}</span>
        </div>
        <OverlayBar items={items} />
        {isSwiped.value && b ? (
          <div class="stage" {...pan}>
            {image(a)}
            <div class="over" style={{ clipPath: `inset(0 0 0 ${split.value}%)` }}>
              {image(b)}
            </div>
          </div>
        ) : (
          <div class="stages" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
            {items.map((item, i) => (
              <figure key={i}>
                <div class="stage" {...pan}>
                  {image(item)}
                </div>
                <figcaption>
                  {labelOf(item)}
                  {item.uri !== undefined && <Address uri={item.uri} />}
                </figcaption>
              </figure>
            ))}
          </div>
        )}
      </div>
    </Dialog>
  );
}
