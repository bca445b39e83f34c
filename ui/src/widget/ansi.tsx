/// Terminal output with its colours: SGR sequences become spans, all other escapes are dropped.

import type { JSX } from "preact";

/// A stretch of text with one look.
export interface Stretch {
  readonly text: string;
  readonly classes: string;
  readonly color: string | null;
  readonly ground: string | null;
}

const ESCAPE = /\u001b\[([0-9;:?]*)([ -/]*[@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_]/g;
const CUBE = [0, 95, 135, 175, 215, 255];

function paletteColor(index: number): string {
  if (index < 16) return `var(--ansi-${index})`;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey},${grey},${grey})`;
  }
  const cube = index - 16;
  return `rgb(${CUBE[Math.floor(cube / 36)]},${CUBE[Math.floor(cube / 6) % 6]},${CUBE[cube % 6]})`;
}

interface Look {
  isBold: boolean;
  isFaint: boolean;
  isItalic: boolean;
  isUnderlined: boolean;
  isInverse: boolean;
  color: string | null;
  ground: string | null;
}

const PLAIN: Look = {
  isBold: false,
  isFaint: false,
  isItalic: false,
  isUnderlined: false,
  isInverse: false,
  color: null,
  ground: null,
};

/// The look after the numbers of one SGR sequence.
function applied(look: Look, codes: readonly number[]): Look {
  let next = { ...look };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 0) next = { ...PLAIN };
    else if (code === 1) next.isBold = true;
    else if (code === 2) next.isFaint = true;
    else if (code === 3) next.isItalic = true;
    else if (code === 4) next.isUnderlined = true;
    else if (code === 7) next.isInverse = true;
    else if (code === 22) next.isBold = next.isFaint = false;
    else if (code === 23) next.isItalic = false;
    else if (code === 24) next.isUnderlined = false;
    else if (code === 27) next.isInverse = false;
    else if (code === 39) next.color = null;
    else if (code === 49) next.ground = null;
    else if (code >= 30 && code <= 37) next.color = paletteColor(code - 30);
    else if (code >= 40 && code <= 47) next.ground = paletteColor(code - 40);
    else if (code >= 90 && code <= 97) next.color = paletteColor(code - 82);
    else if (code >= 100 && code <= 107) next.ground = paletteColor(code - 92);
    else if (code === 38 || code === 48) {
      const isIndexed = codes[i + 1] === 5;
      const color = isIndexed
        ? paletteColor(codes[i + 2] ?? 0)
        : `rgb(${codes[i + 2] ?? 0},${codes[i + 3] ?? 0},${codes[i + 4] ?? 0})`;
      if (code === 38) next.color = color;
      else next.ground = color;
      i += isIndexed ? 2 : 4;
    }
  }
  return next;
}

function stretch(text: string, look: Look): Stretch {
  const classes = [
    look.isBold && "bold",
    look.isFaint && "faint",
    look.isItalic && "italic",
    look.isUnderlined && "under",
  ]
    .filter(Boolean)
    .join(" ");
  const [color, ground] = look.isInverse
    ? [look.ground ?? "var(--panel)", look.color ?? "var(--ink)"]
    : [look.color, look.ground];
  return { text, classes, color, ground };
}

/// One line of output as stretches of equal look.
export function parseAnsi(line: string): readonly Stretch[] {
  const result: Stretch[] = [];
  let look = PLAIN;
  let at = 0;
  for (const match of line.matchAll(ESCAPE)) {
    if (match.index > at) result.push(stretch(line.slice(at, match.index), look));
    at = match.index + match[0].length;
    if (match[2] === "m") look = applied(look, match[1] === "" ? [0] : match[1].split(/[;:]/).map(Number));
  }
  if (at < line.length) result.push(stretch(line.slice(at), look));
  return result;
}

/// One line of output; `find` is marked where it occurs in it.
export function AnsiLine({ line, find = "" }: { line: string; find?: string }): JSX.Element {
  return (
    <>
      {parseAnsi(line).map(({ text, classes, color, ground }, i) => (
        <span key={i} class={classes} style={{ color: color ?? undefined, background: ground ?? undefined }}>
          {find === "" ? text : marked(text, find)}
        </span>
      ))}
    </>
  );
}

function marked(text: string, find: string): (string | JSX.Element)[] {
  const result: (string | JSX.Element)[] = [];
  const low = text.toLowerCase();
  const wanted = find.toLowerCase();
  let at = 0;
  for (let hit = low.indexOf(wanted); hit >= 0; hit = low.indexOf(wanted, at)) {
    result.push(text.slice(at, hit), <mark key={hit}>{text.slice(hit, hit + find.length)}</mark>);
    at = hit + find.length;
  }
  result.push(text.slice(at));
  return result;
}
