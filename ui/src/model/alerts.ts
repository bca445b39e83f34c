/// What a person should look at: runs that failed, were lost, stand still, diverge, or compute no numbers any more.
///
/// The server finds them (docs/formats/wire.md, Alerts); here is what they are called, where they lead, and which of them this browser's reader has dismissed.

import { computed, effect, signal, untracked } from "@preact/signals";
import { goTo } from "./address";
import { metricLabel } from "./fields";
import { formatAgo, formatDuration, formatNumber } from "./format";
import { throttled } from "./runs";
import { asWireError, here, liveRuns, repo, tick } from "./scope";
import { toast } from "./session";
import { shortHash } from "./marks";
import { getJson } from "../wire/request";
import type { AlertItem, AlertsAnswer } from "../wire/types";

const DISMISSED_KEY = "aim.alerts.dismissed";
const DISMISSED_MOST = 1000;
const PAUSE_MS = 5000;
const LOOK_MS = 15_000; // while runs are live: time alone makes a standstill

/// The level at which each alert was dismissed, by id, the latest last.
export type Dismissed = ReadonlyMap<string, number>;

/// All that there is to look at, newest runs first.
export const alerts = signal<readonly AlertItem[]>([]);

const dismissed = signal<Dismissed>(readDismissed());

/// Those that were not dismissed, or have got worse since.
export const openAlerts = computed(() => alerts.value.filter((alert) => isOpen(alert, dismissed.value)));

/// Those that were dismissed and are as they were.
export const dismissedAlerts = computed(() => alerts.value.filter((alert) => !isOpen(alert, dismissed.value)));

/// All alerts of each run, dismissed or not: a mark beside a run says what is, not what was read.
export const alertsByRun = computed(() => {
  const byRun = new Map<string, AlertItem[]>();
  for (const alert of alerts.value) byRun.set(alert.run, [...(byRun.get(alert.run) ?? []), alert]);
  return byRun as ReadonlyMap<string, readonly AlertItem[]>;
});

/// Whether an alert is to be shown: one that was dismissed comes back when its level is higher than it was then.
export function isOpen({ id, level }: AlertItem, levels: Dismissed): boolean {
  return level > (levels.get(id) ?? -1);
}

function readDismissed(): Dismissed {
  try {
    return new Map(JSON.parse(localStorage.getItem(DISMISSED_KEY) ?? "[]") as [string, number][]);
  } catch {
    return new Map();
  }
}

function keep(next: ReadonlyMap<string, number>): void {
  dismissed.value = next;
  localStorage.setItem(DISMISSED_KEY, JSON.stringify([...next].slice(-DISMISSED_MOST)));
}

/// Puts alerts away, in this browser.
export function dismiss(list: readonly AlertItem[]): void {
  const next = new Map(dismissed.peek());
  for (const { id, level } of list) {
    next.delete(id);
    next.set(id, level);
  }
  keep(next);
}

/// Shows the dismissed ones of this repository again.
export function restoreDismissed(): void {
  const next = new Map(dismissed.peek());
  for (const { id } of alerts.peek()) next.delete(id);
  keep(next);
}

/// The run's name for people.
export function alertRun({ run, name }: AlertItem): string {
  return name !== "" && name !== `Run: ${run}` ? name : shortHash(run);
}

/// What there is to say, after the run's name.
export function alertText(
  { kind, metric, step, value, best, time, pause, error, others }: AlertItem,
  now: number,
): string {
  const label = metric ? metricLabel(metric) : "";
  const more = others === 0 ? "" : `, and ${others} more ${others === 1 ? "metric" : "metrics"}`;
  const since = formatDuration(Math.max(0, now - (time ?? now)));
  if (kind === "failed") return `failed with ${error ?? "an error"}`;
  if (kind === "lost") return "gives no sign of life any more";
  if (kind === "nan") return `${label} is ${value === "NaN" ? "NaN" : "infinite"} since step ${step}${more}`;
  if (kind === "diverged")
    return `${label} has diverged since step ${step}: ${formatNumber(Number(value))}, was ${formatNumber(Number(best))}${more}`;
  if (metric) return `no new points for ${since}; usually at least every ${formatDuration(pause ?? 0)}`;
  return `a sign of progress is ${since} overdue`;
}

/// Since when, for people.
export function alertAgo({ time }: AlertItem, now: number): string {
  return time === null ? "" : formatAgo(time, now);
}

/// Where an alert leads: the run's page and its settings. That is its log for a failure, else the place in the chart.
export function alertPlace({ kind, metric, step, window }: AlertItem): Readonly<Record<string, string>> {
  if (kind === "failed" || kind === "lost" || metric === null) return kind === "failed" ? { tab: "log" } : {};
  return {
    card: metric.name,
    ...(step === null ? {} : { at: String(step) }),
    ...(window ? { win: window.join(",") } : {}),
  };
}

/// Opens the place that an alert is about.
export function openAlert(alert: AlertItem): void {
  goTo("run", alert.run, alertPlace(alert));
}

let known: ReadonlySet<string> | null = null; // null: nothing was asked yet
let knownRepo = "";

async function load(): Promise<void> {
  const asked = repo.peek();
  if (asked === "") return;
  try {
    const answer = await getJson<AlertsAnswer>(here("alerts"));
    if (asked !== repo.peek()) return;
    const before = asked === knownRepo ? known : null;
    alerts.value = answer.alerts;
    [knownRepo, known] = [asked, new Set(answer.alerts.map(({ id, level }) => `${id} ${level}`))];
    const news = before === null ? [] : openAlerts.peek().filter(({ id, level }) => !before.has(`${id} ${level}`));
    if (news.length > 0) tell(news);
  } catch (error) {
    asWireError(error); // alerts are a help: a page is whole without them
  }
}

/// Says what came while the page was open.
function tell(news: readonly AlertItem[]): void {
  const [first] = news;
  const more = news.length === 1 ? "" : ` And ${news.length - 1} more.`;
  toast(
    `${alertRun(first)}: ${alertText(first, Date.now() / 1000)}.${more}`,
    { label: "Look", run: () => openAlert(first) },
    "bad",
  );
}

/// Begins to watch the repository. Called once.
export function startAlerts(): void {
  const soon = throttled(PAUSE_MS, () => void load());
  effect(() => {
    void tick.value;
    if (repo.value === "") return;
    if (untracked(() => knownRepo) !== repo.value) alerts.value = [];
    untracked(soon.call);
  });
  setInterval(() => {
    if (liveRuns.peek() > 0 && !document.hidden) soon.call();
  }, LOOK_MS);
  addEventListener("storage", ({ key }) => {
    if (key === DISMISSED_KEY) dismissed.value = readDismissed();
  });
}
