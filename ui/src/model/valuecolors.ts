/// Which colour each value of a field has, so that it is the same when runs arrive, under every query, and after a
/// reload.
///
/// A colour that followed from the values on the page would change with them. So what a value got first it keeps: the
/// memory is of this browser (`localStorage`), for each field of a repository.
///
///     texts    one of the twenty colours: the least used one that comes first after the text's own
///     numbers  a place on the ramp: the first ones are spread evenly, and later ones lie between their neighbours
///     chosen   a colour that the reader gave to a value, to a run, or to all runs of a name, comes before all others
///     groups   of runs that are averaged: one of the twenty colours, remembered by the runs
///
/// Of a field with very many values not all are remembered; the others have colours that follow from the value alone.

import { signal } from "@preact/signals";
import { freeColor, GREY, hashOf, PALETTE, rampColor, type Theme } from "../chart/palette";
import { cellLabel, numberIn, type Cell } from "./cell";

const STORAGE_KEY = "aim.colors";
const CHOSEN_KEY = "aim.colors.chosen";
const FIELDS_MOST = 40;
const TEXTS_MOST = 1000;
const KNOTS_MOST = 64;
const RAMP_MARGIN = 0.08; // at both ends, for values that come later
const COLORS = PALETTE.light.length;

/// A number and its place on the ramp, 0 … 1.
type Knot = readonly [value: number, place: number];

interface FieldMemory {
  knots: readonly Knot[]; // in the order of values
  readonly indexes: Map<string, number>;
}

type StoredField = readonly [field: string, knots: readonly Knot[], indexes: readonly (readonly [string, number])[]];

/// Where the memory is kept; null: only while the page is open.
export type ColorStorage = Pick<Storage, "getItem" | "setItem"> | null;

/// The name of a field of a repository in the memory.
export function fieldMemory(repo: string, key: string): string {
  return `${repo} ${key}`;
}

/// The name under which the colours of single runs, and of all runs of a name, are chosen.
export function runColors(repo: string, by: "run" | "name"): string {
  return fieldMemory(repo, `a ${by}`);
}

/// The colours of values, remembered.
export class ValueColors {
  private fields: Map<string, FieldMemory>;
  private readonly choices = signal<ReadonlyMap<string, string>>(new Map());

  constructor(private readonly storage: ColorStorage) {
    this.fields = this.stored();
    this.choices.value = this.storedChoices();
  }

  /// The colour that the reader gave to a value of a field; null: none.
  chosen(field: string, value: Cell): string | null {
    return this.choices.value.get(`${field} ${cellLabel(value)}`) ?? null;
  }

  /// Gives a colour, `#rrggbb`, to a value of a field; null takes it back.
  choose(field: string, value: Cell, color: string | null): void {
    const next = new Map(this.storedChoices());
    const key = `${field} ${cellLabel(value)}`;
    if (color === null) next.delete(key);
    else next.set(key, color);
    this.choices.value = next;
    try {
      this.storage?.setItem(CHOSEN_KEY, JSON.stringify([...next]));
    } catch {
      // a browser that stores nothing more still remembers while the page is open
    }
  }

  /// The colours of the values of a field.
  of(field: string, values: readonly Cell[], theme: Theme): (value: Cell) => string {
    const numbers = [...new Set(values.map(numberIn).filter((value) => value !== null && Number.isFinite(value)))];
    const texts = values.filter((value) => value !== null && numberIn(value) === null).map(cellLabel);
    const memory = this.with(field, (fresh) => {
      fresh.knots = withKnots(fresh.knots, numbers as number[]);
      for (const text of [...texts].sort()) assign(fresh.indexes, text, () => leastUsed(fresh.indexes, text));
    });
    return (value) => {
      const chosen = this.chosen(field, value);
      if (chosen !== null) return chosen;
      const number = numberIn(value);
      if (value === null || Number.isNaN(number)) return GREY[theme];
      if (number !== null) return rampColor(placeOf(memory.knots, number), theme);
      const label = cellLabel(value);
      return PALETTE[theme][memory.indexes.get(label) ?? hashOf(label) % COLORS];
    };
  }

  /// In which order the values of a field were seen first, from 0 on; for strokes.
  ranks(field: string, values: readonly Cell[]): (value: Cell) => number {
    const { indexes } = this.with(field, (fresh) => {
      for (const label of values.map(cellLabel)) assign(fresh.indexes, label, () => fresh.indexes.size);
    });
    return (value) => indexes.get(cellLabel(value)) ?? indexes.size;
  }

  /// The colours of runs that are averaged, by run. `name`: of the way in which they are grouped.
  ofGroups(name: string, groups: readonly (readonly string[])[], theme: Theme): ReadonlyMap<string, string> {
    const colors = new Map<string, string>();
    const memory = this.with(name, ({ indexes }) => {
      for (const runs of groups) {
        const member = runs.findLast((hash) => indexes.has(hash));
        const index = indexes.get(member ?? "") ?? leastUsedByGroups(indexes, groups, runs);
        for (const hash of runs) assign(indexes, hash, () => index);
      }
    });
    for (const runs of groups) {
      const index = memory.indexes.get(runs.find((hash) => memory.indexes.has(hash)) ?? "");
      for (const hash of runs) colors.set(hash, PALETTE[theme][index ?? hashOf(runs[runs.length - 1]) % COLORS]);
    }
    return colors;
  }

