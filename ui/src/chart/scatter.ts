/// One dot a run over two axes, with the straight line that fits best.

import { CanvasChart, clipText, FONT } from "./canvas";
import type { ChartTheme } from "./plot";
import type { ParallelAxis } from "./parallel";

export interface ScatterData {
  readonly x: ParallelAxis;
  readonly y: ParallelAxis;
  readonly colors: readonly string[];
  readonly rows: readonly number[];
  readonly count: number;
  /// In positions of the axes; null: no trend to show.
  readonly trend: { readonly slope: number; readonly offset: number; readonly r2: number } | null;
}

export interface ScatterEvents {
  readonly hover: (row: number | null) => void;
  readonly click: (row: number) => void;
  /// A box was drawn: ranges of positions on both axes; null when it was pressed away.
  readonly box: (x: readonly [number, number] | null, y: readonly [number, number] | null) => void;
}

const LEFT_PX = 78;
const RIGHT_PX = 18;
const TOP_PX = 14;
const BOTTOM_PX = 40;
const DOT_PX = 4;
const SMALL_DOTS = 3000; // so many are drawn as small squares
const NEAR_PX = 14;

/// The picture in its element.
export class ScatterChart extends CanvasChart {
  private data: ScatterData | null = null;
  private theme: ChartTheme = { ground: "#fff", ink: "#888", grid: "#eee", accent: "#00f" };
  private drag: { readonly x: number; readonly y: number; nowX: number; nowY: number } | null = null;

  constructor(
    host: HTMLElement,
    private readonly events: ScatterEvents,
  ) {
    super(host);
    this.on("pointermove", (event) => this.moved(event));
    this.on("pointerdown", (event) => {
      this.drag = { x: event.offsetX, y: event.offsetY, nowX: event.offsetX, nowY: event.offsetY };
      this.over.setPointerCapture(event.pointerId);
    });
    this.on("pointerup", () => this.dropped());
    this.on("pointerleave", () => !this.drag && events.hover(null));
  }

  show(data: ScatterData, theme: ChartTheme): void {
    [this.data, this.theme] = [data, theme];
    this.schedule();
  }

  private px(position: number): number {
    return LEFT_PX + (0.02 + position * 0.96) * (this.width - LEFT_PX - RIGHT_PX);
  }

  private py(position: number): number {
    return this.height - BOTTOM_PX - (0.03 + position * 0.94) * (this.height - TOP_PX - BOTTOM_PX);
  }

  protected paint(): void {
    this.measure();
    const context = this.width > 60 ? this.prepare(this.base) : null;
    if (!context || !this.data) return;
    const { x, y, rows, colors, count, trend } = this.data;
    this.paintAxes(context, x, y);
    const inside = new Set(rows);
    const isSmall = count > SMALL_DOTS;
    for (let row = 0; row < count; row++) {
      if (Number.isNaN(x.positions[row]) || Number.isNaN(y.positions[row])) continue;
      context.globalAlpha = inside.has(row) ? 0.85 : 0.1;
      context.fillStyle = colors[row];
      const [px, py] = [this.px(x.positions[row]), this.py(y.positions[row])];
      if (isSmall) context.fillRect(px - 1.5, py - 1.5, 3, 3);
      else {
        context.beginPath();
        context.arc(px, py, DOT_PX, 0, 2 * Math.PI);
        context.fill();
      }
    }
    context.globalAlpha = 1;
    if (trend) {
      context.strokeStyle = this.theme.ink;
      context.lineWidth = 1.5;
      context.setLineDash([6, 4]);
      context.beginPath();
      context.moveTo(this.px(0), this.py(trend.offset));
      context.lineTo(this.px(1), this.py(trend.offset + trend.slope));
      context.stroke();
      context.setLineDash([]);
      context.textAlign = "right";
      context.fillStyle = this.theme.ink;
      context.font = `11px ${FONT}`;
      context.fillText(`r² ${trend.r2.toFixed(2)}`, this.width - RIGHT_PX - 4, TOP_PX + 12);
    }
    this.paintOver();
  }

