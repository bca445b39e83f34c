/// Saved views and reports: small documents that the server keeps for everybody.

import { effect, signal, untracked } from "@preact/signals";
import type { Scope } from "./scope";
import type { Session } from "./session";
import { getJson, request, sendJson } from "../wire/request";
import type { Json, StoredDocument } from "../wire/types";

const ID_CHARS_MOST = 56;

/// An id from a name: `Nightly runs` is `nightly-runs`; with a number behind it if that is taken.
export function documentId(name: string, taken: ReadonlySet<string>): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const plain = words.join("-").slice(0, ID_CHARS_MOST) || "untitled";
  if (!taken.has(plain)) return plain;
  let number = 2;
  while (taken.has(`${plain}-${number}`)) number++;
  return `${plain}-${number}`;
}

/// A report as it is being written.
export interface Draft {
  readonly name: string;
  readonly text: string;
}

/// The documents of a repository.
export class Documents {
  /// All documents; null until asked for.
  readonly all = signal<readonly StoredDocument[] | null>(null);

  private isAsked = false;
  private changes = 0; // counts our own: an answer that was under way meanwhile is out of date

  constructor(
    private readonly session: Session,
    private readonly scope: Scope,
  ) {}

  /// Asks for the documents again whenever the server says that one has changed, and after each new connection; only
  /// once somebody asked for them. Until the returned function is called.
  follow(): () => void {
    let stamp: string | undefined;
    const stopTicks = effect(() => {
      const next = this.scope.tick.value?.documents;
      const isChanged = next !== undefined && next !== stamp;
      stamp = next ?? stamp;
      if (isChanged) untracked(this.reload);
    });
    const stopStates = effect(() => {
      if (this.scope.live.value === "live") untracked(this.reload);
    });
    return () => {
      stopTicks();
      stopStates();
    };
  }

  /// Asks for all documents.
  readonly load = async (): Promise<void> => {
    this.isAsked = true;
    try {
      const before = this.changes;
      const answer = await getJson<{ readonly documents: readonly StoredDocument[] }>(this.scope.here("documents"));
      if (before === this.changes) this.all.value = answer.documents;
      else await this.load();
    } catch (error) {
      this.session.report(error);
    }
  };

  /// Asks for all documents, unless somebody did.
  readonly need = (): void => {
    if (this.isAsked || this.scope.repo.peek() === "") return;
    this.isAsked = true;
    void this.load();
  };

  /// Writes a document; returns what the server keeps now, or null after an error, which is shown.
  readonly save = async (
    kind: StoredDocument["kind"],
    id: string,
    revision: string | null,
    body: { readonly [key: string]: Json },
  ): Promise<StoredDocument | null> => {
    try {
      const url = this.scope.here(`documents/${kind}/${id}`);
      const saved = await sendJson<StoredDocument>(url, { revision, body }, undefined, "PUT");
      this.changes++;
      this.all.value = [...this.without(kind, id), saved];
      return saved;
    } catch (error) {
      this.session.report(error);
      return null;
    }
  };

  /// Removes a document, and offers to bring it back. `name`: what the message calls it.
  readonly drop = async (kind: StoredDocument["kind"], id: string, name: string): Promise<void> => {
    const old = this.all.peek()?.find((document) => document.kind === kind && document.id === id);
    try {
      await request(this.scope.here(`documents/${kind}/${id}`), { method: "DELETE" });
    } catch (error) {
      this.session.report(error);
      return;
    }
    this.changes++;
    this.all.value = this.without(kind, id);
    const undo = old && { label: "Undo", run: () => void this.save(kind, id, null, old.body) };
    this.session.toast(`${name} deleted.`, undo);
  };

  /// The text of a report that was written in this tab and is not saved yet; null: there is none.
  readonly draft = (id: string): Draft | null => {
    const text = sessionStorage.getItem(this.draftKey(id));
    return text === null ? null : (JSON.parse(text) as Draft);
  };

  /// Keeps what is being written; null: nothing any more.
  readonly keepDraft = (id: string, draft: Draft | null): void => {
    if (draft) sessionStorage.setItem(this.draftKey(id), JSON.stringify(draft));
    else sessionStorage.removeItem(this.draftKey(id));
  };

  private readonly reload = (): void => {
    if (this.all.peek() !== null) void this.load();
  };

  private draftKey(id: string): string {
    return `aim.draft ${this.scope.here(id)}`;
  }

  private without(kind: StoredDocument["kind"], id: string): readonly StoredDocument[] {
    return (this.all.peek() ?? []).filter((document) => document.kind !== kind || document.id !== id);
  }
}
