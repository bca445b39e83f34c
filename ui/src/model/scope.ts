/// The scope of a page, or of a part of one: a repository and a query; what the matching runs have; and what changes
/// live.

import { computed, effect, signal, untracked, type ReadonlySignal, type Signal } from "@preact/signals";
import { change, setting } from "./address";
import { liveStore, type LiveStore, type LiveTick } from "./livestore";
import { RunColumns } from "./runcolumns";
import type { Session } from "./session";
import { follow, type LiveState } from "../wire/events";
import { repoUrl, sendJson, WireError } from "../wire/request";
import { withZone } from "../wire/zone";
import type { CheckAnswer, FieldsAnswer } from "../wire/types";

const FIELDS_PAUSE_MS = 4000; // fields are asked for again at most this often while runs are live

const READ_ONLY_TEXTS = {
  server: "The server was started with --read-only.",
  disk: "The disk of this repository is read-only.",
  rights: "The server may not write to the folder of this repository.",
} as const;

const FULL_TEXTS = {
  disk: "The disk of this repository is full: nothing more is stored.",
  project: "This project holds as much as it may (--project-max): nothing more is stored.",
} as const;
const FULL_NEXT =
  "Trainings that record to this server keep their runs on their own disks, and send them when there is room.";

/// Where a scope's repository and query stand: in the address, or in a block of a report.
export interface ScopeSettings {
  /// The repository's id; empty: the first that is served.
  readonly repo: ReadonlySignal<string>;
  readonly query: ReadonlySignal<string>;
  /// `whileTyping`: without a step in the history of the browser.
  readonly setQuery: (text: string, whileTyping?: boolean) => void;
}

/// The settings in the address, which all pages share.
export const ADDRESS_SCOPE: ScopeSettings = {
  repo: setting("repo"),
  query: setting("q"),
  setQuery: (text, whileTyping) => change({ q: text.trim() }, whileTyping),
};

/// How many runs match and how long the server took.
export interface Matches {
  readonly count: number;
  readonly total: number;
  readonly elapsed_ms: number;
}

/// A query that is narrowed by one more clause.
export function narrowedQuery(query: string, clause: string): string {
  if (query === "") return clause;
  return / or /.test(query) ? `(${query}) and ${clause}` : `${query} and ${clause}`;
}

/// One scope.
export class Scope {
  /// The repository's id; empty until the server answered.
  readonly repo = computed(() => {
    const repos = this.session.server.value?.repos ?? [];
    return (repos.find(({ id }) => id === this.settings.repo.value) ?? repos[0])?.id ?? "";
  });

  /// The query that all pages are narrowed by.
  readonly query: ReadonlySignal<string>;

  /// The query as an expression where it is words that people look for; null where it is an expression itself, or the
  /// server has not answered.
  readonly search = computed(() => {
    const answered = this.searched.value;
    return answered?.query === this.query.value ? answered.search : null;
  });

  /// The query as an expression that the SDK takes too.
  readonly expression = computed(() => this.search.value ?? this.query.value);

  /// What is wrong with the query; null if nothing is.
  readonly queryError = signal<WireError | null>(null);

  /// The last change that the server reported, or that this page's reader made.
  readonly tick: Signal<LiveTick | null>;

  /// The state of the live connection.
  readonly live: Signal<LiveState>;

  /// How many runs match; the pages that list runs keep it.
  readonly matches = signal<Matches | null>(null);

  /// What the matching runs have; null until known.
  readonly fields: ReadonlySignal<FieldsAnswer | null>;

  /// Why the server, which answers, cannot read the repository: its folder was moved, say; null while it can.
  readonly scopeError = computed(() => {
    const error = this.fieldsStore.error.value;
    return error && error.kind !== "query" && error.status > 0 ? error : null;
  });

  /// What the columns of runs are called, and how they are drawn.
  readonly columns = computed(() => new RunColumns(this.fields.value));

  /// How many runs are running.
  readonly liveRuns = computed(
    () => this.tick.value?.live ?? this.fields.value?.facets.status?.find(([name]) => name === "running")?.[1] ?? 0,
  );

  /// How far the server is with its first reading of the runs; null: it has them all.
  readonly indexing = computed(() => {
    if (this.tick.value) return this.tick.value.indexing;
    return this.info.value?.indexing ?? null;
  });

  /// Why the repository cannot be changed, as a sentence; null: it can be, or the server has not answered.
  readonly readOnly = computed(() => {
    const server = this.session.server.value;
    if (server?.read_only) return READ_ONLY_TEXTS.server;
    if (server?.you && !this.mayDo("edit")) return `The role ${server.you.role}, which is yours here, changes nothing.`;
    const reason = this.tick.value ? this.tick.value.read_only : this.info.value?.read_only;
    return reason ? READ_ONLY_TEXTS[reason] : null;
  });

