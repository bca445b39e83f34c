/// The alerts: runs that failed, were lost, stand still, diverge, or compute no numbers any more.
///
/// The server finds them (docs/formats/wire.md, Alerts). Here is what they are called, where they lead, and which of
/// them the reader dismissed in this browser.

import { computed, effect, signal } from "@preact/signals";
import { goTo } from "./address";
import { metricLabel } from "./fields";
import { formatAgo, formatDuration, formatNumber } from "./format";
import { liveStore, type LiveStore } from "./livestore";
import { shortHash } from "./marks";
import type { Scope } from "./scope";
import type { Session } from "./session";
import { getJson } from "../wire/request";
import type { AlertItem, AlertsAnswer } from "../wire/alerts";

const DISMISSED_KEY = "aim.alerts.dismissed";
const DISMISSED_MOST = 1000;
const PAUSE_MS = 5000;
const LOOK_MS = 15_000; // while runs are live: time alone makes a standstill

/// The level at which each alert was dismissed, by id, the latest last.
export type Dismissed = ReadonlyMap<string, number>;

/// Whether an alert is open: one that was dismissed comes back when its level is higher than it was then.
export function isOpen({ id, level }: AlertItem, dismissed: Dismissed): boolean {
  return level > (dismissed.get(id) ?? -1);
}

/// The dismissed alerts after some more were dismissed; the latest last, and not more than a browser should keep.
export function withDismissed(dismissed: Dismissed, list: readonly AlertItem[]): Dismissed {
  const next = new Map(dismissed);
  for (const { id, level } of list) {
    next.delete(id);
    next.set(id, level);
  }
  return new Map([...next].slice(-DISMISSED_MOST));
}

function readDismissed(): Dismissed {
  try {
    return new Map(JSON.parse(localStorage.getItem(DISMISSED_KEY) ?? "[]") as [string, number][]);
  } catch {
    return new Map();
  }
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
  if (kind === "losses") return error ?? "something is lost";
  if (kind === "lost") return "no end was recorded";
  if (kind === "nan") return `${label} is ${value === "NaN" ? "NaN" : "infinite"} since step ${step}${more}`;
  if (kind === "diverged") {
    const [current, before] = [formatNumber(Number(value)), formatNumber(Number(best))];
    return `${label} has diverged since step ${step}: ${current}, was ${before}${more}`;
  }
  if (metric) return `no new points for ${since}; usually at least every ${formatDuration(pause ?? 0)}`;
  return `a check-in is ${since} overdue`;
}

/// Since when, for people.
export function alertAgo({ time }: AlertItem, now: number): string {
  return time === null ? "" : formatAgo(time, now);
}

/// Where an alert leads: the run's page and its settings. That is its log for a failure, else the place in the chart.
export function alertTarget({ kind, metric, step, window }: AlertItem): Readonly<Record<string, string>> {
  if (kind === "failed" || kind === "lost" || metric === null) return kind === "failed" ? { tab: "log" } : {};
  return {
    card: metric.name,
    ...(step === null ? {} : { at: String(step) }),
    ...(window ? { win: window.join(",") } : {}),
  };
}

/// Opens what an alert is about.
export function openAlert(alert: AlertItem): void {
  goTo("run", alert.run, alertTarget(alert));
}

interface Answer {
  readonly repo: string;
  readonly alerts: readonly AlertItem[];
}

/// The alerts of a repository, kept up to date.
export class Alerts {
  /// All alerts, those of the newest runs first.
  readonly all = computed<readonly AlertItem[]>(() => {
    const answer = this.store.answer.value;
    return answer && answer.repo === this.scope.repo.value ? answer.alerts : [];
  });

  /// Those that were not dismissed, or have got worse since.
  readonly open = computed(() => this.all.value.filter((alert) => isOpen(alert, this.levels.value)));

  /// Those that were dismissed and are as they were.
  readonly dismissed = computed(() => this.all.value.filter((alert) => !isOpen(alert, this.levels.value)));

  /// All alerts of each run, dismissed or not: a mark beside a run says what is, not what was read.
  readonly byRun = computed(() => {
    const byRun = new Map<string, AlertItem[]>();
    for (const alert of this.all.value) byRun.set(alert.run, [...(byRun.get(alert.run) ?? []), alert]);
    return byRun as ReadonlyMap<string, readonly AlertItem[]>;
  });

  private readonly levels = signal<Dismissed>(readDismissed());
  private readonly store: LiveStore<Answer>;
  private heard: { readonly repo: string; readonly keys: ReadonlySet<string> } | null = null;

  constructor(
    private readonly session: Session,
    private readonly scope: Scope,
  ) {
    this.store = liveStore<string, Answer>(scope, {
      wish: scope.repo,
      pause_ms: PAUSE_MS,
      fetch: async (repo, abort) => {
        const { alerts } = await getJson<AlertsAnswer>(scope.here("alerts"), abort);
        return { repo, alerts };
      },
    });
  }

  /// Dismisses alerts, in this browser.
  readonly dismiss = (list: readonly AlertItem[]): void => this.keep(withDismissed(this.levels.peek(), list));

  /// Shows the dismissed ones of this repository again.
  readonly restore = (): void => {
    const ids = new Set(this.all.peek().map(({ id }) => id));
    this.keep(new Map([...this.levels.peek()].filter(([id]) => !ids.has(id))));
  };

  /// Begins to watch for news. Called once.
  readonly start = (): void => {
    effect(() => {
      const answer = this.store.answer.value;
      if (answer) this.announce(answer);
    });
    setInterval(() => {
      if (this.scope.liveRuns.peek() > 0 && !document.hidden) this.store.refresh();
    }, LOOK_MS);
    addEventListener("storage", ({ key }) => {
      if (key === DISMISSED_KEY) this.levels.value = readDismissed();
    });
  };

  private keep(next: Dismissed): void {
    this.levels.value = next;
    localStorage.setItem(DISMISSED_KEY, JSON.stringify([...next]));
  }

  /// Shows a message about the alerts that came while the page was open.
  private announce({ repo, alerts }: Answer): void {
    const before = this.heard?.repo === repo ? this.heard.keys : null;
    const keyOf = ({ id, level }: AlertItem): string => `${id} ${level}`;
    this.heard = { repo, keys: new Set(alerts.map(keyOf)) };
    const news = before ? alerts.filter((alert) => isOpen(alert, this.levels.peek()) && !before.has(keyOf(alert))) : [];
    if (news.length === 0) return;
    const [first] = news;
    const more = news.length === 1 ? "" : ` And ${news.length - 1} more.`;
    this.session.toast(
      `${alertRun(first)}: ${alertText(first, Date.now() / 1000)}.${more}`,
      { label: "Look", run: () => openAlert(first) },
      "bad",
    );
  }
}
