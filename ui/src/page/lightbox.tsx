/// Pictures on the whole screen, side by side: zoomed and moved together; two of them also one over the other.

import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { blobUrl, deletion, pictureUrl, type Item } from "../model/objects";
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

interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

const WHOLE: View = { scale: 1, x: 0, y: 0 };

/// A view after the wheel was turned at a point, which stays where it is. The point is measured from the middle.
export function zoomedView({ scale, x, y }: View, px: number, py: number, delta: number): View {
  const next = Math.max(1, Math.min(ZOOM_MOST, scale * Math.exp(-delta / 300)));
  if (next === 1) return WHOLE;
  return { scale: next, x: px - ((px - x) * next) / scale, y: py - ((py - y) * next) / scale };
}

/// Handlers that zoom and move a view.
function usePan(view: Signal<View>) {
  const drag = useRef<{ x: number; y: number } | null>(null);
  return {
    onWheel: (event: WheelEvent) => {
      event.preventDefault();
      const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const [px, py] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      view.value = zoomedView(view.value, px, py, event.deltaY);
    },
    onPointerDown: (event: PointerEvent) => {
      drag.current = { x: event.clientX - view.value.x, y: event.clientY - view.value.y };
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      if (!drag.current) return;
      const { x, y } = drag.current;
      view.value = { ...view.value, x: event.clientX - x, y: event.clientY - y };
    },
    onPointerUp: () => (drag.current = null),
    onDblClick: () => (view.value = WHOLE),
  };
}

/// The pictures.
export function Lightbox({ items, words, labelOf, onStep, onClose }: LightboxProps): JSX.Element {
  const view = useSignal<View>(WHOLE);
  const isSwiped = useSignal(false);
  const split = useSignal(50);
  const pan = usePan(view);
  const columns = isSwiped.value ? 1 : Math.min(4, items.length);
  const image = (item: Item): JSX.Element => (
    <ZoomedPicture item={item} words={words} label={labelOf(item)} view={view.value} columns={columns} />
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
        <LightboxToolbar
          items={items}
          isSwiped={isSwiped}
          split={split}
          hasSteps={onStep !== undefined}
          onClose={onClose}
        />
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

interface ToolbarProps {
  readonly items: readonly Item[];
  readonly isSwiped: Signal<boolean>;
  readonly split: Signal<number>;
  readonly hasSteps: boolean;
  readonly onClose: () => void;
}

function LightboxToolbar({ items, isSwiped, split, hasSteps, onClose }: ToolbarProps): JSX.Element {
  const { edits, scope } = useApp();
  const [a] = items;
  return (
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
      {items.length === 1 && a.blob !== undefined && (
        <a
          class="pill"
          href={blobUrl(scope, a.blob)}
          download={`${a.track.name}-${a.step}.${a.format ?? "png"}`}
          title="Download the original"
        >
          <Icon name="download" size={13} />
        </a>
      )}
      {items.length === 1 && edits.canDelete() && (
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
      <span class="muted">wheel zooms · drag moves · double click resets{hasSteps ? " · [ ] steps" : ""}</span>
    </div>
  );
}

interface ZoomedPictureProps {
  readonly item: Item;
  readonly words: OverlayWords;
  readonly label: string;
  readonly view: View;
  /// How many pictures stand beside each other.
  readonly columns: number;
}

function ZoomedPicture({ item, words, label, view: { scale, x, y }, columns }: ZoomedPictureProps): JSX.Element {
  const { scope } = useApp();
  const fitted = Math.min(
    (innerHeight * STAGE_SHARE) / (item.height || innerHeight),
    (innerWidth * 0.9) / columns / (item.width || innerWidth),
  );
  return (
    <div class="shown" style={{ transform: `translate(${x}px, ${y}px) scale(${scale})` }}>
      <img
        src={item.blob === undefined ? "" : pictureUrl(scope, item.blob)}
        alt={label}
        draggable={false}
        style={{ imageRendering: (item.width ?? 999) < 400 || scale > 3 ? "pixelated" : "auto" }}
      />
      <Overlay item={item} words={words} scale={fitted * scale} />
    </div>
  );
}
