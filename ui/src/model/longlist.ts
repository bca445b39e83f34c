/// The list of the matching runs, of which a page of very many fetches only the first rows.
///
///     the first rows     more are fetched when `needRows` is called, four times as many each time
///     far runs           that the reader deals with, or that are drawn, are asked for by themselves (`farruns.ts`)
///     groups             their heads are computed by the server (`runheads.ts`), their runs come by windows of rows
///                        (`members.ts`)
///
/// So neither opening a page nor a change ever fetches ten thousand runs of which thirty are on the screen.

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { App } from "./app";
import { answerableFields } from "./columns";
import { farRuns } from "./farruns";
import type { LiveStore } from "./livestore";
import { groupMembers, type Members } from "./members";
import { headsStore, type RunHead } from "./runheads";
import { runsStore, type RunsStore, type RunsWish } from "./runs";
import type { Scope } from "./scope";
import type { RunTable } from "./table";
import { colorField, facetField, groupFields } from "./workspace";
import type { GroupsRequest } from "../wire/groups";

const LIST_ROWS = 500;
const GROWTH = 4;

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

/// Which runs are listed.
export interface ListedRuns {
  /// These runs alone, in this order.
  readonly only?: ReadonlySignal<readonly string[]>;
  /// Whether the first rows are enough, and more are fetched when `needRows` is called.
  readonly isListed?: boolean;
  /// Runs that the page shows besides its list.
  readonly drawn?: ReadonlySignal<readonly string[]>;
}

/// Starts a list.
export function longList(
  { scope, marks }: Pick<App, "scope" | "marks">,
  wish: ReadonlySignal<RunsWish | null>,
  { only, isListed = false, drawn }: ListedRuns,
): LongList {
  const rows = signal(LIST_ROWS);
  const limit = computed(() => (isListed && !scope.session.server.value?.archive ? rows.value : Infinity));
  const store = runsStore(scope, wish, { only, rows: limit });
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
  const far = farRuns({ scope, marks }, store, wish, drawn);
  const tableFor = (hash: string): RunTable => {
    const table = store.table.value;
    if (table.rowOf.has(hash)) return table;
    const inGroups = members.table.value;
    return inGroups.rowOf.has(hash) ? inGroups : far.table.value;
  };
  return {
    store,
    isPart: isPartial,
    heads,
    facets,
    members,
    baseline: far.baseline,
    tableFor,
    needRows: (count) => {
      while (count > rows.peek() && rows.peek() < store.table.peek().count) rows.value = GROWTH * rows.peek();
    },
    areMissing: (runs) => far.areMissing(runs, (hash) => tableFor(hash).rowOf.has(hash)),
    stop: () => {
      for (const started of [store, far, heads, facets, members]) started.stop();
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
