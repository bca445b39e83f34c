/// The table of runs: columns chosen, sorted, grouped; ticked, compared, tagged, archived.

import { cellLabel, type Cell } from "../model/cell";
import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { change, goTo } from "../model/address";
import { columnsText, digestCell, groupCell, saveWidth, type GroupCellText } from "../model/columns";
import { queryLiteral } from "../model/fields";
import type { Marks } from "../model/marks";
import { allMatching } from "../model/members";
import type { RunHead } from "../model/runheads";
import { hashesOf, headIndex, movedField, nextSort, type Row, toggledSet } from "../model/runrows";
import type { RunTable } from "../model/table";
import { Grid } from "../widget/grid";
import { Icon } from "../widget/icon";
import { useApp } from "./app";
import { useCellMenu } from "./cellmenu";
import { ExportMenu, exportedRuns } from "./exportmenu";
import { RowGroupPill } from "./grouppill";
import { HeadMenu } from "./headmenu";
import { useTitle } from "./hooks";
import { RunCell, RunNameCell } from "./runcell";
import { ColumnsPill, FilterPill } from "./runspills";
import { NAME_KEY, SPARK_KEY, useRowCursor, useRunsTable, type RunsTable, type TableColumn } from "./runstable";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { SelectionBar } from "./selectionbar";
import { Spark, useSparks } from "./spark";
import { ViewButtons } from "./viewbuttons";

const ROW_PX = 28;

/// The page.
export function RunsPage(): JSX.Element {
  useTitle("Runs");
  const { marks } = useApp();
  const runs = useRunsTable();
  const { store, table, rows, sort, chosen, colors, widths } = runs;
  const { cursor, hashAt, tick } = useRowCursor(runs);
  const visible = useSignal<readonly string[]>([]);
  const sparks = useSparks(visible, runs.sparkMetric);
  const { menu, pressCell } = useCellMenu(runs, hashAt);
  const state = useHasRuns(store);
  if (state !== "runs") return <ScopeNotice state={state} scene={store} />;
  const cell = (row: number, column: TableColumn): JSX.Element | null => {
    const item = rows.value[row];
    if (item.hash === null) return <GroupCell item={item} column={column} runs={runs} />;
    const { hash } = item;
    if (hash === "") return column.key === NAME_KEY ? <span class="muted">…</span> : null;
    const color = colors.value.colorOf(hash);
    if (column.key === SPARK_KEY) return <Spark points={sparks.value.get(hash) ?? null} color={color} />;
    if (column.key === NAME_KEY) {
      const onTick = (isRange: boolean): void => tick(hash, row, isRange);
      return <RunNameCell table={table.value} hash={hash} prefix={runs.prefix.value} color={color} onTick={onTick} />;
    }
    return (
      <RunCell
        table={table.value}
        hash={hash}
        columnKey={column.key}
        render={column.render}
        spread={runs.spreads.value.get(column.key) ?? null}
        isDiffering={runs.differing.value.has(column.key) && marks.isSelected(hash)}
      />
    );
  };
  const press = (row: number, event: MouseEvent): void => {
    if ((event.target as HTMLElement).closest("a, button, input")) return;
    cursor.value = row;
    const hash = hashAt(row);
    if (hash && (event.shiftKey || event.ctrlKey || event.metaKey)) tick(hash, row, event.shiftKey);
  };
  return (
    <main class="main runs-page">
      <RunsToolbar runs={runs} />
      {menu}
      <div class={store.isLoading.value && table.value.hashes.length > 0 ? "tablebox stale" : "tablebox"}>
        <Grid
          label="Runs"
          columns={runs.columns.value}
          rowCount={rows.value.length}
          rowHeight_px={ROW_PX}
          cursor={cursor.value}
          sort={sort.value}
          beforeLabel={(key) => key === NAME_KEY && <TickMatching runs={runs} />}
          afterLabel={(column) =>
            column.key !== NAME_KEY && column.key !== SPARK_KEY && <HeadMenu column={column} runs={runs} />
          }
          onSort={(key) => key !== SPARK_KEY && change({ sort: nextSort(sort.value, key) })}
          onMove={(key, before) => change({ cols: columnsText(movedField(chosen.value, key, before)) }, true)}
          cell={cell}
          onResize={(key, width_px) => {
            widths.value = { ...widths.value, [key]: width_px };
            saveWidth(key, width_px);
          }}
          rowClass={(row) => rowClass(marks, rows.value[row]?.hash)}
          onRowClick={press}
          onCellClick={pressCell}
          onRowDoubleClick={(row) => {
            const hash = hashAt(row);
            if (hash) goTo("run", hash);
          }}
          headOf={(row) => headIndex(rows.value, row)}
          onVisible={(first, last) => {
            showRows(runs, visible, first, last);
          }}
        />
      </div>
      <SelectionBar scene={store} />
    </main>
  );
}

/// Notes which rows are on the screen: their curves and, of groups, their runs are fetched.
function showRows({ rows, long }: RunsTable, visible: Signal<readonly string[]>, first: number, last: number): void {
  const list = rows.peek();
  const next = hashesOf(list.slice(first, last));
  long.need(list, first, last);
  if (next.join() !== visible.peek().join()) visible.value = next;
}

