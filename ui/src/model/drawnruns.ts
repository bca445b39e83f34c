/// What curves tell of their runs, where a list has only the first of very many: the values that colour them.

import { signal, type ReadonlySignal } from "@preact/signals";
import { cellKey, type Cell } from "./cell";
import { fieldText } from "./fields";
import { cellOf, tableOf, type RunTable } from "./table";
import type { Frame } from "../wire/frame";

/// The values of runs, by the texts of fields, then by hashes.
export type DrawnValues = ReadonlyMap<string, ReadonlyMap<string, Cell>>;

/// What was learnt.
export interface DrawnRuns {
  /// The value of a run in a field, from the list, else from its curves, else from another table that has the run;
  /// undefined: it is not known. So what draws curves does not follow the tables of runs far down in the list.
  readonly valueOf: (hash: string, key: string) => Cell | undefined;
  readonly values: ReadonlySignal<DrawnValues>;
  readonly learn: (frame: Pick<Frame, "runs" | "columns" | "fields">) => void;
}

/// Starts with nothing. `list`: the first rows; `tableFor`: the table that has a run, if one does.
export function drawnRuns(list: ReadonlySignal<RunTable>, tableFor: (hash: string) => RunTable): DrawnRuns {
  const values = signal<DrawnValues>(new Map());
  const learn: DrawnRuns["learn"] = ({ runs, columns, fields }) => {
    if (fields.length === 0 || columns.length !== fields.length) return;
    const table = tableOf({ hash: runs, columns, cursor: "", count: 0, total: 0, elapsed_ms: 0 }, fields);
    const next = new Map(values.peek());
    let isNew = false;
    for (const field of fields) {
      const key = fieldText(field);
      const before = next.get(key);
      const cells = table.columns.get(key)?.cells ?? [];
      if (runs.every((hash, i) => before?.has(hash) && cellKey(before.get(hash) ?? null) === cellKey(cells[i] ?? null)))
        continue;
      isNew = true;
      next.set(key, new Map([...(before ?? []), ...runs.map((hash, i) => [hash, cells[i] ?? null] as const)]));
    }
    if (isNew) values.value = next;
  };
  const valueOf: DrawnRuns["valueOf"] = (hash, key) => {
    const valueIn = (table: RunTable): Cell | undefined =>
      table.rowOf.has(hash) && table.columns.has(key) ? cellOf(table, key, hash) : undefined;
    const listed = valueIn(list.value);
    if (listed !== undefined) return listed;
    const drawn = values.value.get(key);
    return drawn?.has(hash) ? drawn.get(hash) : valueIn(tableFor(hash));
  };
  return { values, valueOf, learn };
}
