/// Colours of data: twenty that stay apart for colour-blind eyes, in two themes; a ramp for numbers; dashes as a second
/// channel.
///
/// The sets were found by search over the smallest OKLab distance, seen normally and with each kind of colour
/// blindness (Machado, Oliveira and Fernandes 2009). Eyes that see two of three channels tell colours apart by their
/// lightness, so the colours of a set lie on several steps of it. The first eight are the farthest from each other, and
/// are given away first. All have a contrast of 3 with the ground, and none is the accent of the pages.

export type Theme = "light" | "dark";

/// The twenty colours of a theme; `FIRST_COLORS` of them are the farthest apart.
export const PALETTE: Readonly<Record<Theme, readonly string[]>> = {
  light: [
    "#e8590c",
    "#3f9463",
    "#9a0741",
    "#761c9e",
    "#c138f2",
    "#541418",
    "#112474",
    "#c62e03",
    "#8f70bd",
    "#d1749c",
    "#573d01",
    "#0f01f4",
    "#314c64",
    "#40214c",
    "#9d4a55",
    "#ad7aee",
    "#9c6085",
    "#675ebe",
    "#7e4c8e",
    "#6b13c9",
  ],
  dark: [
    "#fdcd9a",
    "#4fe0d2",
    "#f387a8",
    "#a5bd2b",
    "#e8468f",
    "#8f7cfb",
    "#756507",
    "#96880a",
    "#a613ca",
    "#d7ff46",
    "#aafdeb",
    "#d691f9",
    "#b3dd1b",
    "#9b13fd",
    "#ce6ec3",
    "#2b725f",
    "#cf165a",
    "#b452c7",
    "#5cb667",
    "#3b8a95",
  ],
};

/// How many colours are given away before any other.
export const FIRST_COLORS = 8;

/// The index of the colour that the fewest have: one of the first colours if there is one, and of these the first from
/// `start` on. `used`: how many have each colour.
export function freeColor(used: readonly number[], start: number): number {
  const least = Math.min(...used);
  const split = Math.min(FIRST_COLORS, used.length);
  const [from, to] = used.slice(0, split).includes(least) ? [0, split] : [split, used.length];
  let index = from + (start % (to - from));
  while (used[index] > least) index = index + 1 < to ? index + 1 : from;
  return index;
}

/// What has no value, or none that is shown.
export const GREY: Readonly<Record<Theme, string>> = { light: "#a3a7b0", dark: "#5d6470" };

/// Strokes that tell a second field; in CSS pixels.
export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

/// Perceptually even ramp for numbers, dark to light (after viridis); the dark theme skips its darkest part.
const RAMP: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [240, 229, 60],
];

/// Colour of `t` in 0 … 1 on the ramp.
export function rampColor(t: number, theme: Theme): string {
  const low = theme === "dark" ? 0.22 : 0;
  const high = theme === "dark" ? 1 : 0.88;
  const at = (low + Math.min(1, Math.max(0, t)) * (high - low)) * (RAMP.length - 1);
  const i = Math.min(RAMP.length - 2, Math.floor(at));
  const f = at - i;
  const mix = (c: number): number => Math.round(RAMP[i][c] + (RAMP[i + 1][c] - RAMP[i][c]) * f);
  return `rgb(${mix(0)}, ${mix(1)}, ${mix(2)})`;
}

/// A steady number for a text, for colours that stay with a run (FNV-1a).
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/// The colour that a run keeps when nothing is grouped.
export function runColor(hash: string, theme: Theme): string {
  return PALETTE[theme][hashOf(hash) % PALETTE[theme].length];
}

/// The three channels, 0 … 255, of `#rrggbb` or `rgb(r, g, b)`.
export function channels(color: string): readonly [number, number, number] {
  if (color.startsWith("#")) {
    const word = parseInt(color.slice(1), 16);
    return [(word >> 16) & 255, (word >> 8) & 255, word & 255];
  }
  const [r, g, b] = color.slice(4, -1).split(",").map(Number);
  return [r, g, b];
}
