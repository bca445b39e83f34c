/// Groups of runs, docs/formats/wire.md, section 4, as TypeScript. Nothing here has behaviour.

import type { Field, Json, WireNumber } from "./types";

/// One group of runs: those that have these values in these fields.
export interface GroupChoice {
  readonly by: readonly Field[];
  readonly key: readonly Json[];
}

export interface GroupsRequest {
  readonly query: string;
  readonly by: readonly Field[];
  readonly fields: readonly Field[];
}

/// What the runs of a group have in a field; the spread is count, least, most, mean, standard deviation.
export interface WireDigest {
  readonly spread: readonly WireNumber[] | null;
  readonly numeric: boolean;
  readonly distinct: number;
  readonly values?: readonly Json[];
}

export interface GroupsAnswer {
  readonly cursor: string;
  readonly total: number;
  readonly count: number;
  readonly groups: readonly {
    readonly key: readonly Json[];
    readonly runs: number;
    readonly first: string;
    readonly cells: readonly WireDigest[];
  }[];
}
