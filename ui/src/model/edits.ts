/// Changes to runs, each of which can be undone.

import { plural } from "./words";
import type { Marks } from "./marks";
import type { Scope } from "./scope";
import type { Session } from "./session";
import { sendJson } from "../wire/request";
import type { Change, EditAnswer } from "../wire/types";

const UNDO_MOST = 50;

interface Undoable {
  readonly undo: string;
  readonly runs: readonly string[];
}

/// The changes that were made on these pages.
export class Edits {
  private readonly undoable: Undoable[] = [];

  constructor(
    private readonly session: Session,
    private readonly scope: Scope,
    private readonly marks: Marks,
  ) {}

  /// Whether the server takes changes at all.
  readonly canEdit = (): boolean => this.session.server.value?.read_only === false;

  /// Changes some runs, says so, and offers to undo it. `done` is such as "Archived". Returns whether it was done.
  readonly edit = async (runs: readonly string[], change: Change, done: string): Promise<boolean> => {
    if (runs.length === 0) return false;
    try {
      const answer = await sendJson<EditAnswer>(this.scope.here("edits"), { runs, change });
      this.undoable.push({ undo: answer.undo, runs });
      if (this.undoable.length > UNDO_MOST) this.undoable.shift();
      const { selected } = this.marks;
      if (change.deleted) selected.value = selected.peek().filter((hash) => !runs.includes(hash));
      this.scope.nudge(answer.cursor, runs);
      const undo = { label: "Undo", run: () => void this.undo(answer.undo) };
      this.session.toast(`${done} ${plural(answer.count, "run")}.`, undo);
      return true;
    } catch (error) {
      this.session.report(error);
      return false;
    }
  };

  /// Undoes an edit: that of this id, or the last.
  readonly undo = async (id?: string): Promise<void> => {
    const index = id === undefined ? this.undoable.length - 1 : this.undoable.findIndex((edit) => edit.undo === id);
    if (index < 0) return;
    const [{ undo, runs }] = this.undoable.splice(index, 1);
    try {
      const answer = await sendJson<{ readonly cursor: string; readonly count: number }>(this.scope.here("undo"), {
        undo,
      });
      this.scope.nudge(answer.cursor, runs);
      this.session.toast(`Undone for ${plural(answer.count, "run")}.`);
    } catch (error) {
      this.session.report(error);
    }
  };
}
