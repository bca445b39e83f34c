/// The table of runs: columns chosen, sorted, grouped; ticked, compared, tagged, archived.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { change, goTo, setting } from "../model/address";
import {
  allColumns,
  columnsText,
  defaultColumns,
  differingKeys,
  groupCell,
  guessWidth,
  parseColumns,
  savedWidths,
  saveWidth,
} from "../model/columns";
import { fieldLabel, fieldText, parseField, queryLiteral } from "../model/fields";
import { formatCell } from "../model/format";
import { splitBy } from "../model/grouping";
import {
  hot,
  isBaseline,
  isHidden,
  isPinned,
  select,
  selected,
  toggleBaseline,
  toggleHidden,
  togglePinned,
  toggleSelected,
} from "../model/marks";
import { runsStore, type RunsStore, type RunsWish } from "../model/runs";
import { distinctFields } from "../model/scene";
import { fields, narrow, query } from "../model/scope";
import { sorted, spreadOf, type Cell, type Spread } from "../model/table";
import { colorField } from "../model/workspace";
import { coloring } from "../model/grouping";
import { theme } from "../model/session";
import type { Field, RunsRequest } from "../wire/types";
import { Grid, type GridColumn } from "../widget/grid";
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";
import { ExportMenu, MOST_EXPORTED } from "./exportmenu";
import { useCommands, useStore, useTitle } from "./hooks";
import { RunCell, RunNameCell } from "./runcell";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { SelectionBar } from "./selectionbar";
import { useSparks, Spark } from "./spark";
import { groupChoices } from "./toolbar";
import { ViewButtons } from "./viewbuttons";

const ROW_PX = 28;
const NAME_KEY = "run.name";
const SPARK_KEY = "spark";

const columnsSetting = setting("cols");
const sortSetting = setting("sort");
const groupSetting = setting("group");

type Row =
  | { readonly hash: string; readonly label: "" }
  | { readonly hash: null; readonly label: string; readonly hashes: readonly string[] };

function chosenFields(): readonly Field[] {
  const known = fields.value;
  if (columnsSetting.value !== "") return parseColumns(columnsSetting.value);
  return known ? defaultColumns(known) : [];
}

/// The pill that narrows the query by what runs have.
function FilterPill({
  label,
  facet,
  clause,
}: {
  label: string;
  facet: string;
  clause: (value: string) => string;
}): JSX.Element | null {
  const values = fields.value?.facets[facet] ?? [];
  if (values.length === 0) return null;
  const choices = values.map(([value, count]): Choice => ({ value, label: value, detail: String(count) }));
  return (
    <Popover
      button={
        <>
          {label}{" "}
          <span class="turned">
            <Icon name="chevron" size={10} />
          </span>
        </>
      }
      label={`Only runs with this ${label}`}
    >
      {(close) => (
        <Picker
          choices={choices}
          chosen={new Set()}
          placeholder={`Only with ${label}…`}
          onPick={(value) => {
            close();
            narrow(clause(value));
          }}
        />
      )}
    </Popover>
  );
}

function ColumnsPill({ current }: { current: readonly Field[] }): JSX.Element {
  const known = fields.value;
  const keys = new Set(current.map(fieldText));
  const choices = known
    ? allColumns(known).map((field): Choice => ({
        value: fieldText(field),
        label: fieldLabel(field),
        section: field[0] === "run" ? "Run" : field[0] === "param" ? "Params" : "Metrics",
      }))
    : [];
  const pick = (value: string): void => {
    const field = parseField(value);
    if (!field) return;
    const next = keys.has(value) ? current.filter((other) => fieldText(other) !== value) : [...current, field];
    change({ cols: columnsText(next) }, true);
  };
  return (
    <Popover
      button={
        <>
          <Icon name="columns" size={14} />
          columns <b>{current.length + 1}</b>
        </>
      }
      label="Choose the columns"
      align="right"
    >
      {() => (
        <>
          <Picker choices={choices} chosen={keys} onPick={pick} isMany placeholder="Columns…" />
          {columnsSetting.value !== "" && (
            <div class="menu">
              <button type="button" role="menuitem" onClick={() => change({ cols: null })}>
                The columns it chose by itself
              </button>
            </div>
          )}
        </>
      )}
    </Popover>
  );
}

