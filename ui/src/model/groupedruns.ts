/// The table of runs. Of very many only the rows on the screen are fetched; of groups of them, the heads too.
///
///     few runs         all are fetched, and put in order and grouped on the page
///     very many        the server puts them in order and groups them; rows come by windows (`members.ts`), the first
///                      ones with the number of all
///     what they have   `heads`: the spreads of the columns, of each group, or of all runs where nothing is grouped

import { computed, type ReadonlySignal } from "@preact/signals";
import type { App } from "./app";
import { answerableFields } from "./columns";
import { farRuns, type FarRuns } from "./farruns";
import type { LiveStore } from "./livestore";
import { groupMembers, memberWindows, type Members, type MemberWindow } from "./members";
import { headsStore, type RunHead } from "./runheads";
import { headAt, type Row } from "./runrows";
import { rowFields } from "./rowsettings";
import { runsStore, type RunsStore, type RunsWish } from "./runs";
import { joinedTable, type RunTable } from "./table";
import type { GroupsRequest } from "../wire/groups";

const LISTED_ROWS = 500; // of so many runs all are fetched
const TABLE_ROWS_MOST = 4000;

/// The runs, and the groups of very many of them.
export interface GroupedRuns {
  readonly store: RunsStore;
  /// All rows that are here: of very many runs those that were on the screen, and those that the reader deals with.
  readonly table: ReadonlySignal<RunTable>;
  /// Whether there are more runs than are fetched.
  readonly isPart: ReadonlySignal<boolean>;
  /// Whether the server makes the groups.
  readonly isGroupedThere: ReadonlySignal<boolean>;
  readonly heads: LiveStore<readonly RunHead[]>;
  readonly members: Members;
  readonly far: FarRuns;
  /// The rows of very many runs that are not grouped; the hash of one that is not here is empty.
  readonly plainRows: () => readonly Row[];
  /// Asks for those of some rows that are on the screen.
  readonly need: (rows: readonly Row[], first: number, last: number) => void;
  /// The runs of some rows, fetched where they are not here.
  readonly runsOf: (rows: readonly Row[], first: number, last: number) => Promise<readonly string[]>;
  readonly stop: () => void;
}

/// Starts it.
export function groupedRuns(app: Pick<App, "scope" | "marks">, wish: ReadonlySignal<RunsWish | null>): GroupedRuns {
  const { scope } = app;
  const isWhole = computed(() => Boolean(scope.session.server.value?.archive));
  const limit = computed(() => (isWhole.value ? Infinity : LISTED_ROWS));
  const store = runsStore(scope, wish, { rows: limit, isWindowed: true });
  const isPart = computed(() => {
    const { hashes, count } = store.table.value;
    return !isWhole.value && hashes.length < count && count > LISTED_ROWS;
  });
  const partWish = computed(() => (isPart.value ? wish.value : null));
  const headsWish = computed<GroupsRequest | null>(() => {
    if (partWish.value === null) return null;
    const by = rowFields.value;
    const asked = partWish.value.fields.filter(([kind]) => by.length > 0 || kind === "metric");
    const fields = answerableFields(asked, scope.fields.peek()?.summaries ?? null);
    return fields.length === 0 && by.length === 0 ? null : { query: scope.query.value, by, fields };
  });
  const heads = headsStore(scope, headsWish);
  const members = groupMembers(scope, partWish, rowFields);
  const far = farRuns(app, store, wish);
  const all = (): RunHead => headOfAll(store.table.value.count);
  const windowsOf = (rows: readonly Row[], first: number, last: number): readonly MemberWindow[] => {
    if (!isPart.peek()) return [];
    if (rowFields.peek().length > 0) return memberWindows(rows.length, (at) => headAt(rows, at), first, last);
    const from = Math.max(first, store.table.peek().hashes.length);
    return from < last ? [{ head: all(), first: from, last }] : [];
  };
  return {
    store,
    table: computed(() => {
      if (!isPart.value) return store.table.value;
      return joinedTable([store.table.value, members.table.value, far.table.value], TABLE_ROWS_MOST);
    }),
    isPart,
    isGroupedThere: computed(() => isPart.value && rowFields.value.length > 0),
    heads,
    members,
    far,
    plainRows: () => {
      const { hashes, count } = store.table.value;
      const head = all();
      return Array.from({ length: count }, (_, i): Row => ({ hash: hashes[i] ?? members.at(head, i), label: "" }));
    },
    need: (rows, first, last) => members.need(windowsOf(rows, first, last)),
    runsOf: async (rows, first, last) => {
      const here = rows.slice(first, last);
      if (here.every(({ hash }) => hash !== "")) return here.flatMap(({ hash }) => hash ?? []);
      const parts = await Promise.all(windowsOf(rows, first, last).map(members.runsOf));
      return [...new Set([...here.flatMap(({ hash }) => hash || []), ...parts.flat()])];
    },
    stop: () => [store, heads, members, far].forEach(({ stop }) => stop()),
  };
}

/// What names all runs, where nothing is grouped.
function headOfAll(count: number): RunHead {
  return { key: [], values: [], label: "", count, first: "", digests: new Map() };
}
