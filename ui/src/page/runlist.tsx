/// The list beside the charts: every run with its eye, its colour and its value; grouped as the charts are.

import type { Cell } from "../model/cell";
import { useComputed, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { goTo } from "../model/address";
import { fieldText } from "../model/fields";
import { deltaText, formatAgo, formatCell, formatDuration } from "../model/format";
import type { Group } from "../model/grouping";
import { drawOnly, groupKey, onlyGroups } from "../model/legend";
import { memberWindows } from "../model/members";
import type { RunHead } from "../model/runheads";
import { commonPrefix } from "../model/runnames";
import { toggledSet } from "../model/runrows";
import { runName, type Scene } from "../model/scene";
import { cellOf, spreadOf, type Spread } from "../model/table";
import { runColors } from "../model/valuecolors";
import { dashField } from "../model/workspace";
import { useApp } from "./app";
import type { Field } from "../wire/types";
import { AlertMark } from "./alerts";
import { ColorChoice } from "./colorchoice";
import { PageLink } from "./link";
import { ColumnHeads, ListHead, listColumns } from "./runlisthead";
import { RunNameText } from "./runnametext";
import { Icon } from "../widget/icon";
import { Swatch } from "../widget/text";

const ROW_PX = 28;
const SPARE_ROWS = 6;
const OPEN_RUNS_MOST = 30; // groups of more runs than that are folded at first

/// A group's head, or a run; the hash of a run that is not fetched yet is empty.
type Row = { readonly group: Group; readonly hash: null } | { readonly group: null; readonly hash: string };

/// Whether a group is folded: of many runs all are at first. `turned`: those on which the reader pressed.
function isFolded(group: Group, turned: ReadonlySet<string>, run_count: number): boolean {
  return turned.has(groupKey(group)) !== run_count > OPEN_RUNS_MOST;
}

/// The rows of the list: all runs, or the groups of the charts, the best first, with their runs below them.
function useRows(scene: Scene, turned: ReadonlySignal<ReadonlySet<string>>): ReadonlySignal<readonly Row[]> {
  return useComputed<readonly Row[]>(() => {
    const groups = scene.legend.value;
    const { hashes, count } = scene.table.value;
    if (groups.length === 0) return hashes.map((hash) => ({ group: null, hash }));
    return groups.flatMap((group): Row[] => [
      { group, hash: null },
      ...(isFolded(group, turned.value, count) ? [] : membersOf(scene, group).map((hash) => ({ group: null, hash }))),
    ]);
  });
}

/// The runs of a group; empty texts for those that are not fetched yet.
function membersOf({ long: { members } }: Scene, { head, hashes, count }: Group): readonly string[] {
  return head ? Array.from({ length: count }, (_, i) => members.at(head, i)) : hashes;
}

/// Fetches the runs of very large groups when their rows come into view.
function useMembers(scene: Scene, rows: readonly Row[], first: number, last: number): void {
  const headAt = (row: number): RunHead | null | undefined => {
    const { hash, group } = rows[row] ?? {};
    return hash === null ? (group?.head ?? null) : undefined;
  };
  const windows = memberWindows(rows.length, headAt, first, last);
  const text = JSON.stringify(windows.map(({ head, first: from, last: to }) => [head.key, from, to]));
  useEffect(() => scene.long.members.need(windows), [text]);
}

/// The part of the list that is on the screen, and a row that is kept on it.
function useWindow(cursor: number): {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly view: Signal<{ readonly top: number; readonly height: number }>;
} {
  const box = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 900 });
  useLayoutEffect(() => {
    const list = box.current;
    if (!list) return undefined;
    const watch = new ResizeObserver(() => (view.value = { top: list.scrollTop, height: list.clientHeight }));
    watch.observe(list);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const list = box.current;
    if (!list || cursor < 0) return;
    const top = cursor * ROW_PX;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW_PX > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW_PX - list.clientHeight;
  }, [cursor]);
  return { box, view };
}