export function RunsPage(): JSX.Element {
  useTitle("Runs");
  const chosen = useComputed(chosenFields);
  const sort = useComputed(() => {
    const text = sortSetting.value;
    const field = parseField(text.replace(/^-/, ""));
    return field ? { field, descending: text.startsWith("-"), key: fieldText(field) } : null;
  });
  const wish = useComputed<RunsWish | null>(() => {
    if (!fields.value) return null;
    const extra = [parseField(groupSetting.value), parseField(colorField.value), sort.value?.field ?? null].filter(
      (field) => field !== null,
    );
    const wanted = distinctFields([
      ["run", "name"],
      ["run", "status"],
      ["run", "created_at"],
      ["run", "error"],
      ["run", "tags"],
      ["run", "archived"],
      ...chosen.value,
      ...extra,
    ]);
    return { fields: wanted, sort: sort.value ? { field: sort.value.field, descending: sort.value.descending } : null };
  });
  const store = useStore(() => runsStore(wish));
  const table = useComputed(() =>
    sort.value ? sorted(store.table.value, sort.value.key, sort.value.descending) : store.table.value,
  );
  const closed = useSignal<ReadonlySet<string>>(new Set());
  const rows = useComputed<readonly Row[]>(() => {
    const field = parseField(groupSetting.value);
    if (!field) return table.value.hashes.map((hash) => ({ hash, label: "" }));
    return splitBy(table.value, fieldText(field)).flatMap((part): Row[] => [
      { hash: null, label: part.label, hashes: part.hashes },
      ...(closed.value.has(part.label) ? [] : part.hashes.map((hash): Row => ({ hash, label: "" }))),
    ]);
  });
  const colors = useComputed(() => coloring(table.value, colorField.value || groupSetting.value, theme.value));
  const cursor = useSignal(-1);
  const anchor = useRef(-1);
  const widths = useSignal(savedWidths());
  const visible = useSignal<readonly string[]>([]);
  const sparkMetric = useComputed(() => chosen.value.find((field) => field[0] === "metric") ?? null);
  const sparks = useSparks(visible, sparkMetric);
  const spreads = useComputed(() => {
    const found = new Map<string, Spread>();
    for (const column of table.value.columns.values()) {
      const spread = column.field[0] === "metric" && column.type === "number" ? spreadOf(column.cells) : null;
      if (spread && spread.max > spread.min) found.set(column.key, spread);
    }
    return found;
  });
  const columns = useComputed<readonly GridColumn[]>(() => {
    const list: GridColumn[] = [
      { key: NAME_KEY, label: "Name", width_px: widths.value[NAME_KEY] ?? 232, isFixed: true, isSortable: true },
    ];
    for (const field of chosen.value) {
      const key = fieldText(field);
      const column = table.value.columns.get(key);
      const isNumeric = column?.type === "number" && field[0] !== "run";
      const label = fieldLabel(field);
      const sample = (column?.cells ?? []).slice(0, 60).map(formatCell);
      const width_px =
        widths.value[key] ??
        (field[0] === "run" ? RUN_WIDTHS[field[1]] : undefined) ??
        guessWidth(field, label, sample);
      list.push({ key, label, title: key, width_px, isNumeric, isSortable: true });
      if (sparkMetric.value === field) list.push({ key: SPARK_KEY, label: "", width_px: 84 });
    }
    return list;
  });
  const differing = useComputed(() =>
    differingKeys(
      table.value.columns,
      selected.value.map((hash) => table.value.rowOf.get(hash) ?? -1).filter((row) => row >= 0),
    ),
  );
  const hashAt = (row: number): string | null => rows.peek()[row]?.hash ?? null;
  const move = (step: number): void => {
    const next = Math.max(0, Math.min(rows.peek().length - 1, cursor.peek() + step));
    cursor.value = next;
    const hash = hashAt(next);
    if (hash) hot.value = { owner: hash, x: null };
  };
  const here_ = (run: (hash: string) => void) => () => {
    const hash = hashAt(cursor.peek());
    if (hash) run(hash);
  };
  const range = (row: number): void => {
    const [from, to] = [Math.min(anchor.current, row), Math.max(anchor.current, row)];
    select(
      rows
        .peek()
        .slice(Math.max(0, from), to + 1)
        .flatMap((item) => (item.hash ? [item.hash] : [])),
    );
  };
  const tick = (hash: string, row: number, isRange: boolean): void => {
    if (isRange && anchor.current >= 0) range(row);
    else toggleSelected(hash);
    anchor.current = row;
  };
  useCommands(() => [
    { keys: "j", label: "Next run", section: "Runs", run: () => move(1) },
    { keys: "k", label: "Previous run", section: "Runs", run: () => move(-1) },
    { keys: "ArrowDown", label: "Next run", section: "", run: () => move(1) },
    { keys: "ArrowUp", label: "Previous run", section: "", run: () => move(-1) },
    { keys: "x", label: "Select the run", section: "Runs", run: here_((hash) => tick(hash, cursor.peek(), false)) },
    { keys: "X", label: "Select all runs up to here", section: "Runs", run: () => range(cursor.peek()) },
    { keys: "Enter", label: "Open the run", section: "Runs", run: here_((hash) => goTo("run", hash)) },
    { keys: "p", label: "Pin the run", section: "Runs", run: here_((hash) => togglePinned([hash])) },
    { keys: "b", label: "Make the run the baseline", section: "Runs", run: here_(toggleBaseline) },
    { keys: "h", label: "Hide the run in charts", section: "Runs", run: here_((hash) => toggleHidden([hash])) },
  ]);
  const state = useHasRuns(store);
  if (state !== "runs") return <ScopeNotice state={state} scene={store} />;
  const onSort = (key: string): void => {
    if (key === SPARK_KEY) return;
    const isSame = sort.value?.key === key;
    const first = /^metric:.*(acc|f1|auc|score|reward)/i.test(key) || key === "run.created_at" ? "-" : "";
    change({
      sort: isSame
        ? sort.value?.descending === (first === "-")
          ? (first === "-" ? "" : "-") + key
          : null
        : first + key,
    });
  };
  const onMove = (key: string, before: string): void => {
    const list = chosen.value.filter((field) => fieldText(field) !== key);
    const moved = chosen.value.find((field) => fieldText(field) === key);
    const at = list.findIndex((field) => fieldText(field) === before);
    if (moved)
      change({ cols: columnsText([...list.slice(0, Math.max(0, at)), moved, ...list.slice(Math.max(0, at))]) }, true);
  };
  const cell = (row: number, column: GridColumn): JSX.Element | null => {
    const item = rows.value[row];
    if (item.hash === null)
      return (
        <GroupCell
          item={item}
          column={column}
          store={store}
          isClosed={closed.value.has(item.label)}
          color={colors.value.groups.find((group) => group.label === item.label)?.color ?? ""}
          onToggle={() => {
            const next = new Set(closed.value);
            if (!next.delete(item.label)) next.add(item.label);
            closed.value = next;
          }}
        />
      );
    const { hash } = item;
    if (column.key === NAME_KEY)
      return (
        <RunNameCell
          table={table.value}
          hash={hash}
          color={colors.value.colorOf(hash)}
          onTick={(isRange) => tick(hash, row, isRange)}
        />
      );
    if (column.key === SPARK_KEY)
      return <Spark points={sparks.value.get(hash) ?? null} color={colors.value.colorOf(hash)} />;
    return (
      <RunCell
        table={table.value}
        hash={hash}
        columnKey={column.key}
        spread={spreads.value.get(column.key) ?? null}
        isDiffering={differing.value.has(column.key) && selected.value.includes(hash)}
      />
    );
  };
  const exported = (): RunsRequest => ({
    query: query.value,
    fields: [["run", "name"], ...chosen.value],
    sort: wish.value?.sort ? [wish.value.sort] : [],
    limit: MOST_EXPORTED,
  });
  return (
    <main class="main runs-page">
      <div class="toolbar">
        <FilterPill label="state" facet="status" clause={(value) => `run.status == ${queryLiteral(value)}`} />
        <FilterPill
          label="experiment"
          facet="experiment"
          clause={(value) => `run.experiment == ${queryLiteral(value)}`}
        />
        <FilterPill label="tag" facet="tags" clause={(value) => `${queryLiteral(value)} in run.tags`} />
        <Popover
          button={
            groupSetting.value ? (
              <>
                group <b>{fieldLabel(parseField(groupSetting.value) ?? ["run", "?"])}</b>
              </>
            ) : (
              <>+ group</>
            )
          }
          label="Group the rows"
          buttonClass={groupSetting.value ? "pill" : "pill add"}
        >
          {(close) => (
            <Picker
              choices={groupChoices()}
              chosen={new Set([groupSetting.value])}
              placeholder="Group by…"
              onPick={(value) => {
                change({ group: value === groupSetting.peek() ? null : value });
                close();
              }}
            />
          )}
        </Popover>
        <span class="spacer" />
        <ColumnsPill current={chosen.value} />
        <ExportMenu label="All matching runs with these columns" request={exported} />
        <ViewButtons />
      </div>
      <div class={store.isLoading.value && table.value.hashes.length > 0 ? "tablebox stale" : "tablebox"}>
        <Grid
          label="Runs"
          columns={columns.value}
          rowCount={rows.value.length}
          rowHeight_px={ROW_PX}
          cursor={cursor.value}
          sort={sort.value}
          onSort={onSort}
          onMove={onMove}
          cell={cell}
          onResize={(key, width_px) => {
            widths.value = { ...widths.value, [key]: width_px };
            saveWidth(key, width_px);
          }}
          rowClass={(row) => {
            const hash = rows.value[row]?.hash;
            if (!hash) return "grouped";
            return [
              selected.value.includes(hash) && "chosen",
              isHidden(hash) && "off",
              isPinned(hash) && "pinned",
              isBaseline(hash) && "base",
            ]
              .filter(Boolean)
              .join(" ");
          }}
          onRowClick={(row, event) => {
            if ((event.target as HTMLElement).closest("a, button, input")) return;
            cursor.value = row;
            const hash = hashAt(row);
            if (hash && (event.shiftKey || event.ctrlKey || event.metaKey)) tick(hash, row, event.shiftKey);
          }}
          onRowDoubleClick={(row) => {
            const hash = hashAt(row);
            if (hash) goTo("run", hash);
          }}
          onVisible={(first, last) => {
            const next = rows
              .peek()
              .slice(first, last)
              .flatMap((item) => (item.hash ? [item.hash] : []));
            if (next.join() !== visible.peek().join()) visible.value = next;
          }}
        />
      </div>
      <SelectionBar scene={store} />
    </main>
  );
}

