/// The pills above the charts: how runs are grouped and put together, and what the axes are.

import type { ComponentChildren, JSX } from "preact";
import { change } from "../model/address";
import { fieldLabel, fieldText, metricLabel, metricsOf, parseField, varyingParams } from "../model/fields";
import { fields } from "../model/scope";
import {
  aggregateBand,
  aggregateBy,
  aggregateValue,
  colorField,
  dashField,
  facetField,
  isClipped,
  smoothing,
  split,
  xLabel,
  xSetting,
  xWindow,
  yKind,
  zoom,
} from "../model/workspace";
import type { Field } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";

const RUN_FIELDS: readonly Field[] = [
  ["run", "experiment"],
  ["run", "status"],
  ["run", "tags"],
  ["run", "name"],
];

/// What runs can be grouped by: params that differ first, then properties, then those that do not differ.
export function groupChoices(): readonly Choice[] {
  const known = fields.value;
  if (!known) return [];
  const varying = varyingParams(known);
  const choice = (field: Field, section: string, detail: string): Choice => ({
    value: fieldText(field),
    label: field[0] === "run" ? fieldLabel(field).toLowerCase() : fieldText(field),
    section,
    detail,
  });
  return [
    ...varying.map((param) => choice(["param", ...param.path], "Params that differ", `${param.distinct} values`)),
    ...RUN_FIELDS.map((field) => choice(field, "Run", "")),
    ...known.params
      .filter((param) => param.distinct <= 1 && param.path.length > 0)
      .map((param) => choice(["param", ...param.path], "Same in all runs", "")),
  ];
}

