/// The runs as all pages that draw curves see them: the table, the colours, the dashes, the names.

import { computed, type ReadonlySignal } from "@preact/signals";
import { setting } from "./address";
import type { App } from "./app";
import { fieldText, guessTarget, parseField } from "./fields";
import { coloring, dashing, type Coloring } from "./grouping";
import type { Looks } from "./lines";
import { shortHash } from "./marks";
import { runsStore, type RunsStore, type RunsWish } from "./runs";
import { cellOf, type RunTable } from "./table";
import { aggregateOf, colorField, dashField, drawingFields } from "./workspace";
import type { Field, FieldsAnswer } from "../wire/types";

/// The fields that every page wants of a run.
export const BASIC_FIELDS: readonly Field[] = [
  ["run", "name"],
  ["run", "status"],
  ["run", "created_at"],
];

const targetText = setting("target");

/// The metric that runs are ranked by.
export interface Target {
  readonly field: Field;
  readonly descending: boolean;
}

/// The target that a text in the address stands for, such as `-metric:acc:last`; else a guess from what the runs have.
export function targetOf(text: string, fields: FieldsAnswer | null): Target | null {
  const chosen = parseField(text.replace(/^-/, ""));
  if (chosen) return { field: chosen, descending: text.startsWith("-") };
  const guess = fields ? guessTarget(fields) : null;
  return guess && { field: ["metric", guess.key.name, guess.key.context, "last"], descending: guess.isMoreBetter };
}

/// Runs, ranked by the target, with how they look.
export interface Scene extends RunsStore {
  readonly target: ReadonlySignal<Target | null>;
  readonly looks: ReadonlySignal<Looks>;
  readonly colors: ReadonlySignal<Coloring>;
}

/// Fields without those that are there twice.
export function distinctFields(list: readonly Field[]): readonly Field[] {
  const seen = new Set<string>();
  return list.filter((field) => !seen.has(fieldText(field)) && seen.add(fieldText(field)));
}

/// A run's name for people.
export function runName(table: RunTable, hash: string): string {
  const name = cellOf(table, "run.name", hash);
  return typeof name === "string" && name !== "" && name !== `Run: ${hash}` ? name : shortHash(hash);
}

/// What a scene needs of the app.
export type SceneApp = Pick<App, "scope" | "marks" | "session">;

/// Starts a scene. `more`: further fields; `only`: these runs alone, in this order.
export function makeScene(
  { scope, marks, session }: SceneApp,
  more?: ReadonlySignal<readonly Field[]>,
  only?: ReadonlySignal<readonly string[]>,
): Scene {
  const target = computed(() => targetOf(targetText.value, scope.fields.value));
  const wish = computed<RunsWish | null>(() => {
    const rank = target.value;
    if (!scope.fields.value && !only) return null;
    const fields = [...BASIC_FIELDS, ...drawingFields.value, ...(rank ? [rank.field] : []), ...(more?.value ?? [])];
    return {
      fields: distinctFields(fields),
      sort: rank && !only ? { field: rank.field, descending: rank.descending } : null,
    };
  });
  const store = runsStore(scope, wish, only);
  const colors = computed(() => coloring(store.table.value, colorField.value, session.theme.value));
  const looks = computed<Looks>(() => {
    const table = store.table.value;
    const dashOf = dashing(table, dashField.value);
    // Read here, so that the lines are drawn anew when a mark or the aggregation changes.
    void [marks.hasHidden.value, marks.isPinned(""), marks.isBaseline(""), aggregateOf(scope.fields.value)];
    return {
      coloring: colors.value,
      dashOf,
      nameOf: (hash) => runName(table, hash),
      isShown: (hash) => table.rowOf.has(hash) && !marks.isHidden(hash),
      isStrong: (hash) => marks.isPinned(hash) || marks.isBaseline(hash),
    };
  });
  return { ...store, target, looks, colors };
}
