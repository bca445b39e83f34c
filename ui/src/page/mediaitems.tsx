/// One object each: an image, a video, a figure, a distribution; a sound and a table have files of their own.

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { heatPixels, outline, valueRange, type Histogram } from "../chart/distribution";
import { formatNumber } from "../model/format";
import { blobUrl, thumbUrl, type Item } from "../model/objects";
import type { OverlayWords } from "../model/overlays";
import { report, server, theme } from "../model/session";
import { apiUrl, BASE, getJson, request } from "../wire/request";
import { numberOf, type Json, type ObjectType } from "../wire/types";
import { useOnScreen } from "./hooks";
import { Overlay } from "./overlay";
import { Address, Elsewhere } from "./reference";
import { Sound } from "./sound";
import { TableView } from "./tableview";

const THUMB_PX = [64, 128, 256, 512];
const HEAT_ROWS = 64;

/// Nothing is drawn over the pictures of a page.
export const NO_WORDS: OverlayWords = { labels: [], layers: [], hasScores: false, hasMasks: false };

/// One object of any type but texts and distributions, which are shown together.
export function Piece({
  type,
  item,
  size_px,
  words,
  color,
  onOpen,
}: {
  type: ObjectType;
  item: Item;
  size_px: number;
  words: OverlayWords;
  color?: string;
  onOpen?: () => void;
}): JSX.Element | null {
  if (item.uri !== undefined && item.blob === undefined) {
    const facts = [item.width && item.height ? `${item.width} × ${item.height}` : "", item.format]
      .filter(Boolean)
      .join(" · ");
    return (
      <Elsewhere uri={item.uri} label={item.caption || `${item.of.name}, step ${item.step}`}>
        {facts}
      </Elsewhere>
    );
  }
  if (type === "images" && item.uri !== undefined)
    return (
      <span class="referred">
        <Picture item={item} size_px={size_px} words={words} onOpen={onOpen} />
        <Address uri={item.uri} />
      </span>
    );
  if (type === "images") return <Picture item={item} size_px={size_px} words={words} onOpen={onOpen} />;
  if (type === "audios") return <Sound item={item} color={color} />;
  if (type === "videos") return <Clip item={item} size_px={size_px} />;
  if (type === "tables") return <TableView item={item} />;
  return type === "figures" ? <Figure item={item} /> : null;
}

/// A video: a moving picture plays by itself, others have the browser's player.
function Clip({ item, size_px }: { item: Item; size_px: number }): JSX.Element {
  const { ref, isSeen } = useOnScreen();
  const url = item.blob === undefined ? "" : blobUrl(item.blob);
  const label = item.caption || `${item.of.name}, step ${item.step}`;
  const height = Math.max(120, size_px * 1.8);
  const facts = [
    item.width && item.height ? `${item.width} × ${item.height}` : "",
    item.fps ? `${item.fps} fps` : "",
    item.format,
  ]
    .filter(Boolean)
    .join(" · ");
  return (
    <figure class="clip" ref={ref}>
      {isSeen.value &&
        (item.format === "gif" ? (
          <img src={url} alt={label} style={{ height: `${height}px` }} />
        ) : (
          <video
            controls
            loop
            muted
            playsInline
            preload="metadata"
            src={url}
            aria-label={label}
            style={{ height: `${height}px` }}
          />
        ))}
      <figcaption class="caption">
        {label} <span class="muted">{facts}</span>
      </figcaption>
    </figure>
  );
}

/// A picture in its place, at the size of the place; the original when it is small itself.
function Picture({
  item,
  size_px,
  words,
  onOpen,
}: {
  item: Item;
  size_px: number;
  words: OverlayWords;
  onOpen?: () => void;
}): JSX.Element {
  const wanted = size_px * (devicePixelRatio || 1);
  const width = item.width ?? wanted;
  const thumb = THUMB_PX.find((px) => px >= wanted);
  const src =
    item.blob === undefined
      ? ""
      : width <= wanted || thumb === undefined
        ? blobUrl(item.blob)
        : thumbUrl(item.blob, thumb);
  const label = item.caption || `step ${item.step}`;
  return (
    <button
      type="button"
      class="picture"
      title={`${label} · step ${item.step} · ${item.width ?? "?"} × ${item.height ?? "?"}`}
      onClick={onOpen}
    >
      <span class="framed">
        <img
          src={src}
          alt={label}
          loading="lazy"
          decoding="async"
          style={{ height: `${size_px}px`, imageRendering: width < wanted / 2 ? "pixelated" : "auto" }}
        />
        <Overlay item={item} words={words} scale={size_px / (item.height || size_px)} />
      </span>
      {item.caption && (
        <span class="caption" style={{ maxWidth: `${Math.max(size_px, 80)}px` }}>
          {item.caption}
        </span>
      )}
    </button>
  );
}

