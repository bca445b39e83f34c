/// The rows of logged tables as a reader looks at them: asked for a window at a time; filtered, sorted and joined by
/// the server.

import { signal, type Signal } from "@preact/signals";
import { contextLabel } from "./fields";
import type { Item } from "./objects";
import type { RowsAnswer, RowsRequest, TableColumn } from "../wire/objects";
import type { Json } from "../wire/types";

/// Rows of one request.
export const WINDOW_ROWS = 100;
/// Texts of a list are cut after so many characters; an opened row has all of them.
export const LIST_CHARS = 160;

const KEY_NAMES = /^(id|uid|uuid|key|index|idx|prompt_id|sample_id|example_id|question_id)$/i;
const KEY_NAMES_TOO = /^(prompt|question|input|file|filename|path|name)$/i;

/// What rows are asked for, but for the window.
export type RowsWish = Omit<RowsRequest, "from" | "limit">;

/// A row that has come.
export interface SampleRow {
  readonly number: number;
  readonly cells: readonly Json[];
}

/// The column that most likely names a row, whatever its number; null: none does.
export function guessKey(columns: readonly TableColumn[]): string | null {
  const isPlain = ({ type }: TableColumn): boolean => !/image|audio/.test(type);
  const plain = columns.filter(isPlain).map(({ name }) => name);
  return plain.find((name) => KEY_NAMES.test(name)) ?? plain.find((name) => KEY_NAMES_TOO.test(name)) ?? null;
}

/// A table for people: where it comes from.
export function tableLabel(item: Item, nameOf: (hash: string) => string, base: Item): string {
  const parts = [
    item.run === base.run ? "" : nameOf(item.run),
    item.track.name === base.track.name ? "" : `${item.track.name} ${contextLabel(item.track.context)}`,
    `step ${item.step}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

/// The tables that a row can be looked for in besides its own: of the same run at other steps, or of other runs, each
/// at the step nearest to this one.
export function relatives(item: Item, tables: readonly Item[], over: "steps" | "runs", most: number): readonly Item[] {
  if (over === "steps")
    return tables
      .filter((other) => other.run === item.run && other.step !== item.step && other.index === item.index)
      .sort((a, b) => Math.abs(a.step - item.step) - Math.abs(b.step - item.step))
      .slice(0, most)
      .sort((a, b) => a.step - b.step);
  const nearest = new Map<string, Item>();
  for (const other of tables) {
    if (other.run === item.run || other.index !== item.index) continue;
    const best = nearest.get(other.run);
    if (!best || Math.abs(other.step - item.step) < Math.abs(best.step - item.step)) nearest.set(other.run, other);
  }
  return [...nearest.values()].slice(0, most);
}

/// The rows that have come so far. Rows are fetched when they come into view, and only these.
export class RowWindows {
  private readonly rows = new Map<number, SampleRow>();
  private readonly asked = new Set<number>();

  /// The last answer, without its rows; null: none came yet.
  readonly answer: Signal<RowsAnswer | null> = signal(null);
  /// Counts what came, so that who draws rows draws them again.
  readonly version = signal(0);

  constructor(
    private readonly ask: (from: number, limit: number) => Promise<RowsAnswer>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /// A row of the view; undefined: it has not come.
  rowAt(index: number): SampleRow | undefined {
    return this.rows.get(index);
  }

  /// Fetches the windows that rows `first … last` are in, unless they were asked for.
  need(first: number, last: number): void {
    const count = this.answer.peek()?.count ?? 1;
    for (let window = Math.floor(first / WINDOW_ROWS); window * WINDOW_ROWS < Math.min(last, count); window++) {
      if (this.asked.has(window)) continue;
      this.asked.add(window);
      const from = window * WINDOW_ROWS;
      this.ask(from, WINDOW_ROWS).then((answer) => this.take(from, answer), this.onError);
    }
  }

  private take(from: number, answer: RowsAnswer): void {
    answer.rows.forEach((cells, i) => this.rows.set(from + i, { number: answer.numbers[i], cells }));
    this.answer.value = answer;
    this.version.value++;
  }
}
