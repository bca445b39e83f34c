/// The report of an import as lines for people.

import type { Imported, ImportReport } from "../wire/types";

const TITLES: { readonly [format: string]: string } = {
  aim3: "Aim 3",
  tensorboard: "TensorBoard",
  wandb: "Weights & Biases",
  mlflow: "MLflow",
};

const COUNTS: readonly (readonly [keyof ImportReport, string])[] = [
  ["points", "points"],
  ["merged", "points of a step that was logged again, in the history"],
  ["system_points", "points of system metrics"],
  ["objects", "images and other objects"],
  ["params", "params"],
  ["log_lines", "lines of the terminal"],
  ["files", "files"],
];

/// The other tracker, with its version where it is known.
export function importTitle(imported: Imported): string {
  const title = TITLES[imported.from ?? ""] ?? imported.from ?? "another tracker";
  return imported.tool_version ? `${title} (${imported.tool_version})` : title;
}

/// One line for each count and each reason, losses last.
export function importLines(report: ImportReport): string[] {
  const counts = COUNTS.flatMap(([key, words]) => {
    const count = report[key];
    return typeof count === "number" && count > 0 ? [`${count.toLocaleString("en")} ${words}`] : [];
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
