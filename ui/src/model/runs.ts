/// The matching runs with the columns a page wants, kept up to date.

import { computed, effect, type ReadonlySignal, type Signal } from "@preact/signals";
import { answerableFields } from "./columns";
import { liveStore } from "./livestore";
import type { Scope } from "./scope";
import { EMPTY_TABLE, notListed, patched, tableOf, type RunTable } from "./table";
import { sendJson, type WireError } from "../wire/request";
import type { Clause, Field, Hint, RunsAnswer, RunsRequest, SortKey } from "../wire/types";

const FIRST_ROWS = 200; // shown while the rest is on its way
const ROWS_MOST = 50_000;
const PATCH_PART = 0.5; // of the table: if more runs changed, all are asked for again
const PAUSE_MS = 900;

/// What a page wants to know of the runs. `sort` null: newest first.
export interface RunsWish {
  readonly fields: readonly Field[];
  readonly sort: SortKey | null;
}

/// A table that follows its wish, the scope and the live stream, until it is stopped.
export interface RunsStore {
  readonly table: ReadonlySignal<RunTable>;
  readonly isLoading: Signal<boolean>;
  readonly error: Signal<WireError | null>;
  /// Which parts of a query that leaves nothing leave how many.
  readonly clauses: ReadonlySignal<readonly Clause[]>;
  /// Names in a query without matches that no run has.
  readonly hints: ReadonlySignal<readonly Hint[]>;
  /// Those of some runs that the query leaves out, as far as that is known.
  readonly areMissing: (runs: readonly string[]) => readonly string[];
  /// Whether an answer, or an error, has come at all.
  readonly isKnown: ReadonlySignal<boolean>;
  readonly stop: () => void;
}

interface Answer {
  readonly table: RunTable;
  readonly clauses: readonly Clause[];
  readonly hints: readonly Hint[];
}

/// The request for a wish. `only`: these runs, whatever the query says. `summaries`: those that the server has, if
/// known.
export function runsRequest(
  wish: RunsWish,
  query: string,
  only: readonly string[] | null,
  summaries: readonly string[] | null,
): RunsRequest {
  const { sort } = wish;
  return {
    query: only ? "" : query,
    fields: answerableFields(wish.fields, summaries),
    sort: sort && answerableFields([sort.field], summaries).length > 0 ? [sort] : [],
    limit: ROWS_MOST,
    ...(only ? { runs: only } : {}),
  };
}

function answerOf(answer: RunsAnswer, { fields }: RunsRequest): Answer {
  return { table: tableOf(answer, fields), clauses: answer.clauses ?? [], hints: answer.hints ?? [] };
}

/// Which rows of a table are fetched.
interface RowChoice {
  /// These runs, whatever the query says.
  readonly only?: ReadonlySignal<readonly string[]>;
  /// At most so many, the first ones of the order.
  readonly rows?: ReadonlySignal<number>;
  /// Whether of more runs than `rows` those that a first screen shows are enough.
  readonly isWindowed?: boolean;
}

/// Starts a store.
export function runsStore(
  scope: Scope,
  wish: ReadonlySignal<RunsWish | null>,
  { only, rows, isWindowed = false }: RowChoice = {},
): RunsStore {
  const ask = (body: RunsRequest, abort: AbortSignal): Promise<RunsAnswer> =>
    sendJson<RunsAnswer>(scope.question("runs"), body, abort);
  const store = liveStore<RunsRequest, Answer>(scope, {
    wish: computed(() => {
      const summaries = scope.fields.peek()?.summaries ?? null;
      const request = wish.value && runsRequest(wish.value, scope.query.value, only?.value ?? null, summaries);
      return request && rows ? { ...request, limit: Math.min(ROWS_MOST, rows.value) } : request;
    }),
    pause_ms: PAUSE_MS,
    fetch: async (request, abort, show, old) => {
      const isShort = !old || (isWindowed && old.table.hashes.length < old.table.count);
      const limit = isShort ? Math.min(FIRST_ROWS, request.limit) : request.limit;
      const first = await ask({ ...request, limit }, abort);
      const isEnough = first.hash.length >= Math.min(first.count, request.limit);
      if (!isShort || isEnough || (isWindowed && first.count > request.limit)) return answerOf(first, request);
      if (!old) show(answerOf(first, request));
      return answerOf(await ask(request, abort), request);
    },
    merge: (old, changed, request) => {
      if (changed === null || changed.size > Math.max(FIRST_ROWS, PATCH_PART * old.table.hashes.length)) return null;
      const runs = [...changed].filter((hash) => !request.runs || request.runs.includes(hash));
      // of the first rows alone nobody knows whether another run has come among them, or has left those behind them
      const { hashes, rowOf, count } = old.table;
      if (hashes.length < count && runs.some((hash) => !rowOf.has(hash))) return null;
      return async (abort) => {
        if (runs.length === 0) return old;
        const answer = await ask({ ...request, runs }, abort);
        return { ...old, table: patched(old.table, runs, tableOf(answer, request.fields)) };
      };
    },
  });
  const { answer, isLoading, error } = store;
  const table = computed(() => answer.value?.table ?? EMPTY_TABLE);
  const stopCounting = effect(() => {
    if (only || !answer.value) return;
    const { count, total, elapsed_ms } = table.value;
    scope.matches.value = { count, total, elapsed_ms };
  });
  return {
    table,
    isLoading,
    error,
    clauses: computed(() => answer.value?.clauses ?? []),
    hints: computed(() => answer.value?.hints ?? []),
    areMissing: (runs) => notListed(table.value, runs),
    isKnown: computed(() => answer.value !== null || error.value !== null),
    stop: () => {
      store.stop();
      stopCounting();
    },
  };
}
