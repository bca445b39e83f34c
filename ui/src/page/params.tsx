/// Which params lead where: parallel coordinates with brushes, a scatter with a trend, and what matters most.

import { effect, useComputed, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { rampColor } from "../chart/palette";
import { ParallelChart, type ParallelData } from "../chart/parallel";
import { ScatterChart, type ScatterData } from "../chart/scatter";
import { change, goTo, setting } from "../model/address";
import { axisOf, brushedRows, trendOf, type Axis } from "../model/axes";
import { allColumns, columnsText, joinTexts, parseColumns, splitTexts } from "../model/columns";
import { fieldLabel, fieldText, isSeed, parseField, varyingParams } from "../model/fields";
import { formatCell } from "../model/format";
import { importances } from "../model/importance";
import { hot, select } from "../model/marks";
import { makeScene, runName, target, type Scene } from "../model/scene";
import { fields } from "../model/scope";
import { theme } from "../model/session";
import { cellOf, type Column } from "../model/table";
import { colorField } from "../model/workspace";
import { plural } from "../model/words";
import type { Field } from "../wire/types";
import { Grid, type GridColumn } from "../widget/grid";
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";
import { Notice } from "../widget/state";
import { Swatch } from "../widget/text";
import { chartTheme } from "./chartview";
import { useStore, useTitle } from "./hooks";
import { PageLink } from "./link";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { FieldPill } from "./toolbar";
import { SelectionBar } from "./selectionbar";
import { ViewButtons } from "./viewbuttons";

const DEFAULT_AXES = 7;
const LEGEND_MOST = 9;
const axesSetting = setting("axes");
const xSetting = setting("sx");
const ySetting = setting("sy");
const brushSetting = setting("brush");

/// The axes: the address's, else the params that differ and the target.
function axisFields(): readonly Field[] {
  const chosen = parseColumns(axesSetting.value);
  if (chosen.length > 0) return chosen;
  const known = fields.value;
  if (!known) return [];
  const params = varyingParams(known)
    .filter(({ path, type }) => !isSeed(path) && type !== "json")
    .slice(0, DEFAULT_AXES)
    .map((param): Field => ["param", ...param.path]);
  return [...params, ...(target.value ? [target.value.field] : [])];
}

function parseBrushes(text: string): ReadonlyMap<string, readonly [number, number]> {
  const found = new Map<string, readonly [number, number]>();
  for (const part of splitTexts(text)) {
    const [, key, low, high] = /^(.*)~([\d.]+)~([\d.]+)$/.exec(part) ?? [];
    if (key !== undefined) found.set(key, [Number(low), Number(high)]);
  }
  return found;
}

function setBrush(key: string, range: readonly [number, number] | null): void {
  const next = new Map(parseBrushes(brushSetting.peek()));
  if (range) next.set(key, range);
  else next.delete(key);
  change(
    { brush: joinTexts([...next].map(([name, [low, high]]) => `${name}~${low.toFixed(3)}~${high.toFixed(3)}`)) },
    true,
  );
}

interface Study {
  readonly axes: readonly Axis[];
  readonly rows: readonly number[];
  readonly colors: readonly string[];
}

export function ParamsPage(): JSX.Element {
  useTitle("Params");
  const wanted = useComputed<readonly Field[]>(() => [
    ...axisFields(),
    ...[xSetting.value, ySetting.value].map(parseField).filter((field) => field !== null),
  ]);
  const scene = useStore(() => makeScene(wanted));
  const study = useComputed<Study>(() => {
    const table = scene.table.value;
    const axes = axisFields().flatMap((field) => {
      const column = table.columns.get(fieldText(field));
      return column ? [axisOf(column, fieldLabel(field))] : [];
    });
    const rank = axes[axes.length - 1];
    const colors = table.hashes.map((hash, row) =>
      colorField.value !== "" || !rank
        ? scene.colors.value.colorOf(hash)
        : Number.isNaN(rank.places[row])
          ? "#888888"
          : rampColor(rank.places[row], theme.value),
    );
    return { axes, colors, rows: brushedRows(axes, parseBrushes(brushSetting.value), table.hashes.length) };
  });
  const state = useHasRuns(scene);
  if (state !== "runs") return <ScopeNotice state={state} scene={scene} />;
  const known = fields.value;
  if (known && study.value.axes.length < 2 && !scene.isLoading.value) {
    return (
      <main class="main">
        <Notice icon="sliders" title="Nothing differs between these runs">
          <p>
            Runs with different params, set by <code>run["hparams"] = …</code>, are compared here.
          </p>
        </Notice>
      </main>
    );
  }
  const keys = new Set(study.value.axes.map(({ key }) => key));
  const choices = known
    ? allColumns(known)
        .filter((field) => field[0] !== "run" || field[1] === "duration")
        .map((field): Choice => ({
          value: fieldText(field),
          label: fieldLabel(field),
          section: field[0] === "param" ? "Params" : field[0] === "run" ? "Run" : "Metrics",
        }))
    : [];
  const toggle = (value: string): void => {
    const field = parseField(value);
    const list = axisFields();
    if (field)
      change(
        { axes: columnsText(keys.has(value) ? list.filter((other) => fieldText(other) !== value) : [...list, field]) },
        true,
      );
  };
  const chosenRuns = study.value.rows.map((row) => scene.table.value.hashes[row]);
  const isBrushed = brushSetting.value !== "";
  return (
    <main class="main params-page">
      <div class="toolbar">
        <Popover
          button={
            <>
              <Icon name="columns" size={14} />
              axes <b>{study.value.axes.length}</b>
            </>
          }
          label="Choose the axes"
        >
          {() => <Picker choices={choices} chosen={keys} onPick={toggle} isMany placeholder="Axes…" />}
        </Popover>
        <FieldPill name="color" word="colour" current={colorField.value} hint="Colour runs by" />
        {isBrushed && (
          <button type="button" class="pill on" onClick={() => change({ brush: null }, true)}>
            {plural(chosenRuns.length, "run")} in the brushes <Icon name="close" size={12} />
          </button>
        )}
        {isBrushed && (
          <button type="button" class="pill" onClick={() => select(chosenRuns)}>
            <Icon name="check" size={14} />
            Select them
          </button>
        )}
        <span class="muted">drag along an axis to brush · drag a name to move it</span>
        {colorField.value !== "" && (
          <span class="legend" aria-label="Colours">
            {scene.colors.value.groups.slice(0, LEGEND_MOST).map((group) => (
              <span key={group.label}>
                <Swatch color={group.color} />
                {group.label}
              </span>
            ))}
          </span>
        )}
        <span class="spacer" />
        <ViewButtons />
      </div>
      <Parallel study={study} scene={scene} />
      <div class="params-lower">
        <Scatter study={study} scene={scene} choices={choices} />
        <Importances study={study} scene={scene} />
      </div>
      <RunsInBrushes study={study} scene={scene} />
      <SelectionBar scene={scene} />
    </main>
  );
}

function Parallel({ study, scene }: { study: ReadonlySignal<Study>; scene: Scene }): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!host.current) return undefined;
    const hashAt = (row: number | null): string | null =>
      row === null ? null : (scene.table.peek().hashes[row] ?? null);
    const chart = new ParallelChart(host.current, {
      hover: (row) => {
        const hash = hashAt(row);
        hot.value = hash ? { owner: hash, x: null } : null;
      },
      brush: setBrush,
      move: (key, index) => {
        const list = axisFields().filter((field) => fieldText(field) !== key);
        const moved = axisFields().find((field) => fieldText(field) === key);
        if (moved) change({ axes: columnsText([...list.slice(0, index), moved, ...list.slice(index)]) }, true);
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
          brushes: parseBrushes(brushSetting.value),
        };
        void theme.value;
        chart.show(data, chartTheme(), getComputedStyle(document.documentElement).getPropertyValue("--ink-2").trim());
      }),
      effect(() => chart.light(hot.value ? (scene.table.value.rowOf.get(hot.value.owner) ?? null) : null)),
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

