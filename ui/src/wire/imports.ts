/// The shapes of docs/formats/wire.md for runs that other trackers recorded.

/// What an import brought, changed and left out.
export interface ImportReport {
  readonly points?: number;
  readonly merged?: number;
  readonly system_points?: number;
  readonly objects?: number;
  readonly params?: number;
  readonly log_lines?: number;
  readonly files?: number;
  readonly renumbered?: { readonly [reason: string]: number };
  readonly left_out?: { readonly [reason: string]: number };
  readonly refused?: { readonly [reason: string]: number };
  readonly damage?: readonly { readonly path: string; readonly offset: number | null; readonly reason: string }[];
}

/// Where a run came from, and how.
export interface Imported {
  readonly from: string | null;
  readonly tool_version: string | null;
  readonly id: string | null;
  readonly source: string | null;
  readonly at: number | null;
  readonly url: string | null;
  readonly report: ImportReport;
}

/// What other trackers wrote beside the repository.
export interface ImportableAnswer {
  readonly sources: readonly { readonly title: string; readonly command: string }[];
}
