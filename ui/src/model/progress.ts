/// How far the work of a run is, in words.

import { formatCell, formatDuration } from "./format";
import type { WorkProgress } from "../wire/types";

/// `42 %`, of a number of percent.
export function percentText(percent: number): string {
  return `${Math.floor(percent)} %`;
}

/// `420 of 1,000 steps · 12.5 steps a second · about 46 s left`; the last two as far as they are known.
export function progressText(progress: WorkProgress, isRunning: boolean, now: number): string {
  const { done, total, unit, rate, done_at } = progress;
  const count = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: 2 });
  const parts = [`${count(done)} of ${count(total)} ${unit}`];
  if (rate !== null) parts.push(rateText(rate, unit));
  if (isRunning && done_at !== null && done < total)
    parts.push(done_at > now ? `about ${formatDuration(done_at - now)} left` : "due by now");
  return parts.join(" · ");
}

function rateText(rate: number, unit: string): string {
  return rate >= 1 ? `${formatCell(rate)} ${unit} a second` : `${formatCell(rate * 60)} ${unit} a minute`;
}
