/// Pictures and files of a chart.

import { FONT } from "../chart/canvas";
import { paintPlot, layoutPlot, type Plot } from "../chart/plot";
import { plotToSvg } from "../chart/svg";
import type { Scope } from "../model/scope";
import { saveFile } from "../widget/text";
import { exactText } from "../wire/json";
import type { RunsRequest, SeriesRequest } from "../wire/types";
import { chartTheme } from "./chartview";

const PNG_SCALE = 2;
const HEAD_PX = 24;

/// What a file of that title is called, without its ending.
export function fileName(title: string): string {
  return title.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^-|-$/g, "") || "chart";
}

/// Saves the chart as it is, at twice the size, with its title.
export function exportPng(plot: Plot, title: string): void {
  const theme = chartTheme();
  const canvas = document.createElement("canvas");
  canvas.width = plot.width * PNG_SCALE;
  canvas.height = (plot.height + HEAD_PX) * PNG_SCALE;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(PNG_SCALE, 0, 0, PNG_SCALE, 0, HEAD_PX * PNG_SCALE);
  paintPlot(context, layoutPlot(plot.data, plot.options, plot.width, plot.height), theme, PNG_SCALE);
  context.fillStyle = theme.ground;
  context.fillRect(0, -HEAD_PX, plot.width, HEAD_PX);
  context.fillStyle = theme.ink;
  context.textAlign = "left";
  context.font = `600 12.5px ${FONT}`;
  context.fillText(title, plot.x.from, -8);
  canvas.toBlob((blob) => blob && saveFile(`${fileName(title)}.png`, blob), "image/png");
}

/// Saves the chart as SVG.
export function exportSvg(plot: Plot, title: string): void {
  saveFile(`${fileName(title)}.svg`, plotToSvg(plot, chartTheme(), title), "image/svg+xml");
}

/// The forms that data can be had in, by the end of a file's name and for people.
export const DATA_FORMATS = [
  ["csv", "CSV"],
  ["parquet", "Parquet"],
  ["json", "JSON"],
] as const;

/// The forms that hold runs with their curves, objects and pages.
export const WHOLE_FORMATS = [
  ["html", "One HTML page"],
  ["zip", "ZIP of everything"],
] as const;

export type WholeFormat = (typeof WHOLE_FORMATS)[number][0];
export type DataFormat = (typeof DATA_FORMATS)[number][0];

/// Where what a request asks for can be fetched as a file, unsampled.
export function exportUrl(
  { question }: Pick<Scope, "question">,
  subject: "runs" | "series",
  format: DataFormat | WholeFormat,
  request: SeriesRequest | RunsRequest,
): string {
  return question(`export/${subject}.${format}?request=${encodeURIComponent(exactText(request))}`);
}
