/// The distributions of one sequence, over their steps.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { heatPixels, outline, valueRange, type Histogram } from "../chart/distribution";
import { formatNumber } from "../model/format";
import type { Item } from "../model/objects";
import { numberOf } from "../wire/types";

const HEAT_ROWS = 64;

function histogramOf(item: Item): Histogram {
  const [low, high] = item.range ?? [0, 1];
  return {
    step: item.step,
    low: numberOf(low) ?? 0,
    high: numberOf(high) ?? 1,
    weights: (item.weights ?? []).map((weight) => numberOf(weight) ?? 0),
  };
}

/// A picture of all steps, and beside it the distribution at the step under the pointer, else the last.
export function Distributions({ items, color }: { items: readonly Item[]; color: string }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<number | null>(null);
  const histograms = [...items].sort((a, b) => a.step - b.step).map(histogramOf);
  const key = `${items.length} ${items[items.length - 1]?.step} ${color}`;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context || histograms.length === 0) return;
    [canvas.current.width, canvas.current.height] = [histograms.length, HEAT_ROWS];
    context.putImageData(new ImageData(heatPixels(histograms, HEAT_ROWS, color), histograms.length, HEAT_ROWS), 0, 0);
  }, [key]);
  if (histograms.length === 0) return <p class="muted">No distribution.</p>;
  const range = valueRange(histograms);
  const last = histograms.length - 1;
  const current = histograms[Math.max(0, Math.min(last, hover ?? last))];
  return (
    <div class="distribution">
      <div class="heat">
        <span class="most">{formatNumber(range[1])}</span>
        <canvas
          ref={canvas}
          onMouseMove={(event) =>
            setHover(
              Math.min(
                histograms.length - 1,
                Math.floor((event.offsetX / event.currentTarget.clientWidth) * histograms.length),
              ),
            )
          }
          onMouseLeave={() => setHover(null)}
          role="img"
          aria-label="Distribution over steps"
        />
        <span class="least">{formatNumber(range[0])}</span>
        <span class="steps">
          <i>{histograms[0].step}</i>
          <i>step</i>
          <i>{histograms[histograms.length - 1].step}</i>
        </span>
      </div>
      <figure>
        <svg
          viewBox="0 0 220 120"
          preserveAspectRatio="none"
          role="img"
          aria-label={`Distribution at step ${current.step}`}
        >
          <path d={outline(current, 220, 120, range)} fill={color} fill-opacity=".35" stroke={color} />
        </svg>
        <figcaption>
          step {current.step} · {formatNumber(range[0])} to {formatNumber(range[1])}
        </figcaption>
      </figure>
    </div>
  );
}
