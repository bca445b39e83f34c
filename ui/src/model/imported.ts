/// The report of an import as lines for people.

import { plural } from "./words";
import type { Imported, ImportReport } from "../wire/imports";

const TITLES: { readonly [format: string]: string } = {
  aim3: "Aim 3",
  tensorboard: "TensorBoard",
  wandb: "Weights & Biases",
  mlflow: "MLflow",
};

/// What is counted, and what follows the word.
const COUNTS: readonly (readonly [keyof ImportReport, string, string])[] = [
  ["points", "point", ""],
  ["merged", "point", " of a step that was logged again, in the history"],
  ["system_points", "point", " of system metrics"],
  ["objects", "object", ""],
  ["params", "param", ""],
  ["log_lines", "line", " of the terminal"],
  ["files", "file", ""],
];

/// The other tracker, with its version where it is known.
export function importTitle(imported: Imported): string {
  const title = TITLES[imported.from ?? ""] ?? imported.from ?? "another tracker";
  return imported.tool_version ? `${title} (${imported.tool_version})` : title;
}

/// One line for each count and each reason, losses last.
export function importLines(report: ImportReport): string[] {
  const counts = COUNTS.flatMap(([key, word, rest]) => {
    const count = report[key];
    return typeof count === "number" && count > 0 ? [plural(count, word) + rest] : [];
  });
  const reasons = [
    ...Object.entries(report.renumbered ?? {}).map(([reason, count]) => `renumbered: ${count} ${reason}`),
    ...Object.entries(report.left_out ?? {}).map(([reason, count]) => `left out: ${count} ${reason}`),
    ...Object.entries(report.refused ?? {}).map(([reason, count]) => `lost: ${count} ${reason}`),
  ];
  const damage = (report.damage ?? []).map(
    ({ path, offset, reason }) =>
      `damaged: ${path}${offset === null ? "" : ` at byte ${offset.toLocaleString("en")}`}: ${reason}`,
  );
  return [...counts, ...reasons, ...damage];
}
