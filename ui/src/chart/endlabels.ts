/// The names of lines at their right ends, for up to six lines: a reader need not look them up by their colours.

import type { Line } from "./line";
import type { Scale } from "./scale";

/// A name, where it begins and its middle, in CSS pixels.
export interface EndLabel {
  readonly text: string;
  readonly px: number;
  readonly py: number;
  readonly color: string;
}

const LINES_MOST = 6;
const CHAR_PX = 6.6;
const GAP_PX = 6;
const ROW_PX = 12;
const ROOM_SHARE = 0.26; // of the width of the chart
const WIDTH_MIN_PX = 240;
const LONG_CHARS = 14; // of longer names a beginning that all share is cut

function labelled(lines: readonly Line[]): readonly Line[] {
  const clear = lines.filter((line) => !line.faint);
  if (clear.length < 2 || clear.length > LINES_MOST) return [];
  return clear.filter((line) => line.label !== "");
}

/// The names without what all of them begin with, where that is long.
function shortNames(names: readonly string[]): readonly string[] {
  const [first] = names;
  let shared = 0;
  while (shared < first.length && names.every((name) => name[shared] === first[shared])) shared++;
  const isLong = names.some((name) => name.length > LONG_CHARS);
  if (!isLong || shared < 3 || names.some((name) => name.length === shared)) return names;
  return names.map((name) => `…${name.slice(shared)}`);
}

/// A name of at most so many letters: names that begin alike often end differently.
function cutInMiddle(name: string, chars: number): string {
  if (name.length <= chars) return name;
  const ending = Math.floor((chars - 1) / 2);
  return `${name.slice(0, chars - 1 - ending)}…${name.slice(name.length - ending)}`;
}

/// How much room on the right the names of lines need; 0: they have none. `width` is that of the chart.
export function labelRoom(lines: readonly Line[], width: number): number {
  const named = labelled(lines);
  if (named.length === 0 || width < WIDTH_MIN_PX) return 0;
  const chars = Math.max(...shortNames(named.map(({ label }) => label)).map((name) => name.length));
  return Math.round(Math.min(chars * CHAR_PX, ROOM_SHARE * width)) + GAP_PX + 4;
}

/// The last finite point of a line that a window shows; -1 if there is none.
function lastIndex({ x: xs, y: ys }: Line, x: Scale, y: Scale): number {
  for (let i = xs.length - 1; i >= 0; i--) if (xs[i] <= x.hi && xs[i] >= x.lo && Number.isFinite(y.px(ys[i]))) return i;
  return -1;
}

/// The names beside the last points of lines, moved apart where they would overlap.
export function endLabels(lines: readonly Line[], x: Scale, y: Scale, room_px: number): readonly EndLabel[] {
  const named = labelled(lines);
  const names = shortNames(named.map(({ label }) => label));
  const chars = Math.max(2, Math.floor((room_px - GAP_PX) / CHAR_PX));
  const labels = named.flatMap((line, i) => {
    const index = lastIndex(line, x, y);
    if (index < 0) return [];
    const text = cutInMiddle(names[i], chars);
    const py = Math.min(y.from, Math.max(y.to, y.px(line.y[index])));
    return [{ text, px: x.to + GAP_PX, py, color: line.color }];
  });
  labels.sort((a, b) => a.py - b.py);
  for (let i = 1; i < labels.length; i++) labels[i].py = Math.max(labels[i].py, labels[i - 1].py + ROW_PX);
  let lowest = y.from;
  for (let i = labels.length - 1; i >= 0 && labels[i].py > lowest; i--) {
    labels[i].py = lowest;
    lowest -= ROW_PX;
  }
  return labels;
}
