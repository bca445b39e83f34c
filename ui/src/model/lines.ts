/// From a frame of series to the lines and bands of a chart: colours, dashes, labels, owners.

import { cellLabel } from "./cell";
import type { Band, Line } from "../chart/line";
import type { PlotData } from "../chart/plot";
import { isSorted } from "../chart/scale";
import { contextDash } from "./grouping";
import { type Coloring } from "./grouping";
import { contextKey, contextLabel, fieldLabel } from "./fields";
import type { Frame, FramePart } from "../wire/frame";
import type { Field, Json, SequenceKey } from "../wire/types";

/// How runs look, as far as a chart must know.
export interface Looks {
  readonly coloring: Coloring;
  readonly dashOf: (hash: string) => readonly number[];
  /// The name of a run, with its hash where another one has the same name.
  readonly nameOf: (hash: string) => string;
  readonly isShown: (hash: string) => boolean;
  readonly isStrong: (hash: string) => boolean;
}

/// How the owners of groups begin; other owners are hashes of runs.
export const GROUP_PREFIX = "group:";

/// The owner of a group's lines; the same for a group in every card.
export function groupOwner(key: readonly Json[]): string {
  return GROUP_PREFIX + JSON.stringify(key);
}

/// What the params of a label are called: by their last key, where it is the only one of that name.
function shortNames(by: readonly Field[]): readonly string[] {
  const ends = by.map((field) => (field[0] === "param" ? String(field[field.length - 1]) : fieldLabel(field)));
  return ends.map((end, i) => (ends.indexOf(end) === ends.lastIndexOf(end) ? end : fieldLabel(by[i])));
}

/// A group for people: its values. `by`: the fields that differ between groups of equal params, whose names are told
/// because nobody chose them.
export function groupLabel(key: readonly Json[], by: readonly Field[] | null): string {
  if (key.length === 0) return "all runs";
  const names = by && shortNames(by);
  return key.map((value, i) => (names ? `${names[i]}=${cellLabel(value)}` : cellLabel(value))).join(" · ");
}

/// The labels of a frame's groups. Groups of equal params are told apart by what differs between those that are drawn,
/// the param with the most values first, so that a label that is cut still says which group it is. A param that a group
/// has not is left out of its label.
export function groupLabels({ groups, by }: Pick<Frame, "groups" | "by">): string[] {
  if (!by) return groups.map(({ key }) => groupLabel(key, null));
  const distinct = by.map((_, i) => new Set(groups.map(({ key }) => JSON.stringify(key[i]))).size);
  const differing = by
    .map((_, i) => i)
    .filter((i) => distinct[i] > 1)
    .sort((a, b) => distinct[b] - distinct[a]);
  return groups.map(({ key }) => {
    const present = differing.filter((i) => key[i] !== null);
    const chosen = present.length > 0 ? present : differing;
    return groupLabel(
      chosen.map((i) => key[i]),
      chosen.map((i) => by[i]),
    );
  });
}

/// A chart's lines, and which owner a run's curve is drawn under.
export interface CardLines {
  readonly data: PlotData;
  readonly ownerOf: ReadonlyMap<string, string>;
  readonly groupSize: ReadonlyMap<string, number>;
}

const NOTHING: CardLines = { data: { lines: [], bands: [] }, ownerOf: new Map(), groupSize: new Map() };

function suffixOf(metrics: readonly SequenceKey[], key: SequenceKey): string {
  const isNamed = metrics.some((metric) => metric.name !== key.name);
  const label = [isNamed ? key.name : "", metrics.length > 1 ? contextLabel(key.context) : ""]
    .filter(Boolean)
    .join(" ");
  return label === "" ? "" : ` ${label}`;
}

/// The smooth values, with a gap wherever the recorded value is no number: a mean must not go on where the run had
/// none.
function gapped(smooth: FramePart, raw: FramePart | undefined): FramePart["y"] {
  if (!raw || raw.part !== "line" || raw.nan + raw.inf === 0 || raw.y.length !== smooth.y.length) return smooth.y;
  const { y } = raw;
  return smooth.y.map((value, i) => (Number.isFinite(y[i]) ? value : NaN));
}

