/// What the palette offers: actions, runs and metrics whose names have the words that were typed.

import { goTo } from "./address";
import { metricLabel, metricsOf, sequenceText } from "./fields";
import type { Command } from "./keys";
import { cellOf, type RunTable } from "./table";
import type { FieldsAnswer } from "../wire/types";

/// One thing that can be done.
export interface PaletteChoice {
  readonly value: string;
  readonly label: string;
  readonly detail: string;
  readonly section: "Actions" | "Runs" | "Metrics";
  readonly run: () => void;
}

/// The commands of the page.
export function actionChoices(commands: readonly Command[]): readonly PaletteChoice[] {
  return commands.map(({ label, keys, run }) => {
    return { value: `command ${label}`, label, detail: keys, section: "Actions", run };
  });
}

/// The runs of a table, each opens its page.
export function runChoices(table: RunTable | null): readonly PaletteChoice[] {
  if (!table) return [];
  return table.hashes.map((hash) => {
    const name = cellOf(table, "run.name", hash);
    const experiment = cellOf(table, "run.experiment", hash) ?? "";
    return {
      value: hash,
      label: typeof name === "string" && name !== "" ? name : hash,
      detail: `${String(experiment)} ${hash.slice(0, 8)}`,
      section: "Runs",
      run: () => goTo("run", hash),
    };
  });
}

/// The metrics, each opens its chart.
export function metricChoices(fields: FieldsAnswer | null): readonly PaletteChoice[] {
  return (fields ? metricsOf(fields) : []).map((metric) => {
    const text = sequenceText(metric);
    const open = (): void => goTo("metrics", "", { full: text });
    return {
      value: `metric ${text}`,
      label: metricLabel(metric),
      detail: "open the chart",
      section: "Metrics",
      run: open,
    };
  });
}
