/// Figures as PDF, which a cell of a notebook leaves out.

export { pdfOf } from "../archive/pdf";