function axisFor(scene: Scene, text: string, fallback: Axis | undefined): Axis | undefined {
  const field = parseField(text);
  const column: Column | undefined = field ? scene.table.value.columns.get(fieldText(field)) : undefined;
  return field && column ? axisOf(column, fieldLabel(field)) : fallback;
}

function Scatter({
  study,
  scene,
  choices,
}: {
  study: ReadonlySignal<Study>;
  scene: Scene;
  choices: readonly Choice[];
}): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const pair = useComputed(() => {
    const { axes } = study.value;
    // The number with the most different values says most.
    const numbers = axes
      .slice(0, -1)
      .filter((axis) => axis.kind !== "category")
      .sort((a, b) => b.ticks.length - a.ticks.length);
    const numeric = numbers[0] ?? axes[0];
    return { x: axisFor(scene, xSetting.value, numeric), y: axisFor(scene, ySetting.value, axes[axes.length - 1]) };
  });
  useEffect(() => {
    if (!host.current) return undefined;
    const hashAt = (row: number): string | null => scene.table.peek().hashes[row] ?? null;
    const chart = new ScatterChart(host.current, {
      hover: (row) => (hot.value = row === null ? null : { owner: hashAt(row) ?? "", x: null }),
      click: (row) => goTo("run", hashAt(row) ?? ""),
      box: (x, y) => {
        const { x: xAxis, y: yAxis } = pair.peek();
        if (xAxis) setBrush(xAxis.key, x);
        if (yAxis) setBrush(yAxis.key, y);
      },
    });
    const stops = [
      effect(() => {
        const { x, y } = pair.value;
        void theme.value;
        if (!x || !y) return;
        const { rows, colors } = study.value;
        const at = (axis: Axis): Float64Array => Float64Array.from(rows, (row) => axis.places[row]);
        const trend = x.kind === "category" || y.kind === "category" ? null : trendOf(at(x), at(y));
        const data: ScatterData = { x, y, colors, rows, count: scene.table.value.hashes.length, trend };
        chart.show(data, chartTheme());
      }),
      effect(() => chart.light(hot.value ? (scene.table.value.rowOf.get(hot.value.owner) ?? null) : null)),
    ];
    return () => {
      stops.forEach((stop) => stop());
      chart.destroy();
    };
  }, []);
  const picker = (name: string, axis: Axis | undefined): JSX.Element => (
    <Popover
      button={
        <>
          {name === "sx" ? "x" : "y"} <b>{axis?.label ?? "?"}</b>
        </>
      }
      label={`The ${name === "sx" ? "x" : "y"} axis`}
    >
      {(close) => (
        <Picker
          choices={choices}
          chosen={new Set(axis ? [axis.key] : [])}
          placeholder="Axis…"
          onPick={(value) => {
            change({ [name]: value }, true);
            close();
          }}
        />
      )}
    </Popover>
  );
  return (
    <section class="panel">
      <h2>
        Scatter {picker("sx", pair.value.x)} {picker("sy", pair.value.y)}
      </h2>
      <div
        class="scatter"
        ref={host}
        role="img"
        aria-label={`${pair.value.y?.label ?? ""} over ${pair.value.x?.label ?? ""}`}
      />
    </section>
  );
}

