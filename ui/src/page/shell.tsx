/// The frame around every page: the top bar, the keyboard, the palette, the messages; and which page is open.

import { effect, signal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { address, change, goTo } from "../model/address";
import { undo } from "../model/edits";
import { commands, handleKey } from "../model/keys";
import { indexing, query, live, liveRuns, loadFields, repo, scopeError, setQuery } from "../model/scope";
import {
  connect,
  dropToast,
  logIn,
  report,
  server,
  serverError,
  theme,
  toast,
  toasts,
  toggleTheme,
} from "../model/session";
import { Dialog } from "../widget/dialog";
import { Icon } from "../widget/icon";
import { MenuItems, Popover } from "../widget/popover";
import { Notice, Skeleton } from "../widget/state";
import { Bell, toggleAlerts } from "./alerts";
import { useCommands } from "./hooks";
import { PageLink } from "./link";
import { MetricsPage } from "./metrics";
import { Palette } from "./palette";
import { QueryBox } from "./querybox";
import { RunsPage } from "./runs";

const RELOADED_KEY = "aim.reloaded";
const RELOAD_PAUSE_MS = 20_000;
const AWAY_MS = 2500; // a stream that is only being opened anew is nobody's concern

const TABS: readonly (readonly [string, string, string])[] = [
  ["runs", "Runs", "r"],
  ["metrics", "Metrics", "m"],
  ["params", "Params", "p"],
  ["media", "Media", "i"],
  ["text", "Text", "t"],
  ["reports", "Reports", "o"],
];

type Loader = () => Promise<ComponentType>;

/// Pages that are fetched when they are first opened.
const LATER: Readonly<Record<string, Loader>> = {
  run: () => import("./run").then((module) => module.RunPage),
  compare: () => import("./compare").then((module) => module.ComparePage),
  params: () => import("./params").then((module) => module.ParamsPage),
  media: () => import("./media").then((module) => module.MediaPage),
  text: () => import("./texts").then((module) => module.TextsPage),
  reports: () => import("./reports").then((module) => module.ReportsPage),
  settings: () => import("./settings").then((module) => module.SettingsPage),
};

const isPaletteOpen = signal(false);
const isHelpOpen = signal(false);

/// A part of the pages that is not there: another version of them was installed since this one was opened. Loads that, once.
function outdated(error: unknown): void {
  const last = Number(sessionStorage.getItem(RELOADED_KEY) ?? 0);
  if (Date.now() - last < RELOAD_PAUSE_MS) return report(error);
  sessionStorage.setItem(RELOADED_KEY, String(Date.now()));
  location.reload();
}

function Later({ name }: { name: string }): JSX.Element {
  const [Page, setPage] = useState<ComponentType | null>(null);
  useEffect(() => {
    LATER[name]().then((loaded) => setPage(() => loaded), outdated);
  }, []);
  return Page ? (
    <Page />
  ) : (
    <main class="main">
      <Skeleton />
    </main>
  );
}

function Page(): JSX.Element {
  const { page, rest } = address.value;
  if (page === "" || page === "metrics") return <MetricsPage key={repo.value} />;
  if (page === "runs") return <RunsPage key={repo.value} />;
  if (page in LATER)
    return <Later key={`${repo.value} ${page} ${page === "run" || page === "reports" ? rest : ""}`} name={page} />;
  return (
    <main class="main">
      <Notice icon="search" title="There is no such page">
        <PageLink page="metrics" class="pill strong">
          Go to the metrics
        </PageLink>
      </Notice>
    </main>
  );
}

function Brand(): JSX.Element {
  const repos = server.value?.repos ?? [];
  const current = repos.find(({ id }) => id === repo.value);
  const logo = (
    <svg class="logo" viewBox="0 0 16 16" aria-hidden="true">
      <rect width="16" height="16" rx="4.5" fill="var(--accent)" />
      <path
        d="M3 11 6.5 6l3 3L13 4"
        stroke="var(--panel)"
        stroke-width="1.8"
        fill="none"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
  if (repos.length < 2)
    return (
      <PageLink page="metrics" class="brand" title={current?.path}>
        {logo}
        <span>{current?.name ?? "Aim"}</span>
      </PageLink>
    );
  return (
    <Popover
      buttonClass="brand"
      label="Change the repository"
      button={
        <>
          {logo}
          <span>{current?.name}</span>
          <i class="turned">
            <Icon name="chevron" size={11} />
          </i>
        </>
      }
    >
      {(close) => (
        <MenuItems
          close={close}
          items={repos.map((item) => ({
            label: item.name,
            hint: String(item.runs),
            isOn: item.id === repo.value,
            run: () =>
              goTo(address.peek().page === "run" ? "runs" : address.peek().page, "", {
                repo: item.id === repos[0].id ? "" : item.id,
                q: "",
                color: "",
              }),
          }))}
        />
      )}
    </Popover>
  );
}

function Live(): JSX.Element {
  const count = liveRuns.value;
  const state = live.value;
  const title = state === "live" ? `Live: ${count} running` : state === "connecting" ? "Connecting…" : "Not live";
  return (
    <button
      type="button"
      class={`bare live ${state === "live" ? "live-on" : ""} ${count > 0 && state === "live" ? "live-some" : ""}`}
      title={`${title}. Press to show them.`}
      onClick={() => setQuery(query.peek() === "run.active" ? "" : "run.active")}
    >
      <i />
      {count > 0 ? `${count} live` : state === "live" ? "live" : "…"}
    </button>
  );
}

/// How far the server is with reading a large repository for the first time.
function Indexing(): JSX.Element | null {
  if (!indexing.value) return null;
  const [done, total] = indexing.value;
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

function Help({ onClose }: { onClose: () => void }): JSX.Element {
  const sections = new Map<string, { label: string; keys: string }[]>();
  const gestures = [
    ["Zoom in x", "drag"],
    ["Zoom in a box", "Shift drag"],
    ["Measure", "Alt drag"],
    ["Show all", "double click"],
    ["Zoom at the pointer", "Ctrl wheel"],
    ["Keep the values, and open a run from there", "click"],
  ];
  const list = [
    ["Next, previous run", "j k"],
    ["Select", "x"],
    ["Pin", "p"],
    ["Baseline", "b"],
    ["Hide", "h"],
    ["Open", "Enter"],
  ];
  for (const { label, keys, section } of commands.value)
    if (keys) sections.set(section, [...(sections.get(section) ?? []), { label, keys }]);
  sections.set(
    "In a list of runs",
    list.map(([label, keys]) => ({ label, keys })),
  );
  sections.set(
    "On a chart",
    gestures.map(([label, keys]) => ({ label, keys })),
  );
  return (
    <Dialog title="Keyboard" isWide={false} onClose={onClose}>
      <div class="keys">
        {[...sections].map(([name, entries]) => (
          <div key={name}>
            <h3>{name}</h3>
            {entries.map(({ label, keys }) => (
              <div key={label}>
                <span>{label}</span>
                <span>
                  {keys.split(" ").map((part) => (
                    <kbd key={part}>{part}</kbd>
                  ))}
                </span>
              </div>
            ))}
          </div>
        ))}
      </div>
    </Dialog>
  );
}

function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone, action }) => (
        <div key={id} class={`toast ${tone}`}>
          {text}
          {action && (
            <button
              type="button"
              onClick={() => {
                dropToast(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" aria-label="Close the message" onClick={() => dropToast(id)}>
            <Icon name="close" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}

function NoServer(): JSX.Element {
  const [token, setToken] = useState("");
  const error = serverError.value;
  if (error?.kind === "token") {
    return (
      <Notice icon="warning" title="This server asks for a token">
        <p>
          It was printed when <code>aim up</code> was started.
        </p>
        <form
          class="new-tag"
          onSubmit={(event) => {
            event.preventDefault();
            logIn(token).catch(report);
          }}
        >
          <input
            class="field"
            type="password"
            placeholder="Token"
            aria-label="Token"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          <button type="submit" class="pill strong">
            Open
          </button>
        </form>
      </Notice>
    );
  }
  return (
    <Notice icon="warning" title="The server is not there" tone="bad">
      <p>{error?.message}</p>
      <button type="button" class="pill strong" onClick={() => void connect()}>
        Try again
      </button>
    </Notice>
  );
}

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

/// Says that the server is away, once it has been for a moment, and that the page waits for it.
function Offline(): JSX.Element | null {
  const [isShown, setShown] = useState(false);
  const isAway = live.value === "connecting" && server.value !== null;
  useEffect(() => {
    if (!isAway) {
      if (isShown) toast("The server is back.");
      setShown(false);
      return undefined;
    }
    const timer = setTimeout(() => {
      setShown(true);
      void loadFields(); // a server that is there, and can't tell of the repository, says why
    }, AWAY_MS);
    return () => clearTimeout(timer);
  }, [isAway]);
  if (!isShown) return null;
  return (
    <div class="offline" role="alert">
      <Icon name="warning" size={14} />
      {scopeError.value ? (
        `${scopeError.value.message} What you see is from before.`
      ) : (
        <>
          The server does not answer. What you see is the last that it told; the page goes on by itself when it is back.{" "}
          <code>aim up</code>
        </>
      )}
    </div>
  );
}

/// The whole window.
export function Shell(): JSX.Element {
  useEffect(() => {
    addEventListener("keydown", handleKey);
    return () => removeEventListener("keydown", handleKey);
  }, []);
  useCommands(() => [
    { keys: "Ctrl+k", label: "Open the command palette", section: "General", run: () => (isPaletteOpen.value = true) },
    {
      keys: "/",
      label: "Write a query",
      section: "General",
      run: () => document.querySelector<HTMLElement>(".query input, .query .cm-content")?.focus(),
    },
    { keys: "?", label: "Show all keys", section: "General", run: () => (isHelpOpen.value = true) },
    { keys: "n", label: "Show what there is to look at", section: "General", run: toggleAlerts },
    { keys: "d", label: "Dark or light", section: "General", run: toggleTheme },
    ...TABS.map(([page, name, key]) => ({
      keys: `g ${key}`,
      label: `Go to ${name}`,
      section: "Pages",
      run: () => goTo(page),
    })),
    { keys: "Ctrl+z", label: "Undo the last change", section: "Runs", run: () => void undo() },
    { keys: "", label: "Show archived runs", section: "Runs", run: () => change({ q: "run.archived" }) },
  ]);
  if (serverError.value)
    return (
      <main class="main">
        <NoServer />
        <Toasts />
      </main>
    );
  const current = address.value.page || "metrics";
  return (
    <div class="app">
      <header class="top">
        <Brand />
        <nav aria-label="Pages">
          {TABS.map(([page, name]) => (
            <PageLink
              key={page}
              page={page}
              isCurrent={current === page || (page === "runs" && (current === "run" || current === "compare"))}
            >
              {name}
            </PageLink>
          ))}
        </nav>
        <QueryBox />
        <Live />
        <Bell />
        <button
          type="button"
          class="bare"
          title="Command palette"
          aria-label="Ctrl K: command palette"
          onClick={() => (isPaletteOpen.value = true)}
        >
          <kbd>Ctrl K</kbd>
        </button>
        <button
          type="button"
          class="bare round"
          title="Dark or light (d)"
          aria-label="Dark or light"
          onClick={toggleTheme}
        >
          <Icon name={theme.value === "dark" ? "sun" : "moon"} size={14} />
        </button>
      </header>
      <Indexing />
      <Offline />
      {server.value ? (
        <Page />
      ) : (
        <main class="main">
          <Skeleton rows={12} />
        </main>
      )}
      <Toasts />
      {isPaletteOpen.value && <Palette onClose={() => (isPaletteOpen.value = false)} />}
      {isHelpOpen.value && <Help onClose={() => (isHelpOpen.value = false)} />}
    </div>
  );
}
