/// The menu of a column's head: how its values are spread, and what the query is narrowed to by them.

import { signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { cellClauses, rangeClause } from "../model/cellclauses";
import { cellLabel, type Cell } from "../model/cell";
import { formatNumber } from "../model/format";
import { commonest, histogramOf, type Histogram } from "../model/histogram";
import { runsStore } from "../model/runs";
import { Icon } from "../widget/icon";
import { Popover } from "../widget/popover";
import { Skeleton } from "../widget/state";
import { useApp } from "./app";
import { useStore } from "./hooks";
import type { RunsTable, TableColumn } from "./runstable";

const VALUES_MOST = 8;
const WIDTH_PX = 252;
const HEIGHT_PX = 64;

/// The menu; nothing for a column without values.
export function HeadMenu({ column, runs }: { column: TableColumn; runs: RunsTable }): JSX.Element {
  return (
    <Popover
      isIcon
      button={
        <span class="turned">
          <Icon name="chevron" size={10} />
        </span>
      }
      label={`Values of ${column.words}`}
      buttonClass="bare head-menu"
    >
      {(close) =>
        runs.long.isPart.value ? (
          <AllValues column={column} close={close} />
        ) : (
          <Values column={column} cells={runs.table.value.columns.get(column.key)?.cells ?? []} close={close} />
        )
      }
    </Popover>
  );
}

/// The values of all matching runs, of which the table has only some.
function AllValues({ column, close }: { column: TableColumn; close: () => void }): JSX.Element {
  const { scope } = useApp();
  const { table, isKnown } = useStore(() => runsStore(scope, signal({ fields: [column.field], sort: null })));
  const { columns, hashes, count } = table.value;
  if (!isKnown.value || hashes.length < count) return <Skeleton rows={3} />;
  return <Values column={column} cells={columns.get(column.key)?.cells ?? []} close={close} />;
}

function Values({
  column,
  cells,
  close,
}: {
  column: TableColumn;
  cells: readonly Cell[];
  close: () => void;
}): JSX.Element {
  const { scope } = useApp();
  const { field, words } = column;
  const histogram = rangeClause(field, 0, null) === null ? null : histogramOf(cells);
  const narrow = (clause: string): void => {
    close();
    scope.narrow(clause);
  };
  const values = commonest(cells, VALUES_MOST).flatMap(({ cell, count }) => {
    const [only] = cellClauses(field, words, cell);
    return only && field[0] !== "metric" ? [{ label: cellLabel(cell), count, clause: only.clause }] : [];
  });
  return (
    <div class="form head-values">
      <h4>{words}</h4>
      {histogram && (
        <Range
          histogram={histogram}
          onPick={(from, to) => {
            const clause = rangeClause(field, from, to);
            if (clause !== null) narrow(clause);
          }}
        />
      )}
      {!histogram && (
        <div role="menu" class="menu">
          {values.map(({ label, count, clause }) => (
            <button key={clause} type="button" role="menuitem" title="Only these" onClick={() => narrow(clause)}>
              <span>{label}</span>
              <span class="muted">{count.toLocaleString("en")}</span>
            </button>
          ))}
          {values.length === 0 && <p class="muted">No values to choose from.</p>}
        </div>
      )}
    </div>
  );
}

/// The histogram, over which a range is dragged, and the range in numbers.
function Range({
  histogram,
  onPick,
}: {
  histogram: Histogram;
  onPick: (from: number | null, to: number | null) => void;
}): JSX.Element {
  const from = useSignal("");
  const to = useSignal("");
  const shares = useSignal<readonly [number, number] | null>(null);
  const { at, isLog } = histogram;
  const drag = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const shareAt = (x: number): number => Math.max(0, Math.min(1, (x - box.left) / box.width));
    const start = shareAt(event.clientX);
    const stop = (): void => removeEventListener("pointermove", move);
    const move = (next: PointerEvent): void => {
      if (next.buttons === 0) return stop();
      const end = shareAt(next.clientX);
      const pair = [Math.min(start, end), Math.max(start, end)] as const;
      shares.value = pair;
      from.value = String(Number(at(pair[0]).toPrecision(4)));
      to.value = String(Number(at(pair[1]).toPrecision(4)));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", stop, { once: true });
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const ends = [from.value, to.value].map((text) => (text.trim() === "" ? null : Number(text)));
    if (ends.every((end) => end === null || Number.isFinite(end))) onPick(ends[0], ends[1]);
  };
  return (
    <form onSubmit={submit}>
      <Bars histogram={histogram} shares={shares.value} onDrag={drag} />
      <p class="line muted">
        <span>{formatNumber(at(0))}</span>
        {isLog && <span>logarithmic</span>}
        <span>{formatNumber(at(1))}</span>
      </p>
      <div class="line">
        <input
          class="field"
          aria-label="From"
          placeholder="from"
          value={from.value}
          onInput={(event) => (from.value = event.currentTarget.value)}
        />
        <input
          class="field"
          aria-label="To"
          placeholder="to"
          value={to.value}
          onInput={(event) => (to.value = event.currentTarget.value)}
        />
        <button type="submit" class="pill strong">
          Only these
        </button>
      </div>
    </form>
  );
}

/// The bars of a histogram, and the range that was dragged over them.
function Bars({
  histogram: { counts, at },
  shares,
  onDrag,
}: {
  histogram: Histogram;
  shares: readonly [number, number] | null;
  onDrag: (event: PointerEvent) => void;
}): JSX.Element {
  const most = Math.max(...counts);
  const bar = WIDTH_PX / counts.length;
  return (
    <svg
      class="histogram"
      width={WIDTH_PX}
      height={HEIGHT_PX}
      role="img"
      aria-label={`${counts.length} bins from ${formatNumber(at(0))} to ${formatNumber(at(1))}`}
      onPointerDown={onDrag}
    >
      {counts.map((count, i) => {
        const height = count === 0 ? 0 : Math.max(2, (HEIGHT_PX * count) / most);
        return <rect key={i} x={i * bar + 0.5} y={HEIGHT_PX - height} width={bar - 1} height={height} />;
      })}
      {shares && (
        <rect
          class="range"
          x={shares[0] * WIDTH_PX}
          y={0}
          width={(shares[1] - shares[0]) * WIDTH_PX}
          height={HEIGHT_PX}
        />
      )}
    </svg>
  );
}
