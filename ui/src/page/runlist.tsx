/// The list beside the charts: every run with its eye, its colour and its value; grouped as the charts are.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { change, goTo } from "../model/address";
import { fieldLabel, fieldText, metricsOf, sequenceText } from "../model/fields";
import { formatCell, formatDelta } from "../model/format";
import type { Group } from "../model/grouping";
import {
  hasHidden,
  hot,
  isBaseline,
  isHidden,
  isPinned,
  selected,
  showAll,
  toggleBaseline,
  toggleHidden,
  togglePinned,
  toggleSelected,
} from "../model/marks";
import { runName, target, type Scene } from "../model/scene";
import { fields, matches } from "../model/scope";
import { cellOf, spreadOf, type Cell } from "../model/table";
import { dashField } from "../model/workspace";
import { AlertMark } from "./alerts";
import { PageLink } from "./link";
import { Icon } from "../widget/icon";
import { Picker, Popover } from "../widget/popover";
import { Swatch } from "../widget/text";

const ROW_PX = 28;
const SPARE_ROWS = 6;

type Row = { readonly group: Group; readonly hash: null } | { readonly group: null; readonly hash: string };

function TargetPicker(): JSX.Element {
  const current = target.value;
  const choices = fields.value
    ? metricsOf(fields.value).flatMap(({ name, context }) =>
        (["last", "min", "max"] as const).map((summary) => {
          const field = ["metric", name, context, summary] as const;
          return {
            value: fieldText(field),
            label: `${fieldLabel(field)}${summary === "last" ? " last" : ""}`,
            section: sequenceText({ name, context }),
          };
        }),
      )
    : [];
  const pick = (text: string, close: () => void): void => {
    const isSame = current !== null && fieldText(current.field) === text;
    const descending = isSame ? !current.descending : !/loss|err/i.test(text);
    change({ target: (descending ? "-" : "") + text }, true);
    close();
  };
  return (
    <Popover
      button={
        <>
          {current ? fieldLabel(current.field) : "order"}{" "}
          {current && <Icon name={current.descending ? "arrowDown" : "arrowUp"} size={12} />}
        </>
      }
      label="Rank the runs by a metric"
      buttonClass="bare"
      align="right"
    >
      {(close) => (
        <Picker
          choices={choices}
          chosen={new Set(current ? [fieldText(current.field)] : [])}
          onPick={(text) => pick(text, close)}
          placeholder="Rank by…"
        />
      )}
    </Popover>
  );
}

/// The list. It is windowed: only rows on the screen exist.
export function RunList({ scene }: { scene: Scene }): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 900 });
  const closed = useSignal<ReadonlySet<string>>(new Set());
  const cursor = useSignal(-1);
  const rows = useComputed<readonly Row[]>(() => {
    const { groups } = scene.colors.value;
    if (groups.length === 0) return scene.table.value.hashes.map((hash) => ({ group: null, hash }));
    return groups.flatMap((group): Row[] => [
      { group, hash: null },
      ...(closed.value.has(group.label) ? [] : group.hashes.map((hash): Row => ({ group: null, hash }))),
    ]);
  });
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return undefined;
    const measure = (): void => {
      view.value = { top: box.scrollTop, height: box.clientHeight };
    };
    const watch = new ResizeObserver(measure);
    watch.observe(box);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const box = scroller.current;
    if (!box || cursor.value < 0) return;
    const top = cursor.value * ROW_PX;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_PX > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_PX - box.clientHeight;
  }, [cursor.value]);
  const table = scene.table.value;
  const first = Math.max(0, Math.floor(view.value.top / ROW_PX) - SPARE_ROWS);
  const last = Math.min(rows.value.length, Math.ceil((view.value.top + view.value.height) / ROW_PX) + SPARE_ROWS);
  const key = target.value ? fieldText(target.value.field) : "";
  const counts = matches.value;
  const at = (row: number): string | null => rows.value[row]?.hash ?? null;
  const move = (step: number): void => {
    let next = cursor.value + step;
    while (next >= 0 && next < rows.value.length && rows.value[next].hash === null) next += step;
    if (next < 0 || next >= rows.value.length) return;
    cursor.value = next;
    hot.value = { owner: at(next) ?? "", x: null };
  };
  const keys = (event: KeyboardEvent): void => {
    const hash = at(cursor.value);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j" || event.key === "ArrowDown") move(1);
    else if (event.key === "k" || event.key === "ArrowUp") move(-1);
    else if (hash && event.key === "x") toggleSelected(hash);
    else if (hash && event.key === "p") togglePinned([hash]);
    else if (hash && event.key === "b") toggleBaseline(hash);
    else if (hash && event.key === "h") toggleHidden([hash]);
    else if (hash && event.key === "Enter") goTo("run", hash);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <aside class="runlist" aria-label="Runs">
      <header>
        <b>Runs</b>
        <span class="muted">
          {counts
            ? counts.count === counts.total
              ? counts.count.toLocaleString("en")
              : `${counts.count.toLocaleString("en")} of ${counts.total.toLocaleString("en")}`
            : ""}
        </span>
        {hasHidden.value && (
          <button type="button" class="bare" onClick={showAll}>
            show all
          </button>
        )}
        <span class="spacer" />
        <TargetPicker />
      </header>
      <div
        class="list"
        ref={scroller}
        tabIndex={0}
        role="list"
        aria-label="Runs; j and k move, x selects, p pins, b makes the baseline, h hides"
        onKeyDown={keys}
        onScroll={(event) =>
          (view.value = { top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })
        }
        onMouseLeave={() => (hot.value = null)}
      >
        <div style={{ height: `${rows.value.length * ROW_PX}px` }} role="presentation" />
        {rows.value.slice(first, last).map((row, i) => {
          const top = `${(first + i) * ROW_PX}px`;
          if (row.group) {
            const { group } = row;
            return (
              <GroupRow
                key={`group ${group.label}`}
                group={group}
                top={top}
                cells={group.hashes.map((hash) => cellOf(table, key, hash))}
                isClosed={closed.value.has(group.label)}
                descending={target.value?.descending ?? true}
                onToggle={() => {
                  const next = new Set(closed.value);
                  if (!next.delete(group.label)) next.add(group.label);
                  closed.value = next;
                }}
              />
            );
          }
          return (
            <RunRow
              key={row.hash}
              hash={row.hash}
              top={top}
              scene={scene}
              valueKey={key}
              isCursor={first + i === cursor.value}
            />
          );
        })}
      </div>
    </aside>
  );
}

