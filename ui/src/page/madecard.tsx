/// A chart that the reader made, as a card: its curves by the card of curves, all else by a picture over runs.

import { computed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Card } from "../model/cards";
import type { CardSettings } from "../model/cardsettings";
import { derivedFrame } from "../model/derivedframe";
import { metricsIn, parseExpression, type Expression } from "../model/expression";
import { fieldLabel, metricsOf, parseField, sequenceText } from "../model/fields";
import { linesOf, type CardLines } from "../model/lines";
import { limitsOf, MADE_PREFIX, madeCharts, putCharts, type MadeChart } from "../model/madecharts";
import { chosenMetrics, metricIndexes } from "../model/metricnames";
import type { Scene } from "../model/scene";
import { parseSmoothing } from "../model/smoothing";
import type { MenuItem } from "../widget/popover";
import { saveFile } from "../widget/text";
import type { Frame } from "../wire/frame";
import type { SequenceKey } from "../wire/types";
import { useApp } from "./app";
import { CardMenu } from "./cardframe";
import { fileName } from "./chartexport";
import { ChartCard } from "./chartcard";
import { SpanGrip, type CardPosition } from "./cardsection";
import { openPrintOf } from "./printdialog";
import { RunChart } from "./runchart";
import { pictureSvg, printedPicture } from "./runchartfile";

/// What a chart is called: its title, else what it shows.
export function chartTitle({ kind, title, formula, metrics, x, y, value }: MadeChart): string {
  if (title !== "") return title;
  if (kind === "line") return formula || metrics;
  const [across, up, mean] = [x, y, value].map(nameOfField);
  return kind === "heat" ? `${mean} by ${across} and ${up}` : x === "" ? up : `${up} by ${across}`;
}

function nameOfField(text: string): string {
  const field = parseField(text);
  return field ? fieldLabel(field) : text;
}

/// The cards of the charts, for the sections of the page.
export function cardsOfCharts(charts: readonly MadeChart[]): readonly Card[] {
  return charts.map((chart) => ({ id: MADE_PREFIX + chart.id, title: chartTitle(chart), subtitle: "", metrics: [] }));
}

/// What a line chart asks for and how its lines are made; or why it can't be drawn.
export interface LineSubject {
  readonly card: Card;
  readonly settings: CardSettings;
  readonly reshape: (frame: Frame | null) => CardLines;
}

function onRight({ data, ...others }: CardLines): CardLines {
  return {
    ...others,
    data: { lines: data.lines.map((line) => ({ ...line, label: line.label, right: true })), bands: [] },
  };
}

/// The lines of metrics on the left axis and of others on the right one.
function bothSides(frame: Frame, all: readonly SequenceKey[], right: readonly SequenceKey[], scene: Scene): CardLines {
  const texts = new Set(right.map(sequenceText));
  const only = (isRight: boolean): Frame => ({
    ...frame,
    parts: frame.parts.filter(({ metric }) => texts.has(sequenceText(metric)) === isRight),
  });
  const looks = scene.looks.value;
  const [left, other] = [linesOf(only(false), all, looks), onRight(linesOf(only(true), all, looks))];
  return {
    data: { lines: [...left.data.lines, ...other.data.lines], bands: left.data.bands },
    ownerOf: new Map([...left.ownerOf, ...other.ownerOf]),
    groupSize: new Map([...left.groupSize, ...other.groupSize]),
  };
}

function settingsOf(chart: MadeChart, settings: CardSettings): CardSettings {
  const smoothing = chart.smooth === "" ? settings.smoothing : computed(() => parseSmoothing(chart.smooth));
  const yKind = computed(() => (chart.yLog ? "log" : settings.yKind.value));
  const limits = { x: limitsOf(chart.xLimits), y: limitsOf(chart.yLimits) };
  return { ...settings, smoothing, yKind, xKind: chart.xLog ? "log" : "linear", limits, marksBest: false };
}

