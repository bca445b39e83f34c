/// The table of runs. Of very many that are grouped the heads of the groups are fetched, and the rows on the screen.

import { computed, type ReadonlySignal } from "@preact/signals";
import { answerableFields } from "./columns";
import type { LiveStore } from "./livestore";
import { groupMembers, type Members } from "./members";
import { headsStore, type RunHead } from "./runheads";
import { rowFields } from "./rowsettings";
import { runsStore, type RunsStore, type RunsWish } from "./runs";
import type { Scope } from "./scope";
import type { GroupsRequest } from "../wire/groups";

const LISTED_ROWS = 500; // of so many runs all are fetched, and grouped on the page

/// The runs, and the groups of very many of them.
export interface GroupedRuns {
  readonly store: RunsStore;
  /// Whether the server makes the groups.
  readonly isGroupedThere: ReadonlySignal<boolean>;
  readonly heads: LiveStore<readonly RunHead[]>;
  readonly members: Members;
  readonly stop: () => void;
}

/// Starts it.
export function groupedRuns(scope: Scope, wish: ReadonlySignal<RunsWish | null>): GroupedRuns {
  const mayBePart = computed(() => rowFields.value.length > 0 && !scope.session.server.value?.archive);
  const limit = computed(() => (mayBePart.value ? LISTED_ROWS : Infinity));
  const store = runsStore(scope, wish, undefined, limit);
  const isGroupedThere = computed(() => {
    const { hashes, count } = store.table.value;
    return mayBePart.value && hashes.length < count && count > LISTED_ROWS;
  });
  const groupedWish = computed(() => (isGroupedThere.value ? wish.value : null));
  const headsWish = computed<GroupsRequest | null>(() => {
    if (groupedWish.value === null) return null;
    const fields = answerableFields(groupedWish.value.fields, scope.fields.peek()?.summaries ?? null);
    return { query: scope.query.value, by: rowFields.value, fields };
  });
  const heads = headsStore(scope, headsWish);
  const members = groupMembers(scope, groupedWish, rowFields);
  return {
    store,
    isGroupedThere,
    heads,
    members,
    stop: () => [store, heads, members].forEach(({ stop }) => stop()),
  };
}
