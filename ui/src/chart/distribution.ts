/// Histograms over steps as one picture: steps go right, values go up, darker is more.

import { channels } from "./palette";

/// One histogram: `weights` over equal bins of `low … high`, at a step.
export interface Histogram {
  readonly step: number;
  readonly low: number;
  readonly high: number;
  readonly weights: readonly number[];
}

/// The value range that holds all histograms.
export function valueRange(histograms: readonly Histogram[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const histogram of histograms) {
    low = Math.min(low, histogram.low);
    high = Math.max(high, histogram.high);
  }
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

/// Share of a histogram's weight at a value, as a density.
export function densityAt(histogram: Histogram, value: number): number {
  const bins = histogram.weights.length;
  const span = histogram.high - histogram.low;
  if (bins === 0 || !(span > 0) || value < histogram.low || value > histogram.high) return 0;
  const total = histogram.weights.reduce((sum, weight) => sum + weight, 0);
  const bin = Math.min(bins - 1, Math.floor(((value - histogram.low) / span) * bins));
  return total > 0 ? (histogram.weights[bin] / total) * (bins / span) : 0;
}

/// The picture as RGBA bytes, one column a histogram and `rows` rows, top row highest values.
export function heatPixels(
  histograms: readonly Histogram[],
  rows: number,
  color: string,
): Uint8ClampedArray<ArrayBuffer> {
  const [low, high] = valueRange(histograms);
  const width = histograms.length;
  const density = new Float64Array(width * rows);
  let most = 0;
  histograms.forEach((histogram, column) => {
    for (let row = 0; row < rows; row++) {
      const value = high - ((row + 0.5) / rows) * (high - low);
      const at = densityAt(histogram, value);
      density[row * width + column] = at;
      most = Math.max(most, at);
    }
  });
  const [r, g, b] = channels(color);
  const pixels = new Uint8ClampedArray(density.length * 4);
  for (let i = 0; i < density.length; i++) {
    pixels[i * 4] = r;
    pixels[i * 4 + 1] = g;
    pixels[i * 4 + 2] = b;
    pixels[i * 4 + 3] = most > 0 ? 255 * Math.sqrt(density[i] / most) : 0;
  }
  return pixels;
}

/// A histogram's outline as a path in a box, for SVG.
export function outline(histogram: Histogram, width: number, height: number, range: readonly [number, number]): string {
  const most = Math.max(...histogram.weights, 1e-12);
  const bins = histogram.weights.length;
  const px = (value: number): number => ((value - range[0]) / (range[1] - range[0])) * width;
  let path = `M${px(histogram.low).toFixed(1)} ${height}`;
  histogram.weights.forEach((weight, i) => {
    const left = px(histogram.low + (i / bins) * (histogram.high - histogram.low));
    const right = px(histogram.low + ((i + 1) / bins) * (histogram.high - histogram.low));
    const top = (height - (weight / most) * (height - 2)).toFixed(1);
    path += `L${left.toFixed(1)} ${top}L${right.toFixed(1)} ${top}`;
  });
  return `${path}L${px(histogram.high).toFixed(1)} ${height}Z`;
}
