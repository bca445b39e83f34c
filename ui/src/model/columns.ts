/// Which columns the table of runs has, how wide they are, and what their group rows say.

import { cellKey, cellLabel, numberIn, type Cell } from "./cell";
import {
  betterDirection,
  bestSummary,
  fieldText,
  guessTarget,
  isMachine,
  metricLabel,
  metricsOf,
  parseField,
  sequenceText,
  varyingParams,
} from "./fields";
import { formatNumber } from "./format";
import { spreadOf, type Spread } from "./table";
import type { Field, FieldsAnswer, SequenceKey } from "../wire/types";

const DEFAULT_PARAMS = 6;
const DEFAULT_METRICS = 4;
const CHAR_PX = 7.2;
const PAD_PX = 26;
const HEAD_CHAR_PX = 7.6; // heads are bold
const HEAD_MENU_PX = 22;
const WIDTHS_KEY = "aim.widths";

/// How late a metric comes among the default columns: validation first, what only describes the training last.
function lateness({ name, context }: SequenceKey): number {
  const text = name + JSON.stringify(context);
  return /lr|learning_rate|norm|throughput|time|grad/i.test(text) ? 2 : /val|eval|test/i.test(text) ? 0 : 1;
}

/// The default columns of a table: what differs between the runs, and what they reached.
export function defaultColumns(fields: FieldsAnswer): readonly Field[] {
  const isAside = ({ path }: { readonly path: readonly (string | number)[] }): number => Number(isMachine(path));
  const params = [...varyingParams(fields)]
    .sort((a, b) => isAside(a) - isAside(b))
    .slice(0, DEFAULT_PARAMS)
    .map((param): Field => ["param", ...param.path]);
  const target = guessTarget(fields)?.key;
  const isTarget = (key: SequenceKey): number =>
    Number(target !== undefined && sequenceText(key) === sequenceText(target));
  const metrics = [...metricsOf(fields)].sort((a, b) => isTarget(b) - isTarget(a) || lateness(a) - lateness(b));
  const results = metrics
    .slice(0, DEFAULT_METRICS)
    .map(({ name, context }): Field => ["metric", name, context, bestSummary(name)]);
  const hasTags = (fields.facets.tags ?? []).length > 0;
  const hasExperiments = (fields.facets.experiment ?? []).length > 1;
  return [
    ["run", "status"],
    ["run", "created_at"],
    ["run", "duration"],
    ...(hasExperiments ? [["run", "experiment"] as Field] : []),
    ...params,
    ...results,
    ...(hasTags ? [["run", "tags"] as Field] : []),
  ];
}

/// Everything that a table can show, besides the names of runs, which it always does.
export function allColumns(fields: FieldsAnswer): readonly Field[] {
  const properties = fields.columns.filter(({ key }) => key !== "name").map(({ key }): Field => ["run", key]);
  const params = fields.params.filter(({ path }) => path.length > 0).map((param): Field => ["param", ...param.path]);
  const metrics = metricsOf(fields).flatMap(({ name, context }) =>
    fields.summaries.map((summary): Field => ["metric", name, context, summary]),
  );
  return [...properties, ...params, ...metrics];
}

/// Fields that the server can answer: metrics with a summary that it has.
export function answerableFields(list: readonly Field[], summaries: readonly string[] | null): readonly Field[] {
  return list.filter((field) => field[0] !== "metric" || !summaries || summaries.includes(field[3]));
}

/// What the head of a column says where its values are the best ones of each run; null: they are not, or nobody knows.
export function bestNote(
  field: Field,
): { readonly label: string; readonly text: string; readonly title: string } | null {
  if (field[0] !== "metric" || field[3] === "last" || field[3] !== bestSummary(field[1])) return null;
  const isMore = field[3] === "max";
  const title = `The best value of each run: by the metric's name ${isMore ? "higher" : "lower"} is better.`;
  return { label: metricLabel({ name: field[1], context: field[2] }), text: isMore ? "best ↑" : "best ↓", title };
}

const PIVOT_PX = 212; // a mean with its deviation, and the best

/// A first width for a column, from its name and its first cells.
export function guessWidth(field: Field, label: string, texts: readonly string[], isGrouped = false): number {
  const longest = Math.max(0, ...texts.slice(0, 60).map((text) => text.length));
  const least = field[0] !== "metric" ? 68 : isGrouped ? PIVOT_PX : 92;
  const wish = Math.max(longest * CHAR_PX, label.length * HEAD_CHAR_PX + HEAD_MENU_PX) + PAD_PX;
  return Math.round(Math.max(least, Math.min(240, wish)));
}

const STATE_PX = 92;
const STATE_MOST_PX = 210;
const STATE_NARROW_PX = 188;

