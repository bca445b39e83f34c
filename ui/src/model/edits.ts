/// Changes to runs, each of which can be undone.
///
/// What was changed is remembered for the tab, so that after a reload its progress is told again, and a key takes it
/// back. What others changed is not taken back by a key.

import { plural } from "./words";
import type { Marks } from "./marks";
import type { Scope } from "./scope";
import type { Session } from "./session";
import { getJson, sendJson, WireError } from "../wire/request";
import type { Change, EditAnswer, UndoAnswer } from "../wire/edits";

const UNDO_MOST = 50;

const WAIT_S = 0.3; // an edit of few runs is done by then; of others the progress is shown
const LOOK_MS = 300;
const MADE_KEY = "aim.edits";

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

  /// Whether the reader may also delete, take back, and save views, reports and tags.
  readonly canDelete = (): boolean => this.canEdit() && this.scope.mayDo("change");

  /// Changes some runs, says so, and offers to undo it. `done` is such as "Archived". Of many runs it tells the
  /// progress, and can be undone while it goes on. `remark` follows the number of runs in the message. Returns whether
  /// it was done.
  readonly edit = async (runs: readonly string[], change: Change, done: string, remark = ""): Promise<boolean> => {
    if (runs.length === 0) return false;
    try {
      const answer = await this.send(runs, change);
      this.undoable.push({ undo: answer.undo, runs });
      remember({ undo: answer.undo, time: answer.time, done, remark });
      if (this.undoable.length > UNDO_MOST) this.undoable.shift();
      const { selected } = this.marks;
      if (change.deleted) selected.value = selected.peek().filter((hash) => !runs.includes(hash));
      return await this.followed(answer, runs, done, remark);
    } catch (error) {
      this.session.report(error);
      return false;
    }
  };

  /// Goes on telling of the changes that this tab made before it was loaded again, while they are under way.
  readonly resume = async (): Promise<void> => {
    if (madeHere().length === 0) return;
    try {
      const listed = await this.recall();
      for (const { made, edit } of listed) {
        if (edit.state === "running") void this.followed(edit, null, made.done, made.remark).catch(this.session.report);
        if (edit.state === "undoing") void this.followedBack(edit, null).catch(this.session.report);
      }
    } catch (error) {
      this.session.report(error);
    }
  };

  private async send(runs: readonly string[], change: Change): Promise<EditAnswer> {
    await this.scope.whenKnown();
    try {
      return await sendJson<EditAnswer>(this.scope.here("edits"), { runs, change, wait_s: WAIT_S });
    } catch (error) {
      // one that failed while its request waited may have changed some runs, which can be undone
      const undo = error instanceof WireError ? error.body.undo : undefined;
      const failed = undo === undefined ? null : await this.look(undo);
      if (failed === null) throw error;
      return failed;
    }
  }

  /// Undoes an edit: that of this id, or the last.
  readonly undo = async (id?: string): Promise<void> => {
    try {
      await this.scope.whenKnown();
      if (id === undefined) await this.recall();
      const index = id === undefined ? this.undoable.length - 1 : this.undoable.findIndex((edit) => edit.undo === id);
      if (index < 0) return;
      const [{ undo, runs }] = this.undoable.splice(index, 1);
      const answer = await sendJson<UndoAnswer>(this.scope.here("undo"), { undo, wait_s: WAIT_S });
      await this.followedBack("done" in answer ? answer : { ...answer, undo: null }, runs);
    } catch (error) {
      this.session.report(error);
    }
  };

  /// Follows the taking back of an edit to its end; `undo` null: it was at its end with the first answer.
  private async followedBack(
    first: EditAnswer | { readonly cursor: string; readonly count: number; readonly undo: null },
    runs: readonly string[] | null,
  ): Promise<void> {
    let next = first.undo === null ? null : first;
    let toast: number | undefined;
    while (next) {
      const text = `Undoing: ${next.done} of ${plural(next.count, "run")} to go.`;
      toast = this.session.toast(text, undefined, "plain", toast);
      await pause();
      next = await this.look(next.undo);
    }
    this.scope.nudge(first.cursor, runs);
    this.session.toast(`Undone for ${plural(first.count, "run")}.`, undefined, "plain", toast);
  }

  /// Follows an edit to its end, and tells how far it is. Returns whether it was done.
  private async followed(
    first: EditAnswer,
    runs: readonly string[] | null,
    done: string,
    remark: string,
  ): Promise<boolean> {
    const undo = this.canDelete() ? { label: "Undo", run: () => void this.undo(first.undo) } : undefined;
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

  /// Takes up what was changed in this tab before the page was loaded, as far as the server can undo it; once. Returns
  /// these changes, the oldest first.
  private async recall(): Promise<readonly { readonly made: Made; readonly edit: EditAnswer }[]> {
    if (this.isRecalled) return [];
    await this.scope.whenKnown();
    const { edits } = await getJson<{ readonly edits: readonly EditAnswer[] }>(this.scope.here("edits"));
    this.isRecalled = true;
    const listed = new Set(this.undoable.map(({ undo }) => undo));
    const mades = madeHere();
    const earlier = [...edits].reverse().flatMap((edit) => {
      const made = mades.find(({ undo, time }) => undo === edit.undo && time === edit.time);
      return made && !listed.has(edit.undo) ? [{ made, edit }] : [];
    });
    const undoable = earlier.filter(({ edit }) => edit.state !== "undoing");
    this.undoable.unshift(...undoable.map(({ edit }) => ({ undo: edit.undo, runs: null })));
    return earlier;
  }
}

/// A change that this tab made: the server's name of it, when it began, and what a message says of it.
interface Made {
  readonly undo: string;
  readonly time: number;
  readonly done: string;
  readonly remark: string;
}

function madeHere(): readonly Made[] {
  try {
    return JSON.parse(sessionStorage.getItem(MADE_KEY) ?? "[]") as readonly Made[];
  } catch {
    return [];
  }
}

function remember(made: Made): void {
  sessionStorage.setItem(MADE_KEY, JSON.stringify([...madeHere(), made].slice(-UNDO_MOST)));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
