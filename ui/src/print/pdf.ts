/// A figure as PDF: jsPDF and svg2pdf.js, loaded when the first one is saved. Text stays text, in fonts that every
/// reader of PDF has, and lines stay lines.

import { jsPDF } from "jspdf";
import { svg2pdf } from "svg2pdf.js";
import { lackingLetters } from "../chart/print";

/// The PDF of an SVG with a size in millimetres. Throws an error with a sentence where its fonts lack a letter.
export async function pdfOf(svg: string, width_mm: number, height_mm: number, title: string): Promise<Blob> {
  const figure = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  const texts = [...figure.querySelectorAll("text")].map(({ textContent }) => textContent);
  const lacking = lackingLetters(texts);
  if (lacking.length > 0)
    throw new Error(`The fonts of PDF have no ${lacking.slice(0, 5).join(" ")}. Save the figure as SVG instead.`);
  const format = [width_mm, height_mm];
  const file = new jsPDF({ unit: "mm", format, orientation: width_mm >= height_mm ? "landscape" : "portrait" });
  file.setProperties({ title, creator: "Aim" });
  // Styles are read from elements of the document, out of sight.
  const host = document.createElement("div");
  host.style.cssText = "position:absolute;width:0;height:0;overflow:hidden";
  host.append(figure);
  document.body.append(host);
  try {
    await svg2pdf(figure, file, { x: 0, y: 0, width: width_mm, height: height_mm });
  } finally {
    host.remove();
  }
  return file.output("blob");
}
