/// What a reader asks of a logged table, and the bar above it that asks it: a search, filters, tables that are joined.

import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Item } from "../model/objects";
import { guessKey, tableLabel } from "../model/samples";
import type { RowClause } from "../wire/objects";
import { FindField } from "../widget/findfield";
import { Icon } from "../widget/icon";
import { Picker, Popover } from "../widget/popover";
import { ClauseForm } from "./sampleclause";
import { KeyChoice } from "./samplekey";

const FIND_PAUSE_MS = 200;

/// What a reader asks of a table.
export interface Asked {
  readonly sort: Signal<{ readonly column: number; readonly descending: boolean } | null>;
  readonly find: Signal<string>;
  readonly clauses: Signal<readonly RowClause[]>;
  readonly joined: Signal<readonly Item[]>;
  readonly key: Signal<string | null>;
}

/// Makes what is asked of a table: nothing at first.
export function useAsked(item: Item): Asked {
  const sort = useSignal<{ readonly column: number; readonly descending: boolean } | null>(null);
  const key = useSignal(guessKey(item.columns ?? []));
  return {
    sort,
    find: useSignal(""),
    clauses: useSignal<readonly RowClause[]>([]),
    joined: useSignal<readonly Item[]>([]),
    key,
  };
}

interface SampleToolbarProps {
  readonly item: Item;
  readonly asked: Asked;
  /// Becomes true when the other tables are needed.
  readonly areRelated: Signal<boolean>;
  readonly related: readonly Item[];
  readonly names: (hash: string) => string;
  /// The columns to sort by where there are no heads of columns to press.
  readonly sortable: readonly { readonly key: string; readonly label: string }[];
}

/// Which other tables are put beside this one, and by which column.
function JoinPill({ item, asked, areRelated, related, names }: SampleToolbarProps): JSX.Element {
  const others = useMemo(() => related.filter((other) => other.blob !== item.blob), [related]);
  const pick = (blob: string): void => {
    const now = asked.joined.peek();
    const other = others.find((table) => table.blob === blob);
    if (!other) return;
    asked.sort.value = null;
    asked.clauses.value = asked.clauses.peek().filter(({ column }) => column < (item.columns ?? []).length);
    asked.joined.value = now.includes(other) ? now.filter((table) => table !== other) : [...now, other];
  };
  return (
    <span onPointerDown={() => (areRelated.value = true)} onFocusIn={() => (areRelated.value = true)}>
      <Popover
        button={
          <>
            <Icon name="columns" size={13} />
            Join{asked.joined.value.length > 0 && <b> {asked.joined.value.length}</b>}
          </>
        }
        label="Put the rows of other steps and runs beside these"
      >
        {() => (
          <div class="form">
            <KeyChoice item={item} keyName={asked.key} />
            <Picker
              choices={others.map((other) => ({ value: other.blob ?? "", label: tableLabel(other, names, item) }))}
              chosen={new Set(asked.joined.value.map(({ blob = "" }) => blob))}
              onPick={pick}
              isMany
              placeholder="Tables of this name…"
            />
          </div>
        )}
      </Popover>
    </span>
  );
}

/// By which column rows are sorted.
function SortChoice({ asked: { sort }, sortable }: Pick<SampleToolbarProps, "asked" | "sortable">): JSX.Element {
  const value = sort.value === null ? "" : `${sort.value.column} ${sort.value.descending}`;
  return (
    <select
      class="field"
      aria-label="Order of the rows"
      value={value}
      onChange={({ currentTarget }) => {
        const [column, descending] = currentTarget.value.split(" ");
        sort.value = column === "" ? null : { column: Number(column), descending: descending === "true" };
      }}
    >
      <option value="">as recorded</option>
      {sortable.flatMap(({ key, label }) => [
        <option key={key} value={`${key} false`}>{`${label} ↑`}</option>,
        <option key={`-${key}`} value={`${key} true`}>{`${label} ↓`}</option>,
      ])}
    </select>
  );
}

/// The bar.
export function SampleToolbar(props: SampleToolbarProps): JSX.Element {
  const { item, asked } = props;
  const typed = useSignal(asked.find.peek());
  useEffect(() => {
    const timer = setTimeout(() => (asked.find.value = typed.value), FIND_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed.value]);
  return (
    <div class="toolbar">
      <FindField label="Search the rows" setText={(text) => (typed.value = text)} />
      {props.sortable.length > 0 && <SortChoice asked={asked} sortable={props.sortable} />}
      <Popover
        button={
          <>
            <Icon name="filter" size={13} />
            Filter
          </>
        }
        label="Only rows with a value"
      >
        {(close) => (
          <ClauseForm
            columns={item.columns ?? []}
            onAdd={(clause) => {
              asked.clauses.value = [...asked.clauses.peek(), clause];
              close();
            }}
          />
        )}
      </Popover>
      <JoinPill {...props} />
    </div>
  );
}

/// The conditions that rows are filtered by, each with a cross.
export function Clauses({
  asked,
  columns,
}: {
  asked: Asked;
  columns: readonly { readonly index: number; readonly label: string }[];
}): JSX.Element | null {
  const { clauses } = asked;
  if (clauses.value.length === 0) return null;
  return (
    <div class="toolbar">
      {clauses.value.map((clause, i) => {
        const name = columns.find(({ index }) => index === clause.column)?.label ?? String(clause.column);
        const text = `${name} ${clause.operator} ${String(clause.value)}`;
        return (
          <button
            key={text}
            type="button"
            class="pill on"
            title="Remove"
            onClick={() => (clauses.value = clauses.peek().filter((_, at) => at !== i))}
          >
            {text} <Icon name="close" size={11} />
          </button>
        );
      })}
    </div>
  );
}
