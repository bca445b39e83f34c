/// The columns that the table of runs can have: one table of what each is called, how wide it is, and how it is drawn.
///
/// The server sends the properties of runs with a label and a type; params and metrics are called by their names. What
/// is drawn in a cell follows from the type, or from the key where a property has a look of its own.

import { fieldLabel } from "./fields";
import type { Field, FieldsAnswer, RunColumnInfo } from "../wire/types";

/// How a cell is drawn; `page/runcell.tsx` has a renderer for each.
export type CellForm = "text" | "state" | "ago" | "duration" | "tags" | "code" | "progress" | "number";

/// One column.
export interface RunColumn {
  readonly key: string;
  readonly label: string;
  /// Null: as wide as its name and its first cells need.
  readonly width_px: number | null;
  readonly render: CellForm;
}

interface ColumnForm {
  readonly width_px: number | null;
  readonly render: CellForm;
}

const PLAIN: ColumnForm = { width_px: null, render: "text" };

const FORM_OF_TYPE: Readonly<Record<RunColumnInfo["type"], ColumnForm>> = {
  string: PLAIN,
  bool: PLAIN,
  number: { width_px: 96, render: "number" },
  time: { width_px: 96, render: "ago" },
  duration: { width_px: 96, render: "duration" },
  list: { width_px: 150, render: "tags" },
};

const FORM_OF_KEY: Readonly<Record<string, ColumnForm>> = {
  status: { width_px: null, render: "state" },
  experiment: { width_px: 116, render: "text" },
  progress: { width_px: 110, render: "progress" },
  hash: { width_px: 190, render: "code" },
};

/// The properties of runs as columns, by their keys. Before the server answered, there are none.
export class RunColumns {
  private readonly byKey: ReadonlyMap<string, RunColumn>;

  constructor(fields: Pick<FieldsAnswer, "columns"> | null) {
    const columns = (fields?.columns ?? []).map(({ key, label, type }): RunColumn => {
      return { key, label, ...(FORM_OF_KEY[key] ?? FORM_OF_TYPE[type] ?? PLAIN) };
    });
    this.byKey = new Map(columns.map((column) => [column.key, column]));
  }

  /// The keys of the properties, in the order of a list to choose from.
  get keys(): readonly string[] {
    return [...this.byKey.keys()];
  }

  /// The column of a field.
  columnOf(field: Field): RunColumn {
    const property = field[0] === "run" ? this.byKey.get(field[1]) : undefined;
    if (property) return property;
    const key = field[0] === "run" ? field[1] : "";
    return { key, label: this.label(field), width_px: null, render: field[0] === "metric" ? "number" : "text" };
  }

  /// A short name of a field for people.
  label(field: Field): string {
    return field[0] === "run" ? (this.byKey.get(field[1])?.label ?? field[1]) : fieldLabel(field);
  }
}
