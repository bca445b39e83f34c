/// Messages about the server: it is away or full, asks for a token, reads many runs; and messages of the pages.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../widget/icon";
import { BASE } from "../wire/request";
import { Notice } from "../widget/state";
import { useApp } from "./app";
import { SignIn } from "./signin";

const PROJECT_MS = 5000;
const AWAY_MS = 2500; // a stream that is only being opened anew is not away

/// How far the server is with reading a large repository for the first time.
export function Indexing(): JSX.Element | null {
  const { scope } = useApp();
  if (!scope.indexing.value) return null;
  const [done, total] = scope.indexing.value;
  return (
    <div
      class="indexing"
      role="progressbar"
      aria-label="Reading the runs"
      aria-valuemin={0}
      aria-valuenow={done}
      aria-valuemax={total}
    >
      <i style={{ width: `${(100 * done) / Math.max(1, total)}%` }} />
      <span>
        Indexing: {done.toLocaleString("en")} of {total.toLocaleString("en")} runs, the newest first
      </span>
    </div>
  );
}

/// The messages at the foot of the window.
export function Toasts(): JSX.Element {
  const { session } = useApp();
  return (
    <div class="toasts" role="status" aria-live="polite">
      {session.toasts.value.map(({ id, text, tone, action }) => (
        <div key={id} class={`toast ${tone}`}>
          {text}
          {action && (
            <button
              type="button"
              onClick={() => {
                session.dropToast(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" aria-label="Close the message" onClick={() => session.dropToast(id)}>
            <Icon name="close" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}

/// The page while there is no server to show.
export function NoServer(): JSX.Element {
  const { session } = useApp();
  const error = session.serverError.value;
  if (error?.kind === "token") {
    return (
      <Notice icon="warning" title="This server asks for a token">
        <p>
          It was printed when <code>aim up</code> was started, or by <code>aim token create</code>.
        </p>
        <SignIn hasProvider={error.body.provider ?? false} />
      </Notice>
    );
  }
  return (
    <Notice icon="warning" title="The server does not answer" tone="bad">
      <p>{error?.message}</p>
      <button type="button" class="pill strong" onClick={() => void session.connect()}>
        Try again
      </button>
    </Notice>
  );
}

/// The page of a server for projects that has none yet, or none that the reader may see.
export function NoProject(): JSX.Element {
  const { session } = useApp();
  useEffect(() => {
    const timer = setInterval(() => void session.connect(), PROJECT_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="main">
      <Notice icon="chart" title="There is no project yet">
        <p>The first training that records into one makes it. This page turns into it by itself.</p>
        <div class="snippet">
          <pre>{`aim.Run(repo="${recordingAddress()}/my-project")`}</pre>
        </div>
      </Notice>
    </main>
  );
}

function recordingAddress(): string {
  return BASE.replace(/\/$/, "");
}

/// Says that nothing more finds room in the repository.
export function Full(): JSX.Element | null {
  const { scope } = useApp();
  if (scope.full.value === null) return null;
  return (
    <div class="full-notice" role="alert">
      <Icon name="warning" size={14} />
      {scope.full.value}
    </div>
  );
}

/// Says that the server is away, once it has been for a moment, and that the page waits for it.
export function Offline(): JSX.Element | null {
  const { session, scope } = useApp();
  const [isShown, setShown] = useState(false);
  const isAway = scope.live.value === "connecting" && session.server.value !== null;
  useEffect(() => {
    if (!isAway) {
      if (isShown) session.toast("The server is back.");
      setShown(false);
      return undefined;
    }
    const timer = setTimeout(() => {
      setShown(true);
      void scope.refresh(); // a server that answers but cannot read the repository says why
    }, AWAY_MS);
    return () => clearTimeout(timer);
  }, [isAway]);
  if (!isShown) return null;
  return (
    <div class="offline" role="alert">
      <Icon name="warning" size={14} />
      {scope.scopeError.value ? (
        `${scope.scopeError.value.message} You see the last data from before.`
      ) : (
        <>
          The server does not answer. You see the last data from before; the page goes on when the server is back.{" "}
          <code>aim up</code>
        </>
      )}
    </div>
  );
}
