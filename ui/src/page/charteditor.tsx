/// The form by which a chart is made or changed.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { parseExpression } from "../model/expression";
import { fieldText, metricsOf, settingParams } from "../model/fields";
import { CHART_KINDS, EMPTY_CHART, ofKind, type ChartKind, type MadeChart } from "../model/madecharts";
import { chosenMetrics, metricIndexes, namesOf } from "../model/metricnames";
import { targetOf } from "../model/scene";
import { plural } from "../model/words";
import { Dialog } from "../widget/dialog";
import { Picker, Popover, type Choice } from "../widget/popover";
import type { SequenceKey } from "../wire/types";
import { useApp } from "./app";
import { groupChoices } from "./grouppill";

const KIND_NAMES: Readonly<Record<ChartKind, string>> = {
  line: "lines",
  scatter: "scatter",
  bar: "bars",
  box: "boxes",
  violin: "violins",
  heat: "heat map",
};
const ALIGNMENT =
  "The curves of a run are aligned at the points of the first one. " +
  "Between two points of another one, its value is on the line that joins them.";
const SUMMARIES = ["last", "min", "max", "mean"] as const;

type TextKey = { [K in keyof MadeChart]: MadeChart[K] extends string ? K : never }[keyof MadeChart];

interface RowProps {
  readonly chart: MadeChart;
  readonly set: (changes: Partial<MadeChart>) => void;
}

function Text({
  chart,
  set,
  name,
  label,
  hint,
}: RowProps & { name: TextKey; label: string; hint: string }): JSX.Element {
  return (
    <label class="choice">
      <span>{label}</span>
      <input
        class="field"
        type="text"
        spellcheck={false}
        placeholder={hint}
        value={String(chart[name])}
        onInput={(event) => set({ [name]: event.currentTarget.value })}
      />
    </label>
  );
}

/// Adds metrics of a list to a text.
function MetricPicker({
  metrics,
  text,
  onPick,
}: {
  metrics: readonly SequenceKey[];
  text: string;
  onPick: (text: string) => void;
}): JSX.Element {
  const chosen = chosenMetrics(text, metrics).metrics.map((metric) => namesOf(metric)[0]);
  return (
    <Popover button="+ metric" label="Choose metrics" buttonClass="pill add">
      {() => (
        <Picker
          isMany
          choices={metrics.map((metric) => ({ value: namesOf(metric)[0], label: namesOf(metric)[0] }))}
          chosen={new Set(chosen)}
          placeholder="Metric…"
          onPick={(name) =>
            onPick(
              chosen.includes(name)
                ? chosen.filter((each) => each !== name).join(", ")
                : [text, name].filter(Boolean).join(", "),
            )
          }
        />
      )}
    </Popover>
  );
}

function LineRows(props: RowProps & { metrics: readonly SequenceKey[] }): JSX.Element {
  const { chart, set, metrics } = props;
  const count = chosenMetrics(`${chart.metrics},${chart.right}`, metrics).metrics.length;
  return (
    <>
      <div class="beside">
        <Text
          {...props}
          name="metrics"
          label="Metrics, by name or /pattern/"
          hint="val/loss, train/loss or /grad_norm.*/"
        />
        <MetricPicker metrics={metrics} text={chart.metrics} onPick={(text) => set({ metrics: text })} />
      </div>
      <div class="beside">
        <Text {...props} name="right" label="Metrics of a second y axis" hint="lr" />
        <MetricPicker metrics={metrics} text={chart.right} onPick={(text) => set({ right: text })} />
      </div>
      <Text {...props} name="formula" label="Or an expression over curves" hint="val/loss - train/loss" />
      <p class="muted">{chart.formula === "" ? plural(count, "metric") : ALIGNMENT}</p>
      <Text
        {...props}
        name="smooth"
        label="Smoothing of this chart only"
        hint="0.6, time-ema:0.9, mean:21 or gaussian:3"
      />
    </>
  );
}

/// A field of runs as a row of the form.
function FieldRow({
  label,
  value,
  choices,
  isOptional = false,
  onPick,
}: {
  label: string;
  value: string;
  choices: readonly Choice[];
  isOptional?: boolean;
  onPick: (value: string) => void;
}): JSX.Element {
  const chosen = choices.find((choice) => choice.value === value);
  return (
    <div class="line">
      {label}
      <Popover
        button={<b>{chosen?.label ?? (value || (isOptional ? "as the charts are coloured" : "choose…"))}</b>}
        label={label}
        align="right"
      >
        {(close) => (
          <Picker
            choices={isOptional ? [{ value: "", label: "as the charts are coloured" }, ...choices] : choices}
            chosen={new Set([value])}
            placeholder={`${label}…`}
            onPick={(next) => {
              onPick(next);
              close();
            }}
          />
        )}
      </Popover>
    </div>
  );
}

