/// The heads of groups of very many runs, as the server computes them: the values that make a group, how many runs it
/// has, and what they have in the columns on the screen. The runs themselves are not fetched for it.

import { cellKey, cellLabel, numberIn, type Cell } from "./cell";
import { fieldText } from "./fields";
import { withOwnLabels } from "./grouping";
import { liveStore, type LiveStore } from "./livestore";
import type { Scope } from "./scope";
import { compareCells, type Spread } from "./table";
import { sendJson } from "../wire/request";
import { floatOf } from "../wire/json";
import type { GroupsAnswer, GroupsRequest, WireDigest } from "../wire/groups";
import { numberOf, type Field, type Json } from "../wire/types";

const PAUSE_MS = 4000;

/// What the runs of a group have in a column.
export interface ColumnDigest {
  readonly spread: Spread | null;
  readonly isNumeric: boolean;
  /// How many distinct values there are, and the first of them.
  readonly distinct: number;
  readonly values: readonly Cell[];
}

/// The head of a group.
export interface RunHead {
  /// The values as the server writes them, which name the group in a request.
  readonly key: readonly Json[];
  readonly values: readonly Cell[];
  readonly label: string;
  readonly count: number;
  /// Its newest run.
  readonly first: string;
  readonly digests: ReadonlyMap<string, ColumnDigest>;
}

function digestOf({ spread, numeric, distinct, values = [] }: WireDigest): ColumnDigest {
  const [count, min, max, mean, std] = (spread ?? []).map((value) => numberOf(value) ?? NaN);
  return {
    spread: spread ? { count, min, max, mean, std } : null,
    isNumeric: numeric,
    distinct,
    values: values.map(cellOfWire),
  };
}

function cellOfWire(value: Json): Cell {
  return floatOf(value) ?? value;
}

/// The groups in the order of their values: numbers in theirs, texts by how many runs they have.
function inOrderOfValues(heads: readonly RunHead[]): RunHead[] {
  const places = heads[0]?.values.map((_, i) => i) ?? [];
  const totals = places.map((i) => {
    const counts = new Map<string, number>();
    for (const { values, count } of heads)
      counts.set(cellKey(values[i]), (counts.get(cellKey(values[i])) ?? 0) + count);
    return counts;
  });
  const areNumeric = places.map((i) => heads.every(({ values }) => values[i] === null || numberIn(values[i]) !== null));
  return [...heads].sort((a, b) => {
    for (const i of places) {
      const [p, q] = [a.values[i], b.values[i]];
      const sizes = (totals[i].get(cellKey(q)) ?? 0) - (totals[i].get(cellKey(p)) ?? 0);
      const order = (areNumeric[i] ? 0 : sizes) || compareCells(p, q, false);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/// The heads of an answer to a request with these fields, in the order of their values.
export function headsOf({ groups }: GroupsAnswer, fields: readonly Field[]): readonly RunHead[] {
  const listed = groups.map(({ key, runs, first, cells }) => {
    const values = key.map(cellOfWire);
    const digests = new Map(fields.map((field, i) => [fieldText(field), digestOf(cells[i])]));
    const value = values.length === 1 ? values[0] : null;
    return { key, values, value, label: values.map(cellLabel).join(" · "), count: runs, first, digests };
  });
  return inOrderOfValues(withOwnLabels(listed));
}

/// Starts a store of heads that follows its wish; null: nothing is asked for.
export function headsStore(scope: Scope, wish: LiveStoreWish): LiveStore<readonly RunHead[]> {
  return liveStore<GroupsRequest, readonly RunHead[]>(scope, {
    wish,
    pause_ms: PAUSE_MS,
    fetch: async (request, abort) =>
      headsOf(await sendJson<GroupsAnswer>(scope.question("groups"), request, abort), request.fields),
  });
}

type LiveStoreWish = Parameters<typeof liveStore<GroupsRequest, readonly RunHead[]>>[1]["wish"];
