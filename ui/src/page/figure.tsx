/// A figure of plotly.

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { blobUrl, type Item } from "../model/objects";
import { apiUrl, BASE, getJson, request } from "../wire/request";
import type { Json } from "../wire/types";
import { useApp } from "./app";
import { useOnScreen } from "./hooks";

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
  const { session, scope } = useApp();
  const { ref, isSeen } = useOnScreen();
  const isDark = useComputed(() => session.theme.value === "dark");
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
      const [script, figure] = await Promise.all([loadPlotly(), getJson<PlotlyFigure>(blobUrl(scope, blob))]);
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
    draw(item.blob).catch(session.report);
    return () => {
      isGone = true;
      removeEventListener("message", hear);
    };
  }, [item.blob, isLoaded, isDark.value]);
  if (!session.server.value?.plotly)
    return (
      <div class="figure" ref={ref}>
        {session.server.value?.archive ? (
          <p class="muted">Figures are drawn by plotly, which is not in this file: `aim up` shows them.</p>
        ) : (
          <p class="muted">
            Figures are drawn by plotly: <code>pip install plotly</code> where <code>aim up</code> runs.
          </p>
        )}
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
