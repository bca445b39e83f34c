/// The shapes of logs in docs/formats/wire.md, section 4, as TypeScript. Nothing here has behaviour.

import type { Json } from "./types";

export interface LogAnswer {
  readonly from: number;
  readonly total: number;
  readonly lines: readonly string[];
}
export interface LogMatches {
  readonly total: number;
  readonly matches: readonly number[];
}
export interface LogRecord {
  readonly time: number;
  readonly level: string;
  readonly message: string;
  readonly args: { readonly [key: string]: Json } | null;
  readonly file: string | null;
  readonly line: number | null;
}
export interface RecordsAnswer {
  readonly from: number;
  readonly total: number;
  readonly records: readonly LogRecord[];
}
