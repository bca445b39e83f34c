/// What a run has lost because a disk refused it: how much, when, and why.

import type { JSX } from "preact";
import { formatTime } from "../model/format";
import { lostText } from "../model/gaps";
import type { RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";

/// The words beside the state of the run; nothing for a run that is whole.
export function GapsMark({ run }: { run: RunAnswer }): JSX.Element | null {
  const lost = lostText(run.gaps);
  if (lost === "") return null;
  const reasons = [...new Set(run.gaps.map(({ why }) => why))].join(", ");
  return (
    <span class="hint bad" title={`A disk refused them: ${reasons}`}>
      {lost} lost
    </span>
  );
}

/// The panel with all losses, the oldest first.
export function GapsPanel({ run }: { run: RunAnswer }): JSX.Element | null {
  if (run.gaps.length === 0) return null;
  return (
    <section class="panel failed-panel" aria-label="What is lost">
      <h2>
        <Icon name="warning" size={14} />
        {lostText(run.gaps)} lost
      </h2>
      <p class="muted">The disk refused them while they were recorded. Charts have gaps there.</p>
      <ul class="gaps">
        {run.gaps.map((gap, i) => (
          <li key={i}>
            <b>{lostText([gap])}</b> {timeText(gap.from, gap.until)}: {gap.why}
          </li>
        ))}
      </ul>
    </section>
  );
}

function timeText(from: number, until: number): string {
  const [begin, end] = [formatTime(from), formatTime(until)];
  return begin === end ? `at ${begin}` : `from ${begin} to ${end}`;
}
