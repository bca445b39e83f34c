/// Live updates: one stream of server-sent events for all tabs of this browser.
///
/// Browsers allow six connections a host, so one tab leads (a held lock says which) and tells the others over a
/// channel. Where locks are missing (plain http on another host), each tab has its own stream. Hidden tabs close
/// theirs.

import { repoUrl } from "./request";
import type { Tick } from "./types";

const RETRY_MS = 3000;

/// `connecting` also after a broken connection; the browser tries again by itself.
export type LiveState = "off" | "connecting" | "live";

export interface LiveHandlers {
  readonly tick: (tick: Tick) => void;
  readonly state: (state: LiveState) => void;
}

/// Follows the repository until the returned function is called. `cursor` gives the state the page already shows.
export function follow(repo: string, cursor: () => string | null, handlers: LiveHandlers): () => void {
  const name = `aim-live:${repo}:${new URL(repoUrl(repo, "")).pathname}`;
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(name);
  let source: EventSource | null = null;
  let release: (() => void) | null = null;
  let stopped = false;

  const open = (): void => {
    const seen = cursor();
    source = new EventSource(repoUrl(repo, "events" + (seen ? "?cursor=" + encodeURIComponent(seen) : "")));
    source.addEventListener("open", () => handlers.state("live"));
    source.addEventListener("error", () => {
      handlers.state("connecting");
      // After a refusal, as of a server that is only starting, the browser gives up by itself: we do not.
      if (source?.readyState === EventSource.CLOSED)
        setTimeout(() => !stopped && source?.readyState === EventSource.CLOSED && open(), RETRY_MS);
    });
    source.addEventListener("reload", () => location.reload());
    source.addEventListener("tick", (event) => {
      const tick = JSON.parse((event as MessageEvent<string>).data) as Tick;
      channel?.postMessage(tick);
      handlers.tick(tick);
    });
  };
  const close = (): void => {
    source?.close();
    source = null;
    release?.();
    release = null;
  };
  const lead = (): void => {
    if (stopped || document.hidden) return;
    if (!navigator.locks) return open();
    void navigator.locks.request(name, () => {
      if (stopped || document.hidden) return undefined;
      open();
      return new Promise<void>((resolve) => (release = resolve));
    });
  };
  const visibility = (): void => {
    if (document.hidden) close();
    else if (!source) lead();
  };
  channel?.addEventListener("message", (event: MessageEvent<Tick>) => {
    handlers.state("live");
    handlers.tick(event.data);
  });
  document.addEventListener("visibilitychange", visibility);
  handlers.state("connecting");
  lead();
  return () => {
    stopped = true;
    document.removeEventListener("visibilitychange", visibility);
    close();
    channel?.close();
    handlers.state("off");
  };
}
