/// The menu of a cell of the table of runs: narrows the query to what the cell has, or to what it has not.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { valueTitle } from "../model/cell";
import { cellClauses } from "../model/cellclauses";
import { parseField } from "../model/fields";
import { cellOf } from "../model/table";
import { MenuAt, type MenuItem } from "../widget/popover";
import { useApp } from "./app";
import { copyText } from "./cardactions";
import { NAME_KEY, SPARK_KEY, type RunsTable, type TableColumn } from "./runstable";

const BESIDE_PX = 2; // beside the pointer, so that a second press reaches the row
const BELOW_PX = 14;

/// A cell that was pressed, and where.
interface PressedCell {
  readonly hash: string;
  readonly column: TableColumn;
  readonly x_px: number;
  readonly y_px: number;
}

/// Narrows the query to what a cell has, or to what it has not.
function CellMenu({
  hash,
  column,
  x_px,
  y_px,
  runs,
  onClose,
}: PressedCell & { runs: RunsTable; onClose: () => void }): JSX.Element | null {
  const app = useApp();
  const field = parseField(column.key);
  if (!field) return null;
  const cell = cellOf(runs.table.value, column.key, hash);
  const items: MenuItem[] = cellClauses(field, column.words, cell).map(({ label, clause }) => {
    return { label, icon: "filter", run: () => app.scope.narrow(clause) };
  });
  if (cell !== null)
    items.push({ label: "Copy the value", icon: "copy", run: () => void copyText(app, valueTitle(cell), "Copied.") });
  return <MenuAt x_px={x_px} y_px={y_px} label={column.words} items={items} onClose={onClose} />;
}

/// The menu of the cell that was pressed last, and what presses one.
export function useCellMenu(
  runs: RunsTable,
  hashAt: (row: number) => string | null,
): {
  readonly menu: JSX.Element | null;
  readonly pressCell: (row: number, column: TableColumn, event: MouseEvent) => void;
} {
  const pressed = useSignal<PressedCell | null>(null);
  const pressCell = (row: number, column: TableColumn, event: MouseEvent): void => {
    const hash = hashAt(row);
    const isTicking = event.shiftKey || event.ctrlKey || event.metaKey;
    if (!hash || isTicking || column.key === NAME_KEY || column.key === SPARK_KEY) return;
    pressed.value = { hash, column, x_px: event.clientX + BESIDE_PX, y_px: event.clientY + BELOW_PX };
  };
  const close = (): void => {
    pressed.value = null;
  };
  return { menu: pressed.value && <CellMenu {...pressed.value} runs={runs} onClose={close} />, pressCell };
}
