/// Alerts that reach people: the rules and the channels of a repository, and what was delivered, kept up to date.

import { computed, signal } from "@preact/signals";
import { formatAgo, formatDuration, formatTime } from "./format";
import { liveStore, type LiveStore } from "./livestore";
import type { Scope } from "./scope";
import type { Session } from "./session";
import { getJson, request, sendJson } from "../wire/request";
import type { AlertDelivery, AlertingAnswer, AlertLevel, ChannelTest } from "../wire/alerting";

const PAUSE_MS = 1000;
const LOOK_MS = 4000;
const LOOKED_LATELY_S = 90;

/// A rule as it is written.
export interface RuleDraft {
  readonly query: string;
  readonly for_s: number;
  readonly level: AlertLevel;
  readonly title: string;
}

/// What a channel is changed to; with `kind` and its values it is a new one, or takes the place of the old one.
export type ChannelDraft = { readonly level: AlertLevel; readonly quiet: string } & Readonly<
  Record<string, string | number | boolean | null>
>;

/// What there is to say of a message that is not delivered, or of when it was.
export function deliveryText({ state, attempts, next_at, is_held, at }: AlertDelivery, now: number): string {
  if (state === "delivered") return formatAgo(at, now);
  if (is_held) return "waits for the end of the quiet hours";
  const tries = attempts === 0 ? "not tried yet" : attempts === 1 ? "tried once" : `tried ${attempts} times`;
  if (state === "failed") return `given up, ${tries}`;
  if (next_at === null) return tries;
  const wait = next_at - now;
  return `${tries}; again ${wait <= 1 ? "soon" : `in ${formatDuration(Math.round(wait))}`}`;
}

/// For how long a run has to match, for people.
export function forText(seconds: number): string {
  return seconds === 0 ? "at once" : `after ${formatDuration(seconds)}`;
}

/// Whether somebody delivers, as a sentence; null: somebody looked lately.
export function watchText(looked_at: number | null, now: number): string | null {
  if (looked_at !== null && now - looked_at < LOOKED_LATELY_S) return null;
  const since =
    looked_at === null ? "Nobody has watched this repository yet" : `Nobody watches since ${formatTime(looked_at)}`;
  return `${since}: alerts are delivered while aim up, aim server or aim watch runs, as soon as there is a channel.`;
}

/// The rules, channels and deliveries of the repository.
export class Alerting {
  readonly answer = computed(() => this.store.answer.value);
  readonly error = computed(() => this.store.error.value);

  /// Whether the reader may change rules and channels.
  readonly mayChange = computed(
    () => this.scope.readOnly.value === null && (this.session.server.value?.you?.rights.includes("change") ?? true),
  );

  /// Whether the reader may add channels for all repositories, and notices on the server's desktop.
  readonly isAdmin = computed(() => this.session.server.value?.you?.rights.includes("admin") ?? true);

  /// The tests of channels that were made on this page, by name; null: it is under way.
  readonly tests = signal<ReadonlyMap<string, ChannelTest | null>>(new Map());

  private readonly store: LiveStore<AlertingAnswer>;
  private readonly clock: ReturnType<typeof setInterval>;

  constructor(
    private readonly session: Session,
    private readonly scope: Scope,
  ) {
    this.store = liveStore<string, AlertingAnswer>(scope, {
      wish: scope.repo,
      pause_ms: PAUSE_MS,
      fetch: (_, abort) => getJson<AlertingAnswer>(scope.here("alerting"), abort),
    });
    this.clock = setInterval(() => {
      if (!document.hidden) this.store.refresh();
    }, LOOK_MS);
  }

  /// Ends what is kept up to date.
  readonly stop = (): void => {
    clearInterval(this.clock);
    this.store.stop();
  };

  /// Adds a rule; throws the error of a query that can't be understood.
  readonly addRule = (draft: RuleDraft): Promise<void> => this.change("POST", "rules", draft);

  readonly removeRule = (id: string): Promise<void> => this.reported(this.change("DELETE", `rules/${id}`));

  /// Adds or changes a channel; throws what the server says against it.
  readonly putChannel = (name: string, draft: ChannelDraft): Promise<void> =>
    this.change("PUT", `channels/${encodeURIComponent(name)}`, draft);

  readonly removeChannel = (name: string): Promise<void> =>
    this.reported(this.change("DELETE", `channels/${encodeURIComponent(name)}`));

  /// Sends a test message.
  readonly test = async (name: string): Promise<void> => {
    this.noteTest(name, null);
    try {
      const url = this.scope.here(`alerting/channels/${encodeURIComponent(name)}/test`);
      this.noteTest(name, await sendJson<ChannelTest>(url, {}));
    } catch (error) {
      this.noteTest(name, { state: "failed", error: error instanceof Error ? error.message : String(error) });
    }
  };

  private noteTest(name: string, result: ChannelTest | null): void {
    this.tests.value = new Map([...this.tests.peek(), [name, result]]);
  }

  private async change(method: string, path: string, body?: object): Promise<void> {
    const url = this.scope.here(`alerting/${path}`);
    if (body) await sendJson<object>(url, body, undefined, method);
    else await request(url, { method });
    this.store.refresh();
  }

  private async reported(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.session.report(error);
    }
  }
}
