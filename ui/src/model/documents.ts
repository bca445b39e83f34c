/// Saved views and reports: small documents that the server keeps for everybody.

import { signal } from "@preact/signals";
import { here } from "./scope";
import { report } from "./session";
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
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 56) || "untitled";
  if (!taken.has(plain)) return plain;
  let number = 2;
  while (taken.has(`${plain}-${number}`)) number++;
  return `${plain}-${number}`;
}

/// Writes a document; gives what the server keeps now, or null after an error, which is shown.
export async function saveDocument(kind: StoredDocument["kind"], id: string, revision: string | null, body: { readonly [key: string]: Json }): Promise<StoredDocument | null> {
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

/// Removes a document.
export async function dropDocument(kind: StoredDocument["kind"], id: string): Promise<void> {
  try {
    await request(here(`documents/${kind}/${id}`), { method: "DELETE" });
    changes++;
    documents.value = (documents.peek() ?? []).filter((other) => other.kind !== kind || other.id !== id);
  } catch (error) {
    report(error);
  }
}
