/// One sequence of objects on the page of media: those of all runs, at one step or at several.
///
///     each run has one object    they flow, each under the name of its run, and fill the width
///     a run has a list           a row for each run, with all images of the step
///     steps in columns           a row for each run, with a step in each column

import { useSignal, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { contextLabel } from "../model/fields";
import { fittedSize, widestAspect } from "../model/fit";
import type { Item } from "../model/objects";
import type { OverlayWords } from "../model/overlays";
import type { Scene } from "../model/scene";
import { plural } from "../model/words";
import type { ObjectsRequest } from "../wire/objects";
import { Icon } from "../widget/icon";
import { Swatch } from "../widget/text";
import { useWidth } from "./hooks";
import { PageLink } from "./link";
import { sizeOf } from "./mediatoolbar";
import { MoreOfRow, shownSteps, useWholeRow } from "./moreitems";
import { Piece, rendererOf } from "./renderers";

/// How many objects of a list are asked for at first.
export const ROW_ITEMS = 12;

/// What all objects of the page have in common.
export interface MediaView {
  readonly subject: string;
  readonly scene: Scene;
  readonly words: OverlayWords;
  readonly isColumns: boolean;
  readonly askedSteps: ReadonlySignal<ObjectsRequest["steps"]>;
  /// For how many columns there is room at least, however few pictures there are; 1 if left out.
  readonly columnsLeast?: number;
  readonly picked: readonly Item[];
  readonly onOpen: (item: Item) => void;
  /// Chooses one to compare; left out where none can be chosen.
  readonly onPick?: (item: Item) => void;
}

/// Rows of runs under the value of a field; the value is empty where nothing is grouped.
export interface RowGroup {
  readonly label: string;
  readonly rows: readonly (readonly Item[])[];
}

interface MediaSectionProps {
  readonly groups: readonly RowGroup[];
  readonly view: MediaView;
}

/// The section.
export function MediaSection({ groups, view }: MediaSectionProps): JSX.Element {
  const isFolded = useSignal(false);
  const [{ track }] = groups[0].rows[0];
  const label = contextLabel(track.context);
  const count = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  return (
    <section aria-label={[track.name, label].filter(Boolean).join(" ")}>
      <div class="section">
        <button
          type="button"
          class="fold"
          aria-expanded={!isFolded.value}
          onClick={() => (isFolded.value = !isFolded.value)}
        >
          <span class={isFolded.value ? "chevron" : "chevron open"}>
            <Icon name="chevron" size={12} />
          </span>
          <b>{track.name}</b>
        </button>
        <span class="muted">{[label, plural(count, "run")].filter(Boolean).join(" · ")}</span>
      </div>
      {!isFolded.value &&
        groups.map((group) => (
          <div key={group.label}>
            {group.label !== "" && (
              <h3 class="media-group">
                {group.label} <span class="muted">{group.rows.length}</span>
              </h3>
            )}
            {flows(group, view) ? <MediaFlow rows={group.rows} view={view} /> : <MediaRows group={group} view={view} />}
          </div>
        ))}
    </section>
  );
}

/// Whether each run has one picture.
function flows({ rows }: RowGroup, { subject, isColumns }: MediaView): boolean {
  const { isSized, whole } = rendererOf(subject);
  return (
    isSized === true && !whole && !isColumns && rows.every((row) => row.length === 1 && row[0].track.index_count <= 1)
  );
}

function MediaRows({ group, view }: { group: RowGroup; view: MediaView }): JSX.Element {
  const aspect = widestAspect(group.rows.flat());
  const count = Math.max(view.columnsLeast ?? 1, ...group.rows.map((row) => row.length));
  return (
    <>
      {group.rows.map((row) => (
        <MediaRow key={row[0].run} row={row} view={view} aspect={aspect} count={count} />
      ))}
    </>
  );
}

interface GridProps {
  readonly subject: string;
  /// The widest picture of the section, for each pixel of its height.
  readonly aspect: number;
  /// How many pictures stand in a row, if there is room.
  readonly count: number;
  readonly children: (size_px: number) => ComponentChildren;
}

/// Pictures as large as fill the width, drawn by `children`.
function Grid({ subject, aspect, count, children }: GridProps): JSX.Element {
  const { ref, width_px } = useWidth();
  const { isSized, scale = 1 } = rendererOf(subject);
  const wish_px = sizeOf() * scale;
  const size_px = isSized ? fittedSize(width_px.value, wish_px, aspect, count) : wish_px;
  return (
    <div ref={ref} class="pictures">
      {width_px.value > 0 && children(size_px)}
    </div>
  );
}

/// One picture of each run.
function MediaFlow({ rows, view }: { rows: RowGroup["rows"]; view: MediaView }): JSX.Element {
  const items = rows.map(([item]) => item);
  return (
    <Grid subject={view.subject} aspect={widestAspect(items)} count={Math.max(view.columnsLeast ?? 1, items.length)}>
      {(size_px) =>
        items.map((item) => (
          <MediaPiece key={item.run} item={item} view={view} size_px={size_px}>
            <RunLabel item={item} view={view} />
          </MediaPiece>
        ))
      }
    </Grid>
  );
}

function RunLabel({ item: { run, step }, view: { scene } }: { item: Item; view: MediaView }): JSX.Element {
  return (
    <span class="caption line">
      <Swatch color={scene.looks.value.coloring.colorOf(run)} />
      <PageLink page="run" subject={run} class="name">
        {scene.looks.value.nameOf(run)}
      </PageLink>
      <span class="muted">step {step}</span>
    </span>
  );
}

/// The objects of one run.
function MediaRow({
  row,
  view,
  ...grid
}: { readonly row: readonly Item[]; readonly view: MediaView } & Pick<GridProps, "aspect" | "count">): JSX.Element {
  const { subject, scene, isColumns } = view;
  const [{ run, step }] = row;
  const whole = useWholeRow(row, subject, view.askedSteps, isColumns ? 1 : ROW_ITEMS);
  const { whole: Whole } = rendererOf(subject);
  const color = scene.looks.value.coloring.colorOf(run);
  return (
    <div class="media-row">
      <div class="media-name">
        <span class="line">
          <Swatch color={color} />
          <PageLink page="run" subject={run} class="name">
            {scene.looks.value.nameOf(run)}
          </PageLink>
        </span>
        <span class="muted">{isColumns || Whole ? shownSteps(row).replace(" · ", "") : `step ${step}`}</span>
      </div>
      {Whole ? (
        <div class="pictures">
          <Whole items={row} color={color} />
        </div>
      ) : (
        <Grid subject={subject} {...grid}>
          {(size_px) => (
            <>
              {whole.items.map((item) => (
                // the same object at another step keeps what a reader did with it: a search, a row that is open
                <MediaPiece
                  key={isColumns ? `${item.step} ${item.index}` : item.index}
                  item={item}
                  view={view}
                  size_px={size_px}
                >
                  {isColumns && <span class="caption">step {item.step}</span>}
                </MediaPiece>
              ))}
              <MoreOfRow row={whole} />
            </>
          )}
        </Grid>
      )}
    </div>
  );
}

/// An object, with the box that chooses it where several can be looked at together.
function MediaPiece({
  item,
  view: { subject, scene, words, picked, onOpen, onPick },
  size_px,
  children,
}: {
  item: Item;
  view: MediaView;
  size_px: number;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <div class={picked.includes(item) ? "pickable on" : "pickable"}>
      <Piece
        subject={subject}
        item={item}
        size_px={size_px}
        words={words}
        color={scene.looks.value.coloring.colorOf(item.run)}
        onOpen={() => onOpen(item)}
      />
      {rendererOf(subject).hasOverlays && onPick && (
        <button
          type="button"
          class="tick pick"
          aria-label="Choose to compare"
          title="Choose to compare"
          onClick={() => onPick(item)}
        >
          {picked.includes(item) && <Icon name="check" size={12} />}
        </button>
      )}
      {children}
    </div>
  );
}
