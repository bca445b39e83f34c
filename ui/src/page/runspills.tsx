/// The pills above the table of runs: what narrows the query, and which columns there are.

import type { JSX } from "preact";
import { change, setting } from "../model/address";
import { allColumns, columnsText, defaultColumns, parseColumns } from "../model/columns";
import { fieldText, parseField } from "../model/fields";
import type { RunColumns } from "../model/runcolumns";
import type { Scope } from "../model/scope";
import type { Field, FieldsAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";
import { useApp } from "./app";

const columnsSetting = setting("cols");

/// The columns of the table: those in the address, else the default ones.
export function chosenColumns(scope: Scope): readonly Field[] {
  const fields = scope.fields.value;
  if (columnsSetting.value !== "") return parseColumns(columnsSetting.value);
  return fields ? defaultColumns(fields) : [];
}

/// All columns as choices of a list.
export function columnChoices(fields: FieldsAnswer | null, columns: RunColumns): readonly Choice[] {
  const sections = { run: "Run", param: "Params", metric: "Metrics" };
  return (fields ? allColumns(fields) : []).map((field) => {
    return { value: fieldText(field), label: columns.label(field), section: sections[field[0]] };
  });
}

interface FilterPillProps {
  readonly label: string;
  readonly facet: string;
  readonly clause: (value: string) => string;
}

/// The pill that narrows the query by what runs have.
export function FilterPill({ label, facet, clause }: FilterPillProps): JSX.Element | null {
  const { scope } = useApp();
  const values = scope.fields.value?.facets[facet] ?? [];
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
            scope.narrow(clause(value));
          }}
        />
      )}
    </Popover>
  );
}

/// The pill that chooses the columns.
export function ColumnsPill({ current }: { current: readonly Field[] }): JSX.Element {
  const { scope } = useApp();
  const keys = new Set(current.map(fieldText));
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
          <Picker
            choices={columnChoices(scope.fields.value, scope.columns.value)}
            chosen={keys}
            onPick={pick}
            isMany
            placeholder="Columns…"
          />
          {columnsSetting.value !== "" && (
            <div class="menu">
              <button type="button" role="menuitem" onClick={() => change({ cols: null })}>
                The default columns
              </button>
            </div>
          )}
        </>
      )}
    </Popover>
  );
}