function Importances({ study, scene }: { study: ReadonlySignal<Study>; scene: Scene }): JSX.Element {
  const rank = useComputed(() => {
    const goal = target.value;
    if (!goal) return [];
    const table = scene.table.value;
    const columns = study.value.axes.flatMap((axis) => {
      const column = table.columns.get(axis.key);
      return column && column.field[0] === "param" ? [{ key: axis.label, cells: column.cells }] : [];
    });
    return importances(columns, table.columns.get(fieldText(goal.field))?.cells ?? []);
  });
  const most = Math.max(...rank.value.map(({ importance }) => importance), 1e-9);
  return (
    <section class="panel">
      <h2>
        Importance <span class="muted">for {target.value ? fieldLabel(target.value.field) : "nothing yet"}</span>
      </h2>
      {rank.value.length === 0 && <p class="muted">At least six finished runs with different params are needed.</p>}
      <div class="importances" role="table" aria-label="Importance of params">
        {rank.value.map(({ key, importance, correlation }) => (
          <div key={key} role="row">
            <span role="cell" class="name" title={key}>
              {key}
            </span>
            <span role="cell" class="track">
              <i style={{ width: `${(importance / most) * 100}%` }} />
            </span>
            <span role="cell" class="value">
              {(importance * 100).toFixed(0)} %
            </span>
            <span
              role="cell"
              class={correlation === null ? "muted" : correlation < 0 ? "down" : "up"}
              title="Spearman's rank correlation"
            >
              {correlation === null ? "" : `${correlation > 0 ? "↗" : "↘"} ${Math.abs(correlation).toFixed(2)}`}
            </span>
          </div>
        ))}
      </div>
    </section>
  );
}

function RunsInBrushes({ study, scene }: { study: ReadonlySignal<Study>; scene: Scene }): JSX.Element {
  const columns = useComputed<readonly GridColumn[]>(() => [
    { key: "run.name", label: "Run", width_px: 230, isFixed: true },
    ...study.value.axes.map((axis) => ({
      key: axis.key,
      label: axis.label,
      width_px: 120,
      isNumeric: axis.kind !== "category",
    })),
  ]);
  const hashAt = (row: number): string => scene.table.value.hashes[study.value.rows[row]];
  return (
    <div class="params-table">
      <Grid
        label="Runs in the brushes"
        columns={columns.value}
        rowCount={study.value.rows.length}
        rowHeight_px={28}
        cursor={-1}
        rowClass={(row) => (hot.value?.owner === hashAt(row) ? "hot" : "")}
        onRowEnter={(row) => (hot.value = { owner: hashAt(row), x: null })}
        onLeave={() => (hot.value = null)}
        onRowDoubleClick={(row) => goTo("run", hashAt(row))}
        cell={(row, column) => {
          const hash = hashAt(row);
          if (column.key === "run.name")
            return (
              <>
                <Swatch color={study.value.colors[study.value.rows[row]]} />
                <PageLink page="run" rest={hash} class="name">
                  {runName(scene.table.value, hash)}
                </PageLink>
              </>
            );
          return <span>{formatCell(cellOf(scene.table.value, column.key, hash))}</span>;
        }}
      />
    </div>
  );
}