function GroupRow({
  group,
  top,
  cells,
  isClosed,
  descending,
  onToggle,
}: {
  group: Group;
  top: string;
  cells: readonly Cell[];
  isClosed: boolean;
  descending: boolean;
  onToggle: () => void;
}): JSX.Element {
  const spread = spreadOf(cells);
  const areHidden = group.hashes.every(isHidden);
  return (
    <div class={areHidden ? "group off" : "group"} style={{ top }} role="listitem">
      <button
        type="button"
        class={areHidden ? "bare eye off" : "bare eye"}
        aria-label={`Show or hide all of ${group.label}`}
        title="Show or hide the group"
        onClick={() => toggleHidden(group.hashes)}
      >
        <Icon name={areHidden ? "eyeOff" : "eye"} size={14} />
      </button>
      <button type="button" class="fold" aria-expanded={!isClosed} onClick={onToggle}>
        <Swatch color={group.color} />
        <span class="name">{group.label}</span>
        <span class="value">
          {group.hashes.length}
          {spread ? ` · best ${formatCell(descending ? spread.max : spread.min)}` : ""}
        </span>
      </button>
    </div>
  );
}

function RunRow({
  hash,
  top,
  scene,
  valueKey,
  isCursor,
}: {
  hash: string;
  top: string;
  scene: Scene;
  valueKey: string;
  isCursor: boolean;
}): JSX.Element {
  const table = scene.table.value;
  const { coloring, dashOf } = scene.looks.value;
  const isOff = isHidden(hash);
  const isHot = useComputed(() => hot.value?.owner === hash);
  const value = cellOf(table, valueKey, hash);
  const status = cellOf(table, "run.status", hash);
  const base = table.hashes.find(isBaseline);
  const baseValue = base === undefined || base === hash ? null : cellOf(table, valueKey, base);
  const name = runName(table, hash);
  const classes = [
    "run",
    isOff && "off",
    isHot.value && "hot",
    isCursor && "cursor",
    selected.value.includes(hash) && "chosen",
  ]
    .filter(Boolean)
    .join(" ");
  return (
    <div
      class={classes}
      style={{ top }}
      role="listitem"
      onMouseEnter={() => (hot.value = { owner: hash, x: hot.peek()?.x ?? null })}
    >
      <button
        type="button"
        class="bare eye"
        aria-label={`${isOff ? "Show" : "Hide"} ${name}`}
        title={isOff ? "Show (h)" : "Hide (h)"}
        onClick={() => toggleHidden([hash])}
      >
        <Icon name={isOff ? "eyeOff" : "eye"} size={14} />
      </button>
      <input
        type="checkbox"
        checked={selected.value.includes(hash)}
        aria-label={`Select ${name}`}
        onClick={() => toggleSelected(hash)}
      />
      <Swatch color={coloring.colorOf(hash)} dash={dashField.value ? dashOf(hash) : undefined} />
      <PageLink class="name" page="run" rest={hash} title={name}>
        {name}
      </PageLink>
      <AlertMark hash={hash} />
      {status === "running" && <i class="pulse" title="running" />}
      {status === "failed" && <i class="fell" title="failed" />}
      <span class="acts">
        <button
          type="button"
          class={isPinned(hash) ? "bare on" : "bare"}
          aria-label={`Pin ${name}`}
          title="Pin: always drawn thick (p)"
          onClick={() => togglePinned([hash])}
        >
          <Icon name="pin" size={14} />
        </button>
        <button
          type="button"
          class={isBaseline(hash) ? "bare on" : "bare"}
          aria-label={`Make ${name} the baseline`}
          title="Baseline: others show the difference (b)"
          onClick={() => toggleBaseline(hash)}
        >
          <Icon name="star" size={14} />
        </button>
      </span>
      <span class="value">
        {typeof baseValue === "number" && typeof value === "number" ? <em>{formatDelta(value - baseValue)}</em> : null}
        {formatCell(value)}
      </span>
    </div>
  );
}

/// The groups by colour; used where there is no list.
export function Legend({ scene }: { scene: Scene }): JSX.Element | null {
  const { groups } = scene.colors.value;
  if (groups.length === 0) return null;
  return (
    <div class="legend">
      {groups.slice(0, 12).map((group) => (
        <span key={group.label}>
          <Swatch color={group.color} />
          {group.label}
        </span>
      ))}
      {groups.length > 12 && <span class="muted">+ {groups.length - 12} more</span>}
    </div>
  );
}
