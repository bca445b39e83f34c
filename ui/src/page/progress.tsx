/// How far the work of a run is: a bar and words in the head of its page, a small bar in the table of runs.

import type { JSX } from "preact";
import { formatTime } from "../model/format";
import { percentText, progressText } from "../model/progress";
import type { RunAnswer } from "../wire/types";
import { useApp } from "./app";

interface ProgressBarProps {
  readonly percent: number;
  readonly label: string;
}

/// A bar, and the percentage beside it.
export function ProgressBar({ percent, label }: ProgressBarProps): JSX.Element {
  return (
    <span class="work-progress">
      <span
        class="track"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuenow={Math.floor(percent)}
        aria-valuemax={100}
      >
        <i style={{ width: `${percent}%` }} />
      </span>
      <span class="value">{percentText(percent)}</span>
    </span>
  );
}

/// The line in the head of a run; nothing for a run that reported no total, or that has finished all of it.
export function ProgressLine({ run }: { run: RunAnswer }): JSX.Element | null {
  const { session } = useApp();
  const { progress } = run;
  if (!progress || (run.status === "finished" && progress.percent >= 100)) return null;
  return (
    <p class="progress-line" title={`Reported ${formatTime(progress.at)}`}>
      <ProgressBar percent={progress.percent} label="Progress" />
      <span class="muted">{progressText(progress, run.status === "running", session.now.value)}</span>
    </p>
  );
}