/// A run's line, whose name is looked up when it is read. A class, since a getter of each line's own would be a closure
/// for each of very many lines.
class RunLine implements Line {
  readonly owner: string;
  readonly x: Line["x"];
  readonly y: Line["y"];
  readonly exact: Line["exact"];
  readonly color: string;
  readonly dash: Line["dash"];
  readonly faint: boolean;
  readonly strong: boolean;
  readonly sorted: boolean;

  constructor(
    { owner, x, y, exact, color, dash, faint, strong, sorted }: Omit<Line, "label" | "right">,
    private readonly looks: Looks,
    private readonly ending: string,
  ) {
    [this.owner, this.x, this.y, this.exact, this.color] = [owner, x, y, exact, color];
    [this.dash, this.faint, this.strong, this.sorted] = [dash, faint, strong, sorted];
  }

  get label(): string {
    return this.looks.nameOf(this.owner) + this.ending;
  }
}

/// The lines of a card. `metrics`: what the card shows; several are told apart by dashes. A run's name is looked up
/// when it is read: of very many runs a name becomes known when the pointer rests on its curve, and that is no reason
/// to draw a thousand others anew.
export function linesOf(frame: Frame | null, metrics: readonly SequenceKey[], looks: Looks): CardLines {
  if (!frame) return NOTHING;
  const contexts = metrics.map((metric) => metric.name + contextKey(metric.context));
  const dashFor = (part: FramePart, hash: string): readonly number[] =>
    metrics.length > 1 ? contextDash(contexts, part.metric.name + contextKey(part.metric.context)) : looks.dashOf(hash);
  const lines: Line[] = [];
  const bands: Band[] = [];
  const ownerOf = new Map<string, string>();
  const groupSize = new Map<string, number>();
  const labels = groupLabels(frame);
  const hasSmooth = frame.parts.some((part) => part.part === "smooth");
  for (let i = 0; i < frame.parts.length; i++) {
    const part = frame.parts[i];
    const suffix = suffixOf(metrics, part.metric);
    if (part.run !== null) {
      if (!looks.isShown(part.run)) continue;
      ownerOf.set(part.run, part.run);
      const isPast = part.branch !== null;
      const ending = suffix + (isPast ? ` before rewind ${(part.branch ?? 0) + 1}` : "");
      const drawn = {
        owner: part.run,
        x: part.x,
        y: part.part === "smooth" ? gapped(part, frame.parts[i - 1]) : part.y,
        exact: part.exact,
        color: looks.coloring.colorOf(part.run),
        dash: dashFor(part, part.run),
        faint: isPast || (hasSmooth && part.part === "line"),
        strong: !isPast && looks.isStrong(part.run),
        sorted: isSorted(part.x),
      };
      lines.push(new RunLine(drawn, looks, ending));
      continue;
    }
    const group = frame.groups[part.group];
    const visible = group.runs.filter(looks.isShown);
    if (part.part !== "line" || visible.length === 0) continue;
    const owner = groupOwner(group.key);
    for (const hash of group.runs) ownerOf.set(hash, owner);
    groupSize.set(owner, group.runs.length);
    const color = looks.coloring.colorOf(visible[0]);
    const strong = frame.groups.length <= 16;
    lines.push({
      owner,
      label: labels[part.group] + suffix,
      x: part.x,
      y: part.y,
      color,
      dash: dashFor(part, visible[0]),
      faint: false,
      strong,
      sorted: true,
    });
    const [low, high] = [frame.parts[i + 1], frame.parts[i + 2]];
    if (low?.part === "low" && high?.part === "high" && low.group === part.group)
      bands.push({ owner, x: low.x, low: low.y, high: high.y, color });
  }
  return { data: { lines, bands }, ownerOf, groupSize };
}
