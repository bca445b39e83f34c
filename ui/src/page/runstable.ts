/// The state of the table of runs: its columns, its rows, its order, and the row that the keyboard is on.

import { useComputed, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { goTo, setting } from "../model/address";
import { bestNote, differingKeys, guessWidth, isNumberColumn, savedWidths, stateWidth } from "../model/columns";
import { fieldText, parseField } from "../model/fields";
import { formatCell } from "../model/format";
import { coloring, headColoring, type Coloring } from "../model/grouping";
import type { CellForm } from "../model/runcolumns";
import { headRows, rowsOf, type Row, type Sort } from "../model/runrows";
import { commonPrefix } from "../model/runnames";
import { foldSetting, groupOrder, rowFields } from "../model/rowsettings";
import { groupedRuns, type GroupedRuns } from "../model/groupedruns";
import type { RunHead } from "../model/runheads";
import type { RunsStore, RunsWish } from "../model/runs";
import { distinctFields, runName } from "../model/scene";
import { cellOf, sorted, spreadOf, type RunTable, type Spread } from "../model/table";
import { fieldMemory } from "../model/valuecolors";
import { colorField } from "../model/workspace";
import type { Field } from "../wire/types";
import type { GridColumn } from "../widget/grid";
import { useApp } from "./app";
import { useCommands, useStore } from "./hooks";
import { isNarrow } from "./narrow";
import { ERROR_KEY } from "./runcell";
import { chosenColumns } from "./runspills";

/// The key of the column of names.
export const NAME_KEY = "run.name";
/// The key of the column of small curves.
export const SPARK_KEY = "spark";

const NAME_WIDTH_PX = 232;
const NAME_WIDTH_NARROW_PX = 170;
const SPARK_WIDTH_PX = 84;
const SAMPLE_CELLS = 60;
const ALWAYS: readonly Field[] = [
  ["run", "name"],
  ["run", "status"],
  ["run", "created_at"],
  ["run", "error"],
  ["run", "losses"],
  ["run", "tags"],
  ["run", "archived"],
];

const sortSetting = setting("sort");

/// A column of the table, and how its cells are drawn.
export interface TableColumn extends GridColumn {
  readonly render: CellForm;
  readonly field: Field;
  /// What a menu calls it.
  readonly words: string;
}

const NAME_COLUMN: TableColumn = {
  key: NAME_KEY,
  label: "Name",
  width_px: NAME_WIDTH_PX,
  isFixed: true,
  isSortable: true,
  render: "text",
  field: ["run", "name"],
  words: "Name",
};
const SPARK_COLUMN: TableColumn = {
  key: SPARK_KEY,
  label: "",
  width_px: SPARK_WIDTH_PX,
  render: "text",
  field: ["run", "name"],
  words: "",
};

/// The table of runs.
export interface RunsTable {
  readonly store: RunsStore;
  /// What is fetched of very many runs.
  readonly long: GroupedRuns;
  readonly wish: ReadonlySignal<RunsWish | null>;
  readonly chosen: ReadonlySignal<readonly Field[]>;
  readonly sort: ReadonlySignal<(Sort & { readonly field: Field }) | null>;
  readonly table: ReadonlySignal<RunTable>;
  readonly rows: ReadonlySignal<readonly Row[]>;
  /// Whether a group is folded: as the address says of all, but for those in `turned`.
  readonly isClosed: (label: string) => boolean;
  readonly turned: Signal<ReadonlySet<string>>;
  /// What the names of all runs begin with.
  readonly prefix: ReadonlySignal<string>;
  readonly colors: ReadonlySignal<Coloring>;
  /// The colour of a group whose head the server computed.
  readonly colorOfHead: (head: RunHead) => string;
  readonly columns: ReadonlySignal<readonly TableColumn[]>;
  readonly widths: Signal<Readonly<Record<string, number>>>;
  readonly sparkMetric: ReadonlySignal<Field | null>;
  /// The spreads of the columns of metrics, by key.
  readonly spreads: ReadonlySignal<ReadonlyMap<string, Spread>>;
  /// The params in which the selected runs differ.
  readonly differing: ReadonlySignal<ReadonlySet<string>>;
}

function firstText([first]: readonly Field[]): string {
  return first ? fieldText(first) : "";
}

function spreadsOf(table: RunTable): ReadonlyMap<string, Spread> {
  const spreads = new Map<string, Spread>();
  for (const { key, field, type, cells } of table.columns.values()) {
    const spread = field[0] === "metric" && type === "number" ? spreadOf(cells) : null;
    if (spread && spread.max > spread.min) spreads.set(key, spread);
  }
  return spreads;
}

function spreadsOfHeads(heads: readonly RunHead[]): ReadonlyMap<string, Spread> {
  const spreads = new Map<string, Spread>();
  for (const { digests } of heads)
    for (const [key, { spread }] of digests) {
      const before = spreads.get(key);
      if (spread && key.startsWith("metric:"))
        spreads.set(key, {
          ...spread,
          min: Math.min(spread.min, before?.min ?? Infinity),
          max: Math.max(spread.max, before?.max ?? -Infinity),
        });
    }
  return new Map([...spreads].filter(([, { min, max }]) => max > min));
}

function useColumns({
  chosen,
  table,
  widths,
  sparkMetric,
}: Pick<RunsTable, "chosen" | "table" | "widths" | "sparkMetric">): ReadonlySignal<readonly TableColumn[]> {
  const { scope } = useApp();
  return useComputed(() => {
    const width_px = widths.value[NAME_KEY] ?? (isNarrow.value ? NAME_WIDTH_NARROW_PX : NAME_WIDTH_PX);
    const list: TableColumn[] = [{ ...NAME_COLUMN, width_px }];
    for (const field of chosen.value) {
      const key = fieldText(field);
      const column = table.value.columns.get(key);
      const { label, width_px: fixed_px, render } = scope.columns.value.columnOf(field);
      const note = bestNote(field);
      const head = note === null ? label : `${note.label} ${note.text}`;
      const sample = (column?.cells ?? []).slice(0, SAMPLE_CELLS).map(formatCell);
      const guess_px =
        render === "state"
          ? stateWidth(table.value.columns.get(ERROR_KEY)?.cells ?? [], isNarrow.value)
          : guessWidth(field, head, sample, rowFields.value.length > 0);
      list.push({
        key,
        label: note?.label ?? label,
        title: note === null ? key : `${key}\n${note.title}`,
        note: note?.text,
        words: label,
        field,
        width_px: widths.value[key] ?? fixed_px ?? guess_px,
        isNumeric: column ? isNumberColumn(column) : field[0] === "metric",
        isSortable: true,
        render,
      });
      if (sparkMetric.value === field) list.push(SPARK_COLUMN);
    }
    return list;
  });
}

/// Makes the table.
export function useRunsTable(): RunsTable {
  const { scope, marks, session, colors: memory } = useApp();
  const chosen = useComputed(() => chosenColumns(scope));
  const sort = useComputed(() => {
    const text = sortSetting.value;
    const field = parseField(text.replace(/^-/, ""));
    return field ? { field, descending: text.startsWith("-"), key: fieldText(field) } : null;
  });
  const wish = useComputed<RunsWish | null>(() => {
    if (!scope.fields.value) return null;
    const extra = [...rowFields.value, parseField(colorField.value), sort.value?.field ?? null];
    const fields = distinctFields([...ALWAYS, ...chosen.value, ...extra.filter((field) => field !== null)]);
    return { fields, sort: sort.value && { field: sort.value.field, descending: sort.value.descending } };
  });
  const long = useStore(() => groupedRuns({ scope, marks }, wish));
  const { store } = long;
  const table = useComputed(() => {
    const here = long.table.value;
    return sort.value && !long.isPart.value ? sorted(here, sort.value.key, sort.value.descending) : here;
  });
  const turned = useSignal<ReadonlySet<string>>(new Set());
  const isClosed = (label: string): boolean => (foldSetting.value === "all") !== turned.value.has(label);
  const rows = useComputed(() => {
    const grouping = { by: rowFields.value, isClosed, sort: sort.value, order: groupOrder.value };
    if (!long.isPart.value) return rowsOf(table.value, grouping);
    if (!long.isGroupedThere.value) return long.plainRows();
    return headRows(long.heads.answer.value ?? [], grouping, sort.value?.field ?? null, long.members.at);
  });
  const prefix = useComputed(() => commonPrefix(table.value.hashes.map((hash) => runName(table.value, hash))));
  const colors = useComputed(() => {
    const key = colorField.value || firstText(rowFields.value);
    const look = { theme: session.theme.value, memory, repo: scope.repo.value };
    if (!long.isPart.value || key === "") return coloring(table.value, key, look.theme, memory, look.repo);
    const heads = key === firstText(rowFields.value) ? (long.heads.answer.value ?? []) : [];
    return headColoring(heads, table.value, key, (hash) => cellOf(table.value, key, hash), look);
  });
  const colorOfHead = ({ values, digests }: RunHead): string => {
    const key = colorField.value;
    const digest = digests.get(key);
    const own = key === "" || key === firstText(rowFields.value) ? values[0] : null;
    const value = own ?? (digest?.distinct === 1 ? digest.values[0] : null);
    return memory.of(fieldMemory(scope.repo.value, key || firstText(rowFields.value)), [], session.theme.value)(value);
  };
  const widths = useSignal<Readonly<Record<string, number>>>(savedWidths());
  const sparkMetric = useComputed(() => chosen.value.find((field) => field[0] === "metric") ?? null);
  const columns = useColumns({ chosen, table, widths, sparkMetric });
  const spreads = useComputed(() =>
    long.isPart.value ? spreadsOfHeads(long.heads.answer.value ?? []) : spreadsOf(table.value),
  );
  const differing = useComputed(() => {
    const selected = marks.selected.value.map((hash) => table.value.rowOf.get(hash) ?? -1);
    return differingKeys(
      table.value.columns,
      selected.filter((row) => row >= 0),
    );
  });
  return {
    store: {
      ...store,
      table,
      areMissing: (hashes) => long.far.areMissing(hashes, (hash) => table.value.rowOf.has(hash)),
    },
    long,
    wish,
    chosen,
    sort,
    table,
    rows,
    isClosed,
    turned,
    prefix,
    colors,
    colorOfHead,
    columns,
    widths,
    sparkMetric,
    spreads,
    differing,
  };
}

/// The row that the keyboard is on, and ticking by it.
export interface RowCursor {
  readonly cursor: Signal<number>;
  readonly hashAt: (row: number) => string | null;
  /// Ticks a row; with `isRange` all rows from the one that was ticked last.
  readonly tick: (hash: string, row: number, isRange: boolean) => void;
}

/// Makes the cursor, and adds its keys.
export function useRowCursor({ rows, long }: Pick<RunsTable, "rows" | "long">): RowCursor {
  const { marks, session } = useApp();
  const cursor = useSignal(-1);
  const anchor = useRef(-1);
  const hashAt = (row: number): string | null => rows.peek()[row]?.hash ?? null;
  const move = (step: number): void => {
    const next = Math.max(0, Math.min(rows.peek().length - 1, cursor.peek() + step));
    cursor.value = next;
    const hash = hashAt(next);
    if (hash) marks.hot.value = { owner: hash, x: null };
  };
  const atCursor = (run: (hash: string) => void) => () => {
    const hash = hashAt(cursor.peek());
    if (hash) run(hash);
  };
  const tickRange = (row: number): void => {
    const [from, to] = [Math.min(anchor.current, row), Math.max(anchor.current, row)];
    long.runsOf(rows.peek(), Math.max(0, from), to + 1).then(marks.select, session.report);
  };
  const tick = (hash: string, row: number, isRange: boolean): void => {
    if (isRange && anchor.current >= 0) tickRange(row);
    else marks.toggleSelected(hash);
    anchor.current = row;
  };
  const tickHere = atCursor((hash) => tick(hash, cursor.peek(), false));
  useCommands(() => [
    { keys: "j", label: "Next run", section: "Runs", run: () => move(1) },
    { keys: "k", label: "Previous run", section: "Runs", run: () => move(-1) },
    { keys: "ArrowDown", label: "Next run", section: "", run: () => move(1) },
    { keys: "ArrowUp", label: "Previous run", section: "", run: () => move(-1) },
    { keys: "x", label: "Select the run", section: "Runs", run: tickHere },
    { keys: "X", label: "Select all runs up to here", section: "Runs", run: () => tickRange(cursor.peek()) },
    { keys: "Enter", label: "Open the run", section: "Runs", run: atCursor((hash) => goTo("run", hash)) },
    { keys: "p", label: "Pin the run", section: "Runs", run: atCursor((hash) => marks.togglePinned([hash])) },
    { keys: "b", label: "Make the run the baseline", section: "Runs", run: atCursor(marks.toggleBaseline) },
    {
      keys: "h",
      label: "Hide the run in charts",
      section: "Runs",
      run: atCursor((hash) => marks.toggleHidden([hash])),
    },
  ]);
  return { cursor, hashAt, tick };
}
