/// A 3D object: a mesh, a scene or a cloud of points, which can be turned. What draws it is loaded with the first one.

import { useComputed, useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { START, type Bounds, type Orbit } from "../chart/orbit";
import { change } from "../model/address";
import { formatBytes } from "../model/format";
import { blobUrl, itemLabel, type Item } from "../model/objects";
import { plural } from "../model/words";
import { Dialog } from "../widget/dialog";
import { Icon } from "../widget/icon";
import { useApp } from "./app";
import { useOnScreen } from "./hooks";
import { framesNow, useDrawable, type Drawable, type State } from "./object3dbody";
import { orbit, setOrbit, upSetting, useCamera, useWheelZoom } from "./object3dcamera";

const DIALOG_SHARE = 0.7; // of the smaller side of the window

interface SolidViewProps {
  readonly state: ReadonlySignal<State>;
  readonly sequence: string;
  readonly label: string;
  readonly size_px: number;
  readonly color: string | undefined;
}

/// The picture, which can be turned.
function SolidView({ state, sequence, label, size_px, color }: SolidViewProps): JSX.Element {
  const { session } = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const shade = useSignal(color);
  shade.value = color;
  const pixels = useSignal(0);
  pixels.value = Math.round(size_px * devicePixelRatio);
  useWheelZoom(box);
  useSignalEffect(() => {
    const now = state.value;
    const view = [orbit.value, upSetting.value, session.theme.value, shade.value, pixels.value] as const;
    const frame = framesNow.value.get(sequence);
    if (typeof now === "string" || !("drawable" in now) || !frame) return undefined;
    const next = requestAnimationFrame(() => draw(canvas.current, now.drawable, frame, view));
    return () => cancelAnimationFrame(next);
  });
  const isWaiting = state.value === "waiting";
  return (
    <div
      ref={box}
      class={isWaiting ? "solid-view skeleton" : "solid-view"}
      role="application"
      aria-roledescription="3D object"
      aria-label={label}
      aria-busy={isWaiting}
      tabIndex={0}
      title="Drag turns, Shift-drag moves, Ctrl-wheel zooms; arrow keys, + and -, 0 for the whole"
      style={{ width: `${size_px}px`, height: `${size_px}px` }}
      {...useCamera()}
    >
      <canvas ref={canvas} width={pixels.value} height={pixels.value} />
    </div>
  );
}

function draw(
  canvas: HTMLCanvasElement | null,
  { stage, body }: Drawable,
  frame: Bounds,
  [camera, up, , color]: readonly [Orbit, string, unknown, string | undefined, number],
): void {
  if (!canvas) return;
  const style = getComputedStyle(canvas);
  const ink = style.getPropertyValue("--ink-2").trim();
  const upAxis = up === "y" || up === "z" ? up : body.upAxis;
  const lineColor = style.getPropertyValue("--line").trim();
  stage.draw(canvas, { body, frame, orbit: camera, upAxis, color: color ?? ink, lineColor, inkColor: ink });
  canvas.dataset.drawn = String(Number(canvas.dataset.drawn ?? 0) + 1);
}

/// The object with its caption, and what can be done with it.
export function Solid({ item, size_px, color }: { item: Item; size_px: number; color?: string }): JSX.Element {
  const { scope } = useApp();
  const { ref, isSeen } = useOnScreen();
  const { state, sequence, show } = useDrawable(item, isSeen);
  const isLarge = useSignal(false);
  const label = itemLabel(item);
  const view = { state, sequence, label, color };
  const file = { href: blobUrl(scope, item.blob ?? ""), download: `${item.track.name}-${item.step}.${item.format}` };
  const now = state.value;
  const fault = typeof now !== "string" && "fault" in now ? now.fault : null;
  return (
    <figure class="solid" ref={ref} style={{ width: `${size_px}px` }}>
      {fault !== null ? (
        <div class="solid-fault" style={{ minHeight: `${size_px}px` }}>
          <p>{fault}</p>
          <a class="pill" {...file}>
            <Icon name="download" size={13} />
            Download
          </a>
        </div>
      ) : now === "large" ? (
        <div class="solid-fault" style={{ minHeight: `${size_px}px` }}>
          <button type="button" class="pill" onClick={show}>
            Show {formatBytes(item.size ?? 0)}
          </button>
        </div>
      ) : (
        <SolidView {...view} size_px={size_px} />
      )}
      <figcaption class="caption">
        <span class="name">
          {label} <Details item={item} state={state} />
        </span>
        <a class="bare" {...file} aria-label={`Download ${label}`} title="Download the file">
          <Icon name="download" size={13} />
        </a>
        {typeof now !== "string" && fault === null && (
          <button
            type="button"
            class="bare"
            aria-label={`Enlarge ${label}`}
            title="Enlarge"
            onClick={() => (isLarge.value = true)}
          >
            <Icon name="expand" size={13} />
          </button>
        )}
      </figcaption>
      {isLarge.value && (
        <Dialog title={`${label} · step ${item.step}`} isWide onClose={() => (isLarge.value = false)}>
          <div class="solid-large">
            <SolidView {...view} size_px={Math.round(Math.min(innerWidth, innerHeight) * DIALOG_SHARE)} />
          </div>
          <SolidControls />
        </Dialog>
      )}
    </figure>
  );
}

function Details({ item, state }: { item: Item; state: ReadonlySignal<State> }): JSX.Element {
  const now = state.value;
  const body = typeof now !== "string" && "drawable" in now ? now.drawable.body : null;
  const { format, size } = item;
  const parts = [
    body?.points ? plural(body.points, "point") : "",
    body?.triangles ? plural(body.triangles, "triangle") : "",
    format,
    size ? formatBytes(size) : "",
  ];
  return <span class="muted">{parts.filter(Boolean).join(" · ")}</span>;
}

const UP_AXES = ["y", "z"] as const;

/// Which axis points up, and back to the whole: for all objects of the page.
export function SolidControls(): JSX.Element {
  const isMoved = useComputed(() => orbit.value !== START);
  return (
    <span class="line solid-controls">
      <span class="muted">up</span>
      <span class="segments" role="group" aria-label="Which axis points up">
        {UP_AXES.map((axis) => (
          <button
            key={axis}
            type="button"
            class={upSetting.value === axis ? "on" : ""}
            aria-pressed={upSetting.value === axis}
            title="Press it again for what the format says: z for points and stl, else y"
            onClick={() => change({ up: upSetting.value === axis ? null : axis })}
          >
            {axis}
          </button>
        ))}
      </span>
      <button
        type="button"
        class="pill"
        disabled={!isMoved.value}
        aria-label="Reset the view"
        title="Look at the whole again (0)"
        onClick={() => setOrbit(START)}
      >
        <Icon name="undo" size={14} />
      </button>
    </span>
  );
}
