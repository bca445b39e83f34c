/// Figures as PDF, which pages that are one script leave out: what writes them would be a third of the file.

/// Throws an error with a sentence.
export function pdfOf(): Promise<Blob> {
  return Promise.reject(new Error("PDF is written by the pages of `aim up`. Save the figure as SVG here."));
}
