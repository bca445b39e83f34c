/// The scope of every page: one repository and one query; what the matching runs have; and what changes live.

import { computed, effect, signal, untracked } from "@preact/signals";
import { change, setting } from "./address";
import { server } from "./session";
import { follow, type LiveState } from "../wire/events";
import { repoUrl, sendJson, WireError } from "../wire/request";
import type { FieldsAnswer, Tick } from "../wire/types";

const FIELDS_PAUSE_MS = 4000; // fields are asked for again at most this often while runs are live

/// The repository's id; empty until the server answered.
export const repo = computed(() => {
  const repos = server.value?.repos ?? [];
  const wanted = wantedRepo.value;
  return (repos.find(({ id }) => id === wanted) ?? repos[0])?.id ?? "";
});
const wantedRepo = setting("repo");

/// The query that all pages are narrowed by.
export const query = setting("q");

/// What is wrong with the query; null if nothing is.
export const queryError = signal<WireError | null>(null);

/// What the matching runs have; null until known.
export const fields = signal<FieldsAnswer | null>(null);

/// The last change that the server told of; `isOwn`: of this page's reader, who waits to see it.
export const tick = signal<(Tick & { readonly isOwn?: boolean }) | null>(null);

/// Why the server, which is there, can't tell of the repository: its folder was moved, say; null while it can.
export const scopeError = signal<WireError | null>(null);

/// The state of the live connection.
export const live = signal<LiveState>("off");
/// How many runs are running.
export const liveRuns = computed(
  () => tick.value?.live ?? fields.value?.facets.status?.find(([name]) => name === "running")?.[1] ?? 0,
);

/// How far the server is with its first reading of the runs; null: it has them all.
export const indexing = computed(() => {
  if (tick.value) return tick.value.indexing;
  return server.value?.repos.find(({ id }) => id === repo.value)?.indexing ?? null;
});

/// How many runs match and how long the server took; the pages that list runs keep it.
export const matches = signal<{ readonly count: number; readonly total: number; readonly elapsed_ms: number } | null>(
  null,
);

/// The absolute address of `path` in the repository.
export function here(path: string): string {
  return repoUrl(repo.peek(), path);
}

/// Narrows all pages by another query.
export function setQuery(text: string): void {
  change({ q: text.trim() });
}

/// Adds a clause to the query with `and`.
export function narrow(clause: string): void {
  const text = query.peek();
  setQuery(text === "" ? clause : / or /.test(text) ? `(${text}) and ${clause}` : `${text} and ${clause}`);
}

/// Takes an error in: query errors go to the query box, others to the caller. Aborts are dropped.
export function asWireError(error: unknown): WireError | null {
  if (error instanceof DOMException && error.name === "AbortError") return null;
  if (error instanceof WireError) {
    if (error.kind === "query") queryError.value = error;
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  return new WireError({ kind: "internal", message }, 0);
}

/// Tells all pages that some runs changed, before the server does; what the reader did is seen at once, a first tag too.
export function nudge(cursor: string, changed: readonly string[]): void {
  const { total = 0, live = 0 } = tick.peek() ?? {};
  tick.value = { cursor, changed, removed: [], total, live, indexing: indexing.peek(), isOwn: true };
  void loadFields();
}

let fieldsAbort = new AbortController();
let fieldsAt_ms = 0;

/// Asks what the runs have; a server that can't tell says why, in `scopeError`.
export async function loadFields(): Promise<void> {
  fieldsAbort.abort();
  fieldsAbort = new AbortController();
  fieldsAt_ms = performance.now();
  const asked = query.peek();
  try {
    const answer = await sendJson<FieldsAnswer>(here("fields"), { query: asked }, fieldsAbort.signal);
    fields.value = answer;
    queryError.value = null;
    scopeError.value = null;
  } catch (caught) {
    const failure = asWireError(caught);
    if (failure && failure.kind !== "query" && failure.status > 0) scopeError.value = failure;
  }
}

/// Begins to follow the address: the scope's fields, and the live stream of its repository. Called once.
export function startScope(): void {
  effect(() => {
    if (repo.value === "") return;
    void query.value;
    untracked(() => void loadFields());
  });
  effect(() => {
    if (repo.value === "") return undefined;
    return untracked(() =>
      follow(repo.peek(), () => tick.peek()?.cursor ?? fields.peek()?.cursor ?? null, {
        tick: (next) => (tick.value = next),
        state: (state) => (live.value = state),
      }),
    );
  });
  let pending = 0;
  effect(() => {
    if (!tick.value) return;
    untracked(() => {
      if (pending) return;
      const wait_ms = Math.max(300, fieldsAt_ms + FIELDS_PAUSE_MS - performance.now());
      pending = window.setTimeout(() => {
        pending = 0;
        void loadFields();
      }, wait_ms);
    });
  });
}
