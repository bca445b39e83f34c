/// The blocks of a page in one file: base64 in elements of the document, deflated. See docs/formats/page.md.

import type { BigInteger } from "../wire/json";
import type { AlertItem } from "../wire/alerts";
import type { LogRecord } from "../wire/logs";
import type {
  ArchiveInfo,
  Field,
  FieldsAnswer,
  RunAnswer,
  RunsAnswer,
  SequenceKey,
  ServerInfo,
  StoredDocument,
} from "../wire/types";
import type { ObjectItem, ObjectSequence, TableAnswer } from "../wire/objects";

/// Where a column of numbers is in the block of curves.
export interface ColumnPlace {
  readonly type: "i4" | "f4" | "f8";
  readonly at: number;
  readonly count: number;
  readonly lengths: readonly number[];
}

/// The index of a point, and its value, which no double holds.
export type IndexedInteger = readonly [number, number | BigInteger];

/// The curves: one item a curve in each list; `steps_of` and so on are indices of arrays in the columns.
export interface CurveTable {
  readonly metrics: readonly SequenceKey[];
  readonly run: readonly number[];
  readonly metric: readonly number[];
  readonly n: readonly number[];
  readonly points: readonly number[];
  readonly nan: readonly number[];
  readonly inf: readonly number[];
  readonly steps_of: readonly number[];
  readonly times_of: readonly number[];
  readonly epochs_of: readonly number[];
  /// Of each curve the integers beyond 2^53, by the index of the point; left out if there are none.
  readonly integers?: readonly (readonly IndexedInteger[] | null)[];
  readonly columns: { readonly [name in "steps" | "times" | "epochs" | "values"]: ColumnPlace };
  readonly time_unit_s: number;
}

/// The lines of a log, from the line `from` on.
export interface ArchivedLog {
  readonly from: number;
  readonly total: number;
  readonly lines: readonly string[];
}

/// The block of answers.
export interface ArchivedAnswers extends ArchiveInfo {
  readonly format: number;
  readonly page: string;
  readonly info: ServerInfo;
  readonly fields: FieldsAnswer;
  readonly runs: RunsAnswer & { readonly fields: readonly Field[] };
  readonly pages: { readonly [hash: string]: RunAnswer };
  readonly logs: { readonly [hash: string]: { readonly [id: string]: ArchivedLog } };
  readonly records: { readonly [hash: string]: readonly LogRecord[] };
  readonly alerts: readonly AlertItem[];
  /// What people wrote at a step; files before 4.0.0 have none.
  readonly documents?: readonly StoredDocument[];
  readonly objects: {
    readonly [subject: string]: {
      readonly runs: readonly string[];
      readonly sequences: readonly ObjectSequence[];
      readonly items: readonly ObjectItem[];
    };
  };
  readonly tables: { readonly [blob: string]: TableAnswer };
  readonly curves: CurveTable;
  readonly media: { readonly [blob: string]: { readonly id: string; readonly type: string } };
}

/// The bytes of base64 text.
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < characters.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/// The bytes of the block in the element `id`; none where there is no such element.
export function blockBytes(id: string): Uint8Array<ArrayBuffer> {
  return fromBase64(document.getElementById(id)?.textContent ?? "");
}

/// The inflated bytes of a block.
export async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
