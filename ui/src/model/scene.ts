/// The runs as all pages that draw curves see them: the table, the colours, the dashes, the names.

import type { Theme } from "../chart/palette";
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { setting } from "./address";
import type { App } from "./app";
import { drawnRuns, type DrawnRuns } from "./drawnruns";
import { bestSummary, fieldText, guessTarget, parseField } from "./fields";
import { coloring, dashing, headColoring, type Coloring, type Group } from "./grouping";
import { leftOut, legendOf, onlyGroups, type LegendGroup } from "./legend";
import { groupLabels, groupOwner, type Looks } from "./lines";
import { longList, type ListedRuns, type LongList } from "./longlist";
import { shortHash } from "./marks";
import type { RunsStore, RunsWish } from "./runs";
import { cellOf, type RunTable } from "./table";
import { aggregate, colorField, dashField, drawingFields } from "./workspace";
import { fieldMemory, type ValueColors } from "./valuecolors";
import type { Frame, FrameGroup } from "../wire/frame";
import type { Field, FieldsAnswer } from "../wire/types";

const STATUS_FIELD: Field = ["run", "status"];

/// The fields that every page wants of a run.
export const BASIC_FIELDS: readonly Field[] = [["run", "name"], STATUS_FIELD, ["run", "created_at"]];

const targetText = setting("target");
const failedSetting = setting("failed");
const hidesFailed = computed(() => failedSetting.value === "hide");
const FAILED: ReadonlySet<string> = new Set(["failed", "lost"]);
const STRONG_BEST_RUNS = 20; // the best one of more runs is drawn thick, as a pinned one is

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
  return (
    guess && {
      field: ["metric", guess.key.name, guess.key.context, bestSummary(guess.key.name)],
      descending: guess.isMoreBetter,
    }
  );
}