/// A pill for one way of grouping: a field is chosen, shown, and taken away.
export function FieldPill({
  name,
  word,
  current,
  hint,
}: {
  name: string;
  word: string;
  current: string;
  hint: string;
}): JSX.Element {
  const field = parseField(current);
  const picker = (
    <Popover
      button={
        field ? (
          <>
            {word} <b>{fieldLabel(field).toLowerCase() === "state" ? "state" : fieldLabel(field)}</b>
          </>
        ) : (
          <>+ {word}</>
        )
      }
      label={hint}
      buttonClass={field ? "pill" : "pill add"}
    >
      {(close) => (
        <Picker
          choices={groupChoices()}
          chosen={new Set(current ? [current] : [])}
          placeholder={`${hint}…`}
          onPick={(value) => {
            change({ [name]: value === current ? null : value });
            close();
          }}
        />
      )}
    </Popover>
  );
  if (!field) return picker;
  return (
    <span class="pair">
      {picker}
      <button
        type="button"
        class="pill"
        aria-label={`Stop ${hint.toLowerCase()}`}
        title="Remove"
        onClick={() => change({ [name]: null })}
      >
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}

function Segments({
  label,
  options,
  current,
  onPick,
}: {
  label: string;
  options: readonly (readonly [string, string])[];
  current: string;
  onPick: (value: string) => void;
}): JSX.Element {
  return (
    <span class="segments" role="group" aria-label={label}>
      {options.map(([value, text]) => (
        <button
          key={value}
          type="button"
          class={value === current ? "on" : ""}
          aria-pressed={value === current}
          onClick={() => onPick(value)}
        >
          {text}
        </button>
      ))}
    </span>
  );
}

const AGGREGATE_WORDS: Readonly<Record<string, string>> = { "": "off", group: "by group", seed: "all but seed" };

function AggregatePill(): JSX.Element {
  const mode = aggregateBy.value;
  const detail = mode === "" ? "off" : `${aggregateValue.value} · ${AGGREGATE_WORDS[mode] ?? mode}`;
  return (
    <Popover
      button={
        <>
          aggregate <b>{detail}</b>
        </>
      }
      label="Put runs together into one line with a band"
      buttonClass={mode === "" ? "pill" : "pill on"}
    >
      {() => (
        <div class="form">
          <h4>One line for</h4>
          <Segments
            label="One line for"
            current={mode}
            options={[
              ["", "each run"],
              ["group", "each group"],
              ["seed", "all but seed"],
            ]}
            onPick={(value) => change({ agg: value })}
          />
          <p class="muted">
            {mode === "seed"
              ? "Runs whose params are equal, except for the seed."
              : mode === "group"
                ? "Runs of equal colour, dash and facet."
                : "No aggregation."}
          </p>
          <h4>Line</h4>
          <Segments
            label="Line"
            current={aggregateValue.value}
            options={[
              ["mean", "mean"],
              ["median", "median"],
              ["min", "min"],
              ["max", "max"],
            ]}
            onPick={(value) => change({ value: value === "mean" ? null : value, agg: mode || "group" })}
          />
          <h4>Band</h4>
          <Segments
            label="Band"
            current={aggregateBand.value}
            options={[
              ["std", "std"],
              ["stderr", "s.e."],
              ["ci95", "95 %"],
              ["minmax", "range"],
              ["iqr", "quartiles"],
              ["none", "none"],
            ]}
            onPick={(value) => change({ band: value === "std" ? null : value, agg: mode || "group" })}
          />
        </div>
      )}
    </Popover>
  );
}

function XPill(): JSX.Element {
  const metrics = fields.value ? metricsOf(fields.value) : [];
  const choices: Choice[] = [
    { value: "step", label: "step", section: "Time" },
    { value: "epoch", label: "epoch", section: "Time" },
    { value: "relative", label: "time since the start", section: "Time" },
    { value: "time", label: "time of day", section: "Time" },
    ...metrics.map(({ name, context }) => ({
      value: fieldText(["metric", name, context, "last"]),
      label: metricLabel({ name, context }),
      section: "Another metric",
    })),
  ];
  return (
    <Popover
      button={
        <>
          x <b>{xLabel.value}</b>
        </>
      }
      label="What the x axis is"
      align="right"
    >
      {(close) => (
        <Picker
          choices={choices}
          chosen={new Set([xSetting.value])}
          placeholder="x axis…"
          onPick={(value) => {
            change({ x: value === "step" ? null : value, win: null });
            close();
          }}
        />
      )}
    </Popover>
  );
}

function SmoothPill(): JSX.Element {
  const value = smoothing.value;
  return (
    <Popover
      button={
        <>
          smooth <b>{value === 0 ? "0" : String(value)}</b>
        </>
      }
      label="Smooth the curves (s)"
      buttonClass={value === 0 ? "pill smooth-pill" : "pill smooth-pill on"}
      align="right"
    >
      {() => (
        <div class="form">
          <label>
            <span class="line">
              Exponential mean over all points <b>{value}</b>
            </span>
            <input
              type="range"
              min="0"
              max="0.99"
              step="0.01"
              value={value}
              onInput={(event) =>
                change({ smooth: Number(event.currentTarget.value) === 0 ? null : event.currentTarget.value }, true)
              }
            />
          </label>
          <p class="muted">The raw curve stays behind the smooth one.</p>
        </div>
      )}
    </Popover>
  );
}

function YPill(): JSX.Element {
  return (
    <Popover
      button={
        <>
          y{" "}
          <b>
            {yKind.value}
            {isClipped.value ? " · ignore outliers" : ""}
          </b>
        </>
      }
      label="The y axis (l: logarithmic)"
      align="right"
    >
      {() => (
        <div class="form">
          <Segments
            label="Scale of y"
            current={yKind.value}
            options={[
              ["linear", "linear"],
              ["log", "log"],
              ["symlog", "symlog"],
            ]}
            onPick={(value) => change({ y: value === "linear" ? null : value })}
          />
          <label class="line">
            Ignore outliers
            <input
              type="checkbox"
              checked={isClipped.value}
              onChange={(event) => change({ outliers: event.currentTarget.checked ? null : "show" })}
            />
          </label>
          <p class="muted">Only where a few values would squeeze all others. No point is dropped.</p>
          <label class="line">
            Contexts share a card
            <input
              type="checkbox"
              checked={split.value === "name"}
              onChange={(event) => change({ cards: event.currentTarget.checked ? "name" : null })}
            />
          </label>
        </div>
      )}
    </Popover>
  );
}

/// The whole bar; `children` come last. `isPlain`: without grouping, for pages about few runs.
export function ChartToolbar({
  children,
  isPlain = false,
}: {
  children?: ComponentChildren;
  isPlain?: boolean;
}): JSX.Element {
  if (isPlain)
    return (
      <div class="toolbar" role="toolbar" aria-label="How curves are drawn">
        <span class="spacer" />
        <XPill />
        <SmoothPill />
        <YPill />
        {children}
      </div>
    );
  return (
    <div class="toolbar" role="toolbar" aria-label="How curves are drawn">
      <FieldPill name="color" word="colour" current={colorField.value} hint="Colour runs by" />
      <FieldPill name="dash" word="dash" current={dashField.value} hint="Dash lines by" />
      <FieldPill name="facet" word="facet" current={facetField.value} hint="Split cards by" />
      <AggregatePill />
      <span class="spacer" />
      {xWindow.value && (
        <button type="button" class="pill on" title="Show everything (0)" onClick={() => zoom(null)}>
          zoomed <Icon name="close" size={12} />
        </button>
      )}
      <XPill />
      <SmoothPill />
      <YPill />
      {children && <span class="tail">{children}</span>}
    </div>
  );
}
