/// Changes to runs, each with a way back.

import { plural } from "./words";
import { here, nudge } from "./scope";
import { report, server, toast } from "./session";
import { selected } from "./marks";
import { sendJson } from "../wire/request";
import type { Change, EditAnswer } from "../wire/types";

const UNDO_MOST = 50;
const undoable: { readonly undo: string; readonly runs: readonly string[] }[] = [];

/// Whether the server takes changes at all.
export function canEdit(): boolean {
  return server.value !== null && !server.value.read_only;
}

/// Changes some runs; says what was done and offers to undo it. `done` is such as "Archived".
export async function edit(runs: readonly string[], change: Change, done: string): Promise<boolean> {
  if (runs.length === 0) return false;
  try {
    const answer = await sendJson<EditAnswer>(here("edits"), { runs, change });
    undoable.push({ undo: answer.undo, runs });
    if (undoable.length > UNDO_MOST) undoable.shift();
    if (change.deleted) selected.value = selected.peek().filter((hash) => !runs.includes(hash));
    nudge(answer.cursor, runs);
    toast(`${done} ${plural(answer.count, "run")}.`, { label: "Undo", run: () => void undo(answer.undo) });
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

/// Takes back an edit: the given one, or the last.
export async function undo(id?: string): Promise<void> {
  const place = id === undefined ? undoable.length - 1 : undoable.findIndex((entry) => entry.undo === id);
  if (place < 0) return;
  const [entry] = undoable.splice(place, 1);
  try {
    const answer = await sendJson<{ readonly cursor: string; readonly count: number }>(here("undo"), {
      undo: entry.undo,
    });
    nudge(answer.cursor, entry.runs);
    toast(`Undone for ${plural(answer.count, "run")}.`);
  } catch (error) {
    report(error);
  }
}