/// Runs, ranked by the target, with how they look.
export interface Scene extends RunsStore {
  readonly target: ReadonlySignal<Target | null>;
  readonly looks: ReadonlySignal<Looks>;
  readonly colors: ReadonlySignal<Coloring>;
  /// The run that others are compared to, if it matches the query.
  readonly baseline: ReadonlySignal<string | null>;
  /// Asks for so many rows of the list, soon.
  readonly needRows: (count: number) => void;
  /// The table that has a run: that of the list, or that of runs far down in it.
  readonly tableFor: (hash: string) => RunTable;
  /// The groups of the charts, the best first; empty: nothing is grouped.
  readonly legend: ReadonlySignal<readonly LegendGroup[]>;
  /// Takes the groups of runs that an answer says are averaged: runs of one group have one colour.
  readonly setGroups: (answer: Pick<Frame, "groups" | "by">) => void;
  /// Takes what an answer says of the runs that it draws.
  readonly learn: DrawnRuns["learn"];
  /// What is asked of runs that are drawn, because not all of them are listed.
  readonly askedOfDrawn: ReadonlySignal<readonly Field[]>;
  /// Whether it is not known yet if all runs are listed, and the drawing depends on it.
  readonly isUndecided: ReadonlySignal<boolean>;
  /// All runs of a group.
  readonly runsOf: (group: Group) => Promise<readonly string[]>;
  /// Of very many runs: the heads of the groups by colour and by facet, and the runs of those by colour.
  readonly long: Pick<LongList, "isPart" | "facets" | "members">;
  /// Whether runs that failed, or whose end was not recorded, are left out of the charts.
  readonly hidesFailed: ReadonlySignal<boolean>;
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
export type SceneApp = Pick<App, "scope" | "marks" | "session" | "colors">;

/// What is asked of runs: what all pages need, what draws them, and what ranks them.
function wishFor(rank: Target | null, more: readonly Field[], isRanked: boolean): RunsWish {
  const fields = [...BASIC_FIELDS, ...drawingFields.value, ...(rank ? [rank.field] : []), ...more];
  return {
    fields: distinctFields(fields),
    sort: rank && isRanked ? { field: rank.field, descending: rank.descending } : null,
  };
}

/// Which runs a scene has, and what is asked of them besides what all pages ask.
export interface SceneWish extends ListedRuns {
  readonly more?: ReadonlySignal<readonly Field[]>;
}

/// Starts a scene.
export function makeScene(
  { scope, marks, session, colors: memory }: SceneApp,
  { more, ...listed }: SceneWish = {},
): Scene {
  const { only, isListed = false } = listed;
  const target = computed(() => targetOf(targetText.value, scope.fields.value));
  const wish = computed<RunsWish | null>(() => {
    const rank = target.value;
    if (!scope.fields.value && !only) return null;
    return wishFor(rank, more?.value ?? [], only === undefined);
  });
  const list = longList({ scope, marks }, wish, listed);
  const { store, baseline, tableFor, needRows, areMissing, stop, heads, members } = list;
  const drawn = drawnRuns(store.table, tableFor);
  const { valueOf } = drawn;
  const averaged = signal<Averaged>({ groups: new Map(), by: null });
  const colors = computed(() => {
    const repo = scope.repo.value;
    const theme = session.theme.value;
    const [table, key] = [store.table.value, colorField.value];
    const plain =
      list.isPart.value && key !== ""
        ? headColoring(heads.answer.value ?? [], table, key, (hash) => valueOf(hash, key), { theme, memory, repo })
        : coloring(table, key, theme, memory, repo);
    const way = aggregate.value;
    if (way === null || plain.groups.length > 0 || averaged.value.groups.size === 0) return plain;
    return averagedColoring(
      averaged.value,
      plain,
      fieldMemory(repo, `groups of ${JSON.stringify(way.by)}`),
      memory,
      theme,
    );
  });
  const legend = computed(() => {
    const rank = target.value;
    const key = rank ? fieldText(rank.field) : "";
    return legendOf(colors.value.groups, store.table.value, key, rank?.descending ?? true);
  });
  const outside = computed(() =>
    leftOut(colors.value.groups, onlyGroups.value, (hash) => valueOf(hash, colorField.value)),
  );
  const looks = computed<Looks>(() => {
    // Read here, so that the lines are drawn anew when a mark or the aggregation changes.
    void [outside.value, drawn.values.value, marks.hasHidden.value, marks.isPinned(""), marks.isBaseline("")];
    const dashOf = dashing(store.table.value, dashField.value, memory, scope.repo.value, (hash) =>
      valueOf(hash, dashField.value),
    );
    const isRanked = !only && target.value !== null;
    const drawing = { coloring: colors.value, dashOf, isOutside: outside.value, isRanked };
    return looksOf(drawing, store.table.value, marks, (hash) => String(valueOf(hash, "run.status")), tableFor);
  });
  const setGroups = ({ groups, by }: Pick<Frame, "groups" | "by">): void => {
    const before = averaged.peek().groups;
    if (groups.some((group) => isNew(before, group))) averaged.value = { groups: withGroups(before, groups), by };
  };
  return {
    ...store,
    hidesFailed,
    target,
    looks,
    colors,
    legend,
    setGroups,
    baseline,
    needRows,
    tableFor,
    areMissing,
    stop,
    learn: drawn.learn,
    askedOfDrawn: computed(() => {
      if (!list.isPart.value) return [];
      return distinctFields([...drawingFields.value, ...(hidesFailed.value ? [STATUS_FIELD] : [])]);
    }),
    isUndecided: computed(() => isListed && drawingFields.value.length > 0 && !store.isKnown.value),
    runsOf: async ({ head, hashes }) => (head ? members.all(head) : hashes),
    long: list,
  };
}

/// Those of some texts that are there more than once.
function repeatedTexts(texts: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(texts.filter((text) => seen.has(text) || !seen.add(text)));
}

/// How runs look: their colours and dashes, and which are drawn, and thick. Names that several runs of the list have
/// are told apart by the runs' hashes. `statusOf`: as far as it is known.
function looksOf(
  {
    coloring: colors,
    dashOf,
    isOutside,
    isRanked,
  }: Pick<Looks, "coloring" | "dashOf"> & {
    readonly isOutside: (hash: string) => boolean;
    readonly isRanked: boolean;
  },
  table: RunTable,
  marks: SceneApp["marks"],
  statusOf: (hash: string) => string,
  tableFor: (hash: string) => RunTable,
): Looks {
  const hides = hidesFailed.value;
  let repeated: ReadonlySet<string> | null = null;
  const isRepeated = (name: string): boolean => {
    repeated ??= repeatedTexts(table.hashes.map((hash) => runName(table, hash)));
    return repeated.has(name);
  };
  const nameOf = (hash: string): string => {
    const name = runName(tableFor(hash), hash);
    return isRepeated(name) ? `${name} · ${shortHash(hash)}` : name;
  };
  const best = isRanked && table.count > STRONG_BEST_RUNS ? table.hashes[0] : null;
  return {
    coloring: colors,
    dashOf,
    nameOf,
    isShown: (hash) =>
      (table.rowOf.has(hash) || table.hashes.length < table.count) &&
      !marks.isHidden(hash) &&
      !isOutside(hash) &&
      !(hides && FAILED.has(statusOf(hash))),
    isStrong: (hash) => marks.isPinned(hash) || marks.isBaseline(hash) || hash === best,
  };
}

/// Colours of runs that are averaged: those of their groups. `name`: under which they are remembered.
function averagedColoring(
  { groups, by }: Averaged,
  plain: Coloring,
  name: string,
  memory: ValueColors,
  theme: Theme,
): Coloring {
  const parts = [...groups.values()];
  const labels = groupLabels({ groups: parts, by });
  const runs = parts.map((part) => part.runs);
  const byHash = memory.ofGroups(name, runs, theme);
  const listed = parts.map(({ key, runs: [first], runs: hashes }, i): Group => ({
    label: labels[i],
    value: key,
    color: memory.chosen(name, key) ?? byHash.get(first) ?? plain.colorOf(first),
    hashes,
    count: hashes.length,
  }));
  const colors = new Map(listed.flatMap(({ color, hashes }) => hashes.map((hash) => [hash, color])));
  return { groups: listed, colorOf: (hash) => colors.get(hash) ?? plain.colorOf(hash) };
}

/// Groups that answers say are averaged, by their owners; `by`: the fields that differ between groups of equal params.
interface Averaged {
  readonly groups: ReadonlyMap<string, FrameGroup>;
  readonly by: Frame["by"];
}

/// Whether a group has runs that were not in it before.
function isNew(before: Averaged["groups"], { key, runs }: FrameGroup): boolean {
  const members = new Set(before.get(groupOwner(key))?.runs);
  return !runs.every((hash) => members.has(hash));
}

/// Groups with those of another answer. A run is in one group only: that of the latest answer.
function withGroups(
  before: ReadonlyMap<string, FrameGroup>,
  groups: readonly FrameGroup[],
): ReadonlyMap<string, FrameGroup> {
  const placed = new Set(groups.flatMap(({ runs }) => runs));
  const next = new Map<string, FrameGroup>();
  for (const [owner, { key, runs }] of before) {
    const others = runs.filter((hash) => !placed.has(hash));
    if (others.length > 0) next.set(owner, { key, runs: others });
  }
  for (const group of groups) {
    const owner = groupOwner(group.key);
    next.set(owner, { key: group.key, runs: [...(next.get(owner)?.runs ?? []), ...group.runs] });
  }
  return next;
}
