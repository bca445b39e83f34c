/// What a cell of the table of runs can narrow the query to: only the runs with its value, all others, or those above
/// or below.
///
///     hparams.lr 0.1     run.hparams.lr == 0.1    !=    >=    <=
///     no value           run.hparams.lr == None   !=              (a missing param counts as None)
///     tags a, b          "a" in run.tags          not in, for each tag
///     a time             run.created_at >= datetime(2024, 5, 1, 10, 0, 0)    on the reader's clock
///     a metric           run.metrics["loss", {"subset": "val"}].last >= 0.41
///
/// A value of a metric has no `==`: what is shown is the double of what may be a float32.

import { numberIn, type Cell } from "./cell";
import { queryLiteral, queryPath } from "./fields";
import { formatCell, formatDuration, formatTime } from "./format";
import type { Context, Field } from "../wire/types";

/// One choice: what it is called, and the clause that it adds.
export interface CellClause {
  readonly label: string;
  readonly clause: string;
}

const QUERY_NAMES: Readonly<Record<string, string>> = { min_step: "argmin", max_step: "argmax" };
const TIME_FIELDS = new Set(["created_at", "end_time"]);
const TIME_NAMES: Readonly<Record<string, string>> = { end_time: "finalized_at" };

function metricPath(name: string, context: Context, summary: string): string {
  const key = Object.keys(context).length === 0 ? [name] : [name, context];
  return `run.metrics[${key.map(queryLiteral).join(", ")}].${QUERY_NAMES[summary] ?? summary}`;
}

function bounds(path: string, label: string, literal: string, text: string): readonly CellClause[] {
  return [
    { label: `${label} ≥ ${text}`, clause: `${path} >= ${literal}` },
    { label: `${label} ≤ ${text}`, clause: `${path} <= ${literal}` },
  ];
}

/// How a query writes a field of which ranges are asked for; null: it has no ranges, or those of times.
function rangePath(field: Field): string | null {
  if (field[0] === "metric") return metricPath(field[1], field[2], field[3]);
  if (field[0] === "param") return queryPath(field.slice(1));
  return field[1] === "duration" ? "run.duration" : null;
}

/// The clause that leaves runs with a number in a range; an end that is null is open. Null: there is no such clause.
export function rangeClause(field: Field, from: number | null, to: number | null): string | null {
  const path = rangePath(field);
  if (path === null) return null;
  const parts = [from === null ? "" : `${path} >= ${from}`, to === null ? "" : `${path} <= ${to}`].filter(Boolean);
  return parts.length === 0 ? null : parts.join(" and ");
}

function equality(path: string, label: string, literal: string, text: string): readonly CellClause[] {
  return [
    { label: `Only ${label} = ${text}`, clause: `${path} == ${literal}` },
    { label: `Not ${label} = ${text}`, clause: `${path} != ${literal}` },
  ];
}

function timeClauses(name: string, label: string, time: number): readonly CellClause[] {
  const date = new Date(time * 1000);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()];
  const from = `datetime(${parts.join(", ")})`;
  const path = `run.${TIME_NAMES[name] ?? name}`;
  const text = formatTime(time).slice(0, -3);
  return [
    { label: `${label} at ${text} or later`, clause: `${path} >= ${from}` },
    { label: `${label} before ${text}`, clause: `${path} < ${from}` },
  ];
}

function tagClauses(tags: readonly unknown[]): readonly CellClause[] {
  if (tags.length === 0) return [{ label: "Only runs without a tag", clause: "len(run.tags) == 0" }];
  return tags.flatMap((tag) => [
    { label: `Only runs with the tag ${String(tag)}`, clause: `${queryLiteral(String(tag))} in run.tags` },
    { label: `Not runs with the tag ${String(tag)}`, clause: `${queryLiteral(String(tag))} not in run.tags` },
  ]);
}

/// What a cell offers; empty where no clause says it, as of NaN.
export function cellClauses(field: Field, label: string, cell: Cell): readonly CellClause[] {
  const number = cell === null ? null : numberIn(cell);
  if (number !== null && Number.isNaN(number)) return [];
  if (field[0] === "metric") {
    const path = metricPath(field[1], field[2], field[3]);
    if (cell === null) {
      const has = path.slice(0, path.lastIndexOf("]") + 1);
      return [
        { label: `Only runs without ${label}`, clause: `not ${has}` },
        { label: `Only runs with ${label}`, clause: has },
      ];
    }
    return number === null || !Number.isFinite(number) ? [] : bounds(path, label, queryLiteral(cell), formatCell(cell));
  }
  if (field[0] === "run" && Array.isArray(cell)) return tagClauses(cell);
  if (field[0] === "run" && typeof cell === "number") {
    if (TIME_FIELDS.has(field[1])) return timeClauses(field[1], label, cell);
    return bounds(`run.${field[1]}`, label, String(cell), formatDuration(cell));
  }
  const path = field[0] === "run" ? `run.${field[1]}` : queryPath(field.slice(1));
  if (cell === null)
    return [
      { label: `Only runs without ${label}`, clause: `${path} == None` },
      { label: `Only runs with ${label}`, clause: `${path} != None` },
    ];
  const isInfinite = number !== null && !Number.isFinite(number);
  const literal = isInfinite ? (number > 0 ? "math.inf" : "-math.inf") : queryLiteral(cell);
  const text = formatCell(cell);
  const isBounded = number !== null && !isInfinite;
  return [...equality(path, label, literal, text), ...(isBounded ? bounds(path, label, literal, text) : [])];
}