/// Makes a line chart's subject of the metrics that there are; a text says why there is none.
export function lineSubject(
  chart: MadeChart,
  metrics: readonly SequenceKey[],
  scene: Scene,
  settings: CardSettings,
): LineSubject | string {
  const name = { id: MADE_PREFIX + chart.id, title: chartTitle(chart), subtitle: "" };
  const ownSettings = settingsOf(chart, settings);
  if (chart.formula !== "") {
    let expression: Expression;
    try {
      expression = parseExpression(chart.formula, metricIndexes(metrics));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const needed = metricsIn(expression).map((index) => metrics[index]);
    if (needed.length === 0) return "The expression names no metric.";
    const key = { name: chart.formula, context: {} };
    return {
      card: { ...name, metrics: needed },
      settings: ownSettings,
      reshape: (frame) =>
        linesOf(frame && derivedFrame(frame, expression, metrics, chart.formula), [key], scene.looks.value),
    };
  }
  const [left, right] = [chosenMetrics(chart.metrics, metrics), chosenMetrics(chart.right, metrics)];
  const missing = [...left.missing, ...right.missing];
  const all = [...new Set([...left.metrics, ...right.metrics])];
  if (all.length === 0) return missing.length > 0 ? `No metric is called ${missing.join(", ")}.` : "Choose a metric.";
  return {
    card: { ...name, subtitle: missing.length > 0 ? `no ${missing.join(", ")}` : "", metrics: all },
    settings: ownSettings,
    reshape: (frame) => (frame ? bothSides(frame, all, right.metrics, scene) : linesOf(null, all, scene.looks.value)),
  };
}

interface MadeCardProps {
  readonly chart: MadeChart;
  readonly scene: Scene;
  readonly settings: CardSettings;
  readonly position: CardPosition;
  readonly onEdit: (chart: MadeChart) => void;
  readonly onExpand: (card: Card) => void;
}

function editItems({ chart, onEdit }: MadeCardProps): readonly MenuItem[] {
  return [
    { label: "Edit this chart", icon: "pencil", run: () => onEdit(chart) },
    {
      label: "Remove this chart",
      icon: "trash",
      run: () => putCharts(madeCharts.peek().filter(({ id }) => id !== chart.id)),
    },
  ];
}

/// The card of any chart that was made.
export function MadeCard(props: MadeCardProps): JSX.Element {
  const { chart, scene, settings, position, onExpand } = props;
  const { scope } = useApp();
  const metrics = scope.fields.value ? metricsOf(scope.fields.value) : [];
  const subject = useMemo(
    () => (chart.kind === "line" ? lineSubject(chart, metrics, scene, settings) : ""),
    [JSON.stringify(chart), metrics.map(sequenceText).join("\n")],
  );
  const withItems = { ...position, items: () => [...editItems(props), ...position.items()] };
  if (chart.kind !== "line" || typeof subject === "string")
    return <PictureCard {...props} position={withItems} problem={typeof subject === "string" ? subject : ""} />;
  const key = JSON.stringify([chart, subject.card.metrics]);
  return <ChartCard key={key} {...subject} scene={scene} position={withItems} onExpand={onExpand} />;
}

function PictureCard({ chart, scene, position, problem }: MadeCardProps & { readonly problem: string }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const title = chartTitle(chart);
  const { count } = scene.table.value;
  useEffect(() => scene.needRows(Infinity), [count]);
  const onPicture = (use: (picture: Element) => void) => (): void => {
    const picture = box.current?.querySelector("svg.run-chart");
    if (picture) use(picture);
  };
  const save = onPicture((picture) => saveFile(`${fileName(title)}.svg`, pictureSvg(picture), "image/svg+xml"));
  const print = onPicture((picture) => {
    const copy = picture.cloneNode(true) as Element;
    openPrintOf((name, settings) => printedPicture(copy, name, settings), title);
  });
  const items = (): readonly MenuItem[] => [
    { label: "SVG picture", icon: "download", run: save },
    { label: "Figure for a paper or a slide", icon: "download", run: print },
    ...position.items(),
  ];
  return (
    <article class={`card span-${position.span}`} data-card={MADE_PREFIX + chart.id} ref={box} onDrop={position.onDrop}>
      <header draggable onDragStart={position.onDrag}>
        <h3 title={title}>{title}</h3>
        <span class="acts">
          <CardMenu title={title} items={items} />
        </span>
      </header>
      <div class="plot">{problem ? <p class="fault">{problem}</p> : <RunChart chart={chart} scene={scene} />}</div>
      <SpanGrip span={position.span} onSpan={position.onSpan} />
    </article>
  );
}
