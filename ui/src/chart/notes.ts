/// Texts at an x of a chart: a dashed line from top to bottom, with the text beside its upper end.

import { clipText, FONT } from "./canvas";
import type { Plot } from "./plot";

/// A text and the x where it stands.
export interface ChartNote {
  readonly x: number;
  readonly text: string;
}

/// A note in pixels; `row` keeps texts that stand close together apart.
export interface PlacedNote {
  readonly px: number;
  readonly py: number;
  readonly text: string;
  /// Whether the text is left of the line, for want of room.
  readonly isLeft: boolean;
  readonly width_px: number;
}

const ROW_PX = 13;
const ROWS = 3;
const CHAR_PX = 6;
const TEXT_MOST_PX = 150;

/// Where the notes of a plot stand; those outside of its window are left out.
export function placedNotes({ x, y, options }: Plot): readonly PlacedNote[] {
  const ends = new Array<number>(ROWS).fill(-Infinity);
  const notes = [...(options.notes ?? [])].sort((a, b) => a.x - b.x);
  return notes
    .filter((note) => note.x >= x.lo && note.x <= x.hi)
    .map(({ x: at, text }) => {
      const px = x.px(at);
      const width_px = Math.min(TEXT_MOST_PX, text.length * CHAR_PX);
      const isLeft = px + width_px + 8 > x.to;
      const from = isLeft ? px - width_px - 8 : px;
      const row = Math.max(
        0,
        ends.findIndex((end) => end <= from),
      );
      ends[row] = Math.max(ends[row], isLeft ? px : px + width_px + 8);
      return { px, py: y.to + 9 + row * ROW_PX, text, isLeft, width_px };
    });
}

/// Draws the notes of a plot in the colour of the axes.
export function drawNotes(context: CanvasRenderingContext2D, plot: Plot, ink: string, ground: string): void {
  const { y } = plot;
  context.font = `550 10.5px ${FONT}`;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  for (const { px, py, text, isLeft, width_px } of placedNotes(plot)) {
    context.strokeStyle = ink;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(Math.round(px) + 0.5, y.to);
    context.lineTo(Math.round(px) + 0.5, y.from);
    context.stroke();
    context.setLineDash([]);
    const words = clipText(context, text, TEXT_MOST_PX);
    const left = isLeft ? px - width_px - 4 : px + 4;
    context.globalAlpha = 0.8;
    context.fillStyle = ground;
    context.fillRect(left - 2, py - 6, Math.min(width_px, TEXT_MOST_PX) + 4, 12);
    context.globalAlpha = 1;
    context.fillStyle = ink;
    context.textAlign = "left";
    context.fillText(words, left, py);
  }
  context.textBaseline = "alphabetic";
}