  /// The memory of a field after `learn` has added to it; stored if it grew, with what other tabs have stored.
  private with(field: string, learn: (memory: FieldMemory) => void): FieldMemory {
    const memory = this.fields.get(field) ?? { knots: [], indexes: new Map<string, number>() };
    const grown = { knots: memory.knots, indexes: new Map(memory.indexes) };
    learn(grown);
    if (grown.knots === memory.knots && grown.indexes.size === memory.indexes.size) return memory;
    const others = this.stored();
    const stored = others.get(field);
    const next = {
      knots: stored?.knots ?? memory.knots,
      indexes: new Map([...(stored?.indexes ?? []), ...memory.indexes]),
    };
    learn(next);
    others.delete(field);
    this.fields = new Map([...this.fields, ...others]);
    this.fields.delete(field);
    this.fields.set(field, next);
    this.store();
    return next;
  }

  private storedChoices(): ReadonlyMap<string, string> {
    try {
      const text = this.storage?.getItem(CHOSEN_KEY);
      return text ? new Map(JSON.parse(text) as readonly (readonly [string, string])[]) : this.choices.peek();
    } catch {
      return new Map();
    }
  }

  private stored(): Map<string, FieldMemory> {
    try {
      const list = JSON.parse(this.storage?.getItem(STORAGE_KEY) ?? "[]") as readonly StoredField[];
      return new Map(list.map(([field, knots, indexes]) => [field, { knots, indexes: new Map(indexes) }]));
    } catch {
      return new Map();
    }
  }

  private store(): void {
    const list = [...this.fields].slice(-FIELDS_MOST);
    this.fields = new Map(list);
    try {
      const stored = list.map(([field, { knots, indexes }]): StoredField => [field, knots, [...indexes]]);
      this.storage?.setItem(STORAGE_KEY, JSON.stringify(stored));
    } catch {
      // a browser that stores nothing more still remembers while the page is open
    }
  }
}

function assign(indexes: Map<string, number>, text: string, index: () => number): void {
  if (!indexes.has(text) && indexes.size < TEXTS_MOST) indexes.set(text, index());
}

function leastUsed(indexes: ReadonlyMap<string, number>, text: string): number {
  const used = new Array<number>(COLORS).fill(0);
  for (const index of indexes.values()) used[index]++;
  return freeColor(used, hashOf(text));
}

function leastUsedByGroups(
  indexes: ReadonlyMap<string, number>,
  groups: readonly (readonly string[])[],
  runs: readonly string[],
): number {
  const used = new Array<number>(COLORS).fill(0);
  for (const group of groups) {
    const index = indexes.get(group.find((hash) => indexes.has(hash)) ?? "");
    if (index !== undefined) used[index]++;
  }
  return freeColor(used, hashOf(runs[runs.length - 1]));
}

/// The knots with those of new values between them; the same list if there is none, or no more is remembered.
function withKnots(knots: readonly Knot[], values: readonly number[]): readonly Knot[] {
  const remembered = new Set(knots.map(([value]) => value));
  const sorted = values.filter((value) => !remembered.has(value)).sort((a, b) => a - b);
  if (sorted.length === 0 || knots.length >= KNOTS_MOST) return knots;
  if (knots.length === 0) return firstKnots(sorted);
  const next: Knot[] = [];
  for (let i = 0; i <= knots.length; i++) {
    const [from, low] = knots[i - 1] ?? [-Infinity, 0];
    const [to, high] = knots[i] ?? [Infinity, 1];
    const between = sorted.filter((value) => value > from && value < to);
    next.push(...between.map((value, k): Knot => [value, low + ((high - low) * (k + 1)) / (between.length + 1)]));
    if (i < knots.length) next.push(knots[i]);
  }
  return next.length > KNOTS_MOST ? knots : next;
}

function firstKnots(sorted: readonly number[]): readonly Knot[] {
  if (sorted.length === 1) return [[sorted[0], 0.5]];
  const count = Math.min(sorted.length, KNOTS_MOST);
  return Array.from({ length: count }, (_, i): Knot => {
    const value = sorted[Math.round((i * (sorted.length - 1)) / (count - 1))];
    return [value, RAMP_MARGIN + ((1 - 2 * RAMP_MARGIN) * i) / (count - 1)];
  });
}

/// The place of a number on the ramp: between those of its neighbours.
function placeOf(knots: readonly Knot[], value: number): number {
  const after = knots.findIndex(([other]) => other >= value);
  if (after < 0) return knots.length === 0 ? 0.5 : (knots[knots.length - 1][1] + 1) / 2;
  const [to, high] = knots[after];
  if (to === value) return high;
  if (after === 0) return high / 2;
  const [from, low] = knots[after - 1];
  return low + ((high - low) * (value - from)) / (to - from);
}
