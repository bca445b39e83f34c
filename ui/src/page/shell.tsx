/// The frame around every page: the top bar, the keyboard, the palette, the messages; and which page is open.

import { signal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { address, change, goTo } from "../model/address";
import { handleKey } from "../model/keys";
import type { Session } from "../model/session";
import { Icon } from "../widget/icon";
import { Notice, Skeleton } from "../widget/state";
import { Bell, toggleAlerts } from "./alerts";
import { useApp } from "./app";
import { FileBox } from "./filebox";
import { Help } from "./help";
import { useCommands } from "./hooks";
import { PageLink } from "./link";
import { MetricsPage } from "./metrics";
import { Full, Indexing, NoProject, NoServer, Offline, Toasts } from "./notices";
import { PrintDialog } from "./printdialog";
import { Palette } from "./palette";
import { QueryBox } from "./querybox";
import { RunsPage } from "./runs";
import { Brand, Live, ReadOnly, ShellLinks } from "./topbar";

const RELOADED_KEY = "aim.reloaded";
const RELOAD_PAUSE_MS = 20_000;

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
  alerts: () => import("./alerting").then((module) => module.AlertingPage),
  docs: () => import("./docs").then((module) => module.DocsPage),
  settings: () => import("./settings").then((module) => module.SettingsPage),
};

const isPaletteOpen = signal(false);
const isHelpOpen = signal(false);

/// Loads the pages anew, once, when a part of them is missing: another version was installed since they were opened.
function outdated(session: Session, error: unknown): void {
  const last = Number(sessionStorage.getItem(RELOADED_KEY) ?? 0);
  if (Date.now() - last < RELOAD_PAUSE_MS) return session.report(error);
  sessionStorage.setItem(RELOADED_KEY, String(Date.now()));
  location.reload();
}

function Later({ name }: { name: string }): JSX.Element {
  const { session } = useApp();
  const [Page, setPage] = useState<ComponentType | null>(null);
  useEffect(() => {
    LATER[name]().then(
      (loaded) => setPage(() => loaded),
      (error) => outdated(session, error),
    );
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
  const { scope } = useApp();
  const { page, subject } = address.value;
  if (page === "" || page === "metrics") return <MetricsPage key={scope.repo.value} />;
  if (page === "runs") return <RunsPage key={scope.repo.value} />;
  if (page in LATER)
    return (
      <Later key={`${scope.repo.value} ${page} ${page === "run" || page === "reports" ? subject : ""}`} name={page} />
    );
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

/// The commands that work on every page.
function useShellCommands(): void {
  const { session, edits } = useApp();
  const focusQuery = (): void => document.querySelector<HTMLElement>(".query input, .query .cm-content")?.focus();
  useCommands(() => [
    { keys: "Ctrl+k", label: "Open the command palette", section: "General", run: () => (isPaletteOpen.value = true) },
    { keys: "/", label: "Write a query", section: "General", run: focusQuery },
    { keys: "?", label: "Show all keys", section: "General", run: () => (isHelpOpen.value = true) },
    { keys: "n", label: "Show the alerts", section: "General", run: toggleAlerts },
    { keys: "", label: "Read the docs", section: "Pages", run: () => goTo("docs") },
    { keys: "", label: "Settings", section: "Pages", run: () => goTo("settings") },
    { keys: "", label: "Rules and channels of alerts", section: "Pages", run: () => goTo("alerts") },
    { keys: "d", label: "Dark or light", section: "General", run: session.toggleTheme },
    ...TABS.map(([page, name, key]) => ({
      keys: `g ${key}`,
      label: `Go to ${name}`,
      section: "Pages",
      run: () => goTo(page),
    })),
    { keys: "Ctrl+z", label: "Undo the last change", section: "Runs", run: () => void edits.undo() },
    { keys: "", label: "Show archived runs", section: "Runs", run: () => change({ q: "run.archived" }) },
  ]);
}

function TopBar(): JSX.Element {
  const { session } = useApp();
  const current = address.value.page || "metrics";
  const archive = session.server.value?.archive;
  const isOfRuns = current === "run" || current === "compare";
  return (
    <header class="top">
      <Brand />
      <nav aria-label="Pages">
        {TABS.map(([page, name]) => (
          <PageLink key={page} page={page} isCurrent={current === page || (page === "runs" && isOfRuns)}>
            {name}
          </PageLink>
        ))}
      </nav>
      {archive ? <FileBox archive={archive} /> : <QueryBox />}
      {!archive && <ReadOnly />}
      {!archive && <Live />}
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
      <ShellLinks onHelp={() => (isHelpOpen.value = true)} />
      <button
        type="button"
        class="bare round"
        title="Dark or light (d)"
        aria-label="Dark or light"
        onClick={session.toggleTheme}
      >
        <Icon name={session.theme.value === "dark" ? "sun" : "moon"} size={14} />
      </button>
    </header>
  );
}

/// The whole window.
export function Shell(): JSX.Element {
  const { session } = useApp();
  useEffect(() => {
    addEventListener("keydown", handleKey);
    return () => removeEventListener("keydown", handleKey);
  }, []);
  useShellCommands();
  if (session.serverError.value)
    return (
      <main class="main">
        <NoServer />
        <Toasts />
        <PrintDialog />
      </main>
    );
  return (
    <div class="app">
      <TopBar />
      <Indexing />
      <Full />
      <Offline />
      {session.server.value?.repos.length === 0 && address.value.page !== "settings" ? (
        <NoProject />
      ) : session.server.value ? (
        <Page />
      ) : (
        <main class="main">
          <Skeleton rows={12} />
        </main>
      )}
      <Toasts />
      <PrintDialog />
      {isPaletteOpen.value && <Palette onClose={() => (isPaletteOpen.value = false)} />}
      {isHelpOpen.value && <Help onClose={() => (isHelpOpen.value = false)} />}
    </div>
  );
}
