/// A laid-out plot as SVG: real paths, text as text. For up to a few hundred lines.

import { FONT } from "./canvas";
import { hasYName, xLabels, yOf, type Plot, type ChartTheme } from "./plot";
import { visibleRange, type Band, type Line } from "./line";
import { placedNotes } from "./notes";
import { project } from "./scale";
import { tickLabel } from "./ticks";

/// How a plot looks in print: what differs from the screen.
export interface PrintLook {
  readonly font: string;
  /// How wide lines are, in pixels of the plot; strong ones are wider.
  readonly line_px: number;
  /// The size of the file with its unit, such as `84mm`.
  readonly width: string;
  readonly height: string;
}

/// Text made safe inside SVG.
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

/// The room for the title.
export const HEAD_PX = 24;
const STRONG = 1.6; // times as wide

function element(name: string, attributes: Readonly<Record<string, string | number>>, content = ""): string {
  const text = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`);
  return `<${name}${text.join("")}>${content}</${name}>`;
}

/// The ground, the title, the grid lines and the labels of both axes.
function axesToSvg(plot: Plot, theme: ChartTheme, title: string, bold_weight: number | string): readonly string[] {
  const { x, y, width, height } = plot;
  const fill = theme.ink;
  const ground = element("rect", { y: -HEAD_PX, width, height: height + HEAD_PX, fill: theme.ground });
  const head = { x: x.from, y: -8, fill, "font-size": 12.5, "font-weight": bold_weight };
  const rows = plot.yTicks.flatMap((tick) => {
    const py = y.px(tick).toFixed(1);
    const label = tickLabel("number", tick, y.hi - y.lo);
    return [
      element("path", { d: `M${x.from} ${py}H${x.to}`, stroke: theme.grid }),
      element("text", { x: x.from - 7, y: py, dy: 3.5, "text-anchor": "end", fill }, label),
    ];
  });
  const { right } = plot;
  for (const tick of right ? plot.rightTicks : [])
    rows.push(
      element("text", { x: x.to + 7, y: right?.px(tick).toFixed(1) ?? 0, dy: 3.5, fill }, tickLabel("number", tick, 1)),
    );
  const { ticks, name } = xLabels(plot);
  const columns = ticks.map(({ px, label }) =>
    element("text", { x: px.toFixed(1), y: height - 7, "text-anchor": "middle", fill }, escapeXml(label)),
  );
  const bold = { "font-weight": bold_weight, fill };
  if (name !== "")
    columns.push(element("text", { x: width - 4, y: height - 7, "text-anchor": "end", ...bold }, escapeXml(name)));
  if (hasYName(plot.options, height)) {
    const middle = (y.from + y.to) / 2;
    const turned = { transform: `translate(11 ${middle}) rotate(-90)`, "text-anchor": "middle", ...bold };
    columns.push(element("text", turned, escapeXml(plot.options.yName ?? "")));
  }
  return [ground, element("text", head, escapeXml(title)), ...rows, ...columns];
}

function bandToSvg(band: Band, { x, y }: Plot): string {
  const xs = project(x.kind, band.x);
  const side = (values: Band["low"]): string[] => {
    const ys = project(y.kind, values);
    const points = Array.from(xs, (value, i): string | null =>
      Number.isFinite(ys[i]) ? `${(x.k * value + x.b).toFixed(1)} ${(y.k * ys[i] + y.b).toFixed(1)}` : null,
    );
    return points.filter((point) => point !== null);
  };
  const points = [...side(band.high), ...side(band.low).reverse()];
  if (points.length <= 2) return "";
  return element("path", { d: `M${points.join("L")}Z`, fill: band.color, "fill-opacity": 0.17 });
}

/// A line as a path that NaN breaks, and a dot for each point without neighbours.
function lineToSvg(line: Line, { x, y }: Plot, print: PrintLook | undefined): readonly string[] {
  const xs = project(x.kind, line.x);
  const ys = project(y.kind, line.y);
  const [begin, end] = visibleRange(line, x.lo, x.hi);
  let path = "";
  let pen = "M";
  const dots: string[] = [];
  for (let i = begin; i < end; i++) {
    if (!Number.isFinite(ys[i])) {
      pen = "M";
      continue;
    }
    const [px, py] = [(x.k * xs[i] + x.b).toFixed(1), (y.k * ys[i] + y.b).toFixed(1)];
    const isAlone = !Number.isFinite(ys[i - 1]) && !Number.isFinite(ys[i + 1]);
    if (isAlone) dots.push(element("circle", { cx: px, cy: py, r: 2.2, fill: line.color }));
    path += `${pen}${px} ${py}`;
    pen = "L";
  }
  const look = {
    d: path,
    stroke: line.color,
    "stroke-width": print ? print.line_px * (line.strong ? STRONG : 1) : line.strong ? 2 : 1.25,
    "stroke-opacity": line.faint ? 0.3 : 1,
    ...(line.dash.length > 0 ? { "stroke-dasharray": line.dash.join(" ") } : {}),
  };
  return [element("path", look, element("title", {}, escapeXml(line.label))), ...dots];
}

/// The plot as one SVG file, with the title above it; `print`: for a page of paper.
export function plotToSvg(plot: Plot, theme: ChartTheme, title: string, print?: PrintLook): string {
  const { x, y, width, height, data } = plot;
  const inside = element("rect", { x: x.from, y: y.to, width: x.to - x.from, height: y.from - y.to });
  const marks = [
    ...data.bands.map((band) => bandToSvg(band, plot)),
    ...data.lines.flatMap((line) => lineToSvg(line, { ...plot, y: yOf(plot, line) }, print)),
  ];
  const file = {
    xmlns: "http://www.w3.org/2000/svg",
    width: print?.width ?? width,
    height: print?.height ?? height + HEAD_PX,
    viewBox: `0 ${-HEAD_PX} ${width} ${height + HEAD_PX}`,
    "font-family": print?.font ?? FONT,
    "font-size": 10.5,
  };
  const content = [
    ...axesToSvg(plot, theme, title, print ? "bold" : 600),
    element("clipPath", { id: "plot" }, inside),
    element("g", { "clip-path": "url(#plot)", fill: "none" }, marks.filter(Boolean).join("\n")),
    ...placedNotes(plot).flatMap(({ px, py, text, isLeft }) => [
      element("path", { d: `M${px.toFixed(1)} ${y.to}V${y.from}`, stroke: theme.ink, "stroke-dasharray": "3 3" }),
      element(
        "text",
        {
          x: (isLeft ? px - 4 : px + 4).toFixed(1),
          y: py + 3,
          "text-anchor": isLeft ? "end" : "start",
          fill: theme.ink,
        },
        escapeXml(text),
      ),
    ]),
    ...plot.labels.map(({ text, px, py, color }) =>
      element(
        "text",
        { x: px, y: py.toFixed(1), dy: 3.5, fill: color, "font-weight": print ? "normal" : 550 },
        escapeXml(text),
      ),
    ),
  ];
  return element("svg", file, content.join("\n"));
}
