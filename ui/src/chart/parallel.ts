/// Parallel coordinates: one upright axis a field, one line a run. Brushes on axes keep the runs inside all of them;
/// a label that is dragged moves its axis.

import { CanvasChart, clipText, FONT } from "./canvas";
import type { ChartTheme } from "./plot";

/// What the picture needs of an axis; positions are 0 (bottom) … 1 (top), NaN where a row has no value.
export interface ParallelAxis {
  readonly key: string;
  readonly label: string;
  readonly positions: Float64Array;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

export interface ParallelData {
  readonly axes: readonly ParallelAxis[];
  readonly colors: readonly string[];
  /// Rows inside all brushes; the others are drawn pale.
  readonly rows: readonly number[];
  readonly count: number;
  readonly brushes: ReadonlyMap<string, readonly [number, number]>;
}

export interface ParallelEvents {
  readonly hover: (row: number | null) => void;
  readonly brush: (key: string, range: readonly [number, number] | null) => void;
  readonly move: (key: string, index: number) => void;
  readonly click: (row: number) => void;
}

const TOP_PX = 44;
const BOTTOM_PX = 18;
const SIDE_PX = 64;
const GRAB_PX = 14;
const NEAR_PX = 9;

type Drag =
  | { readonly kind: "brush"; readonly key: string; readonly from: number; now: number }
  | { readonly kind: "move"; readonly key: string; x: number };

/// The picture in its element.
export class ParallelChart extends CanvasChart {
  private data: ParallelData = { axes: [], colors: [], rows: [], count: 0, brushes: new Map() };
  private theme: ChartTheme = { ground: "#fff", ink: "#888", grid: "#eee", accent: "#00f" };
  private ink2 = "#444";
  private drag: Drag | null = null;

  constructor(
    host: HTMLElement,
    private readonly events: ParallelEvents,
  ) {
    super(host);
    this.on("pointermove", (event) => this.moved(event));
    this.on("pointerdown", (event) => this.pressed(event));
    this.on("pointerup", (event) => this.dropped(event));
    this.on("pointerleave", () => !this.drag && events.hover(null));
  }

  show(data: ParallelData, theme: ChartTheme, ink2: string): void {
    [this.data, this.theme, this.ink2] = [data, theme, ink2];
    this.schedule();
  }

  private x(index: number): number {
    const last = this.data.axes.length - 1;
    return last <= 0 ? this.width / 2 : SIDE_PX + (index / last) * (this.width - 2 * SIDE_PX);
  }

  private y(position: number): number {
    return this.height - BOTTOM_PX - position * (this.height - TOP_PX - BOTTOM_PX);
  }

  private positionAt(py: number): number {
    return Math.min(1, Math.max(0, (this.height - BOTTOM_PX - py) / (this.height - TOP_PX - BOTTOM_PX)));
  }

  private line(context: CanvasRenderingContext2D, row: number): void {
    context.beginPath();
    let pen = false;
    this.data.axes.forEach((axis, i) => {
      const position = axis.positions[row];
      if (Number.isNaN(position)) pen = false;
      else if (pen) context.lineTo(this.x(i), this.y(position));
      else {
        context.moveTo(this.x(i), this.y(position));
        pen = true;
      }
    });
    context.stroke();
  }

  protected paint(): void {
    this.measure();
    if (this.width < 40 || this.height < 80) return;
    const context = this.prepare(this.base);
    if (!context) return;
    const { data, theme } = this;
    const hairline = 1 / (devicePixelRatio || 1);
    const inside = new Set(data.rows);
    if (data.rows.length < data.count) {
      context.lineWidth = hairline;
      context.strokeStyle = theme.ink;
      context.globalAlpha = 0.13;
      for (let row = 0; row < data.count; row++) if (!inside.has(row)) this.line(context, row);
    }
    context.globalAlpha = data.rows.length > 300 ? 0.4 : 0.8;
    context.lineWidth = data.rows.length > 60 ? hairline : 1.3;
    for (const row of data.rows) {
      context.strokeStyle = data.colors[row];
      this.line(context, row);
    }
    context.globalAlpha = 1;
    data.axes.forEach((axis, i) => this.paintAxis(context, axis, this.x(i), i === data.axes.length - 1));
    this.paintOver();
  }

  private paintAxis(context: CanvasRenderingContext2D, axis: ParallelAxis, px: number, isLast: boolean): void {
    const { theme } = this;
    context.strokeStyle = this.ink2;
    context.globalAlpha = 0.55;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(px) + 0.5, this.y(0));
    context.lineTo(Math.round(px) + 0.5, this.y(1));
    context.stroke();
    context.globalAlpha = 1;
    context.font = `600 12px ${FONT}`;
    context.fillStyle = this.ink2;
    context.textAlign = "center";
    const room = this.data.axes.length > 1 ? (this.width - 2 * SIDE_PX) / (this.data.axes.length - 1) - 12 : this.width;
    context.fillText(clipText(context, axis.label, room), px, 18);
    context.font = `10.5px ${FONT}`;
    context.textAlign = isLast ? "left" : "right";
    const shift = isLast ? 8 : -8;
    for (const tick of axis.ticks) {
      const py = this.y(tick.at);
      const text = clipText(context, tick.label, isLast ? SIDE_PX - 10 : Math.min(room, 92));
      const width = context.measureText(text).width;
      context.globalAlpha = 0.82;
      context.fillStyle = theme.ground;
      context.fillRect(isLast ? px + 6 : px - 10 - width, py - 7, width + 4, 14);
      context.globalAlpha = 1;
      context.fillStyle = theme.ink;
      context.fillText(text, px + shift, py + 3.5);
      context.fillRect(px - 2, Math.round(py), 5, 1);
    }
    const range = this.data.brushes.get(axis.key);
    if (range) this.paintBrush(context, px, range);
  }