/// What the keys do in the list.
function useListKeys(rows: ReadonlySignal<readonly Row[]>, cursor: Signal<number>): (event: KeyboardEvent) => void {
  const { marks } = useApp();
  const hashAt = (row: number): string | null => rows.value[row]?.hash ?? null;
  const move = (step: number): void => {
    let next = cursor.value + step;
    while (next >= 0 && next < rows.value.length && hashAt(next) === null) next += step;
    if (next < 0 || next >= rows.value.length) return;
    cursor.value = next;
    marks.hot.value = { owner: hashAt(next) ?? "", x: null };
  };
  const moves: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
  const actions: Readonly<Record<string, (hash: string) => void>> = {
    x: marks.toggleSelected,
    p: (hash) => marks.togglePinned([hash]),
    b: marks.toggleBaseline,
    h: (hash) => marks.toggleHidden([hash]),
    Enter: (hash) => goTo("run", hash),
  };
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const hash = hashAt(cursor.value);
    if (event.key in moves) move(moves[event.key]);
    else if (hash && event.key in actions) actions[event.key](hash);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

/// The list. It is windowed: only rows on the screen exist.
export function RunList({ scene }: { scene: Scene }): JSX.Element {
  const { marks } = useApp();
  const turned = useSignal<ReadonlySet<string>>(new Set());
  const cursor = useSignal(-1);
  const rows = useRows(scene, turned);
  const { box, view } = useWindow(cursor.value);
  const onKeyDown = useListKeys(rows, cursor);
  const table = scene.table.value;
  const target = scene.target.value;
  const first = Math.max(0, Math.floor(view.value.top / ROW_PX) - SPARE_ROWS);
  const last = Math.min(rows.value.length, Math.ceil((view.value.top + view.value.height) / ROW_PX) + SPARE_ROWS);
  const prefix = useComputed(() =>
    commonPrefix(scene.table.value.hashes.map((hash) => runName(scene.table.value, hash))),
  );
  const key = target ? fieldText(target.field) : "";
  // Rows that are not fetched yet have their room, and are fetched when they come into view.
  const rowCount = scene.colors.value.groups.length > 0 ? rows.value.length : Math.max(rows.value.length, table.count);
  const needed = Math.ceil((view.value.top + view.value.height) / ROW_PX) + SPARE_ROWS;
  useEffect(() => scene.needRows(needed), [needed]);
  useMembers(scene, rows.value, first, last);
  const drawn = (row: Row, index: number): JSX.Element => {
    const top = `${index * ROW_PX}px`;
    if (row.hash === "") return <div key={`row ${index}`} class="run" style={{ top }} role="listitem" />;
    if (row.hash !== null) {
      const isCursor = index === cursor.value;
      return (
        <RunRow
          key={row.hash}
          hash={row.hash}
          top={top}
          scene={scene}
          valueKey={key}
          prefix={prefix.value}
          isCursor={isCursor}
        />
      );
    }
    const { hashes } = row.group;
    return (
      <GroupRow
        key={`group ${groupKey(row.group)}`}
        group={row.group}
        scene={scene}
        top={top}
        spread={
          row.group.head
            ? (row.group.head.digests.get(key)?.spread ?? null)
            : spreadOf(hashes.map((hash) => cellOf(table, key, hash)))
        }
        isClosed={isFolded(row.group, turned.value, table.count)}
        descending={target?.descending ?? true}
        onToggle={() => (turned.value = toggledSet(turned.value, groupKey(row.group)))}
      />
    );
  };
  return (
    <aside class="runlist" aria-label="Runs">
      <ListHead scene={scene} />
      <ColumnHeads />
      <div
        class="list"
        ref={box}
        tabIndex={0}
        role="list"
        aria-label="Runs; j and k move, x selects, p pins, b makes the baseline, h hides"
        onKeyDown={onKeyDown}
        onScroll={({ currentTarget: { scrollTop, clientHeight } }) =>
          (view.value = { top: scrollTop, height: clientHeight })
        }
        onMouseLeave={() => (marks.hot.value = null)}
      >
        <div style={{ height: `${rowCount * ROW_PX}px` }} role="presentation" />
        {rows.value.slice(first, last).map((row, i) => drawn(row, first + i))}
      </div>
    </aside>
  );
}

/// Leaves a group of very many runs out of the charts, or draws it again: by its value, since its runs are too many for
/// an address.
function groupsBeside(scene: Scene, group: Group): { readonly isLeftOut: boolean; readonly toggle: () => void } {
  const keys = scene.legend.value.map(groupKey);
  const drawn = onlyGroups.value.length === 0 ? keys : onlyGroups.value;
  const key = groupKey(group);
  const isLeftOut = !drawn.includes(key);
  const toggle = (): void => {
    const next = isLeftOut ? [...drawn, key] : drawn.filter((other) => other !== key);
    drawOnly(next.length === keys.length ? [] : next);
  };
  return { isLeftOut, toggle };
}

function GroupRow({
  group,
  scene,
  top,
  spread,
  isClosed,
  descending,
  onToggle,
}: {
  group: Group;
  scene: Scene;
  top: string;
  spread: Spread | null;
  isClosed: boolean;
  descending: boolean;
  onToggle: () => void;
}): JSX.Element {
  const { marks } = useApp();
  const others = groupsBeside(scene, group);
  const areHidden = group.head ? others.isLeftOut : group.hashes.every(marks.isHidden);
  return (
    <div class={areHidden ? "group off" : "group"} style={{ top }} role="listitem">
      <button
        type="button"
        class={areHidden ? "bare eye off" : "bare eye"}
        aria-label={`Show or hide all of ${group.label}`}
        title="Show or hide the group"
        onClick={() => (group.head ? others.toggle() : marks.toggleHidden(group.hashes))}
      >
        <Icon name={areHidden ? "eyeOff" : "eye"} size={14} />
      </button>
      <button type="button" class="fold" aria-expanded={!isClosed} onClick={onToggle}>
        <Swatch color={group.color} />
        <span class="name">{group.label}</span>
        <span class="value">
          {group.count}
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
  prefix,
  isCursor,
}: {
  hash: string;
  prefix: string;
  top: string;
  scene: Scene;
  valueKey: string;
  isCursor: boolean;
}): JSX.Element {
  const { marks } = useApp();
  const table = scene.tableFor(hash);
  const { coloring, dashOf } = scene.looks.value;
  const isOff = !scene.looks.value.isShown(hash);
  const isHot = useComputed(() => marks.hot.value?.owner === hash);
  const value = cellOf(table, valueKey, hash);
  const status = cellOf(table, "run.status", hash);
  const base = scene.baseline.value;
  const delta = base === null || base === hash ? null : deltaText(value, cellOf(scene.tableFor(base), valueKey, base));
  const name = runName(table, hash);
  const classes = [
    "run",
    isOff && "off",
    isHot.value && "hot",
    isCursor && "cursor",
    marks.isSelected(hash) && "chosen",
  ]
    .filter(Boolean)
    .join(" ");
  return (
    <div
      class={classes}
      style={{ top }}
      role="listitem"
      onMouseEnter={() => (marks.hot.value = { owner: hash, x: marks.hot.peek()?.x ?? null })}
    >
      <button
        type="button"
        class="bare eye"
        aria-label={`${isOff ? "Show" : "Hide"} ${name}`}
        title={isOff ? "Show (h)" : "Hide (h)"}
        onClick={() => marks.toggleHidden([hash])}
      >
        <Icon name={isOff ? "eyeOff" : "eye"} size={14} />
      </button>
      <input
        type="checkbox"
        checked={marks.isSelected(hash)}
        aria-label={`Select ${name}`}
        onClick={() => marks.toggleSelected(hash)}
      />
      <Swatch color={coloring.colorOf(hash)} dash={dashField.value ? dashOf(hash) : undefined} />
      <PageLink class="name" page="run" subject={hash} title={name}>
        <RunNameText name={name} prefix={prefix} />
      </PageLink>
      <AlertMark hash={hash} />
      {status === "running" && <i class="pulse" title="running" />}
      {status === "failed" && <i class="fell" title="failed" />}
      <RunActs hash={hash} name={name} color={scene.legend.value.length === 0 ? coloring.colorOf(hash) : null} />
      {listColumns().map((field) => {
        const key = fieldText(field);
        const cell = cellOf(table, key, hash);
        return (
          <span key={key} class="col" title={`${key}: ${formatCell(cell)}`}>
            <ListCell field={field} cell={cell} />
          </span>
        );
      })}
      <span class="value">
        {delta !== null && <em>{delta}</em>}
        {formatCell(value)}
      </span>
    </div>
  );
}

/// A cell of one of the list's own columns.
function ListCell({ field, cell }: { field: Field; cell: Cell }): JSX.Element {
  const { scope, session } = useApp();
  const { render } = scope.columns.value.columnOf(field);
  if (cell === null) return <span class="muted">–</span>;
  if (render === "ago") return <>{formatAgo(Number(cell), session.now.value)}</>;
  if (render === "duration") return <>{formatDuration(Number(cell))}</>;
  return <>{formatCell(cell)}</>;
}

/// The buttons that come up over a row. `color`: that of the run; null where groups have the colours.
function RunActs({ hash, name, color }: { hash: string; name: string; color: string | null }): JSX.Element {
  const { marks, scope } = useApp();
  const repo = scope.repo.value;
  return (
    <span class="acts">
      {color !== null && (
        <ColorChoice
          color={color}
          name={name}
          targets={[
            { label: "this run", field: runColors(repo, "run"), value: hash },
            { label: `all named ${name}`, field: runColors(repo, "name"), value: name },
          ]}
        />
      )}
      <button
        type="button"
        class={marks.isPinned(hash) ? "bare on" : "bare"}
        aria-label={`Pin ${name}`}
        title="Pin: always drawn thick (p)"
        onClick={() => marks.togglePinned([hash])}
      >
        <Icon name="pin" size={14} />
      </button>
      <button
        type="button"
        class={marks.isBaseline(hash) ? "bare on" : "bare"}
        aria-label={`Make ${name} the baseline`}
        title="Baseline: others show the difference (b)"
        onClick={() => marks.toggleBaseline(hash)}
      >
        <Icon name="star" size={14} />
      </button>
    </span>
  );
}
