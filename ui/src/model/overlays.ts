/// What is drawn over images: which labels and layers there are, which of them are shown, and masks as colours.

import { signal } from "@preact/signals";
import { channels, PALETTE, type Theme } from "../chart/palette";
import { change, listSetting, setting } from "./address";
import { request } from "../wire/request";
import type { BoxItem, ObjectItem } from "../wire/objects";

const DEGREES_GOLDEN = 137.508; // hues that far apart stay apart, however many there are
const MASKS_MOST = 200;
const COLOR_TYPE_AT = 25; // in a PNG file: 0 is gray, 2 is RGB (RFC 2083, 4.1.1)

const LABEL_GAP = 0.08; // of a label's height, between two

const offSetting = listSetting("off");
const opacitySetting = setting("opacity", "55");
const scoreSetting = setting("score", "0");

/// A layer in the list of what is switched off.
export function layerKey(layer: string): string {
  return `layer:${layer}`;
}

/// Whether a label, or a layer's key, is shown.
export function isOn(key: string): boolean {
  return !offSetting.value.includes(encodeURIComponent(key));
}

/// Shows or hides a label or a layer; with `alone`, hides all others of `among`, or shows them again.
export function toggle(key: string, among: readonly string[], alone = false): void {
  const off = new Set(offSetting.peek().map(decodeURIComponent));
  if (alone) {
    const others = among.filter((other) => other !== key);
    const isAlone = !off.has(key) && others.every((other) => off.has(other));
    off.delete(key);
    for (const other of others)
      if (isAlone) off.delete(other);
      else off.add(other);
  } else if (!off.delete(key)) off.add(key);
  change({ off: [...off].map(encodeURIComponent).join(",") }, true);
}

/// How much of a mask is seen, 0 … 1.
export function opacity(): number {
  return Math.min(1, Math.max(0, Number(opacitySetting.value) / 100));
}

/// Boxes of a lower score are hidden.
export function leastScore(): number {
  return Number(scoreSetting.value) || 0;
}

/// What a box or a class is called.
export function labelText(item: ObjectItem, label: string | number | undefined): string {
  if (label === undefined) return "";
  return typeof label === "number" ? (item.labels?.find(([number]) => number === label)?.[1] ?? String(label)) : label;
}

/// Labels in masks, which are not known before the masks are decoded.
export const seenLabels = signal<ReadonlySet<string>>(new Set());

export interface OverlayWords {
  readonly labels: readonly string[];
  readonly layers: readonly string[];
  readonly hasScores: boolean;
  readonly hasMasks: boolean;
}

/// What can be switched on and off over some images.
export function wordsOf(items: readonly ObjectItem[]): OverlayWords {
  const labels = new Set<string>();
  const layers = new Set<string>();
  let [hasScores, hasMasks] = [false, false];
  for (const item of items) {
    for (const box of item.boxes ?? []) {
      if (box.label !== undefined) labels.add(labelText(item, box.label));
      if (box.layer !== undefined) layers.add(box.layer);
      hasScores ||= box.score !== undefined;
    }
    for (const mask of item.masks ?? []) {
      hasMasks = true;
      layers.add(mask);
    }
    if (item.masks) for (const [, name] of item.labels ?? []) labels.add(name);
  }
  if (hasMasks) for (const label of seenLabels.value) labels.add(label);
  const compare = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });
  return { labels: [...labels].sort(compare), layers: [...layers].sort(compare), hasScores, hasMasks };
}