/// The width of the column of states: with room for what ended the runs that failed.
export function stateWidth(errors: readonly Cell[], isNarrow: boolean): number {
  const longest = Math.max(0, ...errors.map((error) => (typeof error === "string" ? error.length : 0)));
  const most_px = isNarrow ? STATE_NARROW_PX : STATE_MOST_PX;
  return longest === 0 ? STATE_PX : Math.round(Math.min(most_px, STATE_PX + longest * CHAR_PX));
}

/// The widths that the reader set, by column.
export function savedWidths(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(WIDTHS_KEY) ?? "{}") as Record<string, number>;
  } catch {
    return {};
  }
}

/// Remembers the width of a column.
export function saveWidth(key: string, width_px: number): void {
  localStorage.setItem(WIDTHS_KEY, JSON.stringify({ ...savedWidths(), [key]: width_px }));
}

/// The best of a column's numbers, by the name of its metric; null: the name does not say what is better.
export function bestOf(spread: Spread, field: Field): number | null {
  const direction = field[0] === "metric" ? betterDirection(field[1]) : 0;
  return direction === 0 ? null : direction > 0 ? spread.max : spread.min;
}

/// What stands in a cell of a group's head.
export interface GroupCellText {
  readonly text: string;
  readonly title: string;
  readonly isNumber: boolean;
  readonly best?: string;
}

/// What a group's row says in one column: the value if it is one, the mean of a metric's numbers, else how many there
/// are.
export function groupCell(cells: readonly Cell[], field: Field): GroupCellText {
  const isNumeric = cells.every((cell) => cell === null || numberIn(cell) !== null);
  const labels = [...new Set(cells.map(cellLabel))];
  return digestCell({ isNumeric, spread: isNumeric ? spreadOf(cells) : null, distinct: labels.length, labels }, field);
}

/// The same of a group whose head the server computed. `labels`: those of the first distinct values.
export function digestCell(
  {
    isNumeric,
    spread,
    distinct,
    labels,
  }: {
    readonly isNumeric: boolean;
    readonly spread: Spread | null;
    readonly distinct: number;
    readonly labels: readonly string[];
  },
  field: Field,
): GroupCellText {
  if (field[0] === "metric" && spread && spread.min !== spread.max) {
    const best = bestOf(spread, field);
    const range = `${formatNumber(spread.min)} to ${formatNumber(spread.max)}`;
    const title = `mean ${formatNumber(spread.mean)} ± ${formatNumber(spread.std)} · ${range} · ${spread.count} runs`;
    return {
      text: `${formatNumber(spread.mean)} ±${formatNumber(Number(spread.std.toPrecision(2)))}`,
      title: best === null ? title : `${title} · best ${formatNumber(best)}`,
      isNumber: true,
      best: best === null ? undefined : formatNumber(best),
    };
  }
  if (distinct === 1) return { text: labels[0] ?? "", title: labels[0] ?? "", isNumber: isNumeric };
  return { text: `${distinct} values`, title: labels.slice(0, 20).join(", "), isNumber: isNumeric };
}

/// Whether a column is drawn as numbers, at the right: every metric's, and a param's of which most values are numbers,
/// whatever a few others are.
export function isNumberColumn({ field, cells }: { readonly field: Field; readonly cells: readonly Cell[] }): boolean {
  if (field[0] !== "param") return field[0] === "metric";
  const present = cells.filter((cell) => cell !== null);
  return present.length > 0 && 2 * present.filter((cell) => numberIn(cell) !== null).length > present.length;
}

/// Keys of the param columns in which the given rows differ.
export function differingKeys(
  columns: ReadonlyMap<string, { readonly field: Field; readonly key: string; readonly cells: readonly Cell[] }>,
  rows: readonly number[],
): ReadonlySet<string> {
  const differing = new Set<string>();
  if (rows.length < 2) return differing;
  for (const { field, key, cells } of columns.values()) {
    if (field[0] !== "param") continue;
    const first = cellKey(cells[rows[0]] ?? null);
    if (rows.some((row) => cellKey(cells[row] ?? null) !== first)) differing.add(key);
  }
  return differing;
}

/// Texts joined with `;` for addresses; a `;` of their own is written `%3B`.
export function joinTexts(texts: readonly string[]): string {
  return texts.map((text) => text.replace(/%/g, "%25").replace(/;/g, "%3B")).join(";");
}

/// The texts that `joinTexts` joined.
export function splitTexts(text: string): readonly string[] {
  return text === "" ? [] : text.split(";").map((part) => part.replace(/%3B/g, ";").replace(/%25/g, "%"));
}

/// The text of a list of fields for addresses.
export function columnsText(list: readonly Field[]): string {
  return joinTexts(list.map(fieldText));
}

/// The fields of such a text; what is no field is left out.
export function parseColumns(text: string): readonly Field[] {
  return splitTexts(text)
    .map(parseField)
    .filter((field) => field !== null);
}
