/// A logged table: its rows, fetched when they come into view; filtered, searched, sorted, joined with others; and one
/// row over steps and runs.

import { useComputed, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { itemsOf, objectsStore, type Item } from "../model/objects";
import { cardForm, type CardForm } from "../model/samplecards";
import { LIST_CHARS, RowWindows, tableLabel, type RowsWish, type SampleRow } from "../model/samples";
import { plural } from "../model/words";
import { sendJson } from "../wire/request";
import type { ObjectsRequest, RowsAnswer, RowsRequest } from "../wire/objects";
import { Grid, type GridColumn } from "../widget/grid";
import { useApp } from "./app";
import { isNarrow } from "./narrow";
import { SampleCard } from "./samplecard";
import { SampleCell } from "./samplecell";
import { SampleRowPanel } from "./samplerow";
import { Clauses, SampleToolbar, useAsked, type Asked } from "./sampletoolbar";
import { useRunNames } from "./samplenames";
import { useStore } from "./hooks";

const ROW_PX = 28;
const PICTURE_ROW_PX = 76;
const BOX_PX = 520;
const HEAD_PX = 34;
const WIDTHS_PX: Readonly<Record<string, number>> = {
  int: 96,
  float: 96,
  bool: 76,
  "aim.image": 140,
  "aim.audio": 320,
};
const TEXT_PX = 320;
const CARD_SAMPLE = 40;
const TABLES_MOST = 24;
const STEPS_MOST = 24;

interface SampleColumn extends GridColumn {
  readonly index: number;
  readonly type: string;
  readonly table: number;
}

/// The column that stands for all where rows are cards.
const CARDS: SampleColumn = {
  key: "cards",
  label: "",
  width_px: 240,
  isStretched: true,
  index: -1,
  type: "",
  table: 0,
};

/// The rows of a wish: a new wish begins with none. A table that takes the place of another is a new wish.
function useWindows(item: Item, asked: Asked): ReadonlySignal<RowWindows> {
  const { session, scope } = useApp();
  const blob = useSignal("");
  blob.value = item.blob ?? "";
  const wish = useComputed<RowsWish>(() => ({
    blobs: [blob.value, ...asked.joined.value.map((other) => other.blob ?? "")],
    key: asked.key.value,
    sort: asked.sort.value,
    find: asked.find.value,
    where: asked.clauses.value,
    chars: LIST_CHARS,
  }));
  return useComputed(() => {
    const body = wish.value;
    const ask = (from: number, limit: number): Promise<RowsAnswer> =>
      sendJson<RowsAnswer>(scope.here("tables"), { ...body, from, limit } satisfies RowsRequest);
    const windows = new RowWindows(ask, session.report);
    windows.need(0, 1);
    return windows;
  });
}

/// The tables of the same name, of all matching runs and at some steps; asked for when somebody needs them.
function useRelated(item: Item, isAsked: ReadonlySignal<boolean>): ReadonlySignal<readonly Item[]> {
  const { scope } = useApp();
  const wish = useComputed<ObjectsRequest | null>(() =>
    isAsked.value
      ? {
          query: scope.query.value,
          type: "tables",
          sequences: [{ name: item.track.name, context: item.track.context }],
          steps: { from: null, to: null, count: STEPS_MOST },
          limit: TABLES_MOST,
        }
      : null,
  );
  const store = useStore(() => objectsStore(scope, wish));
  return useComputed(() => itemsOf(store.answer.value));
}

/// The columns of an answer; those of tables that were joined say from where they are, and have no second key.
function columnsOf(
  answer: RowsAnswer | null,
  item: Item,
  labels: readonly string[],
  key: string | null,
  widths: Readonly<Record<string, number>>,
): readonly SampleColumn[] {
  const columns = answer?.columns ?? (item.columns ?? []).map((column) => ({ ...column, table: 0 }));
  const all = columns.map(({ name, type, table }, index): SampleColumn => {
    const isNumeric = type === "int" || type === "float";
    const id = `${table} ${name}`;
    return {
      key: String(index),
      label: name,
      note: table === 0 ? undefined : labels[table - 1],
      title: `${name}: ${type}`,
      width_px: widths[id] ?? WIDTHS_PX[type] ?? TEXT_PX,
      isStretched: widths[id] === undefined && WIDTHS_PX[type] === undefined,
      isNumeric,
      isSortable: true,
      index,
      type,
      table,
    };
  });
  return all.filter(({ table, label }) => table === 0 || label !== key);
}

/// The layout of rows as cards; null: the window has room for columns.
function useCards(windows: RowWindows, columns: readonly SampleColumn[]): CardForm | null {
  if (!isNarrow.value) return null;
  const first = Array.from({ length: CARD_SAMPLE }, (_, row) => windows.rowAt(row)?.cells).filter((cells) => !!cells);
  return cardForm(columns, first);
}

/// The row that is open, until that of another table has come in its place; null: none is.
function useOpenRow(windows: RowWindows, open: number): SampleRow | null {
  const latest = useRef<SampleRow | null>(null);
  const isThere = open >= 0 && (windows.answer.value === null || open < windows.answer.value.count);
  latest.current = isThere ? (windows.rowAt(open) ?? latest.current) : null;
  return latest.current;
}

/// The order after a press on a head: up, down, none.
function nextOrder(now: RowsWish["sort"], column: number): { column: number; descending: boolean } | null {
  if (now?.column !== column) return { column, descending: false };
  return now.descending ? null : { column, descending: true };
}

/// The table.
export function TableView({ item }: { item: Item }): JSX.Element {
  const asked = useAsked(item);
  const windows = useWindows(item, asked);
  const areRelated = useSignal(false);
  const related = useRelated(item, areRelated);
  const names = useRunNames(useComputed(() => [...new Set(related.value.map(({ run }) => run))]));
  const open = useSignal(-1);
  const widths = useSignal<Readonly<Record<string, number>>>({});
  useEffect(() => {
    open.value = -1;
  }, [asked.sort.value, asked.find.value, asked.clauses.value, asked.joined.value]);
  void windows.value.version.value;
  const answer = windows.value.answer.value;
  const labels = asked.joined.value.map((other) => tableLabel(other, names, item));
  const columns = columnsOf(answer, item, labels, asked.key.value, widths.value);
  const cards = useCards(windows.value, columns);
  const count = answer?.count ?? item.row_count ?? 0;
  const openRow = useOpenRow(windows.value, open.value);
  return (
    <figure class="tableview">
      {item.caption && <figcaption>{item.caption}</figcaption>}
      <SampleToolbar
        item={item}
        asked={asked}
        areRelated={areRelated}
        related={related.value}
        names={names}
        sortable={cards ? columns : []}
      />
      <Clauses asked={asked} columns={columns} />
      <SampleRows
        item={item}
        asked={asked}
        windows={windows}
        columns={columns}
        cards={cards}
        count={count}
        widths={widths}
        open={open}
        onOpen={() => (areRelated.value = true)}
      />
      <p class="muted">
        {answer && answer.count < answer.total
          ? `${answer.count.toLocaleString("en")} of ${plural(answer.total, "row")}`
          : plural(count, "row")}
      </p>
      {openRow && (
        <SampleRowPanel
          item={item}
          row={openRow}
          keyName={asked.key}
          related={related}
          names={names}
          onMove={(step) => (open.value = Math.max(0, Math.min(count - 1, open.value + step)))}
          onClose={() => (open.value = -1)}
        />
      )}
    </figure>
  );
}

interface SampleRowsProps {
  readonly item: Item;
  readonly asked: Asked;
  readonly windows: ReadonlySignal<RowWindows>;
  readonly columns: readonly SampleColumn[];
  /// The layout of rows as cards; null: they have columns.
  readonly cards: CardForm | null;
  readonly count: number;
  readonly widths: Signal<Readonly<Record<string, number>>>;
  /// The row that is open; -1: none.
  readonly open: Signal<number>;
  readonly onOpen: () => void;
}

/// The rows in view, and those that are asked for when they come into it.
function SampleRows(props: SampleRowsProps): JSX.Element {
  const { item, asked, windows, columns, cards, count, widths, open, onOpen } = props;
  const { sort } = asked;
  const hasPictures = columns.some(({ type }) => type === "aim.image");
  const rowHeight_px = cards?.height_px ?? (hasPictures ? PICTURE_ROW_PX : ROW_PX);
  const tables = [item, ...asked.joined.value];
  const blobOf = (table: number): string => tables[table]?.blob ?? "";
  const inView = useRef<readonly [number, number]>([0, 1]);
  useEffect(() => {
    windows.value.need(...inView.current);
    if (open.value >= 0) windows.value.need(open.value, open.value + 1);
  }, [windows.value, windows.value.answer.value === null, open.value]);
  return (
    <div
      class={cards ? "samples cards" : "samples"}
      style={{ height: `${Math.min(BOX_PX, HEAD_PX + Math.max(1, count) * rowHeight_px)}px` }}
    >
      <Grid
        label={item.caption || `Table ${item.track.name} at step ${item.step}`}
        columns={cards ? [CARDS] : columns}
        rowCount={count}
        rowHeight_px={rowHeight_px}
        cursor={open.value}
        sort={sort.value && { key: String(sort.value.column), descending: sort.value.descending }}
        onSort={(key) => (sort.value = nextOrder(sort.value, Number(key)))}
        onResize={(key, width_px) => {
          const { table, label } = columns.find((column) => column.key === key) ?? { table: 0, label: "" };
          widths.value = { ...widths.value, [`${table} ${label}`]: width_px };
        }}
        onVisible={(first, last) => {
          inView.current = [first, last];
          windows.peek().need(first, last);
        }}
        onRowClick={(row, event) => {
          if ((event.target as HTMLElement).closest("a, button, audio")) return;
          onOpen();
          open.value = open.value === row ? -1 : row;
        }}
        cell={(row, { index, type, table }) => {
          const cells = windows.peek().rowAt(row)?.cells;
          if (cells === undefined) return <span class="muted">…</span>;
          if (cards) return <SampleCard form={cards} cells={cells} blobOf={blobOf} />;
          return <SampleCell cell={cells[index] ?? null} type={type} blob={blobOf(table)} />;
        }}
      />
    </div>
  );
}
