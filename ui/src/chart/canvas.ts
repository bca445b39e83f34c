/// Two canvases over each other in an element: one for the data, one for what follows the pointer; sized with the
/// element.

/// The font of all that is written on a canvas.
export const FONT = "Inter, system-ui, sans-serif";

/// Paints again once the fonts of the page have come: what was written on a canvas before is in another font.
export function whenFontsLoad(paint: () => void): void {
  if (document.fonts.status === "loading") void document.fonts.ready.then(paint);
}

/// What charts about runs have in common. They paint `base` when they are resized or shown anew, `over` at every move.
export abstract class CanvasChart {
  protected readonly base = document.createElement("canvas");
  protected readonly over = document.createElement("canvas");
  protected width = 0;
  protected height = 0;
  protected lit: number | null = null;
  protected readonly stop = new AbortController();
  private scheduled = 0;
  private readonly resize: ResizeObserver;

  constructor(private readonly host: HTMLElement) {
    host.append(this.base, this.over);
    this.resize = new ResizeObserver(() => this.schedule());
    this.resize.observe(host);
    whenFontsLoad(() => this.schedule());
  }

  /// Removes everything from the page.
  destroy(): void {
    this.resize.disconnect();
    this.stop.abort();
    cancelAnimationFrame(this.scheduled);
    this.base.remove();
    this.over.remove();
  }

  /// Lights one row; null: none.
  light(row: number | null): void {
    this.lit = row;
    this.paintOver();
  }

  protected abstract paint(): void;
  protected abstract paintOver(): void;

  /// Listens on the upper canvas until the chart is removed.
  protected on<K extends "pointermove" | "pointerdown" | "pointerup" | "pointerleave">(
    name: K,
    handler: (event: HTMLElementEventMap[K]) => void,
  ): void {
    this.over.addEventListener(name, handler, { signal: this.stop.signal });
  }

  /// Paints in the next frame.
  protected schedule(): void {
    if (this.scheduled || this.stop.signal.aborted) return;
    this.scheduled = requestAnimationFrame(() => {
      this.scheduled = 0;
      this.paint();
    });
  }

  /// Takes the element's size.
  protected measure(): void {
    [this.width, this.height] = [this.host.clientWidth, this.host.clientHeight];
  }

  /// A canvas of the element's size, empty, to be drawn on in CSS pixels.
  protected prepare(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
    const dpr = devicePixelRatio || 1;
    const [w, h] = [Math.round(this.width * dpr), Math.round(this.height * dpr)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d");
    context?.setTransform(dpr, 0, 0, dpr, 0, 0);
    context?.clearRect(0, 0, this.width, this.height);
    return context;
  }
}

/// A text that fits a width, with an ellipsis where it was cut.
export function clipText(context: CanvasRenderingContext2D, text: string, width_px: number): string {
  if (context.measureText(text).width <= width_px) return text;
  let end = text.length - 1;
  while (end > 1 && context.measureText(text.slice(0, end) + "…").width > width_px) end--;
  return text.slice(0, end) + "…";
}