  /// Why nothing more finds room in the repository, and what becomes of it, as sentences; null: there is room.
  readonly full = computed(() => {
    const reason = this.tick.value ? this.tick.value.full : this.info.value?.full;
    return reason ? `${FULL_TEXTS[reason]} ${FULL_NEXT}` : null;
  });

  private readonly searched = signal<{ readonly query: string; readonly search: string | null } | null>(null);

  /// Whether the reader's role has a right in this repository: `edit`, or `change` for deletions and documents.
  readonly mayDo = (right: string): boolean =>
    (this.info.value?.rights ?? this.session.server.value?.you?.rights)?.includes(right) ?? true;

  private readonly info = computed(() => this.session.server.value?.repos.find(({ id }) => id === this.repo.value));

  private readonly fieldsStore: LiveStore<FieldsAnswer>;

  /// Makes a scope. `outer`: the scope whose live stream it shares, in place of one of its own by `start`.
  constructor(
    readonly session: Session,
    private readonly settings: ScopeSettings = ADDRESS_SCOPE,
    outer?: Pick<Scope, "tick" | "live">,
  ) {
    this.tick = outer?.tick ?? signal(null);
    this.live = outer?.live ?? signal("off");
    this.query = settings.query;
    this.fieldsStore = liveStore<string, FieldsAnswer>(this, {
      wish: this.query,
      pause_ms: FIELDS_PAUSE_MS,
      fetch: async (query, abort) => {
        const answer = await sendJson<FieldsAnswer>(this.question("fields"), { query }, abort);
        this.queryError.value = null;
        this.searched.value = { query, search: answer.search };
        return answer;
      },
    });
    this.fields = this.fieldsStore.answer;
  }

  /// The absolute address of `path` in the repository.
  readonly here = (path: string): string => repoUrl(this.repo.peek(), path);

  /// The absolute address of what answers a query, whose times are then the reader's.
  readonly question = (path: string): string => withZone(this.here(path));

  /// Narrows all pages by another query.
  readonly setQuery = (text: string, whileTyping = false): void => this.settings.setQuery(text, whileTyping);

  /// Narrows all pages by what is being typed, if it is words to look for: an expression waits until it is entered.
  readonly searchWhileTyping = async (text: string, isStillTyped: () => boolean): Promise<void> => {
    try {
      const { search } = await sendJson<CheckAnswer>(this.question("check"), { query: text });
      if ((search !== null || text === "") && isStillTyped()) this.setQuery(text, true);
    } catch {
      // half an expression, or half a pattern: it says what is wrong with it when it is entered
    }
  };

  /// Adds a clause to the query with `and`.
  readonly narrow = (clause: string): void => this.setQuery(narrowedQuery(this.expression.peek(), clause));

  /// An error as one of the wire, null for an abort. Errors of the query go to the query box too.
  readonly asWireError = (error: unknown): WireError | null => {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    if (error instanceof WireError) {
      if (error.kind === "query") this.queryError.value = error;
      return error;
    }
    const message = error instanceof Error ? error.message : String(error);
    return new WireError({ kind: "internal", message }, 0);
  };

  /// Reports to all pages that some runs changed, before the server does: what the reader did is seen at once.
  readonly nudge = (cursor: string, changed: readonly string[] | null): void => {
    const { total = 0, live = 0, read_only = this.info.peek()?.read_only ?? null } = this.tick.peek() ?? {};
    const indexing = this.indexing.peek();
    const full = (this.tick.peek() ?? this.info.peek())?.full ?? null;
    this.tick.value = { cursor, changed, removed: [], total, live, indexing, read_only, full, isOwn: true };
  };

  /// Waits until the repository is known: a page can be used before its server has answered.
  readonly whenKnown = (): Promise<void> =>
    new Promise((resolve) => {
      const stop = this.repo.subscribe((repo) => {
        if (repo === "") return;
        resolve();
        queueMicrotask(() => stop());
      });
    });

  /// Asks again what the runs have, soon; a server that cannot read them says why, in `scopeError`.
  readonly refresh = (): void => this.fieldsStore.refresh();

  /// Begins to follow the live stream of the repository, until the returned function is called.
  readonly start = (): (() => void) =>
    effect(() => {
      if (this.repo.value === "") return undefined;
      return untracked(() =>
        follow(this.repo.peek(), () => this.tick.peek()?.cursor ?? this.fields.peek()?.cursor ?? null, {
          tick: (next) => (this.tick.value = next),
          state: (state) => (this.live.value = state),
        }),
      );
    });

  /// Ends what the scope keeps up to date.
  readonly stop = (): void => this.fieldsStore.stop();
}
