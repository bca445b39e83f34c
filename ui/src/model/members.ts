/// The runs of groups whose heads the server computed, fetched by windows of rows when they come into view.
///
///     need(windows)     the rows that are on the screen; what is fetched are the whole parts of rows that they touch
///     at(head, row)     the run in a row of a group; empty: it is not here yet
///     all(head)         all runs of a group, fetched when somebody acts on all of them
///     runsOf(window)    the runs of some rows of a group, fetched for the same reason
///
/// A group by no field has all runs that match: so the rows of a table without groups come by windows, too.
/// After a change the parts on the screen are asked for again, and nothing else.

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { liveStore } from "./livestore";
import { runsRequest, type RunsWish } from "./runs";
import type { RunHead } from "./runheads";
import type { Scope } from "./scope";
import { EMPTY_TABLE, joinedTable, tableOf, type RunTable } from "./table";
import { sendJson } from "../wire/request";
import type { GroupChoice } from "../wire/groups";
import type { Field, RunsAnswer, RunsRequest } from "../wire/types";

const PART_ROWS = 100;
const TABLE_ROWS_MOST = 3000; // of what was fetched before and is out of view
const PAUSE_MS = 900;
const RUNS_MOST = 50_000;

/// Rows of a group that are on the screen.
export interface MemberWindow {
  readonly head: RunHead;
  readonly first: number;
  readonly last: number;
}

/// The runs of groups, as far as they were fetched.
export interface Members {
  readonly table: ReadonlySignal<RunTable>;
  readonly at: (head: RunHead, row: number) => string;
  readonly need: (windows: readonly MemberWindow[]) => void;
  readonly all: (head: RunHead) => Promise<readonly string[]>;
  readonly runsOf: (rows: MemberWindow) => Promise<readonly string[]>;
  readonly stop: () => void;
}

interface PartsRequest extends RunsRequest {
  readonly parts: readonly { readonly group: GroupChoice; readonly offset: number }[];
}

interface PartsAnswer {
  readonly table: RunTable;
  readonly hashes: ReadonlyMap<string, readonly string[]>;
}

function partKey(key: RunHead["key"], offset: number): string {
  return `${JSON.stringify(key)} ${offset}`;
}

/// The parts that windows touch.
export function partsOf(windows: readonly MemberWindow[], by: readonly Field[]): PartsRequest["parts"] {
  return windows.flatMap(({ head, first, last }) => {
    const parts = [];
    for (let offset = first - (first % PART_ROWS); offset < Math.min(last, head.count); offset += PART_ROWS)
      parts.push({ group: { by, key: head.key }, offset });
    return parts;
  });
}

/// Which rows of which groups are among some rows of a list. `headAt`: the head of a row that heads a group, null for a
/// group that the page made itself; undefined for a run.
export function memberWindows(
  count: number,
  headAt: (row: number) => RunHead | null | undefined,
  first: number,
  last: number,
): readonly MemberWindow[] {
  const end = Math.min(last, count);
  let at = Math.min(first, count - 1);
  while (at > 0 && headAt(at) === undefined) at--;
  const windows: MemberWindow[] = [];
  while (at >= 0 && at < end) {
    const head = headAt(at);
    let next = at + 1;
    while (next < end && headAt(next) === undefined) next++;
    if (head && next > at + 1) windows.push({ head, first: Math.max(0, first - at - 1), last: next - at - 1 });
    at = next;
  }
  return windows;
}

/// Starts it. `wish`: the columns and the order of the runs; null while nothing is grouped by the server.
export function groupMembers(
  scope: Scope,
  wish: ReadonlySignal<RunsWish | null>,
  by: ReadonlySignal<readonly Field[]>,
): Members {
  const parts = signal<PartsRequest["parts"]>([]);
  const requestFor = (current: RunsWish): RunsRequest =>
    runsRequest(current, scope.query.value, null, scope.fields.peek()?.summaries ?? null);
  const ask = (body: RunsRequest, abort?: AbortSignal): Promise<RunsAnswer> =>
    sendJson<RunsAnswer>(scope.question("runs"), body, abort);
  const store = liveStore<PartsRequest, PartsAnswer>(scope, {
    wish: computed(() =>
      wish.value === null || parts.value.length === 0 ? null : { ...requestFor(wish.value), parts: parts.value },
    ),
    pause_ms: PAUSE_MS,
    fetch: async ({ parts: asked, ...request }, abort, _, old) => {
      const answers = await Promise.all(
        asked.map(({ group, offset }) => ask({ ...request, group, offset, limit: PART_ROWS }, abort)),
      );
      const hashes = new Map(old?.hashes);
      asked.forEach(({ group, offset }, i) => hashes.set(partKey(group.key, offset), answers[i].hash));
      const tables = answers.map((answer) => tableOf(answer, request.fields));
      return { table: joinedTable([...tables, ...(old ? [old.table] : [])], TABLE_ROWS_MOST), hashes };
    },
  });
  return {
    table: computed(() => store.answer.value?.table ?? EMPTY_TABLE),
    at: (head, row) => {
      const offset = row - (row % PART_ROWS);
      return store.answer.value?.hashes.get(partKey(head.key, offset))?.[row - offset] ?? "";
    },
    need: (windows) => {
      const next = partsOf(windows, by.peek());
      if (next.length > 0 && JSON.stringify(next) !== JSON.stringify(parts.peek())) parts.value = next;
    },
    all: async (head) => {
      const request = runsRequest({ fields: [], sort: null }, scope.query.peek(), null, null);
      return (await ask({ ...request, limit: RUNS_MOST, group: { by: by.peek(), key: head.key } })).hash;
    },
    runsOf: async ({ head, first, last }) => {
      const request = requestFor({ fields: [], sort: wish.peek()?.sort ?? null });
      const group = { by: by.peek(), key: head.key };
      return (await ask({ ...request, offset: first, limit: Math.min(last, head.count) - first, group })).hash;
    },
    stop: store.stop,
  };
}

/// All runs that match a query: for who acts on them all, where only the first of them are listed.
export async function allMatching(scope: Scope): Promise<readonly string[]> {
  const request = runsRequest({ fields: [], sort: null }, scope.query.peek(), null, null);
  return (await sendJson<RunsAnswer>(scope.question("runs"), request)).hash;
}