function RunRows({ chart, set, metrics }: RowProps & { metrics: readonly SequenceKey[] }): JSX.Element {
  const { scope } = useApp();
  const params = groupChoices(scope);
  const results = metrics.flatMap(({ name, context }) =>
    SUMMARIES.map((summary): Choice => {
      const value = fieldText(["metric", name, context, summary]);
      return { value, label: `${namesOf({ name, context })[0]} ${summary}`, section: "Metrics" };
    }),
  );
  const both = [...results, ...params];
  if (chart.kind === "heat")
    return (
      <>
        <FieldRow label="Columns" value={chart.x} choices={params} onPick={(x) => set({ x })} />
        <FieldRow label="Rows" value={chart.y} choices={params} onPick={(y) => set({ y })} />
        <FieldRow
          label="Colour: the mean of"
          value={chart.value}
          choices={results}
          onPick={(value) => set({ value })}
        />
      </>
    );
  if (chart.kind === "scatter")
    return (
      <>
        <FieldRow label="x axis" value={chart.x} choices={both} onPick={(x) => set({ x })} />
        <FieldRow label="y axis" value={chart.y} choices={both} onPick={(y) => set({ y })} />
      </>
    );
  return (
    <>
      <FieldRow label="Value" value={chart.y} choices={both} onPick={(y) => set({ y })} />
      <FieldRow label="Groups" value={chart.x} choices={params} isOptional onPick={(x) => set({ x })} />
    </>
  );
}

/// Why a chart can't be shown yet; empty: it can.
function problemOf(chart: MadeChart, metrics: readonly SequenceKey[]): string {
  if (chart.kind !== "line") {
    const needed =
      chart.kind === "heat"
        ? [chart.x, chart.y, chart.value]
        : chart.kind === "scatter"
          ? [chart.x, chart.y]
          : [chart.y];
    return needed.some((field) => field === "") ? "Choose what the axes show." : "";
  }
  if (chart.formula !== "") {
    try {
      parseExpression(chart.formula, metricIndexes(metrics));
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  const { metrics: chosen, missing } = chosenMetrics(`${chart.metrics},${chart.right}`, metrics);
  if (missing.length > 0) return `No metric is called ${missing.join(", ")}.`;
  return chosen.length === 0 ? "Choose a metric, or write an expression." : "";
}

/// Limits and scales of the axes.
function AxisRows(props: RowProps): JSX.Element | null {
  const { chart, set } = props;
  const isOfNumbers = chart.kind === "line" || chart.kind === "scatter";
  if (chart.kind === "heat") return null;
  const check = (key: "xLog" | "yLog", label: string): JSX.Element => (
    <label>
      <input type="checkbox" checked={chart[key]} onChange={(event) => set({ [key]: event.currentTarget.checked })} />
      <span>{label}</span>
    </label>
  );
  return (
    <>
      <div class="beside">
        {isOfNumbers && <Text {...props} name="xLimits" label="Limits of x" hint="from, to" />}
        <Text {...props} name="yLimits" label="Limits of y" hint="from, to" />
      </div>
      <div class="line">
        {isOfNumbers && check("xLog", "log x")}
        {check("yLog", "log y")}
      </div>
    </>
  );
}

/// The form, over the page. `chart`: what it begins with; null: a new chart.
export function ChartEditor({
  chart,
  onSave,
  onClose,
}: {
  chart: MadeChart | null;
  onSave: (chart: MadeChart) => void;
  onClose: () => void;
}): JSX.Element {
  const { scope } = useApp();
  const draft = useSignal(chart ?? EMPTY_CHART);
  const metrics = useComputed(() => (scope.fields.value ? metricsOf(scope.fields.value) : []));
  const set = (changes: Partial<MadeChart>): void => {
    draft.value = { ...draft.peek(), ...changes };
  };
  const choose = (kind: ChartKind): void => {
    const fields = scope.fields.peek();
    const params = fields ? settingParams(fields).map(({ path }) => fieldText(["param", ...path])) : [];
    const target = targetOf("", fields);
    draft.value = ofKind(draft.peek(), kind, params, target ? fieldText(target.field) : "");
  };
  const rows = { chart: draft.value, set, metrics: metrics.value };
  const problem = problemOf(draft.value, metrics.value);
  const { kind } = draft.value;
  return (
    <Dialog title={chart ? "Edit a chart" : "Make a chart"} onClose={onClose}>
      <form
        class="chart-editor"
        onSubmit={(event) => {
          event.preventDefault();
          if (problem === "") onSave(draft.peek());
        }}
      >
        <span class="segments" role="group" aria-label="Kind of chart">
          {CHART_KINDS.map((each) => (
            <button
              key={each}
              type="button"
              class={each === kind ? "on" : ""}
              aria-pressed={each === kind}
              onClick={() => choose(each)}
            >
              {KIND_NAMES[each]}
            </button>
          ))}
        </span>
        {kind === "line" ? <LineRows {...rows} /> : <RunRows {...rows} />}
        <Text {...rows} name="title" label="Title" hint="what it shows" />
        <AxisRows {...rows} />
        <div class="line">
          <span class="muted" role="status">
            {problem}
          </span>
          <button type="submit" class="pill strong" disabled={problem !== ""}>
            {chart ? "Change" : "Add the chart"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