function histogramOf(item: Item): Histogram {
  const [low, high] = item.range ?? [0, 1];
  return {
    step: item.step,
    low: numberOf(low) ?? 0,
    high: numberOf(high) ?? 1,
    weights: (item.weights ?? []).map((weight) => numberOf(weight) ?? 0),
  };
}

/// The distributions of one sequence: a picture over the steps, and the one at `at` (else the last) beside it.
export function Distributions({
  items,
  color,
  at,
}: {
  items: readonly Item[];
  color: string;
  at: number | null;
}): JSX.Element {
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
  const wanted =
    hover === null
      ? at === null
        ? histograms.length - 1
        : histograms.findLastIndex((histogram) => histogram.step <= at)
      : hover;
  const shown = histograms[Math.max(0, wanted)];
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
          aria-label={`Distribution at step ${shown.step}`}
        >
          <path d={outline(shown, 220, 120, range)} fill={color} fill-opacity=".35" stroke={color} />
        </svg>
        <figcaption>
          step {shown.step} · {formatNumber(range[0])} to {formatNumber(range[1])}
        </figcaption>
      </figure>
    </div>
  );
}

let plotly: Promise<string> | null = null;

/// The plotly of the server's Python, fetched when the first figure is shown.
function loadPlotly(): Promise<string> {
  plotly ??= request(apiUrl("plotly.js")).then((answer) => answer.text());
  plotly.catch(() => (plotly = null));
  return plotly;
}

interface PlotlyFigure {
  readonly data: Json;
  readonly layout?: { readonly [key: string]: Json };
}

/// What is different in the dark: no ground, and text and lines that are seen on ours.
function darkened(layout: { readonly [key: string]: Json }): { readonly [key: string]: Json } {
  const style = getComputedStyle(document.documentElement);
  const line = style.getPropertyValue("--line").trim();
  const axes = new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d+$/.test(key))]);
  const lined = [...axes].map(
    (key) =>
      [
        key,
        { ...(layout[key] as { readonly [key: string]: Json } | undefined), gridcolor: line, zerolinecolor: line },
      ] as const,
  );
  return {
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: style.getPropertyValue("--ink-2").trim() },
    ...Object.fromEntries(lined),
  };
}

/// An interactive figure, in a frame of its own: plotly evaluates code, which our pages must not.
export function Figure({ item }: { item: Item }): JSX.Element {
  const { ref, isSeen } = useOnScreen();
  const isDark = useComputed(() => theme.value === "dark");
  const [isLoaded, setLoaded] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    const window = frame.current?.contentWindow;
    if (!isLoaded || !window || item.blob === undefined) return undefined;
    let isGone = false;
    const hear = ({ source, data }: MessageEvent<{ readonly error: string | null }>): void => {
      if (source === window) setFault(data.error);
    };
    addEventListener("message", hear);
    const draw = async (blob: string): Promise<void> => {
      const [script, figure] = await Promise.all([loadPlotly(), getJson<PlotlyFigure>(blobUrl(blob))]);
      if (isGone) return;
      const layout = {
        ...figure.layout,
        ...(isDark.value ? darkened(figure.layout ?? {}) : {}),
        paper_bgcolor: "rgba(0,0,0,0)",
        autosize: true,
        width: undefined,
        height: undefined,
      };
      window.postMessage({ script, data: figure.data, layout, scheme: isDark.value ? "dark" : "light" }, "*");
    };
    draw(item.blob).catch(report);
    return () => {
      isGone = true;
      removeEventListener("message", hear);
    };
  }, [item.blob, isLoaded, isDark.value]);
  if (!server.value?.plotly)
    return (
      <div class="figure" ref={ref}>
        <p class="muted">
          Figures are drawn by plotly: <code>pip install plotly</code> where <code>aim up</code> runs.
        </p>
      </div>
    );
  return (
    <div class="figure" ref={ref}>
      {isSeen.value && (
        <iframe
          ref={frame}
          class="canvas"
          title={item.caption || `Figure at step ${item.step}`}
          src={`${BASE}figure`}
          sandbox="allow-scripts allow-downloads"
          onLoad={() => setLoaded(true)}
        />
      )}
      {fault !== null && (
        <p class="fault" role="alert">
          This figure can't be drawn. {fault}
        </p>
      )}
    </div>
  );
}
