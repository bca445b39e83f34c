/// The shapes of docs/formats/wire.md, as TypeScript. Nothing here has behaviour.

import type { You } from "./account";
import type { GroupChoice } from "./groups";
import type { Imported } from "./imports";
import type { BigInteger } from "./json";
import type { SmoothKind } from "./smoothkind";

/// A number that JSON can hold, or the name of one that it cannot.
export type WireNumber = number | "NaN" | "Infinity" | "-Infinity";

/// Any JSON value.
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/// What tells two sequences of one name apart, such as `{"subset": "val"}`.
export type Context = { readonly [key: string]: Json };

/// A sequence's name and context.
export interface SequenceKey {
  readonly name: string;
  readonly context: Context;
}

/// The name of a summary of a metric, such as `last`; the server says which there are.
export type Summary = string;

/// Where a param is in the tree of params.
export type ParamPath = readonly (string | number)[];

/// One value of a run: a property, a param or a metric's summary.
export type Field =
  readonly ["run", string] | readonly ["param", ...ParamPath] | readonly ["metric", string, Context, Summary];

/// Why a repository cannot be changed: its disk is mounted read-only, or the server may not write to its folder.
export type ReadOnlyReason = "disk" | "rights";

/// Why nothing more finds room in a repository.
export type FullReason = "disk" | "project";

export interface RepoInfo {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly runs: number;
  readonly indexing: Indexing | null;
  readonly read_only: ReadOnlyReason | null;
  readonly full?: FullReason | null;
  readonly rights?: readonly string[];
}

/// A kind of sequence: what queries and pages call it, and what its sequences store.
export interface KindInfo {
  readonly subject: string;
  readonly title: string;
  readonly stored: readonly string[];
  readonly aliases: readonly string[];
}

/// The most that the server takes or gives at once, as far as the pages use it.
export interface ServerLimits {
  /// Runs of one request.
  readonly runs: number;
  readonly branches: number;
  /// Parts of a curve.
  readonly buckets: number;
}

/// What a page in one file says of itself.
export interface ArchiveInfo {
  /// Unix seconds.
  readonly written_at: number;
  /// What its runs were chosen by.
  readonly query: string;
  /// Whether it has all points of its curves.
  readonly is_whole: boolean;
  /// What had no room, for people.
  readonly left_out: readonly string[];
}

export interface ServerInfo {
  readonly wire: number;
  readonly version: string;
  readonly read_only: boolean;
  readonly token: boolean;
  readonly you?: You;
  readonly provider?: boolean;
  readonly plotly: boolean;
  /// Which files of whole runs the server writes: `html`, `zip`.
  readonly exports?: readonly string[];
  readonly kinds: readonly KindInfo[];
  readonly limits: ServerLimits;
  readonly repos: readonly RepoInfo[];
  readonly project?: string | null;
  /// Only in a page in one file, which has no server.
  readonly archive?: ArchiveInfo;
}

export interface SortKey {
  readonly field: Field;
  readonly descending: boolean;
}

export interface RunsRequest {
  readonly query: string;
  readonly fields: readonly Field[];
  readonly sort?: readonly SortKey[];
  readonly offset?: number;
  readonly limit: number;
  readonly runs?: readonly string[] | null;
  readonly group?: GroupChoice;
}

export type WireColumn =
  | { readonly type: "number"; readonly values: readonly (WireNumber | BigInteger | null)[] }
  | { readonly type: "string"; readonly values: readonly string[]; readonly codes: readonly number[] }
  | { readonly type: "bool"; readonly values: readonly (boolean | null)[] }
  | { readonly type: "list"; readonly values: readonly (readonly string[] | null)[] }
  | { readonly type: "json"; readonly values: readonly Json[] };

