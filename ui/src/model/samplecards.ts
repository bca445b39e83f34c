/// How the rows of a logged table are laid out as cards: which columns share a line, and how many lines a text gets.

import { formatNumber } from "./format";
import type { Json } from "../wire/types";

const LINE_CHARS = 42; // of a telephone
const SHORT_CHARS = 14;
const LINES_MOST = 4;
const LINE_PX = 18;
const VALUE_LINE_PX = 20;
const GAP_PX = 4;
const PADDING_PX = 17; // with the line below a card
const PICTURE_LINES = 4;
const SOUND_LINES = 3;

/// What is asked of a column.
export interface CardColumn {
  readonly index: number;
  readonly label: string;
  readonly type: string;
  readonly table: number;
}

/// The layout of all cards of a table.
export interface CardForm {
  /// Columns of short values, which share `valueLines` lines.
  readonly values: readonly CardColumn[];
  readonly valueLines: number;
  readonly texts: readonly { readonly column: CardColumn; readonly lines: number }[];
  readonly height_px: number;
}

function textLength(cell: Json, type: string): number {
  if (typeof cell === "number" && type === "float") return formatNumber(cell).length;
  if (cell !== null && typeof cell === "object" && "fields" in cell) {
    const { text } = (cell as { readonly fields: { readonly [key: string]: Json } }).fields;
    return typeof text === "string" ? text.length : 0;
  }
  return String(cell ?? "–").length;
}

function linesFor({ label, type }: CardColumn, length: number): number {
  if (type === "aim.image") return PICTURE_LINES;
  if (type === "aim.audio") return SOUND_LINES;
  return Math.min(LINES_MOST, Math.ceil((label.length + 1 + length) / LINE_CHARS));
}

/// The layout for columns, from the first rows: a value that is longer than theirs is cut.
export function cardForm(columns: readonly CardColumn[], rows: readonly (readonly Json[])[]): CardForm {
  const values: CardColumn[] = [];
  const texts: { column: CardColumn; lines: number }[] = [];
  let [valueLines, used] = [0, LINE_CHARS];
  for (const column of columns) {
    const length = Math.max(1, ...rows.map((cells) => textLength(cells[column.index] ?? null, column.type)));
    if (length > SHORT_CHARS || /^aim[.](image|audio)$/.test(column.type)) {
      texts.push({ column, lines: linesFor(column, length) });
      continue;
    }
    const chars = column.label.length + length + 3;
    values.push(column);
    if (used + chars > LINE_CHARS) [valueLines, used] = [valueLines + 1, chars];
    else used += chars;
  }
  const text_px = texts.reduce((sum, { lines }) => sum + lines * LINE_PX + GAP_PX, 0);
  return { values, valueLines, texts, height_px: PADDING_PX + valueLines * VALUE_LINE_PX + text_px };
}
