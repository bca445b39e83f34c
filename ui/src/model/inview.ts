/// Which runs a reader sees in a chart, and which of them are the best there: what the query is narrowed to.

import type { Line } from "../chart/line";
import type { Plot } from "../chart/plot";
import { betterDirection, queryLiteral } from "./fields";
import type { CardLines } from "./lines";

/// More runs than this would make a query that nobody can read, or send.
export const RUNS_MOST = 500;

/// The points of a line that are in the picture.
function* pointsIn({ x, y }: Line, plot: Plot): Generator<number> {
  for (let i = 0; i < x.length; i++)
    if (x[i] >= plot.x.lo && x[i] <= plot.x.hi && y[i] >= plot.y.lo && y[i] <= plot.y.hi) yield y[i];
}

/// The runs that are drawn under some owners.
function runsOf(owners: ReadonlySet<string>, { ownerOf }: CardLines): readonly string[] {
  return [...ownerOf].filter(([, owner]) => owners.has(owner)).map(([hash]) => hash);
}

/// The runs of which the picture has a point.
export function runsInView(lines: CardLines, plot: Plot): readonly string[] {
  const owners = lines.data.lines.filter((line) => !line.faint && !pointsIn(line, plot).next().done);
  return runsOf(new Set(owners.map(({ owner }) => owner)), lines);
}

/// The best or worst runs by the last point of each that the picture has. `direction`: 1 where more is better.
export function extremeRuns(
  lines: CardLines,
  plot: Plot,
  { count, direction, isBest }: { readonly count: number; readonly direction: 1 | -1; readonly isBest: boolean },
): readonly string[] {
  const lasts = new Map<string, number>();
  for (const line of lines.data.lines) {
    const value = line.faint ? undefined : [...pointsIn(line, plot)].at(-1);
    if (value !== undefined) lasts.set(line.owner, value);
  }
  const sign = (isBest ? -1 : 1) * direction;
  const ordered = [...lasts].sort(([, a], [, b]) => sign * (a - b)).slice(0, count);
  return runsOf(new Set(ordered.map(([owner]) => owner)), lines);
}

/// What the ends of a metric's values are called: 1 where more is better, which is assumed where the name says nothing.
export function endsOf(name: string): { readonly direction: 1 | -1; readonly best: string; readonly worst: string } {
  const direction = betterDirection(name);
  if (direction === 0) return { direction: 1, best: "highest", worst: "lowest" };
  return { direction, best: "best", worst: "worst" };
}

/// The clause that leaves some runs only.
export function runsClause(runs: readonly string[]): string {
  return `run.hash in ${queryLiteral(runs)}`;
}
