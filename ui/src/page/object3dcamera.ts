/// The camera of 3D objects on a page: one for all of them, turned by a pointer, by keys and by the wheel.

import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { moved, nearer, orbitText, readOrbit, START, turned, type Orbit } from "../chart/orbit";
import { change, setting } from "../model/address";

const DEGREES_A_PX = 0.5;
const KEY_DEGREES = 10;
const WHEEL_PX = 400;

const cameraSetting = setting("camera");

/// The axis that points up, as chosen; empty: that of the format.
export const upSetting = setting("up");

/// From where all objects of the page are looked at.
export const orbit = signal<Orbit>(START);
effect(() => {
  orbit.value = readOrbit(cameraSetting.value);
});

function keepOrbit(camera: Orbit): void {
  change({ camera: orbitText(camera) || null }, true);
}

/// Sets the camera, and keeps it in the address.
export function setOrbit(next: Orbit): void {
  orbit.value = next;
  keepOrbit(next);
}

/// What changes the camera: a pointer or two, the wheel with Ctrl, and keys.
export function useCamera() {
  const pointers = useRef(new Map<number, { readonly x: number; readonly y: number }>());
  const spread = (): number => {
    const [a, b] = [...pointers.current.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  const end = (event: PointerEvent): void => {
    pointers.current.delete(event.pointerId);
    keepOrbit(orbit.peek());
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (!(event.currentTarget instanceof HTMLElement)) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerMove: (event: PointerEvent) => {
      const before = pointers.current.get(event.pointerId);
      if (!before || !(event.currentTarget instanceof HTMLElement)) return;
      const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
      const was = pointers.current.size === 2 ? spread() : 0;
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const height = event.currentTarget.clientHeight;
      if (was > 0) orbit.value = moved(nearer(orbit.peek(), spread() / was), dx / height, -dy / height);
      else if (event.shiftKey || event.buttons > 1)
        orbit.value = moved(orbit.peek(), (2 * dx) / height, (-2 * dy) / height);
      else orbit.value = turned(orbit.peek(), -dx * DEGREES_A_PX, dy * DEGREES_A_PX);
    },
    onPointerUp: end,
    onPointerCancel: end,
    onDblClick: () => setOrbit(START),
    onKeyDown: (event: KeyboardEvent) => {
      const next = KEYS[event.key]?.(orbit.peek(), event.shiftKey);
      if (!next || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      setOrbit(next);
    },
  };
}

const arrow =
  (right: number, up: number) =>
  (camera: Orbit, isMove: boolean): Orbit =>
    isMove ? moved(camera, right / 10, up / 10) : turned(camera, -right * KEY_DEGREES, up * KEY_DEGREES);

const KEYS: Readonly<Record<string, (camera: Orbit, isMove: boolean) => Orbit>> = {
  ArrowLeft: arrow(-1, 0),
  ArrowRight: arrow(1, 0),
  ArrowUp: arrow(0, 1),
  ArrowDown: arrow(0, -1),
  "+": (camera) => nearer(camera, 1.25),
  "=": (camera) => nearer(camera, 1.25),
  "-": (camera) => nearer(camera, 0.8),
  "0": () => START,
};

/// Has the wheel with Ctrl zoom over an element; without it the page scrolls.
export function useWheelZoom(box: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const zoom = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      setOrbit(nearer(orbit.peek(), Math.exp(-event.deltaY / WHEEL_PX)));
    };
    const element = box.current;
    element?.addEventListener("wheel", zoom, { passive: false });
    return () => element?.removeEventListener("wheel", zoom);
  }, []);
}
