/// A table of any number of rows of which only those on the screen exist. Sorting and choosing are the owner's
/// business.

import type { ComponentChildren, CSSProperties, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon";

const SPARE_ROWS = 8;
const LEAST_WIDTH_PX = 48;

export interface GridColumn {
  readonly key: string;
  readonly label: string;
  /// A few words after the label, less strong.
  readonly note?: string;
  readonly title?: string;
  readonly width_px: number;
  readonly isNumeric?: boolean;
  /// A column that takes a share of the width that is left; then `width_px` is its least one.
  readonly isStretched?: boolean;
  /// A column that stays at the left when the table is scrolled sideways.
  readonly isFixed?: boolean;
  readonly isSortable?: boolean;
}

interface GridProps<Column extends GridColumn> {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly rowCount: number;
  readonly rowHeight_px: number;
  /// The row that the keyboard is on; it is kept in view.
  readonly cursor: number;
  readonly sort?: { readonly key: string; readonly descending: boolean } | null;
  readonly onSort?: (key: string) => void;
  /// What stands before the label in the head of a column, such as a box that ticks all rows.
  readonly beforeLabel?: (key: string) => ComponentChildren;
  /// What stands after the label, such as a menu.
  readonly afterLabel?: (column: Column) => ComponentChildren;
  readonly onResize?: (key: string, width_px: number) => void;
  readonly onMove?: (key: string, before: string) => void;
  readonly rowClass?: (row: number) => string;
  readonly onRowEnter?: (row: number) => void;
  readonly onLeave?: () => void;
  readonly onRowClick?: (row: number, event: MouseEvent) => void;
  readonly onRowDoubleClick?: (row: number) => void;
  /// A press on a cell that is no part of a whole row; the press on its row comes after it.
  readonly onCellClick?: (row: number, column: Column, event: MouseEvent) => void;
  readonly cell: (row: number, column: Column) => ComponentChildren;
  /// Replaces a whole row, such as a group's heading; null: an ordinary row.
  readonly wholeRow?: (row: number) => ComponentChildren | null;
  /// The row that heads the group of a row; it stays at the top while its group is there. Null: none.
  readonly headOf?: (row: number) => number | null;
  readonly onVisible?: (first: number, last: number) => void;
}

/// The widths of the columns for CSS; without a stretched one the rest of the width stays free.
function templateOf(columns: readonly GridColumn[]): string {
  const widths = columns.map(({ width_px, isStretched }) =>
    isStretched ? `minmax(${width_px}px, ${width_px}fr)` : `${width_px}px`,
  );
  if (!columns.some(({ isStretched }) => isStretched)) widths.push("minmax(0, 1fr)");
  return widths.join(" ");
}

/// The windowed table. Rows are placed by hand, so scrolling makes only the few rows that come into view.
export function Grid<Column extends GridColumn>(props: GridProps<Column>): JSX.Element {
  const { columns, rowCount, rowHeight_px, cursor } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return undefined;
    const measure = (): void => setView({ top: box.scrollTop, height: box.clientHeight });
    measure();
    const resize = new ResizeObserver(measure);
    resize.observe(box);
    return () => resize.disconnect();
  }, []);
  useEffect(() => {
    const box = scroller.current;
    if (!box || cursor < 0) return;
    const top = cursor * rowHeight_px;
    const head_px = 34;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + rowHeight_px > box.scrollTop + box.clientHeight - head_px)
      box.scrollTop = top + rowHeight_px + head_px - box.clientHeight;
  }, [cursor]);
  const first = Math.max(0, Math.floor(view.top / rowHeight_px) - SPARE_ROWS);
  const last = Math.min(rowCount, Math.ceil((view.top + view.height) / rowHeight_px) + SPARE_ROWS);
  useEffect(() => props.onVisible?.(first, last), [first, last, rowCount]);
  const template = templateOf(columns);
  const width = columns.reduce((sum, column) => sum + column.width_px, 0);
  let offset = 0;
  const lefts = columns.map((column) => {
    const left = offset;
    offset += column.width_px;
    return column.isFixed ? left : null;
  });
  const fixed = (i: number): CSSProperties | undefined =>
    lefts[i] === null ? undefined : { position: "sticky", left: `${lefts[i]}px`, zIndex: 1 };
  const rows: JSX.Element[] = [];
  for (let row = first; row < last; row++) {
    rows.push(<GridRow key={row} {...props} row={row} top_px={row * rowHeight_px} template={template} fixed={fixed} />);
  }
  const top = Math.min(rowCount - 1, Math.floor(view.top / rowHeight_px));
  const head = top < 0 ? null : (props.headOf?.(top) ?? null);
  return (
    <div
      ref={scroller}
      class="grid"
      role="grid"
      aria-label={props.label}
      aria-rowcount={rowCount + 1}
      aria-colcount={columns.length}
      tabIndex={0}
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
      onMouseLeave={() => props.onLeave?.()}
    >
      <div role="row" aria-rowindex={1} class="head" style={{ gridTemplateColumns: template, minWidth: `${width}px` }}>
        {columns.map((column, i) => (
          <HeadCell
            key={column.key}
            column={column}
            style={fixed(i)}
            sort={props.sort}
            onSort={props.onSort}
            beforeLabel={props.beforeLabel}
            after={props.afterLabel?.(column)}
            onResize={props.onResize}
            onMove={props.onMove}
          />
        ))}
      </div>
      <div class="body" role="rowgroup" style={{ height: `${rowCount * rowHeight_px}px`, minWidth: `${width}px` }}>
        {head !== null && head * rowHeight_px < view.top && (
          <div class="stuck" role="presentation">
            <GridRow {...props} row={head} top_px={0} template={template} fixed={fixed} />
          </div>
        )}
        {rows}
      </div>
    </div>
  );
}

