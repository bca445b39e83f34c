/// Files of charts over runs: their picture is SVG on the page already, with colours from its styles, which a file has
/// not; so they are written into the picture.

import { FONT } from "../chart/canvas";
import { PALETTE } from "../chart/palette";
import { FONTS, PAPER, POINTS_A_MM, type PrintSettings } from "../chart/print";
import { escapeXml, HEAD_PX } from "../chart/svg";

/// What the styles of the page give to a picture.
interface PictureLook {
  readonly font: string;
  readonly text_px: number;
  readonly line_px: number;
  readonly ground: string;
  readonly ink: string;
  readonly labelInk: string;
  readonly grid: string;
}

function screenLook(): PictureLook {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  const [ground, ink, labelInk, grid] = ["--panel", "--ink", "--ink-3", "--line-2"].map(read);
  return { font: FONT, text_px: 10.5, line_px: 1.5, ground, ink, labelInk, grid };
}

/// A copy with the look written into it, and room for a title above it, which may be empty.
function dressed(picture: Element, look: PictureLook, title: string): SVGElement {
  const copy = picture.cloneNode(true) as SVGElement;
  const { font, text_px, line_px, ground, ink, labelInk, grid } = look;
  const set = (selector: string, attributes: Readonly<Record<string, string | number>>): void => {
    for (const part of copy.querySelectorAll(selector))
      for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, String(value));
  };
  const [, , width, height] = (copy.getAttribute("viewBox") ?? "0 0 0 0").split(" ").map(Number);
  const head_px = title === "" ? 0 : HEAD_PX;
  copy.setAttribute("viewBox", `0 ${-head_px} ${width} ${height + head_px}`);
  set("text", { fill: labelInk, "font-family": font, "font-size": text_px });
  set(".axis-name", { "font-weight": "bold" });
  set(".grid-line", { stroke: grid, "stroke-width": line_px / 1.5 });
  set(".whisker", { stroke: ink, "stroke-width": line_px, fill: "none" });
  set(".median", { stroke: ink, fill: ground });
  set(".dot", { "fill-opacity": 0.85 });
  set(".on-light", { fill: "#111111" });
  set(".on-dark", { fill: "#ffffff" });
  set("[fill='transparent']", { fill: "none" });
  const place = `x="${width / 2}" y="-8" text-anchor="middle" font-weight="bold"`;
  const letters = `fill="${ink}" font-family="${font}" font-size="${text_px * 1.2}"`;
  const head = title === "" ? "" : `<text ${place} ${letters}>${escapeXml(title)}</text>`;
  const paper = `<rect y="${-head_px}" width="${width}" height="${height + head_px}" fill="${ground}"/>`;
  copy.insertAdjacentHTML("afterbegin", paper + head);
  for (const name of ["class", "role", "aria-label"]) copy.removeAttribute(name);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return copy;
}

/// The picture as it is on the screen.
export function pictureSvg(picture: Element): string {
  return new XMLSerializer().serializeToString(dressed(picture, screenLook(), ""));
}

/// The picture as a figure of that size, with that font, on white. It keeps its proportions; what is left of the size
/// stays empty.
export function printedPicture(picture: Element, title: string, settings: PrintSettings): string {
  const { width_mm, height_mm, font, text_pt, line_pt } = settings;
  const [, , width, height] = (picture.getAttribute("viewBox") ?? "0 0 1 1").split(" ").map(Number);
  const points_a_px = Math.min(width_mm / width, height_mm / (height + HEAD_PX)) * POINTS_A_MM;
  const { ground, ink, grid } = PAPER;
  const look = { font: FONTS[font], text_px: text_pt / points_a_px, line_px: line_pt / points_a_px };
  const copy = dressed(picture, { ...look, ground, ink, labelInk: ink, grid }, title);
  copy.setAttribute("width", `${width_mm}mm`);
  copy.setAttribute("height", `${height_mm}mm`);
  const text = new XMLSerializer().serializeToString(copy);
  return PALETTE.dark.reduce((svg, dark, i) => svg.replaceAll(`"${dark}"`, `"${PALETTE.light[i]}"`), text);
}
