/// Thousands of lines as one picture: how many cross each pixel, on a logarithmic ramp. Bounded by pixels, not by
/// lines.

import { channels } from "./palette";
import { project, type Scale } from "./scale";
import { visibleRange, type Line } from "./line";

/// Counts of crossing lines, and sums of their colours, a pixel.
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly count: Float32Array;
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
}

/// An empty raster of whole pixels.
export function makeRaster(width: number, height: number): Raster {
  const size = width * height;
  const plane = (): Float32Array => new Float32Array(size);
  return { width, height, count: plane(), red: plane(), green: plane(), blue: plane() };
}

/// Adds one line: each pixel column counts once from where the line enters it to where it leaves.
export function addLine(raster: Raster, line: Line, x: Scale, y: Scale): void {
  const { width, height, count, red, green, blue } = raster;
  const [r, g, b] = channels(line.color);
  const xs = project(x.kind, line.x);
  const ys = project(y.kind, line.y);
  const [begin, end] = visibleRange(line, x.lo, x.hi);
  let lastX = NaN;
  let lastY = NaN;
  for (let i = begin; i < end; i++) {
    const px = x.k * xs[i] + x.b;
    const py = y.k * ys[i] + y.b;
    if (py - py === 0 && lastY - lastY === 0) {
      const first = Math.max(0, Math.floor(Math.min(lastX, px)));
      const last = Math.min(width - 1, Math.floor(Math.max(lastX, px)));
      const slope = px === lastX ? 0 : (py - lastY) / (px - lastX);
      for (let column = first; column <= last; column++) {
        const enter = px === lastX ? lastY : lastY + slope * (Math.max(column, Math.min(lastX, px)) - lastX);
        const leave = px === lastX ? py : lastY + slope * (Math.min(column + 1, Math.max(lastX, px)) - lastX);
        const from = Math.max(0, Math.floor(Math.min(enter, leave)));
        const to = Math.min(height - 1, Math.floor(Math.max(enter, leave)));
        for (let row = from; row <= to; row++) {
          const at = row * width + column;
          count[at] += 1;
          red[at] += r;
          green[at] += g;
          blue[at] += b;
        }
      }
    }
    lastX = px;
    lastY = py;
  }
}

/// The raster as RGBA bytes: the mean colour of a pixel's lines, more solid the more there are.
export function toPixels(raster: Raster): Uint8ClampedArray<ArrayBuffer> {
  const { count, red, green, blue } = raster;
  let most = 0;
  for (let i = 0; i < count.length; i++) if (count[i] > most) most = count[i];
  const scale = 1 / Math.log1p(most);
  const pixels = new Uint8ClampedArray(count.length * 4);
  for (let i = 0; i < count.length; i++) {
    const n = count[i];
    if (n === 0) continue;
    pixels[i * 4] = red[i] / n;
    pixels[i * 4 + 1] = green[i] / n;
    pixels[i * 4 + 2] = blue[i] / n;
    pixels[i * 4 + 3] = 40 + 215 * Math.log1p(n) * scale;
  }
  return pixels;
}
