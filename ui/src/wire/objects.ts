/// The shapes of objects in docs/formats/wire.md, section 6, as TypeScript. Nothing here has behaviour.

import type { Context, Json, SequenceKey, WireNumber } from "./types";

/// A box over an image: x, y, width and height in its pixels.
export interface BoxItem {
  readonly box: readonly [number, number, number, number];
  readonly label?: string | number;
  readonly score?: number;
  readonly layer?: string;
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
}

/// An object in a cell of a table; `file` names its bytes.
export interface CellObject {
  readonly kind: string;
  readonly fields: { readonly [key: string]: Json };
  readonly file: string | null;
}

export interface TableAnswer {
  readonly columns: readonly TableColumn[];
  readonly total: number;
  readonly from: number;
  readonly rows: readonly (readonly Json[])[];
}

export type RowOperator = "==" | "!=" | "<=" | ">=" | "contains";

export interface RowClause {
  readonly column: number;
  readonly operator: RowOperator;
  readonly value: Json;
}

export interface RowsRequest {
  readonly blobs: readonly string[];
  readonly key?: string | null;
  readonly sort?: { readonly column: number; readonly descending: boolean } | null;
  readonly find?: string;
  readonly where?: readonly RowClause[];
  readonly from: number;
  readonly limit: number;
  readonly chars?: number;
}

export interface RowsAnswer {
  readonly columns: readonly (TableColumn & { readonly table: number })[];
  /// Rows in all, and those that match.
  readonly total: number;
  readonly count: number;
  readonly from: number;
  readonly numbers: readonly number[];
  readonly rows: readonly (readonly Json[])[];
  /// Cells whose texts are cut: the row of this answer, and the column.
  readonly cut: readonly (readonly [number, number])[];
}

export interface ObjectsRequest {
  readonly query: string;
  readonly runs?: readonly string[] | null;
  /// The subject of a kind, such as `images`.
  readonly type: string;
  readonly sequences?: readonly { readonly name: string; readonly context?: Context }[] | null;
  readonly steps:
    | { readonly from: number | null; readonly to: number | null; readonly count: number }
    | { readonly at: number | null };
  readonly index?: { readonly from: number; readonly count: number };
  readonly limit?: number;
}

export interface ObjectSequence extends SequenceKey {
  readonly run: number;
  readonly kind: string;
  readonly count: number;
  readonly steps: readonly number[];
  readonly index_count: number;
}

export interface ObjectItem {
  readonly sequence: number;
  readonly step: number;
  readonly epoch: WireNumber | null;
  readonly time: number;
  readonly index: number;
  readonly blob?: string;
  readonly uri?: string; // of media that stay where they are
  readonly format?: string;
  readonly width?: number;
  readonly height?: number;
  readonly caption?: string;
  readonly size?: number;
  readonly rate?: number | null;
  readonly duration_s?: number | null;
  readonly fps?: number | null;
  readonly frame_count?: number | null;
  readonly boxes?: readonly BoxItem[];
  readonly labels?: readonly (readonly [number, string])[];
  readonly masks?: readonly string[];
  readonly columns?: readonly TableColumn[];
  readonly row_count?: number;
  readonly text?: string;
  readonly cut?: boolean;
  readonly bin_count?: number;
  readonly range?: readonly [WireNumber, WireNumber];
  readonly weights?: readonly WireNumber[];
  readonly source?: string;
}

export interface ObjectsAnswer {
  readonly cursor: string;
  readonly total: number;
  readonly runs: readonly string[];
  readonly sequences: readonly ObjectSequence[];
  readonly items: readonly ObjectItem[];
}
