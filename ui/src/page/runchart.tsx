/// Charts over runs or groups as cards: scatter, bars, boxes, violins, and heat maps. Drawn as SVG, so that they are
/// saved as they are.

import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { rampColor } from "../chart/palette";
import { Scale } from "../chart/scale";
import { axisTicks, shortNumber } from "../chart/ticks";
import { padded, type Extent } from "../chart/extent";
import { goTo } from "../model/address";
import { axisOf, type Axis } from "../model/axes";
import { cellLabel } from "../model/cell";
import { densityCurve } from "../model/distributionstats";
import { fieldText, parseField } from "../model/fields";
import { formatNumber } from "../model/format";
import { heatMap, valuesByGroup, type GroupValues } from "../model/groupchart";
import { coloring } from "../model/grouping";
import { limitsOf, type MadeChart } from "../model/madecharts";
import { runName, type Scene } from "../model/scene";
import { plural } from "../model/words";
import { useApp } from "./app";

const WIDTH = 420;
const HEIGHT = 206;
const LEFT = 48;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 34;
const GROUPS_MOST = 24;
const DOTS_MOST = 2000;
const CHAR_PX = 6;

interface PictureProps {
  readonly chart: MadeChart;
  readonly scene: Scene;
}

/// The range of an axis: the limits that were given, else that of the values with some air.
function rangeOf(values: readonly number[], limits: string, isLog: boolean, hasZero: boolean): Extent {
  const finite = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  const kind = isLog ? "log" : "linear";
  const all = hasZero && !isLog ? [...finite, 0] : finite;
  const [low, high] = all.length > 0 ? padded([Math.min(...all), Math.max(...all)], kind) : isLog ? [0.1, 1] : [0, 1];
  const [least, most] = limitsOf(limits);
  return [least ?? (hasZero && low > -high * 0.06 && !isLog ? Math.min(0, ...finite) : low), most ?? high];
}

function YAxis({ y, name }: { y: Scale; name: string }): JSX.Element {
  return (
    <>
      {axisTicks(y.kind, "number", y.lo, y.hi, 4).map((tick) => (
        <g key={tick}>
          <path class="grid-line" d={`M${LEFT} ${y.px(tick)}H${WIDTH - RIGHT}`} />
          <text x={LEFT - 6} y={y.px(tick) + 3.5} text-anchor="end">
            {shortNumber(tick)}
          </text>
        </g>
      ))}
      <text
        class="axis-name"
        transform={`translate(11 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`}
        text-anchor="middle"
      >
        {clip(name, 26)}
      </text>
    </>
  );
}

function XName({ name }: { name: string }): JSX.Element {
  return (
    <text class="axis-name" x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 5} text-anchor="middle">
      {clip(name, 50)}
    </text>
  );
}