  private paintBrush(context: CanvasRenderingContext2D, px: number, [low, high]: readonly [number, number]): void {
    const { accent } = this.theme;
    context.fillStyle = context.strokeStyle = accent;
    context.globalAlpha = 0.22;
    context.fillRect(px - 8, this.y(high), 16, this.y(low) - this.y(high));
    context.globalAlpha = 1;
    context.strokeRect(px - 8, this.y(high), 16, this.y(low) - this.y(high));
  }

  protected paintOver(): void {
    const context = this.prepare(this.over);
    if (!context) return;
    if (this.lit !== null && this.lit < this.data.count) {
      context.lineWidth = 2.6;
      context.strokeStyle = this.data.colors[this.lit];
      this.line(context, this.lit);
      context.fillStyle = this.data.colors[this.lit];
      this.data.axes.forEach((axis, i) => {
        const position = axis.positions[this.lit ?? 0];
        if (Number.isNaN(position)) return;
        context.beginPath();
        context.arc(this.x(i), this.y(position), 3.5, 0, 2 * Math.PI);
        context.fill();
      });
    }
    if (this.drag?.kind === "brush") {
      const index = this.data.axes.findIndex(({ key }) => key === this.drag?.key);
      const { from, now } = this.drag;
      this.paintBrush(context, this.x(index), [Math.min(from, now), Math.max(from, now)]);
    } else if (this.drag) {
      context.fillStyle = this.theme.accent;
      context.globalAlpha = 0.25;
      context.fillRect(this.drag.x - 2, 0, 4, this.height);
      context.globalAlpha = 1;
    }
  }

  private at(event: PointerEvent): readonly [number, number] {
    const box = this.over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private axisNear(px: number): number {
    return this.data.axes.findIndex((_, i) => Math.abs(this.x(i) - px) <= GRAB_PX);
  }

  /// The row whose line is nearest to a pixel.
  private rowNear(px: number, py: number): number | null {
    const { axes, rows } = this.data;
    let right = axes.findIndex((_, i) => this.x(i) >= px);
    if (right < 0) right = axes.length - 1;
    const left = Math.max(0, right - 1);
    const t = right === left ? 0 : (px - this.x(left)) / (this.x(right) - this.x(left));
    let best: number | null = null;
    let least = NEAR_PX;
    for (const row of rows) {
      const gap = Math.abs(this.y(axes[left].positions[row] * (1 - t) + axes[right].positions[row] * t) - py);
      if (gap < least) [best, least] = [row, gap];
    }
    return best;
  }

  private pressed(event: PointerEvent): void {
    const [px, py] = this.at(event);
    const index = this.axisNear(px);
    if (py < TOP_PX - 8) {
      const nearest = this.data.axes.reduce(
        (best, _, i) => (Math.abs(this.x(i) - px) < Math.abs(this.x(best) - px) ? i : best),
        0,
      );
      if (this.data.axes[nearest]) this.drag = { kind: "move", key: this.data.axes[nearest].key, x: px };
    } else if (index >= 0) {
      this.drag = {
        kind: "brush",
        key: this.data.axes[index].key,
        from: this.positionAt(py),
        now: this.positionAt(py),
      };
    } else {
      const row = this.rowNear(px, py);
      if (row !== null) this.events.click(row);
      return;
    }
    this.over.setPointerCapture(event.pointerId);
  }

  private moved(event: PointerEvent): void {
    const [px, py] = this.at(event);
    if (this.drag?.kind === "brush") this.drag.now = this.positionAt(py);
    else if (this.drag) this.drag.x = px;
    else {
      this.over.style.cursor = py < TOP_PX - 8 ? "grab" : this.axisNear(px) >= 0 ? "ns-resize" : "default";
      this.events.hover(py < TOP_PX - 8 ? null : this.rowNear(px, py));
      return;
    }
    this.paintOver();
  }

  private dropped(event: PointerEvent): void {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    const [px] = this.at(event);
    if (drag.kind === "brush") {
      const [low, high] = [Math.min(drag.from, drag.now), Math.max(drag.from, drag.now)];
      this.events.brush(drag.key, high - low < 0.015 ? null : [low, high]);
    } else {
      const last = this.data.axes.length - 1;
      const index = Math.round(((px - SIDE_PX) / (this.width - 2 * SIDE_PX)) * last);
      this.events.move(drag.key, Math.min(last, Math.max(0, index)));
    }
    this.paintOver();
  }
}