interface GridRowProps<Column extends GridColumn> extends GridProps<Column> {
  readonly row: number;
  readonly top_px: number;
  readonly template: string;
  readonly fixed: (column: number) => CSSProperties | undefined;
}

/// One row at its height.
function GridRow<Column extends GridColumn>(props: GridRowProps<Column>): JSX.Element {
  const { row, top_px, template, fixed, columns, cursor, rowHeight_px } = props;
  const whole = props.wholeRow?.(row) ?? null;
  return (
    <div
      role="row"
      aria-rowindex={row + 2}
      aria-selected={row === cursor}
      class={`row ${props.rowClass?.(row) ?? ""} ${row === cursor ? "cursor" : ""}`}
      style={{
        transform: `translateY(${top_px}px)`,
        height: `${rowHeight_px}px`,
        gridTemplateColumns: template,
      }}
      onMouseEnter={() => props.onRowEnter?.(row)}
      onClick={(event) => props.onRowClick?.(row, event)}
      onDblClick={() => props.onRowDoubleClick?.(row)}
    >
      {whole !== null ? (
        <div role="gridcell" class="whole">
          {whole}
        </div>
      ) : (
        columns.map((column, i) => (
          <div
            key={column.key}
            role="gridcell"
            class={column.isNumeric ? "cell number" : "cell"}
            style={fixed(i)}
            onClick={(event) => props.onCellClick?.(row, column, event)}
          >
            {props.cell(row, column)}
          </div>
        ))
      )}
    </div>
  );
}

function HeadCell({
  column,
  style,
  sort,
  onSort,
  onResize,
  onMove,
  beforeLabel,
  after,
}: Pick<GridProps<GridColumn>, "sort" | "onSort" | "onResize" | "onMove" | "beforeLabel"> & {
  column: GridColumn;
  after: ComponentChildren;
  style: CSSProperties | undefined;
}): JSX.Element {
  const isSorted = sort?.key === column.key;
  const grip = (event: PointerEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    const start = event.clientX;
    const head = event.currentTarget instanceof Element ? event.currentTarget.parentElement : null;
    const width_px = column.isStretched && head ? head.offsetWidth : column.width_px;
    const move = (next: PointerEvent): void =>
      onResize?.(column.key, Math.max(LEAST_WIDTH_PX, width_px + next.clientX - start));
    const up = (): void => removeEventListener("pointermove", move);
    addEventListener("pointermove", move);
    addEventListener("pointerup", up, { once: true });
  };
  return (
    <div
      role="columnheader"
      class={column.isNumeric ? "cell number" : "cell"}
      style={style}
      title={column.title ?? column.label}
      aria-sort={isSorted ? (sort?.descending ? "descending" : "ascending") : "none"}
      draggable={onMove !== undefined && !column.isFixed}
      onDragStart={(event) => event.dataTransfer?.setData("text/column", column.key)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        const from = event.dataTransfer?.getData("text/column");
        if (from && from !== column.key) onMove?.(from, column.key);
      }}
    >
      {beforeLabel?.(column.key)}
      {column.isSortable ? (
        <button type="button" class={isSorted ? "sort on" : "sort"} onClick={() => onSort?.(column.key)}>
          <span>{column.label}</span>
          {column.note && <em>{column.note}</em>}
          {isSorted && <Icon name={sort?.descending ? "arrowDown" : "arrowUp"} size={12} />}
        </button>
      ) : (
        <span>{column.label}</span>
      )}
      {after}
      {onResize && column.label !== "" && <i class="grip" onPointerDown={grip} aria-hidden="true" />}
    </div>
  );
}