const RUN_WIDTHS: Readonly<Record<string, number>> = {
  status: 92,
  created_at: 96,
  end_time: 96,
  duration: 96,
  experiment: 116,
  tags: 150,
  hash: 190,
};

function GroupCell({
  item,
  column,
  store,
  isClosed,
  color,
  onToggle,
}: {
  item: Extract<Row, { hash: null }>;
  column: GridColumn;
  store: RunsStore;
  isClosed: boolean;
  color: string;
  onToggle: () => void;
}): JSX.Element | null {
  if (column.key === SPARK_KEY) return null;
  if (column.key === NAME_KEY) {
    return (
      <button type="button" class="fold" aria-expanded={!isClosed} onClick={onToggle}>
        <span class={isClosed ? "chevron" : "chevron open"}>
          <Icon name="chevron" size={12} />
        </span>
        <i class="swatch" style={{ background: color }} />
        <b>{item.label}</b>
        <span class="muted">{item.hashes.length}</span>
      </button>
    );
  }
  const table = store.table.value;
  const cells = table.columns.get(column.key)?.cells ?? [];
  const values = item.hashes.map((hash): Cell => cells[table.rowOf.get(hash) ?? -1] ?? null);
  if (/^run\.(created_at|end_time|duration|tags|status|hash)$/.test(column.key)) return null;
  const { text, title, isNumber } = groupCell(values, column.key.startsWith("metric:"));
  return (
    <span class={isNumber ? "" : "muted"} title={title}>
      {text}
    </span>
  );
}