  private paintAxes(context: CanvasRenderingContext2D, x: ParallelAxis, y: ParallelAxis): void {
    const { ink, grid } = this.theme;
    context.font = `10.5px ${FONT}`;
    context.lineWidth = 1;
    context.strokeStyle = grid;
    context.fillStyle = ink;
    context.textAlign = "right";
    for (const tick of y.ticks) {
      const py = Math.round(this.py(tick.at)) + 0.5;
      context.beginPath();
      context.moveTo(LEFT_PX, py);
      context.lineTo(this.width - RIGHT_PX, py);
      context.stroke();
      context.fillText(clipText(context, tick.label, LEFT_PX - 14), LEFT_PX - 8, py + 3);
    }
    context.textAlign = "center";
    for (const tick of x.ticks) {
      const px = Math.round(this.px(tick.at)) + 0.5;
      context.beginPath();
      context.moveTo(px, TOP_PX);
      context.lineTo(px, this.height - BOTTOM_PX);
      context.stroke();
      context.fillText(clipText(context, tick.label, 90), px, this.height - BOTTOM_PX + 15);
    }
    context.font = `600 12px ${FONT}`;
    context.fillText(x.label, (LEFT_PX + this.width - RIGHT_PX) / 2, this.height - 6);
    context.save();
    context.translate(12, (TOP_PX + this.height - BOTTOM_PX) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(y.label, 0, 0);
    context.restore();
  }

  protected paintOver(): void {
    const context = this.prepare(this.over);
    if (!context || !this.data) return;
    const { x, y, colors, count } = this.data;
    if (
      this.lit !== null &&
      this.lit < count &&
      !Number.isNaN(x.positions[this.lit]) &&
      !Number.isNaN(y.positions[this.lit])
    ) {
      context.fillStyle = colors[this.lit];
      context.strokeStyle = this.theme.ground;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(this.px(x.positions[this.lit]), this.py(y.positions[this.lit]), DOT_PX + 3, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
    if (this.drag) {
      const { x: fromX, y: fromY, nowX, nowY } = this.drag;
      context.fillStyle = context.strokeStyle = this.theme.accent;
      context.globalAlpha = 0.13;
      context.fillRect(fromX, fromY, nowX - fromX, nowY - fromY);
      context.globalAlpha = 0.8;
      context.strokeRect(fromX, fromY, nowX - fromX, nowY - fromY);
      context.globalAlpha = 1;
    }
  }

  private rowNear(px: number, py: number): number | null {
    if (!this.data) return null;
    const { x, y, rows } = this.data;
    let best: number | null = null;
    let least = NEAR_PX;
    for (const row of rows) {
      const gap = Math.hypot(this.px(x.positions[row]) - px, this.py(y.positions[row]) - py);
      if (gap < least) [best, least] = [row, gap];
    }
    return best;
  }

  private moved(event: PointerEvent): void {
    if (this.drag) {
      [this.drag.nowX, this.drag.nowY] = [event.offsetX, event.offsetY];
      this.paintOver();
    } else this.events.hover(this.rowNear(event.offsetX, event.offsetY));
  }

  private dropped(): void {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (Math.abs(drag.nowX - drag.x) < 4 && Math.abs(drag.nowY - drag.y) < 4) {
      const row = this.rowNear(drag.x, drag.y);
      if (row === null) this.events.box(null, null);
      else this.events.click(row);
      return this.paintOver();
    }
    const across = (px: number): number => ((px - LEFT_PX) / (this.width - LEFT_PX - RIGHT_PX) - 0.02) / 0.96;
    const rise = (py: number): number =>
      ((this.height - BOTTOM_PX - py) / (this.height - TOP_PX - BOTTOM_PX) - 0.03) / 0.94;
    this.events.box(
      [across(Math.min(drag.x, drag.nowX)), across(Math.max(drag.x, drag.nowX))],
      [rise(Math.max(drag.y, drag.nowY)), rise(Math.min(drag.y, drag.nowY))],
    );
    this.paintOver();
  }
}
