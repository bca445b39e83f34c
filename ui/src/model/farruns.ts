/// Runs far down in a list of which only the first rows are fetched: those that the reader deals with are asked for by
/// themselves, with the query, so that it is known which ones it leaves out.

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { App } from "./app";
import { queryLiteral } from "./fields";
import { GROUP_PREFIX } from "./lines";
import { liveStore, type LiveStore } from "./livestore";
import type { Marks } from "./marks";
import { runsRequest, type RunsStore, type RunsWish } from "./runs";
import type { Scope } from "./scope";
import { EMPTY_TABLE, tableOf, type RunTable } from "./table";
import { delayed } from "./throttle";
import { sendJson } from "../wire/request";
import type { RunsAnswer, RunsRequest } from "../wire/types";

const FAR_PAUSE_MS = 900;
const REST_MS = 150; // a pointer on its way over a thousand curves asks for none of them
const CHOSEN_MOST = 500;

/// The runs that are far down, as far as they are known.
export interface FarRuns {
  readonly table: ReadonlySignal<RunTable>;
  /// The run that others are compared to, if it matches the query.
  readonly baseline: ReadonlySignal<string | null>;
  /// Those of some runs that the query leaves out, as far as that is known. `isHere`: whether a table has a run.
  readonly areMissing: (runs: readonly string[], isHere: (hash: string) => boolean) => readonly string[];
  readonly stop: () => void;
}

function isPart({ hashes, count }: RunTable): boolean {
  return hashes.length < count;
}

/// Follows those runs that a list lacks: the selected ones, the one that is pointed at, the baseline, and `drawn`,
/// which the page shows besides its list. The pointer counts where it rests.
export function farRuns(
  { scope, marks }: Pick<App, "scope" | "marks">,
  list: RunsStore,
  wish: ReadonlySignal<RunsWish | null>,
  drawn?: ReadonlySignal<readonly string[]>,
): FarRuns {
  const whole = baselineHash(scope, list, marks);
  const pointed = delayed(pointedRun(marks), REST_MS);
  const focus = computed(() => [
    ...marks.selected.value,
    ...[pointed.value.value, whole.answer.value].filter((hash) => hash !== null),
  ]);
  const rows = rowsOfRuns(scope, list, wish, focus, drawn);
  const table = computed(() => rows.answer.value?.table ?? EMPTY_TABLE);
  return {
    table,
    baseline: computed(
      () => list.table.value.hashes.find(marks.isBaseline) ?? table.value.hashes.find(marks.isBaseline) ?? null,
    ),
    areMissing: (runs, isHere) => {
      if (!isPart(list.table.value)) return list.areMissing(runs);
      const asked = rows.answer.value?.asked;
      return runs.filter((hash) => asked?.has(hash) && !isHere(hash));
    },
    stop: () => {
      for (const started of [rows, whole, pointed]) started.stop();
    },
  };
}

/// Asks for the whole hash of a baseline that is far down: the address has the first digits of it.
function baselineHash(scope: Scope, list: RunsStore, marks: Marks): LiveStore<string | null> {
  return liveStore<RunsRequest, string | null>(scope, {
    wish: computed(() => {
      const prefix = marks.baselinePrefix.value;
      const table = list.table.value;
      if (prefix === "" || !isPart(table) || table.hashes.some(marks.isBaseline)) return null;
      return { query: `run.hash.startswith(${queryLiteral(prefix)})`, fields: [], sort: [], limit: 1 };
    }),
    pause_ms: FAR_PAUSE_MS,
    fetch: async (request, abort) =>
      (await sendJson<RunsAnswer>(scope.question("runs"), request, abort)).hash[0] ?? null,
    concerns: () => false, // a hash does not change
  });
}

/// The run that is pointed at; null: nothing is, or a group.
function pointedRun(marks: Marks): ReadonlySignal<string | null> {
  return computed(() => {
    const owner = marks.hot.value?.owner ?? null;
    return owner?.startsWith(GROUP_PREFIX) ? null : owner;
  });
}

interface FarAnswer {
  /// Those that match the query.
  readonly table: RunTable;
  /// All that were asked for.
  readonly asked: ReadonlySet<string>;
}

/// Follows those of some runs that a list lacks: at most so many of `focus`, and all of `drawn`.
function rowsOfRuns(
  scope: Scope,
  list: RunsStore,
  wish: ReadonlySignal<RunsWish | null>,
  focus: ReadonlySignal<readonly string[]>,
  drawn?: ReadonlySignal<readonly string[]>,
): LiveStore<FarAnswer> {
  const chosen = signal<readonly string[]>([]);
  const stopCollecting = effect(() => {
    const { rowOf } = list.table.value;
    if (rowOf.size === 0 || !isPart(list.table.value)) return;
    const before = new Set(chosen.peek());
    const more = focus.value.filter((hash) => !rowOf.has(hash) && !before.has(hash));
    if (more.length > 0) chosen.value = [...before, ...more].slice(-CHOSEN_MOST);
  });
  const hashes = computed(() => {
    const { rowOf } = list.table.value;
    if (rowOf.size === 0 || !isPart(list.table.value)) return [];
    return [...new Set([...chosen.value, ...(drawn?.value ?? []).filter((hash) => !rowOf.has(hash))])];
  });
  const store = liveStore<RunsRequest, FarAnswer>(scope, {
    wish: computed(() => {
      if (wish.value === null || hashes.value.length === 0) return null;
      const request = runsRequest(wish.value, scope.query.value, null, scope.fields.peek()?.summaries ?? null);
      return { ...request, sort: [], runs: hashes.value };
    }),
    pause_ms: FAR_PAUSE_MS,
    fetch: async (request, abort) => {
      const answer = await sendJson<RunsAnswer>(scope.question("runs"), request, abort);
      return { table: tableOf(answer, request.fields), asked: new Set(request.runs) };
    },
    concerns: ({ changed }, { runs }) => changed === null || changed.some((hash) => runs?.includes(hash)),
  });
  const stop = (): void => {
    store.stop();
    stopCollecting();
  };
  return { ...store, stop };
}
