/// The list of the matching runs, of which a page of very many fetches only the first rows.
///
///     the first rows     more are fetched when `needRows` is called, four times as many each time
///     far runs           that are selected or pointed at, and the baseline, are asked for by themselves, with the
///                        query, so that it is known which ones it leaves out
///     groups             their heads are computed by the server (`runheads.ts`), their runs come by windows of rows
///                        (`members.ts`)
///
/// So neither opening a page nor a change ever fetches ten thousand runs of which thirty are on the screen.

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { App } from "./app";
import { answerableFields } from "./columns";
import { queryLiteral } from "./fields";
import { GROUP_PREFIX } from "./lines";
import { liveStore, type LiveStore } from "./livestore";
import type { Marks } from "./marks";
import { groupMembers, type Members } from "./members";
import { headsStore, type RunHead } from "./runheads";
import { runsRequest, runsStore, type RunsStore, type RunsWish } from "./runs";
import type { Scope } from "./scope";
import { EMPTY_TABLE, tableOf, type RunTable } from "./table";
import { colorField, facetField, groupFields } from "./workspace";
import { sendJson } from "../wire/request";
import type { GroupsRequest } from "../wire/groups";
import type { RunsAnswer, RunsRequest } from "../wire/types";

const LIST_ROWS = 500;
const GROWTH = 4;
const FAR_PAUSE_MS = 900;
const FAR_MOST = 500;

/// The list, and what is known of runs far down in it.
export interface LongList {
  readonly store: RunsStore;
  /// The run that others are compared to, if it matches the query.
  readonly baseline: ReadonlySignal<string | null>;
  /// Asks for so many rows, soon.
  readonly needRows: (count: number) => void;
  /// Whether only the first rows are fetched: then groups are those of the server.
  readonly isPart: ReadonlySignal<boolean>;
  /// The heads of the groups by the colour, and by the facet, of runs of which only the first are listed.
  readonly heads: LiveStore<readonly RunHead[]>;
  readonly facets: LiveStore<readonly RunHead[]>;
  /// The runs of the groups by colour.
  readonly members: Members;
  /// The table that has a run, if one does.
  readonly tableFor: (hash: string) => RunTable;
  /// Those of some runs that the query leaves out, as far as that is known.
  readonly areMissing: (runs: readonly string[]) => readonly string[];
  readonly stop: () => void;
}

function isPart({ hashes, count }: RunTable): boolean {
  return hashes.length < count;
}

/// Starts a list. `only`: these runs alone; `isListed`: whether the first rows are enough.
export function longList(
  { scope, marks }: Pick<App, "scope" | "marks">,
  wish: ReadonlySignal<RunsWish | null>,
  { only, isListed }: { readonly only?: ReadonlySignal<readonly string[]>; readonly isListed: boolean },
): LongList {
  const rows = signal(LIST_ROWS);
  const limit = computed(() => (isListed && !scope.session.server.value?.archive ? rows.value : Infinity));
  const store = runsStore(scope, wish, only, limit);
  const isPartial = computed(() => limit.value < Infinity && isPart(store.table.value));
  const groupedWish = computed(() => (isPartial.value && colorField.value !== "" ? wish.value : null));
  const heads = headsStore(scope, headsWish(scope, groupedWish, colorField));
  const facets = headsStore(
    scope,
    headsWish(
      scope,
      computed(() => (isPartial.value ? wish.value : null)),
      facetField,
    ),
  );
  const members = groupMembers(
    scope,
    groupedWish,
    computed(() => groupFields(colorField.value)),
  );
  const whole = baselineHash(scope, store, marks);
  const near = focusOf(marks);
  const focus = computed(() => (whole.answer.value ? [...near.value, whole.answer.value] : near.value));
  const far = farRuns(scope, store, wish, focus);
  const baseline = computed(
    () =>
      store.table.value.hashes.find(marks.isBaseline) ?? far.answer.value?.table.hashes.find(marks.isBaseline) ?? null,
  );
  const tableFor = (hash: string): RunTable => {
    const table = store.table.value;
    if (table.rowOf.has(hash)) return table;
    const inGroups = members.table.value;
    return inGroups.rowOf.has(hash) ? inGroups : (far.answer.value?.table ?? EMPTY_TABLE);
  };
  return {
    store,
    isPart: isPartial,
    heads,
    facets,
    members,
    baseline,
    tableFor,
    needRows: (count) => {
      while (count > rows.peek() && rows.peek() < store.table.peek().count) rows.value = GROWTH * rows.peek();
    },
    areMissing: (runs) => {
      if (!isPart(store.table.value)) return store.areMissing(runs);
      const asked = far.answer.value?.asked;
      return runs.filter((hash) => asked?.has(hash) && !tableFor(hash).rowOf.has(hash));
    },
    stop: () => {
      for (const started of [store, far, whole, heads, facets, members]) started.stop();
    },
  };
}

/// What is asked of the groups by the field of a setting; null: nothing.
function headsWish(
  scope: Scope,
  wish: ReadonlySignal<RunsWish | null>,
  setting: ReadonlySignal<string>,
): ReadonlySignal<GroupsRequest | null> {
  return computed(() => {
    const by = groupFields(setting.value);
    if (wish.value === null || by.length === 0) return null;
    const fields = wish.value.sort ? [wish.value.sort.field] : [];
    return { query: scope.query.value, by, fields: answerableFields(fields, scope.fields.peek()?.summaries ?? null) };
  });
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

/// The runs that the reader deals with: the selected ones, and the one that is pointed at.
function focusOf(marks: Marks): ReadonlySignal<readonly string[]> {
  return computed(() => {
    const owner = marks.hot.value?.owner;
    const isRun = owner !== undefined && !owner.startsWith(GROUP_PREFIX);
    return isRun ? [...marks.selected.value, owner] : marks.selected.value;
  });
}

interface FarAnswer {
  /// Those that match the query.
  readonly table: RunTable;
  /// All that were asked for.
  readonly asked: ReadonlySet<string>;
}

/// Follows those of some runs that a list lacks.
function farRuns(
  scope: Scope,
  list: RunsStore,
  wish: ReadonlySignal<RunsWish | null>,
  focus: ReadonlySignal<readonly string[]>,
): LiveStore<FarAnswer> {
  const hashes = signal<readonly string[]>([]);
  const stopCollecting = effect(() => {
    const { rowOf } = list.table.value;
    if (rowOf.size === 0 || !isPart(list.table.value)) return;
    const before = hashes.peek();
    const more = focus.value.filter((hash) => !rowOf.has(hash) && !before.includes(hash));
    if (more.length > 0) hashes.value = [...before, ...more].slice(-FAR_MOST);
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
