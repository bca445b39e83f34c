/// The pills above the charts: how runs are grouped and averaged, and what the axes are.

import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { change } from "../model/address";
import type { CardSettings } from "../model/cardsettings";
import { fieldText, metricLabel, metricsOf } from "../model/fields";
import { formatSmoothing, kindOf, smoothingLabel, SMOOTHINGS } from "../model/smoothing";
import { plural } from "../model/words";
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
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";
import { Segments } from "../widget/segments";
import { useApp } from "./app";
import { FieldPill } from "./grouppill";
import { useWidth } from "./hooks";
import { IgnoredParams } from "./ignoredparams";

const ONE_ROW_PX = 980; // what all pills take in one row, with one or two of them set
const SMALL_PX = 560;

const AVERAGES: readonly (readonly [mode: string, label: string, explanation: string])[] = [
  ["", "each run", "Every run has a curve of its own."],
  ["group", "average over groups", "One curve for the runs of equal colour, dash and facet."],
  ["seed", "average over seeds", "One curve for the runs whose params are equal, but for those that do not count."],
];

const LINES = ["mean", "median", "min", "max"].map((name) => [name, name] as const);

const BANDS: readonly (readonly [string, string])[] = [
  ["std", "std"],
  ["stderr", "s.e."],
  ["ci95", "95 %"],
  ["minmax", "range"],
  ["iqr", "quartiles"],
  ["none", "none"],
];

function AggregatePill({ settings }: { settings: CardSettings }): JSX.Element {
  const mode = aggregateBy.value;
  const ignoredCount = mode === "seed" ? (settings.ignored.value?.length ?? null) : null;
  const [, label, explanation] = AVERAGES.find(([name]) => name === mode) ?? AVERAGES[0];
  return (
    <Popover
      button={
        <>
          aggregate <b>{mode === "" ? "off" : `${aggregateValue.value} · ${label}`}</b>
          {ignoredCount !== null && <span class="muted"> · {plural(ignoredCount, "param")} ignored</span>}
        </>
      }
      label="Draw several runs as one line with a band"
      buttonClass={mode === "" ? "pill long" : "pill long on"}
    >
      {() => (
        <div class="form">
          <h4>Curves</h4>
          <Segments
            label="Curves"
            current={mode}
            options={AVERAGES.map(([name, text]) => [name, text])}
            onPick={(value) => change({ agg: value })}
          />
          <p class="muted">{explanation}</p>
          {mode === "seed" && <IgnoredParams ignored={settings.ignored} />}
          <h4>Line</h4>
          <Segments
            label="Line"
            current={aggregateValue.value}
            options={LINES}
            onPick={(value) => change({ value: value === "mean" ? null : value, agg: mode || "group" })}
          />
          <h4>Band</h4>
          <Segments
            label="Band"
            current={aggregateBand.value}
            options={BANDS}
            onPick={(value) => change({ band: value === "std" ? null : value, agg: mode || "group" })}
          />
        </div>
      )}
    </Popover>
  );
}

