/// The form that filters the rows of a logged table.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { RowClause, RowOperator, TableColumn } from "../wire/objects";

const OPERATORS: readonly (readonly [RowOperator, string])[] = [
  ["contains", "contains"],
  ["==", "is"],
  ["!=", "is not"],
  [">=", "at least"],
  ["<=", "at most"],
];

/// A value as it was typed: a number for a column of numbers, true and false for one of those.
export function typedValue(text: string, type: string): number | string | boolean {
  if ((type === "int" || type === "float") && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (type === "bool" && /^(true|false)$/i.test(text.trim())) return /true/i.test(text);
  return text;
}

/// The form: a column, an operator, a value.
export function ClauseForm({
  columns,
  onAdd,
}: {
  columns: readonly TableColumn[];
  onAdd: (clause: RowClause) => void;
}): JSX.Element {
  const column = useSignal(0);
  const operator = useSignal<RowOperator>("contains");
  const text = useSignal("");
  const type = columns[column.value]?.type ?? "";
  const add = (event: Event): void => {
    event.preventDefault();
    const value = operator.value === "contains" ? text.value : typedValue(text.value, type);
    if (text.value !== "") onAdd({ column: column.value, operator: operator.value, value });
  };
  return (
    <form class="form" onSubmit={add}>
      <select
        class="field"
        aria-label="Column"
        value={String(column.value)}
        onChange={(event) => (column.value = Number(event.currentTarget.value))}
      >
        {columns.map(({ name }, i) => (
          <option key={name} value={String(i)}>
            {name}
          </option>
        ))}
      </select>
      <select
        class="field"
        aria-label="Condition"
        value={operator.value}
        onChange={(event) => (operator.value = event.currentTarget.value as RowOperator)}
      >
        {OPERATORS.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      <input
        class="field"
        aria-label="Value"
        placeholder="value"
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <button type="submit" class="pill strong">
        Add
      </button>
    </form>
  );
}
