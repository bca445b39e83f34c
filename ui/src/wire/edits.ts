/// The shapes of changes in docs/formats/wire.md, section 8, as TypeScript. Nothing here has behaviour.

import type { Context, WireErrorBody } from "./types";

export interface Change {
  readonly name?: string | null;
  readonly description?: string | null;
  readonly notes?: string | null;
  readonly experiment?: string | null;
  readonly archived?: boolean;
  readonly tags?: { readonly add: readonly string[]; readonly remove: readonly string[] };
  readonly deleted?: true;
  /// Stands alone, and of one run: what was tracked at these steps is hidden; of lists only these items.
  readonly points?: readonly {
    readonly name: string;
    readonly context: Context;
    readonly steps: readonly number[];
    readonly items?: readonly number[];
  }[];
}

export interface DemoAnswer {
  readonly cursor: string;
  readonly count: number;
}
/// How far an edit of many runs is, or the taking back of one.
export interface EditAnswer {
  readonly cursor: string;
  readonly count: number;
  readonly undo: string;
  /// When it began, Unix seconds.
  readonly time: number;
  readonly done: number;
  readonly state: "running" | "done" | "stopped" | "failed" | "undoing";
  readonly error: WireErrorBody | null;
}

/// The answer to an undo: the edit as it is now, or that it is undone.
export type UndoAnswer = EditAnswer | { readonly cursor: string; readonly count: number; readonly state: "undone" };
