/// The line chart on a page: two canvases in an element, one for the data and one for what follows the pointer.
///
/// Gestures: drag zooms x; with Shift, a box; with Alt, measures between two points; double click shows all; Ctrl and
/// the wheel zoom at the pointer. Moving tells the owner what is under the pointer; the owner says whom to light.

import { FONT, whenFontsLoad } from "./canvas";
import type { Extent } from "./extent";
import { drawLine, type Line } from "./line";
import { indexAt, nearestLines, type Hit } from "./nearest";
import {
  drawAxes,
  drawMarks,
  drawOver,
  layoutPlot,
  yOf,
  type ChartTheme,
  type Plot,
  type PlotData,
  type PlotOptions,
  PLAIN_OPTIONS,
} from "./plot";
import { shortNumber } from "./ticks";

const SLICE_LINES = 300; // from so many lines on, painting is spread over frames
const SLICE_MS = 12;
const CLICK_PX = 4;
const TIP_LINES = 6;

/// What is under the pointer: x in data units, the pointer's place in CSS pixels, and the lines near it, nearest first.
export interface HoverPoint {
  readonly x: number;
  readonly px: number;
  readonly py: number;
  readonly hits: readonly Hit[];
}

export interface ChartEvents {
  readonly hover: (point: HoverPoint | null) => void;
  readonly zoom: (window: Extent | null, yWindow: Extent | null) => void;
  readonly click?: (point: HoverPoint) => void;
  readonly painted?: (plot: Plot) => void;
}

interface Drag {
  readonly x: number;
  readonly y: number;
  readonly kind: "x" | "box" | "measure";
  nowX: number;
  nowY: number;
}

const EMPTY: PlotData = { lines: [], bands: [] };

/// A chart in its element: shows data, lights owners, tells what the pointer is on.
export class LineChart {
  readonly base = document.createElement("canvas");
  readonly over = document.createElement("canvas");
  private readonly back = document.createElement("canvas");
  private readonly ink: CanvasRenderingContext2D;
  private readonly glass: CanvasRenderingContext2D;
  private data = EMPTY;
  private options = PLAIN_OPTIONS;
  private theme: ChartTheme = { ground: "#fff", ink: "#888", grid: "#eee", accent: "#00f" };
  private plot: Plot | null = null;
  private lit: ReadonlySet<string> | null = null;
  private litX: number | null = null;
  private drag: Drag | null = null;
  private pointer: readonly [number, number] | null = null; // where it rests above the lines
  private painting = 0;
  private scheduled = 0;
  private overScheduled = 0;
  private readonly resize: ResizeObserver;
  private readonly stop = new AbortController();

  constructor(
    readonly host: HTMLElement,
    private readonly events: ChartEvents,
  ) {
    const ink = this.base.getContext("2d", { alpha: false });
    const glass = this.over.getContext("2d");
    if (!ink || !glass) throw new Error("This browser has no 2D canvas.");
    this.ink = ink;
    this.glass = glass;
    host.append(this.base, this.over);
    this.resize = new ResizeObserver(() => this.schedule());
    this.resize.observe(host);
    this.listen();
    whenFontsLoad(() => this.schedule());
  }

  /// Removes everything from the page.
  destroy(): void {
    this.resize.disconnect();
    this.stop.abort();
    cancelAnimationFrame(this.scheduled);
    cancelAnimationFrame(this.overScheduled);
    this.painting++;
    this.base.remove();
    this.over.remove();
  }

  /// Shows other data; painted in the next frame.
  show(data: PlotData, options: PlotOptions, theme: ChartTheme): void {
    this.data = data;
    this.options = options;
    this.theme = theme;
    this.schedule();
  }

  /// Lights the lines of some owners and marks their points at `x`; null: none.
  light(owners: ReadonlySet<string> | null, x: number | null): void {
    this.lit = owners;
    this.litX = x;
    this.scheduleOver();
  }

  /// The last laid-out picture.
  get current(): Plot | null {
    return this.plot;
  }

  private schedule(): void {
    if (this.scheduled || this.stop.signal.aborted) return;
    this.scheduled = requestAnimationFrame(() => {
      this.scheduled = 0;
      this.paint();
    });
  }

  private scheduleOver(): void {
    if (this.overScheduled) return;
    this.overScheduled = requestAnimationFrame(() => {
      this.overScheduled = 0;
      this.paintOver();
    });
  }

