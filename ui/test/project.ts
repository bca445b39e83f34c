/// A generated project as large as those of people: 200 runs with 150 params and 30 metrics each, made from one number.

import { randomSource } from "../src/model/importance";
import { fieldText } from "../src/model/fields";
import type {
  Context,
  Field,
  FieldsAnswer,
  Json,
  ParamInfo,
  RunsAnswer,
  ServerInfo,
  WireColumn,
  WireNumber,
} from "../src/wire/types";

export const MODELS = ["resnet18", "resnet50", "vit-b", "convnext"] as const;
export const SEEDS = 5;
const LAYERS = 24;
const FIRST_RUN_S = 1_700_000_000;

/// A metric of a generated run.
export interface GeneratedMetric {
  readonly name: string;
  readonly context: Context;
  readonly last: number;
  readonly min: number;
  readonly max: number;
}

/// A generated run.
export interface GeneratedRun {
  readonly hash: string;
  readonly name: string;
  readonly status: "running" | "finished" | "failed" | "lost";
  readonly experiment: string;
  readonly tags: readonly string[];
  readonly created_at: number;
  readonly duration: number;
  readonly archived: boolean;
  readonly error: string | null;
  readonly params: { readonly [key: string]: Json };
  readonly metrics: readonly GeneratedMetric[];
}

function hex(random: () => number, digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
}

function paramsOf(index: number, random: () => number): { readonly [key: string]: Json } {
  const layers = Object.fromEntries(
    Array.from({ length: LAYERS }, (_, layer) => [
      `layer_${layer}`,
      {
        width: 64 << (layer % 4),
        dropout: 0.1,
        norm: layer % 2 ? "batch" : "layer",
        bias: layer % 3 === 0,
        scale: Number((1 + layer / 10).toFixed(1)),
      },
    ]),
  );
  return {
    hparams: {
      lr: [1e-4, 3e-4, 1e-3, 3e-3][Math.floor(index / SEEDS) % 4],
      batch_size: [32, 64, 128][Math.floor(index / (4 * SEEDS)) % 3],
      model: MODELS[Math.floor(index / 7) % MODELS.length],
      seed: index % SEEDS,
      weight_decay: Number((random() * 1e-2).toFixed(5)),
      optimizer: { name: random() < 0.5 ? "adam" : "sgd", betas: [0.9, 0.999] },
      epochs: 90,
    },
    data: { name: "imagenet", augment: index % 2 === 0, folds: [1, 2, 3] },
    arch: layers,
    paths: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`dir_${i}`, `/data/${i}`])),
  };
}

const NAMES = ["loss", "accuracy", "f1", "precision", "recall", "grad_norm", "lr", "throughput"];

function metricsOf(index: number, random: () => number): readonly GeneratedMetric[] {
  const metrics: GeneratedMetric[] = [];
  for (const name of NAMES) {
    for (const subset of ["train", "val", "test"]) {
      const quality = (index % 17) / 17 + random() * 0.05;
      const last = name === "loss" ? 2.5 - quality * 2 : quality;
      metrics.push({ name, context: { subset }, last, min: last * 0.9, max: last * 1.4 });
    }
  }
  for (let gpu = 0; gpu < 4; gpu++)
    metrics.push({ name: "__system__gpu_memory", context: { gpu }, last: random() * 80, min: 0, max: 80 });
  for (const name of ["energy/train", "energy/idle"])
    metrics.push({ name, context: {}, last: random() * 1e6, min: 1, max: 1e6 });
  return metrics;
}

function makeRun(index: number, random: () => number): GeneratedRun {
  const status = index % 40 === 0 ? "failed" : index % 41 === 1 ? "lost" : index < 6 ? "running" : "finished";
  return {
    hash: hex(random, 24),
    name: `${MODELS[Math.floor(index / 7) % MODELS.length]}-${String(index).padStart(3, "0")}`,
    status,
    experiment: index % 3 === 0 ? "sweep" : "baseline",
    tags: index % 10 === 0 ? ["paper", "good"] : index % 4 === 0 ? ["good"] : [],
    created_at: FIRST_RUN_S - index * 3600,
    duration: 600 + index * 13,
    archived: false,
    error: status === "failed" ? "RuntimeError: CUDA out of memory" : null,
    params: paramsOf(index, random),
    metrics: metricsOf(index, random),
  };
}