function TickMatching({ runs: { table, long } }: { runs: RunsTable }): JSX.Element {
  const { scope } = useApp();
  const { hashes, count } = table.value;
  return (
    <TickAll
      hashes={hashes}
      count={long.isPart.value ? count : hashes.length}
      all={() => allMatching(scope)}
      label="all matching runs"
    />
  );
}

function rowClass({ isSelected, isHidden, isPinned, isBaseline }: Marks, hash: string | null | undefined): string {
  if (!hash) return "grouped";
  const classes = [isSelected(hash) && "chosen", isHidden(hash) && "off", isPinned(hash) && "pinned"];
  return [...classes, isBaseline(hash) && "base"].filter(Boolean).join(" ");
}

function RunsToolbar({ runs }: { runs: RunsTable }): JSX.Element {
  const { scope, session } = useApp();
  const { chosen, wish } = runs;
  const has = (property: string) => (value: string) => `run.${property} == ${queryLiteral(value)}`;
  return (
    <div class="toolbar">
      <FilterPill label="state" facet="status" clause={has("status")} />
      <FilterPill label="experiment" facet="experiment" clause={has("experiment")} />
      <FilterPill label="tag" facet="tags" clause={(value) => `${queryLiteral(value)} in run.tags`} />
      <RowGroupPill isPivot />
      <span class="spacer" />
      <ColumnsPill current={chosen.value} />
      <ExportMenu
        label="All matching runs with these columns"
        request={() =>
          exportedRuns(session, {
            query: scope.query.value,
            fields: [["run", "name"], ...chosen.value],
            sort: wish.value?.sort ? [wish.value.sort] : [],
          })
        }
      />
      <ViewButtons />
    </div>
  );
}

/// A box that ticks many runs, or unticks them if all of them are ticked.
function TickAll({
  hashes,
  count = hashes.length,
  all,
  label,
}: {
  hashes: readonly string[];
  /// How many there are; where that is more than are here, `all` fetches them.
  count?: number;
  all?: () => Promise<readonly string[]>;
  label: string;
}): JSX.Element {
  const { marks, session } = useApp();
  const fetched = useSignal<readonly string[] | null>(null);
  const members = hashes.length < count && fetched.value ? fetched.value : hashes;
  const listed = marks.extent(members);
  const extent = listed === "all" && members.length < count ? "some" : listed;
  const toggle = (): void => {
    if (members.length >= count || !all) return marks.toggleAll(members);
    all().then((next) => {
      fetched.value = next;
      marks.toggleAll(next);
    }, session.report);
  };
  return (
    <input
      type="checkbox"
      checked={extent === "all"}
      indeterminate={extent === "some"}
      aria-label={`Select ${label}`}
      title={`${extent === "all" ? "Unselect" : "Select"} ${label}: ${count.toLocaleString("en")}`}
      onClick={(event) => {
        event.stopPropagation();
        toggle();
      }}
    />
  );
}

interface GroupCellProps {
  readonly item: Extract<Row, { hash: null }>;
  readonly column: TableColumn;
  readonly runs: RunsTable;
}

/// A cell of a group's head: its name, or what its runs have in a column.
function GroupCell({ item, column, runs }: GroupCellProps): JSX.Element | null {
  const { turned, isClosed, colors, store } = runs;
  if (column.key === SPARK_KEY) return null;
  if (column.key === NAME_KEY) {
    const isFolded = isClosed(item.label);
    const color = item.head ? runs.colorOfHead(item.head) : colors.value.colorOf(item.hashes[0] ?? "");
    return (
      <>
        <TickAll
          hashes={item.hashes}
          count={item.count}
          all={item.head && (() => runs.long.members.all(item.head as RunHead))}
          label={`all runs of ${item.label}`}
        />
        <button
          type="button"
          class="fold"
          aria-expanded={!isFolded}
          onClick={() => (turned.value = toggledSet(turned.value, item.label))}
        >
          <span class={isFolded ? "chevron" : "chevron open"}>
            <Icon name="chevron" size={12} />
          </span>
          <i class="swatch" style={{ background: color }} />
          <b>{item.label}</b>
          <span class="muted">{item.count}</span>
        </button>
      </>
    );
  }
  if (column.render !== "text" && column.render !== "number") return null;
  const { text, title, isNumber, best } = item.head
    ? headCell(item.head, column)
    : groupCell(cellsOf(store.table.value, column.key, item.hashes), column.field);
  return (
    <>
      <span class={isNumber ? "" : "muted"} title={title}>
        {text}
      </span>
      {best !== undefined && (
        <em class="best" title={title}>
          {best}
        </em>
      )}
    </>
  );
}

function headCell({ digests }: RunHead, { key, field }: TableColumn): GroupCellText {
  const digest = digests.get(key);
  if (!digest) return { text: "", title: "", isNumber: false };
  return digestCell({ ...digest, labels: digest.values.map(cellLabel) }, field);
}

function cellsOf(table: RunTable, key: string, hashes: readonly string[]): readonly Cell[] {
  const cells = table.columns.get(key)?.cells ?? [];
  return hashes.map((hash) => cells[table.rowOf.get(hash) ?? -1] ?? null);
}