function clip(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, Math.max(1, chars - 1))}…`;
}

function yScale(values: readonly number[], chart: MadeChart, hasZero = false): Scale {
  const kind = chart.yLog ? "log" : "linear";
  return new Scale(kind, ...rangeOf(values, chart.yLimits, chart.yLog, hasZero), HEIGHT - BOTTOM, TOP);
}

/// The groups of a chart: by its own field, else as the charts are coloured; without both each run is one.
function useGroups({ chart, scene }: PictureProps): readonly GroupValues[] {
  const { session, colors, scope } = useApp();
  const table = scene.table.value;
  const { coloring: current, isShown, nameOf } = scene.looks.value;
  const own =
    chart.x === "" ? current.groups : coloring(table, chart.x, session.theme.value, colors, scope.repo.value).groups;
  const groups =
    own.length > 0
      ? own
      : table.hashes.map((hash) => ({
          label: nameOf(hash),
          value: hash,
          color: current.colorOf(hash),
          hashes: [hash],
          count: 1,
        }));
  return valuesByGroup(groups, table, chart.y, isShown).slice(0, GROUPS_MOST);
}

function Mark({
  kind,
  group,
  at,
  width,
  y,
}: {
  kind: MadeChart["kind"];
  group: GroupValues;
  at: number;
  width: number;
  y: Scale;
}): JSX.Element {
  const { stats, color, values } = group;
  if (kind === "bar") {
    const base = y.kind === "log" ? y.from : Math.min(y.from, Math.max(y.to, y.px(0)));
    const [top, bottom] = [Math.min(base, y.px(stats.mean)), Math.max(base, y.px(stats.mean))];
    const error = stats.count > 1 ? stats.std / Math.sqrt(stats.count) : 0;
    return (
      <>
        <rect x={at - width / 2} y={top} width={width} height={Math.max(1, bottom - top)} fill={color} rx="2" />
        {error > 0 && <path class="whisker" d={`M${at} ${y.px(stats.mean - error)}V${y.px(stats.mean + error)}`} />}
      </>
    );
  }
  if (kind === "violin") {
    const curve = densityCurve(values);
    const most = Math.max(...curve.map(([, density]) => density));
    const side = (sign: number): string[] =>
      curve.map(
        ([value, density]) => `${(at + (sign * density * width) / most / 2).toFixed(1)} ${y.px(value).toFixed(1)}`,
      );
    return (
      <>
        {curve.length > 0 && (
          <path
            d={`M${[...side(1), ...side(-1).reverse()].join("L")}Z`}
            fill={color}
            fill-opacity="0.5"
            stroke={color}
          />
        )}
        <path class="whisker" d={`M${at} ${y.px(stats.q1)}V${y.px(stats.q3)}`} />
        <circle cx={at} cy={y.px(stats.median)} r="3" class="median" />
      </>
    );
  }
  const left = at - width / 2;
  return (
    <>
      <path class="whisker" d={`M${at} ${y.px(stats.low)}V${y.px(stats.high)}`} />
      <rect
        x={left}
        y={y.px(stats.q3)}
        width={width}
        height={Math.max(1, y.px(stats.q1) - y.px(stats.q3))}
        fill={color}
        fill-opacity="0.45"
        stroke={color}
      />
      <path d={`M${left} ${y.px(stats.median)}h${width}`} stroke={color} stroke-width="2" />
      {stats.outliers.map((value, i) => (
        <circle key={i} cx={at} cy={y.px(value)} r="2" fill={color} />
      ))}
    </>
  );
}

function summaryOf({ label, stats: { count, mean, std, median } }: GroupValues): string {
  const [center, spread, middle] = [mean, std, median].map(formatNumber);
  return `${label}: ${plural(count, "run")}, mean ${center} ± ${spread}, median ${middle}`;
}

function GroupMarks(props: PictureProps): JSX.Element {
  const { chart } = props;
  const { scope } = useApp();
  const groups = useGroups(props);
  const isBar = chart.kind === "bar";
  const spread = groups.flatMap(({ values, stats }) => (isBar ? [stats.mean] : values));
  const y = yScale(spread, chart, isBar);
  const room = (WIDTH - LEFT - RIGHT) / Math.max(1, groups.length);
  const field = parseField(chart.y);
  return (
    <>
      <YAxis y={y} name={field ? `${isBar ? "mean " : ""}${scope.columns.value.label(field)}` : ""} />
      {groups.map((group, i) => {
        const at = LEFT + room * (i + 0.5);
        return (
          <g key={group.label} class="mark">
            <title>{summaryOf(group)}</title>
            <rect x={at - room / 2} y={TOP} width={room} height={HEIGHT - TOP} fill="transparent" />
            <Mark kind={chart.kind} group={group} at={at} width={Math.min(46, room * 0.62)} y={y} />
            <text x={at} y={HEIGHT - BOTTOM + 14} text-anchor="middle">
              {clip(group.label, Math.floor(room / CHAR_PX))}
            </text>
          </g>
        );
      })}
      <XName name={chart.x === "" ? "" : labelOf(scope.columns.value, chart.x)} />
    </>
  );
}

function labelOf(
  columns: { readonly label: (field: NonNullable<ReturnType<typeof parseField>>) => string },
  text: string,
): string {
  const field = parseField(text);
  return field ? columns.label(field) : text;
}

/// One axis of a scatter: numbers on a scale, all else in slots.
function scatterScale(
  axis: Axis | null,
  cells: readonly number[],
  limits: string,
  isLog: boolean,
  from: number,
  to: number,
): Scale {
  if (axis) return new Scale("linear", -0.08, 1.08, from, to);
  return new Scale(isLog ? "log" : "linear", ...rangeOf(cells, limits, isLog, false), from, to);
}

function ScatterMarks({ chart, scene }: PictureProps): JSX.Element {
  const { scope, marks } = useApp();
  const table = scene.table.value;
  const { coloring: current, isShown } = scene.looks.value;
  const columns = scope.columns.value;
  const side = (text: string): { readonly axis: Axis | null; readonly numbers: readonly number[] } => {
    const column = table.columns.get(text);
    const axis = column ? axisOf(column, "") : null;
    if (!axis || !column) return { axis: null, numbers: [] };
    if (axis.kind === "category") return { axis, numbers: [...axis.positions] };
    return { axis: null, numbers: column.cells.map((cell) => (typeof cell === "number" ? cell : NaN)) };
  };
  const [across, up] = [side(chart.x), side(chart.y)];
  const x = scatterScale(across.axis, across.numbers, chart.xLimits, chart.xLog, LEFT, WIDTH - RIGHT);
  const y = scatterScale(up.axis, up.numbers, chart.yLimits, chart.yLog, HEIGHT - BOTTOM, TOP);
  const xTicks = across.axis
    ? across.axis.ticks.map(({ at, label }) => ({ px: x.px(at), label }))
    : axisTicks(x.kind, "number", x.lo, x.hi, 4).map((tick) => ({ px: x.px(tick), label: shortNumber(tick) }));
  return (
    <>
      <YAxis y={y} name={labelOf(columns, chart.y)} />
      {xTicks.map(({ px, label }) => (
        <text key={label} x={px} y={HEIGHT - BOTTOM + 14} text-anchor="middle">
          {clip(label, Math.max(3, Math.floor((WIDTH - LEFT) / CHAR_PX / xTicks.length)))}
        </text>
      ))}
      <XName name={labelOf(columns, chart.x)} />
      {table.hashes.slice(0, DOTS_MOST).map((hash, i) => {
        const [px, py] = [x.px(across.numbers[i]), y.px(up.numbers[i])];
        if (!isShown(hash) || !Number.isFinite(px) || !Number.isFinite(py)) return null;
        return (
          <circle
            key={hash}
            class={marks.hot.value?.owner === hash ? "dot hot" : "dot"}
            cx={px}
            cy={py}
            r={marks.hot.value?.owner === hash ? 6 : 3.6}
            fill={current.colorOf(hash)}
            onMouseEnter={() => (marks.hot.value = { owner: hash, x: null })}
            onMouseLeave={() => (marks.hot.value = null)}
            onClick={() => goTo("run", hash)}
          >
            <title>{runName(table, hash)}</title>
          </circle>
        );
      })}
    </>
  );
}

function HeatMarks({ chart, scene }: PictureProps): JSX.Element {
  const { scope, session } = useApp();
  const { columns, rows, cells, low, high } = heatMap(
    scene.table.value,
    [chart.x, chart.y, chart.value],
    scene.looks.value.isShown,
  );
  const labels = scope.columns.value;
  const left = LEFT + 22;
  const [width, height] = [
    (WIDTH - left - RIGHT) / Math.max(1, columns.length),
    (HEIGHT - TOP - BOTTOM) / Math.max(1, rows.length),
  ];
  const top = (row: number): number => HEIGHT - BOTTOM - (row + 1) * height;
  return (
    <>
      {cells.map(({ column, row, count, mean }) => {
        const share = high > low ? (mean - low) / (high - low) : 0.5;
        const [x, y] = [cellLabel(columns[column]), cellLabel(rows[row])];
        return (
          <g key={`${column} ${row}`}>
            <title>{`${x} × ${y}: mean ${formatNumber(mean)} of ${plural(count, "run")}`}</title>
            <rect
              x={left + column * width}
              y={top(row)}
              width={width - 1}
              height={height - 1}
              fill={rampColor(share, session.theme.value)}
            />
            {width > 40 && height > 15 && (
              <text
                class={share > 0.55 ? "on-light" : "on-dark"}
                x={left + (column + 0.5) * width}
                y={top(row) + height / 2 + 3.5}
                text-anchor="middle"
              >
                {formatNumber(mean)}
              </text>
            )}
          </g>
        );
      })}
      {columns.map((cell, i) => (
        <text key={i} x={left + (i + 0.5) * width} y={HEIGHT - BOTTOM + 14} text-anchor="middle">
          {clip(cellLabel(cell), Math.max(2, Math.floor(width / CHAR_PX)))}
        </text>
      ))}
      {height > 9 &&
        rows.map((cell, i) => (
          <text key={i} x={left - 6} y={top(i) + height / 2 + 3.5} text-anchor="end">
            {clip(cellLabel(cell), 9)}
          </text>
        ))}
      <XName name={labelOf(labels, chart.x)} />
      <text
        class="axis-name"
        transform={`translate(11 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`}
        text-anchor="middle"
      >
        {clip(labelOf(labels, chart.y), 24)}
      </text>
    </>
  );
}

/// The picture of a chart over runs.
export function RunChart({ chart, scene }: PictureProps): JSX.Element {
  const texts = chart.kind === "heat" ? [chart.x, chart.y, chart.value] : [chart.y];
  const isReady = useComputed(() =>
    texts.every((text) => scene.table.value.columns.has(fieldText(parseField(text) ?? ["run", "name"]))),
  );
  const Picture = chart.kind === "scatter" ? ScatterMarks : chart.kind === "heat" ? HeatMarks : GroupMarks;
  if (!isReady.value) return <i class="waiting" role="status" aria-label="Loading the chart" />;
  return (
    <svg class="run-chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${chart.kind} chart`}>
      <Picture chart={chart} scene={scene} />
    </svg>
  );
}