function XPill(): JSX.Element {
  const { scope } = useApp();
  const metrics = scope.fields.value ? metricsOf(scope.fields.value) : [];
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
  const { label, explanation, most, step } = kindOf(value);
  const set = (amount: number): void => change({ smooth: formatSmoothing({ kind: value.kind, amount }) }, true);
  const pick = (kind: string): void => {
    const next = SMOOTHINGS.find((each) => each.kind === kind) ?? SMOOTHINGS[0];
    change({ smooth: formatSmoothing({ kind: next.kind, amount: next.first }) }, true);
  };
  return (
    <Popover
      button={
        <>
          smooth <b>{smoothingLabel(value)}</b>
        </>
      }
      label="Smooth the curves (s)"
      buttonClass={value.amount === 0 ? "pill smooth-pill" : "pill smooth-pill on"}
      align="right"
    >
      {() => (
        <div class="form">
          <Segments
            label="Kind of smoothing"
            options={SMOOTHINGS.map((each) => [each.kind, each.label] as const)}
            current={value.kind}
            onPick={pick}
          />
          <label>
            <span class="line">
              {explanation}
              <input
                class="field number"
                type="number"
                aria-label={`${label}: ${explanation}`}
                min="0"
                step="any"
                value={value.amount}
                onChange={(event) => set(Number(event.currentTarget.value))}
              />
            </span>
            <input
              type="range"
              aria-label={explanation}
              min="0"
              max={most}
              step={step}
              value={value.amount}
              onInput={(event) => set(Number(event.currentTarget.value))}
            />
          </label>
          <p class="muted">It is computed from all points. The raw curve is drawn behind the smooth one.</p>
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
      buttonClass="pill long"
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
          <p class="muted">A few values far from all others do not stretch the axis. No point is dropped.</p>
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

/// A few pills under a caption.
function Part({ caption, children }: { caption: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="part" role="group" aria-label={caption}>
      <span class="caption" aria-hidden="true">
        {caption}
      </span>
      {children}
    </div>
  );
}

/// How runs are grouped and averaged.
function GroupPills({ settings }: { settings: CardSettings }): JSX.Element {
  return (
    <>
      <FieldPill name="color" word="colour" current={colorField.value} hint="Colour runs by" />
      <FieldPill name="dash" word="dash" current={dashField.value} hint="Dash lines by" />
      <FieldPill name="facet" word="facet" current={facetField.value} hint="Split cards by" />
      <AggregatePill settings={settings} />
    </>
  );
}

/// What the axes are, and what is seen of them.
function AxisPills(): JSX.Element {
  return (
    <>
      <XPill />
      <SmoothPill />
      <YPill />
      {xWindow.value && (
        <button type="button" class="pill on" title="Show everything (0)" onClick={() => zoom(null)}>
          zoomed <Icon name="close" size={12} />
        </button>
      )}
    </>
  );
}

/// The bar of a telephone: a row of buttons, each of which opens its pills in a row of their own.
function SmallToolbar({ settings, children }: { settings: CardSettings; children: ComponentChildren }): JSX.Element {
  const open = useSignal<string | null>(null);
  const parts: Readonly<Record<string, () => ComponentChildren>> = {
    Group: () => <GroupPills settings={settings} />,
    Axes: () => <AxisPills />,
    More: () => children,
  };
  return (
    <>
      <div class="part">
        {Object.keys(parts).map((caption) => (
          <button
            key={caption}
            type="button"
            class={open.value === caption ? "pill on" : "pill"}
            aria-expanded={open.value === caption}
            onClick={() => (open.value = open.value === caption ? null : caption)}
          >
            {caption} <Icon name={open.value === caption ? "up" : "down"} size={11} />
          </button>
        ))}
      </div>
      {open.value !== null && (
        <div class="part opened" role="group" aria-label={open.value}>
          {parts[open.value]()}
        </div>
      )}
    </>
  );
}

/// The whole bar; `children` come last. `settings`: those of the cards; without them nothing can be grouped, for pages
/// about few runs. Its pills never wrap, whatever they say: long ones are cut. A narrow bar has a row for each caption.
export function ChartToolbar({
  children,
  settings,
}: {
  children?: ComponentChildren;
  settings?: CardSettings;
}): JSX.Element {
  const { ref, width_px } = useWidth();
  if (!settings)
    return (
      <div class="toolbar" role="toolbar" aria-label="How curves are drawn">
        <span class="spacer" />
        <AxisPills />
        {children}
      </div>
    );
  const isSmall = width_px.value > 0 && width_px.value < SMALL_PX;
  const rows = isSmall ? "small" : width_px.value < ONE_ROW_PX ? "rows" : "";
  return (
    <div ref={ref} class={`toolbar charts ${rows}`} role="toolbar" aria-label="How curves are drawn">
      {isSmall ? (
        <SmallToolbar settings={settings}>{children}</SmallToolbar>
      ) : (
        <>
          <Part caption="Group">
            <GroupPills settings={settings} />
          </Part>
          <Part caption="Axes">
            <AxisPills />
          </Part>
          {children && <span class="tail">{children}</span>}
        </>
      )}
    </div>
  );
}
