/// Fields as people and addresses write them: `run.status`, `hparams.lr`, `metric:loss{"subset":"val"}:min`.

import { digitsOf, exactText } from "../wire/json";
import type { Context, Field, FieldsAnswer, Json, ParamInfo, SequenceKey } from "../wire/types";

const OWN_TEXTS_LEAST = 8; // of fewer texts each may be a setting
const SUMMARY = /^[a-z][a-z0-9_]*$/;
const PLAIN_KEY = /^[^."[\]{}:,]+$/;
const COMMON_ROOTS = new Set(["hparams", "config", "params", "hyperparameters", "args"]);
const SYSTEM_PREFIX = "__system__";

function keyText(key: string | number): string {
  if (typeof key === "number") return `[${key}]`;
  return PLAIN_KEY.test(key) ? key : JSON.stringify(key);
}

/// A params' path, as `hparams.lr`.
export function pathText(path: readonly (string | number)[]): string {
  const text = path.map(keyText).join(".");
  return text === "run" || text.startsWith("run.") ? JSON.stringify(path[0]) + text.slice(3) : text;
}

function sortedJson(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortedJson);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value as { [key: string]: Json })
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sortedJson(v)]),
  );
}

/// One text for equal contexts, whatever the order of their keys; empty for an empty one.
export function contextKey(context: Context): string {
  return Object.keys(context).length === 0 ? "" : JSON.stringify(sortedJson(context));
}

/// A context for people: `val`, or `gpu=0` where the value alone says too little.
export function contextLabel(context: Context): string {
  return Object.entries(context)
    .map(([key, value]) =>
      typeof value === "string" && key === "subset"
        ? value
        : `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    )
    .join(" ");
}

/// A metric for people: `loss val`.
export function metricLabel(key: SequenceKey): string {
  return [key.name, contextLabel(key.context)].filter(Boolean).join(" ");
}

/// One text for equal sequence keys.
export function sequenceText(key: SequenceKey): string {
  return key.name + contextKey(key.context);
}

/// The field's text in addresses; equal fields have equal texts.
export function fieldText(field: Field): string {
  if (field[0] === "run") return `run.${field[1]}`;
  if (field[0] === "metric") return `metric:${field[1]}${contextKey(field[2])}:${field[3]}`;
  const [, ...path] = field;
  return pathText(path);
}

/// The field that a text stands for; null if it stands for none.
export function parseField(text: string): Field | null {
  if (text === "") return null;
  if (text.startsWith("metric:")) {
    const end = text.lastIndexOf(":");
    const summary = text.slice(end + 1);
    if (end < 7 || !SUMMARY.test(summary)) return null;
    const body = text.slice(7, end);
    const brace = body.endsWith("}") ? body.indexOf("{") : -1;
    try {
      const context = brace < 0 ? {} : (JSON.parse(body.slice(brace)) as Context);
      return ["metric", brace < 0 ? body : body.slice(0, brace), context, summary];
    } catch {
      return null;
    }
  }
  const path: (string | number)[] = [];
  const token = /"(?:[^"\\]|\\.)*"|\[-?\d+\]|[^."[\]]+/gy;
  let at = 0;
  while (at < text.length) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (!match) return null;
    const [piece] = match;
    path.push(piece[0] === '"' ? (JSON.parse(piece) as string) : piece[0] === "[" ? Number(piece.slice(1, -1)) : piece);
    at += piece.length;
    if (at < text.length && text[at] === ".") at++;
  }
  if (path.length === 2 && path[0] === "run" && typeof path[1] === "string" && text.startsWith("run."))
    return ["run", path[1]];
  return ["param", ...path];
}

/// A short name of a param or a metric for people; of a property its key (`RunColumns.label` has its label).
export function fieldLabel(field: Field): string {
  if (field[0] === "run") return field[1];
  if (field[0] === "metric") {
    const [, name, context, summary] = field;
    return [name, contextLabel(context), summary === "last" ? "" : summary].filter(Boolean).join(" ");
  }
  const [, ...path] = field;
  return pathText(path.length > 1 && COMMON_ROOTS.has(String(path[0])) ? path.slice(1) : path);
}

/// How a query writes a param's path: `run.hparams.lr`, `run["my key"].x`.
export function queryPath(path: readonly (string | number)[]): string {
  return (
    "run" +
    path
      .map((key) => (typeof key === "string" && /^[A-Za-z]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`))
      .join("")
  );
}

