/// Values of several runs beside each other: a row a value, a column a run.

import type { JSX } from "preact";
import { cellKey, cellLabel, type Cell } from "../model/cell";
import { asTree, bestOf, diffTrees, metricRows, without, type DiffRow, type MetricRow } from "../model/compare";
import { betterDirection, contextLabel, isMetricKind, isSystemMetric, sequenceText } from "../model/fields";
import { deltaText, formatCell } from "../model/format";
import type { RunAnswer } from "../wire/types";
import { Patch } from "../widget/patch";
import { leafText, type TreeValue } from "../widget/tree";

/// The runs of a comparison; null for one that is not there, or not yet.
export type ComparedRuns = readonly (RunAnswer | null)[];

interface TablesProps {
  readonly runs: ComparedRuns;
  /// Which run the others are compared to.
  readonly base: number;
  /// Whether rows that are the same in all runs are left out.
  readonly isShort: boolean;
}

/// What the runs were given and what they reached.
export function ResultTables({ runs, base, isShort }: TablesProps): JSX.Element {
  return (
    <>
      <DiffSection
        title="Params"
        rows={diffTrees(runs.map((run) => run?.params ?? null))}
        isShort={isShort}
        base={base}
      />
      <Results runs={runs} base={base} />
    </>
  );
}

/// Where the runs ran: their code, their packages, their environment, their command.
export function EnvironmentTables({ runs, base, isShort }: TablesProps): JSX.Element {
  const commands = runs.map((run) => {
    const writer = run?.writers[0];
    return writer?.command ? { command: writer.command.join(" "), python: writer.python, host: writer.host } : null;
  });
  const section = (title: string, trees: Parameters<typeof diffTrees>[0]): JSX.Element => (
    <DiffSection title={title} rows={diffTrees(trees)} isShort={isShort} base={base} />
  );
  return (
    <>
      {section(
        "Git",
        runs.map((run) => without(asTree(run?.system?.git_info), "diff")),
      )}
      <Source runs={runs} isShort={isShort} />
      {section(
        "Packages",
        runs.map((run) => asTree(run?.system?.packages)),
      )}
      {section(
        "Environment",
        runs.map((run) => asTree(run?.system?.env_variables)),
      )}
      {section("Command", commands)}
    </>
  );
}

/// What was changed in the sources and not committed, of each run.
function Source({ runs, isShort }: { runs: readonly (RunAnswer | null)[]; isShort: boolean }): JSX.Element | null {
  const texts = runs.map((run) => String(asTree(run?.system?.git_info)?.diff ?? ""));
  if (texts.every((text) => text === "") || (isShort && texts.every((text) => text === texts[0]))) return null;
  return (
    <section aria-label="Uncommitted changes">
      <div class="section">
        <b>Uncommitted changes</b> <span class="muted">against each run's own commit</span>
      </div>
      <div class="diff">
        <div class="diff-row top">
          <div class="side-name" />
          {texts.map((text, i) => (
            <div key={i} class="side">
              {text === "" ? <span class="muted">none</span> : <Patch text={text} label="Uncommitted changes" />}
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

function DiffSection({
  title,
  rows,
  isShort,
  base,
}: {
  title: string;
  rows: readonly DiffRow[];
  isShort: boolean;
  base: number;
}): JSX.Element | null {
  const visible = isShort ? rows.filter((row) => !row.isSame) : rows;
  if (rows.length === 0) return null;
  return (
    <section aria-label={title}>
      <div class="section">
        <b>{title}</b>{" "}
        <span class="muted">
          {rows.length - rows.filter((row) => row.isSame).length} of {rows.length} differ
        </span>
      </div>
      {visible.length > 0 && (
        <div class="diff">
          {visible.map((row) => (
            <div key={row.name} class="diff-row">
              <div class="side-name" title={row.name}>
                {row.name}
              </div>
              {row.values.map((value, i) => {
                const isChanged = !row.isSame && JSON.stringify(value) !== JSON.stringify(row.values[base]);
                const text = value === undefined ? "–" : leafText(value as TreeValue);
                return (
                  <div key={i} class="side" title={text}>
                    <span class={isChanged ? "changed" : value === undefined ? "muted" : ""}>{text}</span>
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

function Results({ runs, base }: { runs: ComparedRuns; base: number }): JSX.Element | null {
  const rows = metricRows(runs, ({ name, kind }) => isMetricKind(kind) && !isSystemMetric(name));
  if (rows.length === 0) return null;
  return (
    <section aria-label="Results">
      <div class="section">
        <b>Results</b> <span class="muted">last value, difference to the baseline</span>
      </div>
      <div class="diff">
        {rows.map((row) => (
          <ResultRow key={sequenceText(row.key)} row={row} base={base} />
        ))}
      </div>
    </section>
  );
}

function ResultRow({ row: { key, last, min, max }, base }: { row: MetricRow; base: number }): JSX.Element {
  const best = bestOf(last, betterDirection(key.name));
  const deltaOf = (value: Cell, i: number): string | null => (i === base ? null : deltaText(value, last[base]));
  const fullText = (value: Cell): string => (typeof value === "number" ? String(value) : cellLabel(value));
  return (
    <div class="diff-row">
      <div class="side-name">
        {key.name} <span class="muted">{contextLabel(key.context)}</span>
      </div>
      {last.map((value, i) => (
        <div
          key={i}
          class="side"
          title={value === null ? "" : `last ${fullText(value)}, min ${fullText(min[i])}, max ${fullText(max[i])}`}
        >
          <span class={best !== null && cellKey(value) === cellKey(best) ? "best" : ""}>
            {value === null ? "–" : formatCell(value)}
          </span>
          {deltaOf(value, i) !== null && <em class="delta">{deltaOf(value, i)}</em>}
        </div>
      ))}
    </div>
  );
}
