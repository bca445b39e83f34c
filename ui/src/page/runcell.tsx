/// The cells of the table of runs.

import type { Cell } from "../model/cell";
import type { ComponentType, JSX } from "preact";
import { formatAgo, formatCell, formatDelta, formatDuration, formatTime } from "../model/format";
import { runName } from "../model/scene";
import type { CellForm } from "../model/runcolumns";
import { cellOf, type RunTable, type Spread } from "../model/table";
import { exactText } from "../wire/json";
import { Icon } from "../widget/icon";
import { State, Swatch, Tag } from "../widget/text";
import { useApp } from "./app";
import { AlertMark } from "./alerts";
import { PageLink } from "./link";
import { ProgressBar } from "./progress";
import { RunNameText } from "./runnametext";

/// The key of the column with what ended the runs that failed.
export const ERROR_KEY = "run.error";

const TAGS_MOST = 3;
const TAGS_IN_TITLE = 60;

/// The first column: tick box, colour, name.
export function RunNameCell({
  table,
  hash,
  prefix,
  color,
  onTick,
}: {
  table: RunTable;
  hash: string;
  prefix: string;
  color: string;
  onTick: (isRange: boolean) => void;
}): JSX.Element {
  const { marks } = useApp();
  const name = runName(table, hash);
  return (
    <>
      <input
        type="checkbox"
        checked={marks.isSelected(hash)}
        aria-label={`Select ${name}`}
        onClick={(event) => {
          event.stopPropagation();
          onTick(event.shiftKey);
        }}
      />
      <Swatch color={color} />
      <PageLink page="run" subject={hash} class="name" title={name}>
        <RunNameText name={name} prefix={prefix} />
      </PageLink>
      <AlertMark hash={hash} />
      <span class="acts">
        <button
          type="button"
          class={marks.isPinned(hash) ? "bare on" : "bare"}
          aria-label={`Pin ${name}`}
          title="Pin (p)"
          onClick={() => marks.togglePinned([hash])}
        >
          <Icon name="pin" size={13} />
        </button>
        <button
          type="button"
          class={marks.isBaseline(hash) ? "bare on" : "bare"}
          aria-label={`Make ${name} the baseline`}
          title="Baseline (b)"
          onClick={() => marks.toggleBaseline(hash)}
        >
          <Icon name="star" size={13} />
        </button>
      </span>
    </>
  );
}

interface ValueProps {
  readonly value: Exclude<Cell, null>;
  readonly hash: string;
  readonly table: RunTable;
}

/// How each form of a cell is drawn.
const RENDERERS: Readonly<Record<Exclude<CellForm, "text" | "number">, ComponentType<ValueProps>>> = {
  state: ({ value, hash, table }) => {
    const error = cellOf(table, ERROR_KEY, hash) as string | null;
    return (
      <>
        <State status={String(value)} error={error} losses={cellOf(table, "run.losses", hash) as string | null} />
        {error !== null && (
          <span class="why" title={error}>
            <RunNameText name={error} prefix="" />
          </span>
        )}
      </>
    );
  },
  ago: ({ value }) => {
    const { session } = useApp();
    return <span title={formatTime(Number(value))}>{formatAgo(Number(value), session.now.value)}</span>;
  },
  progress: ({ value }) => <ProgressBar percent={Number(value)} label="Progress" />,
  duration: ({ value }) => <span>{formatDuration(Number(value))}</span>,
  tags: ({ value }) => (Array.isArray(value) ? <TagCell names={value as readonly string[]} /> : null),
  code: ({ value }) => <code>{String(value)}</code>,
};

interface RunCellProps {
  readonly table: RunTable;
  readonly hash: string;
  readonly columnKey: string;
  readonly render: CellForm;
  /// The spread of the column's numbers, for a bar behind them; null: no bar.
  readonly spread: Spread | null;
  readonly isDiffering: boolean;
}

/// Any other cell, drawn as its column says.
export function RunCell({ table, hash, columnKey, render, spread, isDiffering }: RunCellProps): JSX.Element | null {
  const value = cellOf(table, columnKey, hash);
  if (value === null) return null;
  if (render !== "text" && render !== "number") {
    const Drawn = RENDERERS[render];
    return <Drawn value={value} hash={hash} table={table} />;
  }
  if (typeof value === "number" && spread)
    return <NumberCell value={value} table={table} hash={hash} columnKey={columnKey} spread={spread} />;
  return (
    <span class={isDiffering ? "changed" : ""} title={typeof value === "string" ? value : exactText(value)}>
      {formatCell(value)}
    </span>
  );
}

/// A number with a bar behind it, and how far it is from the baseline's.
function NumberCell({
  value,
  table,
  hash,
  columnKey,
  spread,
}: {
  value: number;
  table: RunTable;
  hash: string;
  columnKey: string;
  spread: Spread;
}): JSX.Element {
  const { marks } = useApp();
  const base = table.hashes.find(marks.isBaseline);
  const baseValue = base === undefined || base === hash ? null : cellOf(table, columnKey, base);
  const share = Number.isFinite(value) ? 6 + (94 * (value - spread.min)) / (spread.max - spread.min) : 0;
  return (
    <>
      <i class="bar" style={{ width: `calc((100% - 12px) * ${share / 100})` }} />
      {typeof baseValue === "number" && <em class="delta value">{formatDelta(value - baseValue)}</em>}
      <span class="value" title={String(value)}>
        {formatCell(value)}
      </span>
    </>
  );
}

/// As many tags as fit a column, and how many more there are.
function TagCell({ names }: { names: readonly string[] }): JSX.Element {
  const { tags } = useApp();
  const more = names.length - TAGS_MOST;
  return (
    <span class="tagcell" title={names.slice(0, TAGS_IN_TITLE).join(", ") + (names.length > TAGS_IN_TITLE ? " …" : "")}>
      {names.slice(0, TAGS_MOST).map((name) => (
        <Tag key={name} name={name} look={tags.look(name)} />
      ))}
      {more > 0 && <em class="muted">+{more}</em>}
    </span>
  );
}
