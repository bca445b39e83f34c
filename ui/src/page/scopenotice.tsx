/// What a page shows instead of runs: an empty repository, a query that leaves nothing, or an error.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Scene } from "../model/scene";
import type { RunsStore } from "../model/runs";
import { getJson, sendJson, type WireError } from "../wire/request";
import type { DemoAnswer } from "../wire/edits";
import type { ImportableAnswer } from "../wire/imports";
import { Copy } from "../widget/text";
import { Icon } from "../widget/icon";
import { Notice, Skeleton } from "../widget/state";
import { useApp } from "./app";

export type ScopeState = "runs" | "empty" | "none" | "error" | "waiting";

const SNIPPET = `from aim import Run

run = Run(experiment="first")
run["hparams"] = {"lr": 0.001, "batch_size": 32}
for step in range(100):
    run.track(1 / (step + 1), name="loss", context={"subset": "train"})`;

/// Kinds of errors that a banner tells while the runs stay: the server, the folder of the repository, or a part of the
/// cluster is away.
const AWAY_KINDS = ["offline", "not-found", "away"];

/// Whether an error takes the place of the runs. While server or repository are away, the runs that are here stay.
export function hidesRuns(error: WireError | null, runCount: number): boolean {
  if (!error || error.kind === "query") return false;
  return runCount === 0 || !AWAY_KINDS.includes(error.kind);
}

/// Which of its states a page of runs is in.
export function useHasRuns(store: RunsStore): ScopeState {
  const { scope } = useApp();
  const { isKnown, table, error } = store;
  if (scope.indexing.value && table.value.count === 0 && !error.value) return "waiting";
  const { count } = table.value;
  const fieldsError = scope.fields.value ? null : scope.scopeError.value;
  if (hidesRuns(error.value, count) || hidesRuns(fieldsError, count)) return "error";
  if (!isKnown.value)
    return scope.fields.value && scope.fields.value.total === 0 ? "empty" : error.value ? "runs" : "waiting";
  if (table.value.count > 0 || error.value) return "runs";
  return table.value.total === 0 || (scope.query.value === "" && scope.fields.value?.total === 0) ? "empty" : "none";
}

/// The page for any state but `runs`.
export function ScopeNotice({ state, scene }: { state: ScopeState; scene: Scene | RunsStore }): JSX.Element {
  const { session, scope } = useApp();
  if (state === "waiting")
    return (
      <main class="main">
        <Skeleton rows={12} />
      </main>
    );
  if (state === "error") {
    return (
      <main class="main">
        <Notice icon="warning" title="The runs could not be read" tone="bad">
          <p>{(scene.error.value ?? scope.scopeError.value)?.message}</p>
          <button
            type="button"
            class="pill strong"
            onClick={() => void session.connect().then(() => location.reload())}
          >
            Try again
          </button>
        </Notice>
      </main>
    );
  }
  return <main class="main">{state === "empty" ? <EmptyRepo /> : <NoMatch scene={scene} />}</main>;
}

function EmptyRepo(): JSX.Element {
  const { session, scope, edits } = useApp();
  const isBusy = useSignal(false);
  const sources = useSignal<ImportableAnswer["sources"]>([]);
  const importable = scope.here("importable");
  useEffect(() => {
    getJson<ImportableAnswer>(importable).then(
      (answer) => (sources.value = answer.sources),
      () => undefined, // the page is as useful without it
    );
  }, [importable]);
  const record = async (): Promise<void> => {
    isBusy.value = true;
    try {
      const { cursor } = await sendJson<DemoAnswer>(scope.here("demo"), {});
      scope.nudge(cursor, []);
    } catch (error) {
      session.report(error);
    }
    isBusy.value = false;
  };
  const info = session.server.value?.repos.find(({ id }) => id === scope.repo.value);
  return (
    <Notice icon="chart" title="Waiting for the first run">
      <p>Record one with these lines; this page turns into it by itself.</p>
      <div class="snippet">
        <pre>{SNIPPET}</pre>
        <Copy text={SNIPPET} label="Copy the code" />
      </div>
      {edits.canDelete() && (
        <button type="button" class="pill" disabled={isBusy.value} onClick={() => void record()}>
          {isBusy.value ? "Recording…" : "Load demo data"}
        </button>
      )}
      {sources.value.length > 0 && (
        <>
          <p>Or bring what other trackers wrote beside it:</p>
          {sources.value.map(({ title, command }) => (
            <div class="snippet" key={command}>
              <span>{title}</span>
              <pre>{command}</pre>
              <Copy text={command} label={`Copy the command for ${title}`} />
            </div>
          ))}
        </>
      )}
      {info && (
        <p class="muted">
          Watching <code>{info.path}</code>
        </p>
      )}
    </Notice>
  );
}

/// The query without one of its parts, and without the `and` beside it.
export function withoutClause(text: string, start: number, end: number): string {
  const chars = Array.from(text);
  const before = chars
    .slice(0, start)
    .join("")
    .replace(/\s*\band\s*$/, "");
  const after = chars
    .slice(end)
    .join("")
    .replace(/^\s*and\b\s*/, "");
  return before.trim() && after.trim() ? `${before.trim()} and ${after.trim()}` : before.trim() + after.trim();
}

function NoMatch({ scene }: { scene: Scene | RunsStore }): JSX.Element {
  const { session, scope } = useApp();
  const chars = Array.from(scope.expression.value);
  const { total } = scene.table.value;
  const clauses = scope.search.value === null ? scene.clauses.value : [];
  const none = scope.search.value === null ? "No run matches the query" : `No run has ${scope.query.value}`;
  const title = scope.query.value === "" ? "All runs are archived" : none;
  const drop = (start: number, end: number): void => {
    const old = scope.query.peek();
    scope.setQuery(withoutClause(scope.expression.peek(), start, end));
    session.toast("Clause dropped.", { label: "Undo", run: () => scope.setQuery(old) });
  };
  return (
    <Notice icon="filter" title={title}>
      {scope.query.value === "" && (
        <button type="button" class="pill" onClick={() => scope.setQuery("run.archived")}>
          Show archived runs
        </button>
      )}
      {clauses.length > 0 && <p>What each part of it leaves of {total.toLocaleString("en")} runs:</p>}
      <div class="clauses">
        {clauses.map(({ start, end, count }) => (
          <div key={start}>
            <code>{chars.slice(start, end).join("")}</code>
            <span class="muted">leaves {count.toLocaleString("en")}</span>
            <span class="spacer" />
            <button type="button" class="pill" onClick={() => drop(start, end)}>
              <Icon name="close" size={12} />
              Drop
            </button>
          </div>
        ))}
      </div>
      {scene.hints.value.map(({ start, text }) => (
        <p key={start}>{text}</p>
      ))}
      {scope.query.value !== "" && (
        <button type="button" class="pill" onClick={() => scope.setQuery("")}>
          Show all runs
        </button>
      )}
      {scope.queryError.value && <p>{scope.queryError.value.message}</p>}
    </Notice>
  );
}
