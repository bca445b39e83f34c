/// The runs as all pages that draw curves see them: the table, the colours, the dashes, the names.

import { computed, type ReadonlySignal } from "@preact/signals";
import { setting } from "./address";
import { fieldText, guessTarget, parseField } from "./fields";
import { coloring, dashing, type Coloring } from "./grouping";
import type { Looks } from "./lines";
import { hasHidden, isBaseline, isHidden, isPinned, shortHash } from "./marks";
import { runsStore, type RunsStore, type RunsWish } from "./runs";
import { fields } from "./scope";
import { theme } from "./session";
import { cellOf, type RunTable } from "./table";
import { aggregate, colorField, dashField, drawingFields } from "./workspace";
import type { Field } from "../wire/types";

/// The fields that every page wants of a run.
export const BASIC_FIELDS: readonly Field[] = [
  ["run", "name"],
  ["run", "status"],
  ["run", "created_at"],
];

const targetText = setting("target");

/// The metric that runs are ranked by: the address's, else a guess.
export const target = computed<{ readonly field: Field; readonly descending: boolean } | null>(() => {
  const text = targetText.value;
  const chosen = parseField(text.replace(/^-/, ""));
  if (chosen) return { field: chosen, descending: text.startsWith("-") };
  const guess = fields.value ? guessTarget(fields.value) : null;
  return guess
    ? { field: ["metric", guess.key.name, guess.key.context, "last"], descending: guess.isMoreBetter }
    : null;
});

/// Runs, ranked by the target, with how they look.
export interface Scene extends RunsStore {
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

/// Starts a scene. `more`: further fields; `only`: these runs alone, in this order.
export function makeScene(more?: ReadonlySignal<readonly Field[]>, only?: ReadonlySignal<readonly string[]>): Scene {
  const wish = computed<RunsWish | null>(() => {
    const rank = target.value;
    if (!fields.value && !only) return null;
    const wanted = [...BASIC_FIELDS, ...drawingFields.value, ...(rank ? [rank.field] : []), ...(more?.value ?? [])];
    return {
      fields: distinctFields(wanted),
      sort: rank && !only ? { field: rank.field, descending: rank.descending } : null,
    };
  });
  const store = runsStore(wish, only);
  const colors = computed(() => coloring(store.table.value, colorField.value, theme.value));
  const looks = computed<Looks>(() => {
    const table = store.table.value;
    const dashOf = dashing(table, dashField.value);
    void [hasHidden.value, isPinned(""), aggregate.value];
    return {
      coloring: colors.value,
      dashOf,
      nameOf: (hash) => runName(table, hash),
      isShown: (hash) => table.rowOf.has(hash) && !isHidden(hash),
      isStrong: (hash) => isPinned(hash) || isBaseline(hash),
    };
  });
  return { ...store, looks, colors };
}
