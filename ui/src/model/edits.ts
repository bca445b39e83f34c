/// Changes to runs, each of which can be undone.

import { plural } from "./words";
import type { Marks } from "./marks";
import type { Scope } from "./scope";
import type { Session } from "./session";
import { getJson, sendJson, WireError } from "../wire/request";
import type { Change, EditAnswer, UndoAnswer } from "../wire/edits";

const UNDO_MOST = 50;

const WAIT_S = 0.3; // an edit of few runs is done by then; of others the progress is shown
const LOOK_MS = 300;
const MADE_KEY = "aim.edits"; // of this tab: what others changed is not taken back by a key

interface Undoable {
  readonly undo: string;
  /// The runs that it changed; null: unknown, as after a reload.
  readonly runs: readonly string[] | null;
}

/// The changes that can be undone: those that were made in this tab, also before it was reloaded.
export class Edits {
  private readonly undoable: Undoable[] = [];
  private isRecalled = false;

  constructor(
    private readonly session: Session,
    private readonly scope: Scope,
    private readonly marks: Marks,
  ) {}

  /// Whether the server takes changes of this repository at all.
  readonly canEdit = (): boolean => this.session.server.value !== null && this.scope.readOnly.value === null;

  /// Changes some runs, says so, and offers to undo it. `done` is such as "Archived". Of many runs it tells the
  /// progress, and can be undone while it goes on. `remark`
  /// follows the number of runs in the message. Returns whether it was done.
  readonly edit = async (runs: readonly string[], change: Change, done: string, remark = ""): Promise<boolean> => {
    if (runs.length === 0) return false;
    try {
      const answer = await sendJson<EditAnswer>(this.scope.here("edits"), { runs, change, wait_s: WAIT_S });
      this.undoable.push({ undo: answer.undo, runs });
      remember(answer);
      if (this.undoable.length > UNDO_MOST) this.undoable.shift();
      const { selected } = this.marks;
      if (change.deleted) selected.value = selected.peek().filter((hash) => !runs.includes(hash));
      return await this.followed(answer, runs, done, remark);
    } catch (error) {
      this.session.report(error);
      return false;
    }
  };

  /// Undoes an edit: that of this id, or the last.
  readonly undo = async (id?: string): Promise<void> => {
    try {
      if (id === undefined) await this.recall();
      const index = id === undefined ? this.undoable.length - 1 : this.undoable.findIndex((edit) => edit.undo === id);
      if (index < 0) return;
      const [{ undo, runs }] = this.undoable.splice(index, 1);
      const answer = await sendJson<UndoAnswer>(this.scope.here("undo"), { undo, wait_s: WAIT_S });
      let next = "done" in answer ? answer : null;
      let toast: number | undefined;
      while (next) {
        const text = `Undoing: ${next.done} of ${plural(next.count, "run")} to go.`;
        toast = this.session.toast(text, undefined, "plain", toast);
        await pause();
        next = await this.look(undo);
      }
      this.scope.nudge(answer.cursor, runs);
      this.session.toast(`Undone for ${plural(answer.count, "run")}.`, undefined, "plain", toast);
    } catch (error) {
      this.session.report(error);
    }
  };

  /// Follows an edit to its end, and tells how far it is. Returns whether it was done.
  private async followed(first: EditAnswer, runs: readonly string[], done: string, remark: string): Promise<boolean> {
    const undo = { label: "Undo", run: () => void this.undo(first.undo) };
    let answer = first;
    let toast: number | undefined;
    while (answer.state === "running") {
      const text = `${done} ${answer.done} of ${plural(answer.count, "run")}${remark}.`;
      toast = this.session.toast(text, undo, "plain", toast);
      await pause();
      const next = await this.look(first.undo);
      if (next === null) break;
      answer = next;
    }
    this.scope.nudge(answer.cursor, runs);
    if (toast !== undefined) this.session.dropToast(toast);
    if (answer.state === "done") this.session.toast(`${done} ${plural(answer.count, "run")}${remark}.`, undo);
    else if (answer.state === "failed") {
      const reason = answer.error?.message ?? "The change failed.";
      this.session.toast(`${done} ${answer.done} of ${plural(answer.count, "run")}. ${reason}`, undo, "bad");
    }
    return answer.state === "done";
  }

  /// An edit as it is now; null: it was undone.
  private async look(undo: string): Promise<EditAnswer | null> {
    try {
      return await getJson<EditAnswer>(this.scope.here(`edits/${encodeURIComponent(undo)}`));
    } catch (error) {
      if (error instanceof WireError && error.status === 404) return null;
      throw error;
    }
  }

  /// Takes up what was changed in this tab before the page was loaded, as far as the server can undo it; once.
  private async recall(): Promise<void> {
    if (this.isRecalled) return;
    const { edits } = await getJson<{ readonly edits: readonly EditAnswer[] }>(this.scope.here("edits"));
    this.isRecalled = true;
    const listed = new Set(this.undoable.map(({ undo }) => undo));
    const made = new Set(madeHere());
    const earlier = edits.filter((edit) => made.has(madeText(edit)) && !listed.has(edit.undo));
    this.undoable.unshift(...[...earlier].reverse().map(({ undo }) => ({ undo, runs: null })));
  }
}

function madeText({ undo, time }: EditAnswer): string {
  return `${undo} ${time}`;
}

function madeHere(): readonly string[] {
  return (sessionStorage.getItem(MADE_KEY) ?? "").split("\n");
}

function remember(edit: EditAnswer): void {
  sessionStorage.setItem(MADE_KEY, [...madeHere(), madeText(edit)].slice(-UNDO_MOST).join("\n"));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
