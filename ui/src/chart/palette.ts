/// Colours of data: eight that stay apart for colour-blind eyes, in two themes; a ramp for numbers; dashes as a second
/// channel.
///
/// The sets were found by search over the smallest OKLab distance, seen normally and with each kind of colour
/// blindness.

export type Theme = "light" | "dark";

/// The eight colours of a theme.
export const PALETTE: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#243cdf", "#e8590c", "#3f9463", "#9a0741", "#761c9e", "#a75b05", "#d63ad4", "#7d5e9b"],
  dark: ["#8ab3fe", "#fdcd9a", "#4fe0d2", "#f387a8", "#a5bd2b", "#e8468f", "#8f7cfb", "#b8912a"],
};

/// What is drawn beyond the eight largest groups.
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