/// Some runs, the newest first; the same for the same seed.
export function makeRuns(count: number, seed = 1): readonly GeneratedRun[] {
  const random = randomSource(seed);
  return Array.from({ length: count }, (_, index) => makeRun(index, random));
}

/// A run that arrives while pages are open: newer than all others.
export function arrivingRun(number: number): GeneratedRun {
  const run = makeRun(number, randomSource(1000 + number));
  return { ...run, name: `arrived-${number}`, status: "running", created_at: FIRST_RUN_S + number * 60 };
}

type Path = readonly (string | number)[];

/// The leaves of params, by path, as the server lists them.
export function leavesOf(tree: Json, path: Path = []): readonly (readonly [Path, Json])[] {
  if (tree === null || typeof tree !== "object" || Array.isArray(tree)) return [[path, tree]];
  return Object.entries(tree as { readonly [key: string]: Json }).flatMap(([key, value]) =>
    leavesOf(value, [...path, key]),
  );
}

function paramInfos(runs: readonly GeneratedRun[]): readonly ParamInfo[] {
  const values = new Map<string, { readonly path: Path; readonly distinct: Map<string, Json>; runs: number }>();
  for (const { params } of runs) {
    for (const [path, value] of leavesOf(params)) {
      const key = JSON.stringify(path);
      let entry = values.get(key);
      if (!entry) values.set(key, (entry = { path, distinct: new Map(), runs: 0 }));
      entry.runs++;
      entry.distinct.set(JSON.stringify(value), value);
    }
  }
  return [...values.values()].map(({ path, distinct, runs: count }) => {
    const examples = [...distinct.values()];
    const kind = typeof examples[0];
    const type = kind === "number" ? "number" : kind === "string" ? "string" : kind === "boolean" ? "bool" : "json";
    return { path, type, runs: count, distinct: distinct.size, examples: examples.slice(0, 5) };
  });
}