/// The colour of a label among all of them: the palette, then hues far from each other.
export function labelColor(labels: readonly string[], label: string, theme: Theme): string {
  const index = Math.max(0, labels.indexOf(label));
  if (index < PALETTE[theme].length) return PALETTE[theme][index];
  const hue = (index * DEGREES_GOLDEN) % 360;
  const part = (shift: number): number => {
    const k = (shift + hue / 30) % 12;
    const light = theme === "dark" ? 0.68 : 0.45;
    return Math.round(255 * (light - 0.62 * Math.min(light, 1 - light) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return `rgb(${part(0)}, ${part(8)}, ${part(4)})`;
}

/// The boxes of an image that are shown now.
export function shownBoxes(item: ObjectItem): readonly BoxItem[] {
  const least = leastScore();
  return (item.boxes ?? []).filter(
    (box) =>
      (box.score ?? 1) >= least &&
      isOn(labelText(item, box.label)) &&
      (box.layer === undefined || isOn(layerKey(box.layer))),
  );
}

/// A rectangle in the pixels of a picture: left, top, width, height.
export type Rect = readonly [x: number, y: number, width: number, height: number];

function overlap([ax, ay, aw, ah]: Rect, [bx, by, bw, bh]: Rect): number {
  return (
    Math.max(0, Math.min(ax + aw, bx + bw) - Math.max(ax, bx)) *
    Math.max(0, Math.min(ay + ah, by + bh) - Math.max(ay, by))
  );
}

/// Places the labels of boxes so that none covers another where there is room: above its box, at its top inside, below
/// it, at its right end, else one row further away. `widths`: of each label, 0 for none; `height`: of all of them;
/// `picture`: what they have to stay in.
export function placeLabels(
  boxes: readonly Rect[],
  widths: readonly number[],
  height: number,
  picture: readonly [number, number],
): readonly Rect[] {
  const placed: Rect[] = [];
  const gap = height * LABEL_GAP;
  return boxes.map(([x, y, w, h], i) => {
    const width = widths[i];
    if (width === 0) return [x, y, 0, 0];
    const end = x + w - width;
    const line = height + 2 * gap;
    const rows = [
      y - height,
      y,
      y + h,
      y + h - height,
      y - height - line,
      y + line,
      y + h + line,
      y - height - 2 * line,
      y + 2 * line,
    ];
    const candidates = rows
      .flatMap((top): Rect[] => [
        [x, top, width, height],
        [end, top, width, height],
      ])
      .map(([left, top]): Rect => [
        Math.max(0, Math.min(left, picture[0] - width)),
        Math.max(0, Math.min(top, picture[1] - height)),
        width,
        height,
      ]);
    let best = candidates[0];
    let least = Infinity;
    for (const candidate of candidates) {
      const covered = placed.reduce(
        (sum, [left, top, w2, h2]) => sum + overlap(candidate, [left - gap, top - gap, w2 + 2 * gap, h2 + 2 * gap]),
        0,
      );
      if (covered < least) [best, least] = [candidate, covered];
      if (least === 0) break;
    }
    placed.push(best);
    return best;
  });
}

/// A mask's class numbers, row by row.
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly classes: Uint32Array;
  readonly present: readonly number[];
}

/// Class numbers from the pixels of a mask's picture. Gray says the number itself, colour has it in three bytes.
export function classesOf(pixels: Uint8ClampedArray, isGray: boolean): Uint32Array {
  const classes = new Uint32Array(pixels.length / 4);
  for (let i = 0, at = 0; i < classes.length; i++, at += 4)
    classes[i] = isGray ? pixels[at] : pixels[at] | (pixels[at + 1] << 8) | (pixels[at + 2] << 16);
  return classes;
}

/// A mask as RGBA pixels: `colorOf` gives the colour of a class, or null where the image is to be seen.
export function maskPixels(
  classes: Uint32Array,
  colorOf: (number: number) => string | null,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(classes.length * 4);
  const words = new Uint32Array(pixels.buffer);
  const wordOf = new Map<number, number>();
  for (let i = 0; i < classes.length; i++) {
    let word = wordOf.get(classes[i]);
    if (word === undefined) {
      const color = colorOf(classes[i]);
      const [r, g, b] = color === null ? [0, 0, 0] : channels(color);
      word = color === null ? 0 : (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
      wordOf.set(classes[i], word);
    }
    words[i] = word;
  }
  return pixels;
}

/// The name under which a class of a mask is switched and coloured; null for the ground.
export function classLabel(item: ObjectItem, number: number): string | null {
  const named = item.labels?.find(([other]) => other === number);
  return named ? named[1] : number === 0 ? null : String(number);
}

async function decode(url: string): Promise<Mask> {
  const bytes = await (await request(url)).arrayBuffer();
  const isGray = new Uint8Array(bytes)[COLOR_TYPE_AT] === 0;
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const { width, height } = picture;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser has no 2D canvas.");
  context.drawImage(picture, 0, 0);
  const classes = classesOf(context.getImageData(0, 0, width, height).data, isGray);
  return { width, height, classes, present: [...new Set(classes)] };
}

const masks = new Map<string, Promise<Mask>>();

/// Fetches a mask, and adds its labels to those that were seen. The last few hundred masks are kept.
export function loadMask(item: ObjectItem, url: string): Promise<Mask> {
  let mask = masks.get(url);
  if (!mask) {
    if (masks.size >= MASKS_MOST) masks.delete(masks.keys().next().value ?? "");
    mask = decode(url);
    masks.set(url, mask);
    mask.catch(() => masks.delete(url));
  }
  void mask.then(
    ({ present }) => {
      const names = present.map((number) => classLabel(item, number)).filter((name) => name !== null);
      if (names.some((name) => !seenLabels.peek().has(name)))
        seenLabels.value = new Set([...seenLabels.peek(), ...names]);
    },
    () => undefined,
  );
  return mask;
}
