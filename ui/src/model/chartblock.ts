/// Blocks of reports that draw a chart.

import { parseAddress } from "./address";

/// What a `chart` block asks for: a metric's name, and which runs.
export interface ChartBlock {
  readonly metric: string;
  readonly query: string;
  readonly title: string;
}

/// Parses the text of a block.
export function parseChartBlock(text: string): ChartBlock {
  const settings = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) settings.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const page = settings.get("page");
  const query = settings.get("query") ?? (page ? (parseAddress(page).params.get("q") ?? "") : "");
  return { metric: settings.get("metric") ?? "", query, title: settings.get("title") ?? "" };
}