/// A value as a query writes it.
export function queryLiteral(value: Json): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(queryLiteral).join(",")}]`;
  if (typeof value !== "object" || digitsOf(value) !== null) return exactText(value);
  const items = Object.entries(value as { readonly [key: string]: Json });
  return `{${items.map(([key, item]) => `${JSON.stringify(key)}: ${queryLiteral(item)}`).join(", ")}}`;
}

/// Whether a sequence is the machine's, not the training's.
export function isSystemMetric(name: string): boolean {
  return name.startsWith(SYSTEM_PREFIX);
}

/// The machine's metric for people: `gpu memory percent`.
export function systemLabel(name: string): string {
  return name.slice(SYSTEM_PREFIX.length).replace(/^p_/, "process ").replace(/_/g, " ");
}

/// Whether a kind of sequence is a metric's.
export function isMetricKind(kind: string): boolean {
  return kind === "float" || kind === "int" || kind === "number";
}

/// The metrics that people tracked, of all sequences.
export function metricsOf(
  fields: FieldsAnswer,
): readonly (SequenceKey & { readonly runs: number; readonly points: number })[] {
  return fields.sequences.filter((sequence) => isMetricKind(sequence.kind) && !isSystemMetric(sequence.name));
}

/// Whether a param says where a run was imported from, which tells nothing of its setting.
function isOrigin({ path }: ParamInfo): boolean {
  return path[0] === "imported" && path.length > 1;
}

/// The params that differ between runs, those with few values first: what is worth grouping by.
export function varyingParams(fields: Pick<FieldsAnswer, "params">): readonly ParamInfo[] {
  const varying = fields.params.filter((param) => param.distinct > 1 && param.path.length > 0 && !isOrigin(param));
  return [...varying].sort((a, b) => Number(a.distinct > 24) - Number(b.distinct > 24));
}

/// Whether a param is the seed of a run: what runs that are averaged over seeds may differ in.
export function isSeed(path: readonly (string | number)[]): boolean {
  return /(^|_)(seed|random_state|rng)$/i.test(String(path[path.length - 1]));
}

const MACHINE_KEY = new RegExp(
  "(^|_)(host|hostname|node|nodename|nodelist|rank|pid|job_?id|run_?id|uuid|time|timestamp|date|datetime" +
    "|(out|output|log|logging|save|work|checkpoint|ckpt|cache)_?(dir|directory|folder|path|root|file))$",
  "i",
);

/// Whether a param names the machine, the time or the output of a run, by its last key; as the server says of groups.
export function isMachine(path: readonly (string | number)[]): boolean {
  return MACHINE_KEY.test(String(path[path.length - 1]));
}

/// The params that are settings of an experiment: they differ, and are neither the seed nor of the machine, nor a text
/// that nearly every run has its own of, such as a folder.
export function settingParams(fields: Pick<FieldsAnswer, "params">): readonly ParamInfo[] {
  return varyingParams(fields).filter(({ path, type, distinct, runs }) => {
    const isOwn = type === "string" && distinct > OWN_TEXTS_LEAST && distinct > runs / 2;
    return !isSeed(path) && !isMachine(path) && type !== "json" && !isOwn;
  });
}

const LESS_IS_BETTER = /^(?:\w*loss|err|errors?|n?rmse|mae|mape|mse|ppl|perplexity|nll|wer|cer|fid|bpb|bpc|xent)\d*$/;
const MORE_IS_BETTER = new RegExp(
  "^(?:acc|accuracy|f1|auc|auroc|auprc|bleu|rouge|map|m?iou|rewards?|returns?|scores?|r2|dice|psnr|ssim|top" +
    "|precision|recall)\\d*$",
);
/// Words with which a loss is a number that belongs to it, or one side of a game.
const SAYS_NOTHING = /^(?:scale|weight|coef|actor|critic|policy|gen|generator|disc|discriminator|adv|gan)$/;

/// Whether more of a metric is better (1), less is (-1), or neither is known (0); by the words of its name.
export function betterDirection(name: string): -1 | 0 | 1 {
  const words = name.split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/).map((word) => word.toLowerCase());
  if (words.some((word) => SAYS_NOTHING.test(word))) return 0;
  if (words.some((word) => LESS_IS_BETTER.test(word))) return -1;
  return words.some((word) => MORE_IS_BETTER.test(word)) ? 1 : 0;
}

/// The summary that says how good a run was by a metric: its best value where the name says what is better, else its
/// last.
export function bestSummary(name: string): "min" | "max" | "last" {
  const direction = betterDirection(name);
  return direction === 0 ? "last" : direction > 0 ? "max" : "min";
}

/// How well a metric tells how good a run is: validation before training, what has a direction before what has none.
export function targetScore({ name, context }: SequenceKey): number {
  const text = (name + " " + JSON.stringify(context)).toLowerCase();
  let score = [1.5, 0, 2][betterDirection(name) + 1];
  if (/\bval|valid|eval|\bdev\b/.test(text)) score += 3;
  else if (/test/.test(text)) score += 2;
  if (/lr|learning_rate|grad|norm|time|throughput|epoch/.test(text)) score -= 3;
  return score;
}

/// Which metric tells best how good a run is, and whether more is better: validation accuracy before training loss.
export function guessTarget(
  fields: FieldsAnswer,
): { readonly key: SequenceKey; readonly isMoreBetter: boolean } | null {
  let best: SequenceKey | null = null;
  let most = -Infinity;
  for (const metric of metricsOf(fields)) {
    const score = Math.min(1, metric.runs / Math.max(1, fields.count)) * 4 + targetScore(metric);
    if (score > most) [best, most] = [{ name: metric.name, context: metric.context }, score];
  }
  if (!best) return null;
  return { key: best, isMoreBetter: betterDirection(best.name) >= 0 };
}
