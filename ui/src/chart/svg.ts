/// A laid-out plot as SVG: real paths, text as text. For up to a few hundred lines.

import type { Plot, ChartTheme } from "./plot";
import { visibleRange } from "./line";
import { project } from "./scale";
import { tickLabel } from "./ticks";

/// Text made safe inside SVG.
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

/// The plot as one SVG file, with the title above it.
export function plotToSvg(plot: Plot, theme: ChartTheme, title: string): string {
  const { x, y, width, height } = plot;
  const out: string[] = [];
  const head = 24;
  out.push(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + head}" viewBox="0 ${-head} ${width} ${height + head}" font-family="Inter, system-ui, sans-serif" font-size="10.5">`,
  );
  out.push(`<rect y="${-head}" width="${width}" height="${height + head}" fill="${theme.ground}"/>`);
  out.push(
    `<text x="${x.from}" y="${-8}" fill="${theme.ink}" font-size="12.5" font-weight="600">${escapeXml(title)}</text>`,
  );
  for (const tick of plot.yTicks) {
    const py = y.px(tick).toFixed(1);
    out.push(`<path d="M${x.from} ${py}H${x.to}" stroke="${theme.grid}"/>`);
    out.push(
      `<text x="${x.from - 7}" y="${py}" dy="3.5" text-anchor="end" fill="${theme.ink}">${tickLabel("number", tick, y.hi - y.lo)}</text>`,
    );
  }
  for (const tick of plot.xTicks) {
    const label = escapeXml(tickLabel(plot.options.xUnit, tick, x.hi - x.lo));
    out.push(
      `<text x="${x.px(tick).toFixed(1)}" y="${height - 7}" text-anchor="middle" fill="${theme.ink}">${label}</text>`,
    );
  }
  out.push(
    `<clipPath id="plot"><rect x="${x.from}" y="${y.to}" width="${x.to - x.from}" height="${y.from - y.to}"/></clipPath><g clip-path="url(#plot)" fill="none">`,
  );
  for (const band of plot.data.bands) {
    const xs = project(x.kind, band.x);
    const side = (values: typeof band.low): string[] => {
      const ys = project(y.kind, values);
      return Array.from(xs, (v, i) =>
        Number.isFinite(ys[i]) ? `${(x.k * v + x.b).toFixed(1)} ${(y.k * ys[i] + y.b).toFixed(1)}` : "",
      );
    };
    const points = [...side(band.high), ...side(band.low).reverse()].filter((point) => point !== "");
    if (points.length > 2) out.push(`<path d="M${points.join("L")}Z" fill="${band.color}" fill-opacity="0.17"/>`);
  }
  for (const line of plot.data.lines) {
    const xs = project(x.kind, line.x);
    const ys = project(y.kind, line.y);
    const [begin, end] = visibleRange(line, x.lo, x.hi);
    let path = "";
    let pen = "M";
    const dots: string[] = [];
    for (let i = begin; i < end; i++) {
      const py = y.k * ys[i] + y.b;
      if (Number.isFinite(py)) {
        const isLone = !Number.isFinite(ys[i - 1]) && !Number.isFinite(ys[i + 1]);
        if (isLone)
          dots.push(
            `<circle cx="${(x.k * xs[i] + x.b).toFixed(1)}" cy="${py.toFixed(1)}" r="2.2" fill="${line.color}"/>`,
          );
        path += `${pen}${(x.k * xs[i] + x.b).toFixed(1)} ${py.toFixed(1)}`;
        pen = "L";
      } else pen = "M";
    }
    const dash = line.dash.length > 0 ? ` stroke-dasharray="${line.dash.join(" ")}"` : "";
    out.push(
      `<path d="${path}" stroke="${line.color}" stroke-width="${line.strong ? 2 : 1.25}" stroke-opacity="${line.faint ? 0.3 : 1}"${dash}><title>${escapeXml(line.label)}</title></path>`,
      ...dots,
    );
  }
  out.push("</g></svg>");
  return out.join("\n");
}