/// One top-level part of a query that left nothing, and how many runs it leaves alone.
export interface Clause {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/// A name in a query that no run has.
export interface Hint {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface RunsAnswer {
  readonly cursor: string;
  readonly elapsed_ms: number;
  readonly total: number;
  readonly count: number;
  readonly hash: readonly string[];
  readonly columns: readonly WireColumn[];
  readonly clauses?: readonly Clause[];
  readonly hints?: readonly Hint[];
}

export interface ParamInfo {
  readonly path: readonly (string | number)[];
  readonly type: "number" | "string" | "bool" | "json";
  readonly runs: number;
  readonly distinct: number;
  readonly examples: readonly Json[];
}

export interface SequenceInfo extends SequenceKey {
  readonly kind: string;
  readonly runs: number;
  readonly points: number;
}

/// A property of runs that can be a column.
export interface RunColumnInfo {
  readonly key: string;
  readonly label: string;
  readonly type: "string" | "time" | "duration" | "bool" | "list" | "number";
}

export interface FieldsAnswer {
  readonly cursor: string;
  readonly total: number;
  readonly count: number;
  readonly params: readonly ParamInfo[];
  readonly sequences: readonly SequenceInfo[];
  readonly facets: { readonly [name: string]: readonly (readonly [string, number])[] };
  readonly columns: readonly RunColumnInfo[];
  readonly summaries: readonly Summary[];
  /// Words that people look for as an expression; null when the query is an expression itself.
  readonly search: string | null;
}

/// The answer of `check`; `search` as in `FieldsAnswer`.
export interface CheckAnswer {
  readonly count: number | null;
  readonly search: string | null;
}

export type Status = "running" | "finished" | "failed" | "lost";

export interface SequenceSummary extends SequenceKey {
  readonly kind: string;
  readonly count: number;
  readonly first_step: number | null;
  readonly last_step: number | null;
  readonly first?: WireNumber | BigInteger | null;
  readonly last?: WireNumber | BigInteger | null;
  readonly min?: WireNumber | BigInteger | null;
  readonly max?: WireNumber | BigInteger | null;
  readonly mean?: WireNumber | null;
  readonly min_step?: number | null;
  readonly max_step?: number | null;
}

export interface Writer {
  readonly writer: string;
  readonly host: string | null;
  readonly pid: number | null;
  readonly command: readonly string[] | null;
  readonly python: string | null;
  readonly aim: string | null;
  readonly begin: number | null;
  readonly end: number | null;
  readonly state: string | null;
  readonly error: string | null;
}

export interface Artifact {
  readonly name: string;
  readonly path: string;
  readonly uri: string;
  readonly size: number | null;
  readonly sha256: string | null;
  /// Whether the server can send it.
  readonly here: boolean;
}

/// What one process of a run printed.
export interface LogInfo {
  readonly id: string;
  readonly label: string;
  readonly context: Context;
  readonly writers: readonly string[];
  readonly lines: number;
}

/// What a run has lost because a disk refused it: how many points and event lines, between which times, and why.
export interface Gap {
  readonly points: number;
  readonly lines: number;
  readonly from: number;
  readonly until: number;
  readonly why: string;
}

/// How far the work of a run is: `done` of `total` units at the time `at`.
export interface WorkProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  readonly percent: number;
  /// Units a second; null after one report only.
  readonly rate: number | null;
  readonly at: number;
  /// When all is done at this rate, in Unix seconds; null: unknown.
  readonly done_at: number | null;
}

export interface RunAnswer {
  readonly cursor: string;
  readonly hash: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly experiment: string | null;
  readonly status: Status;
  readonly error: string | null;
  readonly created_at: number;
  readonly end_time: number | null;
  readonly duration: number | null;
  readonly archived: boolean;
  readonly tags: readonly string[];
  readonly notes: string | null;
  readonly params: { readonly [key: string]: Json };
  readonly system: { readonly [key: string]: Json } | null;
  readonly writers: readonly Writer[];
  readonly sequences: readonly SequenceSummary[];
  /// When the run was taken back, and to which step; oldest first.
  readonly rewinds: readonly { readonly step: number; readonly time: number }[];
  /// The run that this one goes on from; it may have been deleted since.
  readonly forked_from: { readonly run: string; readonly step: number | null; readonly time: number } | null;
  readonly gaps: readonly Gap[];
  /// Null: the training said nothing of it. Left out by servers before it.
  readonly progress?: WorkProgress | null;
  readonly log_lines: number;
  readonly log_records: number;
  readonly logs: readonly LogInfo[];
  readonly artifacts: readonly Artifact[];
  /// Where the run was imported from; null: it was recorded here.
  readonly imported: Imported | null;
}

export type XAxis = "step" | "epoch" | "time" | "relative" | { readonly name: string; readonly context?: Context };
export type AggregateValue = "mean" | "median" | "min" | "max";
export type AggregateBand = "std" | "stderr" | "ci95" | "minmax" | "iqr" | "none";

/// Why a param does not count when runs are put into groups of equal params; `chosen`: the request named it.
export type IgnoredReason = "seed" | "machine" | "unique" | "chosen";

/// Runs whose params are equal, but for those that are ignored; null: the server chooses which.
export interface EqualParams {
  readonly equal: "params";
  readonly ignored: readonly ParamPath[] | null;
}

export interface Aggregate {
  readonly by: readonly Field[] | EqualParams;
  readonly value: AggregateValue;
  readonly band: AggregateBand;
}

export interface SeriesRequest {
  readonly query: string;
  readonly runs?: readonly string[] | null;
  readonly metrics: readonly { readonly name: string; readonly context?: Context }[] | null;
  readonly x: XAxis;
  readonly window?: readonly [number, number] | null;
  readonly buckets: number;
  readonly smooth?: number;
  readonly smooth_kind?: SmoothKind;
  readonly aggregate?: Aggregate | null;
  /// So many of the latest rewinds of each run are sent too, as the series stood before them.
  readonly branches?: number;
  readonly since?: string | null;
  readonly limit?: number;
  readonly group?: GroupChoice;
  /// What the answer says of the runs that it draws, as columns.
  readonly fields?: readonly Field[];
}

/// How many runs were read, and how many there are to read.
export type Indexing = readonly [number, number];

export interface Tick {
  readonly cursor: string;
  readonly changed: readonly string[] | null;
  readonly removed: readonly string[];
  readonly total: number;
  readonly live: number;
  /// How many runs were read of how many; null: all.
  readonly indexing: Indexing | null;
  readonly read_only: ReadOnlyReason | null;
  readonly full?: FullReason | null;
  /// Changes when anybody writes or deletes a document; a server before 4.0.0 leaves it out.
  readonly documents?: string;
}

export interface Completion {
  readonly text: string;
  readonly kind: string;
  readonly detail: string;
}
export interface CompleteAnswer {
  readonly from: number;
  readonly to: number;
  readonly items: readonly Completion[];
}

export interface StoredDocument {
  readonly kind: "view" | "report" | "tag" | "annotation";
  readonly id: string;
  readonly revision: string | null;
  readonly updated_at: number;
  readonly body: { readonly [key: string]: Json };
}

export interface WireErrorBody {
  readonly kind: string;
  readonly message: string;
  readonly start?: number;
  readonly end?: number;
  readonly suggestion?: string | null;
  /// Of an edit that failed while its request waited: what takes back what it did.
  readonly undo?: string;
  readonly provider?: boolean;
}

/// The number that a wire number stands for; `null` stays missing.
export function numberOf(value: WireNumber | BigInteger | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return value;
  if (typeof value === "object") return Number(value.$int);
  return value === "NaN" ? NaN : value === "Infinity" ? Infinity : -Infinity;
}
