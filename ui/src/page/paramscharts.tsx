/// The charts of the page of params: parallel coordinates, and a scatter of two of them.

import { effect, useComputed, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ParallelChart, type ParallelData } from "../chart/parallel";
import { ScatterChart, type ScatterData } from "../chart/scatter";
import { change, goTo } from "../model/address";
import { axisOf, trendOf, type Axis } from "../model/axes";
import { currentBrushes, setBrush } from "../model/brushes";
import { columnsText } from "../model/columns";
import { fieldText } from "../model/fields";
import type { Scene } from "../model/scene";
import type { Field } from "../wire/types";
import { Picker, Popover, type Choice } from "../widget/popover";
import { useApp } from "./app";
import { chartTheme } from "./chartview";
import { scatterField, type Study } from "./paramstudy";

/// Parallel coordinates.
export function Parallel({ study, scene }: { study: ReadonlySignal<Study>; scene: Scene }): JSX.Element {
  const { session, marks } = useApp();
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!host.current) return undefined;
    const hashAt = (row: number | null): string | null =>
      row === null ? null : (scene.table.peek().hashes[row] ?? null);
    const chart = new ParallelChart(host.current, {
      hover: (row) => {
        const hash = hashAt(row);
        marks.hot.value = hash ? { owner: hash, x: null } : null;
      },
      brush: setBrush,
      move: (key, index) => {
        const { fields } = study.peek();
        const moved = fields.find((field) => fieldText(field) === key);
        const others = fields.filter((field) => field !== moved);
        if (moved) change({ axes: columnsText([...others.slice(0, index), moved, ...others.slice(index)]) }, true);
      },
      click: (row) => {
        const hash = hashAt(row);
        if (hash) goTo("run", hash);
      },
    });
    const stops = [
      effect(() => {
        const { axes, colors, rows } = study.value;
        const data: ParallelData = {
          axes,
          colors,
          rows,
          count: scene.table.value.hashes.length,
          brushes: currentBrushes(),
        };
        void session.theme.value;
        chart.show(data, chartTheme(), getComputedStyle(document.documentElement).getPropertyValue("--ink-2").trim());
      }),
      effect(() => chart.light(marks.hot.value ? (scene.table.value.rowOf.get(marks.hot.value.owner) ?? null) : null)),
    ];
    return () => {
      stops.forEach((stop) => stop());
      chart.destroy();
    };
  }, []);
  return (
    <div
      class="panel parallel"
      ref={host}
      role="img"
      aria-label="Parallel coordinates of the runs; the table below has the same values"
    />
  );
}

/// Two axes of the study: those that were chosen, else the number that says most and the target.
function useScatterAxes(
  study: ReadonlySignal<Study>,
  scene: Scene,
): ReadonlySignal<{ readonly x: Axis | undefined; readonly y: Axis | undefined }> {
  const { scope } = useApp();
  const axisFor = (field: Field | null): Axis | undefined => {
    const column = field && scene.table.value.columns.get(fieldText(field));
    return field && column ? axisOf(column, scope.columns.value.label(field)) : undefined;
  };
  return useComputed(() => {
    const { axes } = study.value;
    // The number with the most different values says most.
    const numbers = axes
      .slice(0, -1)
      .filter((axis) => axis.kind !== "category")
      .sort((a, b) => b.ticks.length - a.ticks.length);
    return {
      x: axisFor(scatterField("x")) ?? numbers[0] ?? axes[0],
      y: axisFor(scatterField("y")) ?? axes.at(-1),
    };
  });
}

interface AxisPickerProps {
  readonly name: "x" | "y";
  readonly axis: Axis | undefined;
  readonly choices: readonly Choice[];
}

function AxisPicker({ name, axis, choices }: AxisPickerProps): JSX.Element {
  const button = (
    <>
      {name} <b>{axis?.label ?? "?"}</b>
    </>
  );
  return (
    <Popover button={button} label={`The ${name} axis`}>
      {(close) => (
        <Picker
          choices={choices}
          chosen={new Set(axis ? [axis.key] : [])}
          placeholder="Axis…"
          onPick={(value) => {
            change({ [`s${name}`]: value }, true);
            close();
          }}
        />
      )}
    </Popover>
  );
}

interface ScatterProps {
  readonly study: ReadonlySignal<Study>;
  readonly scene: Scene;
  readonly choices: readonly Choice[];
}

/// The scatter.
export function Scatter({ study, scene, choices }: ScatterProps): JSX.Element {
  const { marks, session } = useApp();
  const host = useRef<HTMLDivElement>(null);
  const pair = useScatterAxes(study, scene);
  useEffect(() => {
    if (!host.current) return undefined;
    const hashAt = (row: number): string => scene.table.peek().hashes[row] ?? "";
    const chart = new ScatterChart(host.current, {
      hover: (row) => (marks.hot.value = row === null ? null : { owner: hashAt(row), x: null }),
      click: (row) => goTo("run", hashAt(row)),
      box: (xRange, yRange) => {
        const { x, y } = pair.peek();
        if (x) setBrush(x.key, xRange);
        if (y) setBrush(y.key, yRange);
      },
    });
    const stops = [
      effect(() => {
        const { x, y } = pair.value;
        void session.theme.value;
        if (!x || !y) return;
        const { rows, colors } = study.value;
        const brushed = (axis: Axis): Float64Array => Float64Array.from(rows, (row) => axis.positions[row]);
        const trend = x.kind === "category" || y.kind === "category" ? null : trendOf(brushed(x), brushed(y));
        const data: ScatterData = { x, y, colors, rows, count: scene.table.value.hashes.length, trend };
        chart.show(data, chartTheme());
      }),
      effect(() => chart.light(scene.table.value.rowOf.get(marks.hot.value?.owner ?? "") ?? null)),
    ];
    return () => {
      stops.forEach((stop) => stop());
      chart.destroy();
    };
  }, []);
  const { x, y } = pair.value;
  return (
    <section class="panel">
      <h2>
        Scatter <AxisPicker name="x" axis={x} choices={choices} /> <AxisPicker name="y" axis={y} choices={choices} />
      </h2>
      <div class="scatter" ref={host} role="img" aria-label={`${y?.label ?? ""} over ${x?.label ?? ""}`} />
    </section>
  );
}