  private fit(canvas: HTMLCanvasElement, width: number, height: number, dpr: number): void {
    const [w, h] = [Math.round(width * dpr), Math.round(height * dpr)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  }

  private paint(): void {
    const width = this.host.clientWidth;
    const height = this.host.clientHeight;
    if (width < 20 || height < 20) return;
    const dpr = devicePixelRatio || 1;
    const token = ++this.painting;
    const plot = layoutPlot(this.data, this.options, width, height);
    this.fit(this.over, width, height, dpr);
    const isSliced = this.data.lines.length > SLICE_LINES;
    const canvas = isSliced ? this.back : this.base;
    this.fit(canvas, width, height, dpr);
    const context = isSliced ? canvas.getContext("2d", { alpha: false }) : this.ink;
    if (!context) return;
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    drawAxes(context, plot, this.theme);
    const steps = drawMarks(context, plot, dpr);
    const finish = (): void => {
      drawOver(context, plot, this.theme);
      if (isSliced) {
        this.fit(this.base, width, height, dpr);
        this.ink.setTransform(1, 0, 0, 1, 0, 0);
        this.ink.drawImage(this.back, 0, 0);
      }
      this.plot = plot;
      this.scheduleOver();
      this.events.painted?.(plot);
      if (this.pointer && !this.drag) this.events.hover(this.pointAt(...this.pointer)); // what is under it is new
    };
    const slice = (): void => {
      if (token !== this.painting) return;
      const until = performance.now() + SLICE_MS;
      for (;;) {
        if (steps.next().done) return finish();
        if (isSliced && performance.now() > until) break;
      }
      requestAnimationFrame(slice);
    };
    slice();
  }

  private paintOver(): void {
    const { glass, plot } = this;
    const dpr = devicePixelRatio || 1;
    glass.setTransform(dpr, 0, 0, dpr, 0, 0);
    glass.clearRect(0, 0, this.over.width, this.over.height);
    if (!plot) return;
    const { x, y } = plot;
    const lit = this.lit ? plot.data.lines.filter((line) => this.lit?.has(line.owner)) : [];
    if (lit.length > 0 && plot.data.lines.length > lit.length) this.dim(plot);
    if (this.litX !== null) this.hair(x.px(this.litX), plot);
    glass.save();
    glass.beginPath();
    glass.rect(x.from, y.to - 4, x.to - x.from, y.from - y.to + 8);
    glass.clip();
    for (const line of lit) this.thick(line, plot);
    glass.restore();
    if (this.drag) this.paintDrag(this.drag, plot);
  }

  private dim({ x, y }: Plot): void {
    this.glass.globalAlpha = 0.68;
    this.glass.fillStyle = this.theme.ground;
    this.glass.fillRect(x.from, y.to - 2, x.to - x.from, y.from - y.to + 4);
    this.glass.globalAlpha = 1;
  }

  private hair(px: number, { x, y }: Plot): void {
    if (px < x.from - 1 || px > x.to + 1) return;
    const { glass } = this;
    glass.strokeStyle = this.theme.ink;
    glass.globalAlpha = 0.5;
    glass.lineWidth = 1;
    glass.setLineDash([]);
    glass.beginPath();
    glass.moveTo(Math.round(px) + 0.5, y.to);
    glass.lineTo(Math.round(px) + 0.5, y.from);
    glass.stroke();
    glass.globalAlpha = 1;
  }

  private thick(line: Line, plot: Plot): void {
    const { glass } = this;
    const { x } = plot;
    const y = yOf(plot, line);
    glass.globalAlpha = line.faint ? 0.35 : 1;
    drawLine(glass, line, x, y, line.faint ? 1 : 2.2);
    glass.globalAlpha = 1;
    const index = this.litX === null || line.faint ? -1 : indexAt(line, this.litX, x);
    if (index < 0) return;
    glass.setLineDash([]);
    glass.fillStyle = line.color;
    glass.strokeStyle = this.theme.ground;
    glass.lineWidth = 1.5;
    glass.beginPath();
    glass.arc(x.px(line.x[index]), y.px(line.y[index]), 3.8, 0, 2 * Math.PI);
    glass.fill();
    glass.stroke();
  }

  private paintDrag(drag: Drag, plot: Plot): void {
    const { glass, theme } = this;
    const { x, y } = plot;
    glass.setLineDash([]);
    glass.strokeStyle = glass.fillStyle = theme.accent;
    glass.lineWidth = 1;
    if (drag.kind === "measure") {
      glass.beginPath();
      glass.moveTo(drag.x, drag.y);
      glass.lineTo(drag.nowX, drag.nowY);
      glass.stroke();
      const dx = x.value(drag.nowX) - x.value(drag.x);
      const dy = y.value(drag.nowY) - y.value(drag.y);
      glass.font = `550 11.5px ${FONT}`;
      const text = `Δx ${shortNumber(Number(dx.toPrecision(4)))}   Δy ${shortNumber(Number(dy.toPrecision(4)))}`;
      const width = glass.measureText(text).width;
      const left = drag.nowX > plot.width / 2 ? drag.nowX - width - 8 : drag.nowX + 8;
      const middle = Math.max(16, drag.nowY - 14);
      glass.fillStyle = theme.ground;
      glass.fillRect(left - 6, middle - 10, width + 12, 20);
      glass.strokeRect(left - 5.5, middle - 9.5, width + 11, 19);
      glass.fillStyle = theme.accent;
      glass.textAlign = "left";
      glass.textBaseline = "middle";
      glass.fillText(text, left, middle);
      glass.textBaseline = "alphabetic";
      return;
    }
    const [top, bottom] =
      drag.kind === "box" ? [Math.min(drag.y, drag.nowY), Math.max(drag.y, drag.nowY)] : [y.to, y.from];
    const left = Math.max(x.from, Math.min(drag.x, drag.nowX));
    const right = Math.min(x.to, Math.max(drag.x, drag.nowX));
    glass.globalAlpha = 0.13;
    glass.fillRect(left, top, right - left, bottom - top);
    glass.globalAlpha = 0.8;
    glass.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
    glass.globalAlpha = 1;
  }

  private pointerAt(event: MouseEvent): readonly [number, number] {
    const box = this.over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private pointAt(px: number, py: number): HoverPoint | null {
    const { plot } = this;
    if (!plot || px < plot.x.from - 6 || px > plot.x.to + 6 || plot.data.lines.length === 0) return null;
    const hits = nearestLines(plot.data.lines, px, py, plot.x, plot.y, TIP_LINES, plot.right);
    if (hits.length === 0) return null;
    const best = hits[0];
    return { x: best.line.x[best.index], px, py, hits };
  }

  private listen(): void {
    const { signal } = this.stop;
    const on = <K extends keyof HTMLElementEventMap>(name: K, handler: (event: HTMLElementEventMap[K]) => void): void =>
      this.over.addEventListener(name, handler, { signal, passive: false });
    on("pointermove", (event) => this.moved(event));
    on("pointerleave", () => {
      this.pointer = null;
      if (!this.drag) this.events.hover(null);
    });
    on("pointerdown", (event) => {
      if (event.button !== 0) return;
      const [x, y] = this.pointerAt(event);
      this.drag = { x, y, nowX: x, nowY: y, kind: event.altKey ? "measure" : event.shiftKey ? "box" : "x" };
      this.over.setPointerCapture(event.pointerId);
    });
    on("pointerup", () => this.dropped());
    on("pointercancel", () => {
      this.drag = null;
      this.scheduleOver();
    });
    on("dblclick", () => this.events.zoom(null, null));
    on("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.wheel(event);
    });
  }

  private moved(event: PointerEvent): void {
    const [x, y] = this.pointerAt(event);
    if (this.drag) {
      this.drag.nowX = x;
      this.drag.nowY = y;
      if (Math.abs(x - this.drag.x) > CLICK_PX) this.events.hover(null);
      this.scheduleOver();
      return;
    }
    this.pointer = [x, y];
    this.events.hover(this.pointAt(x, y));
  }

  private dropped(): void {
    const { drag, plot } = this;
    this.drag = null;
    this.scheduleOver();
    if (!drag || !plot) return;
    const isClick = Math.abs(drag.nowX - drag.x) <= CLICK_PX && Math.abs(drag.nowY - drag.y) <= CLICK_PX;
    if (isClick) {
      const point = this.pointAt(drag.x, drag.y);
      if (point) this.events.click?.(point);
      return;
    }
    if (drag.kind === "measure" || (drag.kind === "x" && Math.abs(drag.nowX - drag.x) <= CLICK_PX)) return;
    const clamp = (px: number): number => Math.min(plot.x.to, Math.max(plot.x.from, px));
    const window: Extent = [
      plot.x.value(clamp(Math.min(drag.x, drag.nowX))),
      plot.x.value(clamp(Math.max(drag.x, drag.nowX))),
    ];
    const box: Extent | null =
      drag.kind === "box"
        ? [plot.y.value(Math.max(drag.y, drag.nowY)), plot.y.value(Math.min(drag.y, drag.nowY))]
        : null;
    this.events.zoom(window, box);
  }

  private wheel(event: WheelEvent): void {
    const { plot } = this;
    if (!plot) return;
    const [px] = this.pointerAt(event);
    const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 200)));
    const left = plot.x.value(px - (px - plot.x.from) * factor);
    const right = plot.x.value(px + (plot.x.to - px) * factor);
    if (right > left) this.events.zoom([left, right], this.options.yWindow);
  }
}