function countsOf(values: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

export const COLUMNS: FieldsAnswer["columns"] = [
  { key: "name", label: "Name", type: "string" },
  { key: "status", label: "State", type: "string" },
  { key: "created_at", label: "Started", type: "time" },
  { key: "end_time", label: "Ended", type: "time" },
  { key: "duration", label: "Duration", type: "duration" },
  { key: "experiment", label: "Experiment", type: "string" },
  { key: "tags", label: "Tags", type: "list" },
  { key: "hash", label: "Hash", type: "string" },
  { key: "description", label: "Description", type: "string" },
  { key: "archived", label: "Archived", type: "bool" },
  { key: "error", label: "Error", type: "string" },
  { key: "notes", label: "Notes", type: "string" },
];

export const SUMMARIES = [
  "first",
  "last",
  "min",
  "max",
  "mean",
  "count",
  "first_step",
  "last_step",
  "min_step",
  "max_step",
];

/// What the server answers to `fields`.
export function fieldsAnswer(runs: readonly GeneratedRun[], cursor = "1"): FieldsAnswer {
  const sequences = new Map<string, { name: string; context: Context; runs: number }>();
  for (const run of runs) {
    for (const { name, context } of run.metrics) {
      const key = name + JSON.stringify(context);
      const entry = sequences.get(key) ?? { name, context, runs: 0 };
      entry.runs++;
      sequences.set(key, entry);
    }
  }
  return {
    cursor,
    total: runs.length,
    count: runs.length,
    params: paramInfos(runs),
    sequences: [
      ...[...sequences.values()].map((sequence) => ({ ...sequence, kind: "float", points: sequence.runs * 1000 })),
      { name: "samples", context: {}, kind: "list(aim.image)", runs: runs.length, points: 40 },
      { name: "weights", context: {}, kind: "aim.distribution", runs: 3, points: 90 },
      { name: "mesh", context: {}, kind: "acme.mesh", runs: 1, points: 1 },
    ],
    facets: {
      status: countsOf(runs.map((run) => run.status)),
      experiment: countsOf(runs.map((run) => run.experiment)),
      tags: countsOf(runs.flatMap((run) => run.tags)),
    },
    columns: COLUMNS,
    summaries: SUMMARIES,
    search: null,
  };
}

function valueOf(run: GeneratedRun, field: Field): Json | undefined {
  if (field[0] === "run") return (run as unknown as { readonly [key: string]: Json })[field[1]];
  if (field[0] === "metric") {
    const [, name, context, summary] = field;
    const metric = run.metrics.find(
      (other) => other.name === name && JSON.stringify(other.context) === JSON.stringify(context),
    );
    return metric && (metric as unknown as { readonly [key: string]: Json })[summary];
  }
  let value: Json | undefined = run.params;
  for (const key of field.slice(1)) value = (value as { readonly [key: string]: Json } | undefined)?.[String(key)];
  return value;
}

function columnOf(values: readonly (Json | undefined)[]): WireColumn {
  const present = values.filter((value) => value !== undefined && value !== null);
  const plain = values.map((value) => value ?? null);
  if (present.length > 0 && present.every((value) => typeof value === "number"))
    return { type: "number", values: plain as (WireNumber | null)[] };
  if (present.every((value) => typeof value === "string")) {
    const distinct = [...new Set(present as string[])];
    return { type: "string", values: distinct, codes: plain.map((value) => distinct.indexOf(value as string)) };
  }
  if (present.every((value) => typeof value === "boolean"))
    return { type: "bool", values: plain as (boolean | null)[] };
  if (present.every((value) => Array.isArray(value) && value.every((item) => typeof item === "string")))
    return { type: "list", values: plain as (readonly string[] | null)[] };
  return { type: "json", values: plain };
}

/// What the server answers to `runs`.
export function runsAnswer(
  runs: readonly GeneratedRun[],
  fields: readonly Field[],
  more: Partial<RunsAnswer> = {},
): RunsAnswer {
  return {
    cursor: "1",
    elapsed_ms: 1.5,
    total: runs.length,
    count: runs.length,
    hash: runs.map((run) => run.hash),
    columns: fields.map((field) => columnOf(runs.map((run) => valueOf(run, field)))),
    ...more,
  };
}

/// The fields of a table that a page would ask for.
export const TABLE_FIELDS: readonly Field[] = [
  ["run", "name"],
  ["run", "status"],
  ["run", "created_at"],
  ["run", "tags"],
  ["run", "experiment"],
  ["param", "hparams", "lr"],
  ["param", "hparams", "model"],
  ["param", "hparams", "seed"],
  ["metric", "accuracy", { subset: "val" }, "last"],
  ["metric", "loss", { subset: "val" }, "min"],
];

export const LR = fieldText(["param", "hparams", "lr"]);
export const MODEL = fieldText(["param", "hparams", "model"]);
export const ACCURACY = fieldText(["metric", "accuracy", { subset: "val" }, "last"]);

/// What `api/info` answers.
export const SERVER: ServerInfo = {
  wire: 1,
  version: "4.0.0",
  read_only: false,
  token: false,
  plotly: true,
  kinds: [
    { subject: "metric", title: "Metrics", stored: ["float", "int", "number"], aliases: [] },
    { subject: "images", title: "Images", stored: ["aim.image", "list(aim.image)"], aliases: ["image"] },
    { subject: "texts", title: "Text", stored: ["aim.text", "list(aim.text)"], aliases: ["text"] },
    { subject: "audios", title: "Audio", stored: ["aim.audio", "list(aim.audio)"], aliases: ["audio"] },
    {
      subject: "distributions",
      title: "Distributions",
      stored: ["aim.distribution", "list(aim.distribution)"],
      aliases: ["distribution"],
    },
    { subject: "meshes", title: "Meshes", stored: ["acme.mesh", "list(acme.mesh)"], aliases: [] },
  ],
  limits: { runs: 100_000, branches: 50, buckets: 10_000 },
  repos: [
    { id: "demo", name: "demo", path: "/demo/.aim", runs: 200, indexing: null, read_only: null },
    { id: "other", name: "other", path: "/other/.aim", runs: 3, indexing: [2, 3], read_only: null },
  ],
};
