/// The cells of the table of runs.

import type { JSX } from "preact";
import { formatAgo, formatCell, formatDelta, formatDuration, formatTime } from "../model/format";
import { isBaseline, isPinned, selected, toggleBaseline, togglePinned } from "../model/marks";
import { runName } from "../model/scene";
import { now } from "../model/session";
import { cellOf, type RunTable, type Spread } from "../model/table";
import { tagLook } from "../model/tags";
import { Icon } from "../widget/icon";
import { State, Swatch, Tag } from "../widget/text";
import { AlertMark } from "./alerts";
import { PageLink } from "./link";

const TAGS_SHOWN = 3;
const TAGS_TOLD = 60;

/// The first column: tick box, colour, name.
export function RunNameCell({
  table,
  hash,
  color,
  onTick,
}: {
  table: RunTable;
  hash: string;
  color: string;
  onTick: (isRange: boolean) => void;
}): JSX.Element {
  const name = runName(table, hash);
  return (
    <>
      <input
        type="checkbox"
        checked={selected.value.includes(hash)}
        aria-label={`Select ${name}`}
        onClick={(event) => {
          event.stopPropagation();
          onTick(event.shiftKey);
        }}
      />
      <Swatch color={color} />
      <PageLink page="run" rest={hash} class="name" title={name}>
        {name}
      </PageLink>
      <AlertMark hash={hash} />
      <span class="acts">
        <button
          type="button"
          class={isPinned(hash) ? "bare on" : "bare"}
          aria-label={`Pin ${name}`}
          title="Pin (p)"
          onClick={() => togglePinned([hash])}
        >
          <Icon name="pin" size={13} />
        </button>
        <button
          type="button"
          class={isBaseline(hash) ? "bare on" : "bare"}
          aria-label={`Make ${name} the baseline`}
          title="Baseline (b)"
          onClick={() => toggleBaseline(hash)}
        >
          <Icon name="star" size={13} />
        </button>
      </span>
    </>
  );
}

/// Any other cell, by its column.
export function RunCell({
  table,
  hash,
  columnKey,
  spread,
  isDiffering,
}: {
  table: RunTable;
  hash: string;
  columnKey: string;
  spread: Spread | null;
  isDiffering: boolean;
}): JSX.Element | null {
  const value = cellOf(table, columnKey, hash);
  if (value === null) return null;
  if (columnKey === "run.status")
    return <State status={String(value)} error={cellOf(table, "run.error", hash) as string | null} />;
  if (typeof value === "number" && (columnKey === "run.created_at" || columnKey === "run.end_time"))
    return <span title={formatTime(value)}>{formatAgo(value, now.value)}</span>;
  if (typeof value === "number" && columnKey === "run.duration") return <span>{formatDuration(value)}</span>;
  if (columnKey === "run.tags" && Array.isArray(value)) return <TagCell names={value as readonly string[]} />;
  if (columnKey === "run.hash") return <code>{String(value)}</code>;
  const text = formatCell(value);
  if (typeof value === "number" && spread) {
    const base = table.hashes.find(isBaseline);
    const baseValue = base === undefined || base === hash ? null : cellOf(table, columnKey, base);
    const share = Number.isFinite(value) ? 6 + (94 * (value - spread.min)) / (spread.max - spread.min) : 0;
    return (
      <>
        <i class="bar" style={{ width: `calc((100% - 12px) * ${share / 100})` }} />
        {typeof baseValue === "number" && <em class="delta value">{formatDelta(value - baseValue)}</em>}
        <span class="value" title={String(value)}>
          {text}
        </span>
      </>
    );
  }
  return (
    <span class={isDiffering ? "changed" : ""} title={typeof value === "string" ? value : JSON.stringify(value)}>
      {text}
    </span>
  );
}

/// As many tags as fit a column, and how many more there are.
function TagCell({ names }: { names: readonly string[] }): JSX.Element {
  const more = names.length - TAGS_SHOWN;
  return (
    <span class="tagcell" title={names.slice(0, TAGS_TOLD).join(", ") + (names.length > TAGS_TOLD ? " …" : "")}>
      {names.slice(0, TAGS_SHOWN).map((name) => (
        <Tag key={name} name={name} look={tagLook(name)} />
      ))}
      {more > 0 && <em class="muted">+{more}</em>}
    </span>
  );
}
