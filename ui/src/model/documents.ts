/// Saved views and reports: small documents that the server keeps for everybody.

import { signal } from "@preact/signals";
import { here } from "./scope";
import { report, toast } from "./session";
import { getJson, request, sendJson } from "../wire/request";
import type { Json, StoredDocument } from "../wire/types";

/// All documents; null until asked for.
export const documents = signal<readonly StoredDocument[] | null>(null);

let changes = 0; // counts our own: an answer that was under way meanwhile is of yesterday

/// Asks for all documents.
export async function loadDocuments(): Promise<void> {
  try {
    const asked = changes;
    const answer = await getJson<{ readonly documents: readonly StoredDocument[] }>(here("documents"));
    if (asked === changes) documents.value = answer.documents;
    else await loadDocuments();
  } catch (error) {
    report(error);
  }
}

/// An id from a name: `Nightly runs` is `nightly-runs`; another number behind it if that is taken.
export function documentId(name: string, taken: ReadonlySet<string>): string {
  const plain =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 56) || "untitled";
  if (!taken.has(plain)) return plain;
  let number = 2;
  while (taken.has(`${plain}-${number}`)) number++;
  return `${plain}-${number}`;
}

/// Writes a document; gives what the server keeps now, or null after an error, which is shown.
export async function saveDocument(
  kind: StoredDocument["kind"],
  id: string,
  revision: string | null,
  body: { readonly [key: string]: Json },
): Promise<StoredDocument | null> {
  try {
    const saved = await sendJson<StoredDocument>(here(`documents/${kind}/${id}`), { revision, body }, undefined, "PUT");
    changes++;
    const others = (documents.peek() ?? []).filter((other) => other.kind !== kind || other.id !== id);
    documents.value = [...others, saved];
    return saved;
  } catch (error) {
    report(error);
    return null;
  }
}

/// Removes a document; says so, and offers it back. `name`: what the message calls it.
export async function dropDocument(kind: StoredDocument["kind"], id: string, name: string): Promise<void> {
  const old = documents.peek()?.find((one) => one.kind === kind && one.id === id);
  try {
    await request(here(`documents/${kind}/${id}`), { method: "DELETE" });
  } catch (error) {
    report(error);
    return;
  }
  changes++;
  documents.value = (documents.peek() ?? []).filter((other) => other.kind !== kind || other.id !== id);
  toast(`${name} deleted.`, old && { label: "Undo", run: () => void saveDocument(kind, id, null, old.body) });
}

const draftKey = (id: string): string => `aim.draft ${here(id)}`;

/// A report's text that was written and not saved yet, however its page was left in this tab; null: there is none.
export function draftOf(id: string): { readonly name: string; readonly text: string } | null {
  const kept = sessionStorage.getItem(draftKey(id));
  return kept === null ? null : (JSON.parse(kept) as { name: string; text: string });
}

/// Keeps what is being written; null: nothing any more.
export function keepDraft(id: string, draft: { readonly name: string; readonly text: string } | null): void {
  if (draft) sessionStorage.setItem(draftKey(id), JSON.stringify(draft));
  else sessionStorage.removeItem(draftKey(id));
}
