/// One run: its facts, its curves, and a tab for each kind of thing that it has. Nothing it has not.

import { useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { address, change, goTo, setting } from "../model/address";
import { isMetricKind, isSystemMetric, queryLiteral, queryPath } from "../model/fields";
import type { Kinds } from "../model/kinds";
import { runStore } from "../model/run";
import { makeScene, type Scene } from "../model/scene";
import type { RunAnswer } from "../wire/types";
import { Icon, type IconName } from "../widget/icon";
import { FindField } from "../widget/findfield";
import { Notice, Skeleton } from "../widget/state";
import { Tree, treeRows, type TreeValue } from "../widget/tree";
import { useApp } from "./app";
import { RunText } from "./editable";
import { GapsPanel } from "./gaps";
import { ImportedPanel } from "./imported";
import { FailurePanel } from "./failure";
import { useCommands, useStore, useTitle } from "./hooks";
import { PageLink } from "./link";
import { LogView } from "./logview";
import { Charts } from "./runcharts";
import { RunSummary } from "./runsummary";
import { RunHead } from "./runhead";
import { EnvironmentTab } from "./environment";
import { ObjectsTab } from "./objectstab";
import { inTabOrder, rendererOf } from "./renderers";
import { ArtifactsTab, RecordsTab } from "./runtabs";

const tab = setting("tab", "overview");

interface TabInfo {
  readonly id: string;
  readonly label: string;
  readonly icon: IconName;
  readonly count?: number;
}

/// The tabs of a run: only those that have something in them.
function tabsOf(run: RunAnswer, kinds: Kinds): readonly TabInfo[] {
  const objects = inTabOrder(kinds.subjectsOf(run.sequences)).map((subject): TabInfo => {
    return { id: subject, label: kinds.titleOf(subject), icon: rendererOf(subject).icon };
  });
  const hasSystem = run.sequences.some(({ name, kind }) => isMetricKind(kind) && isSystemMetric(name));
  const [records, artifacts] = [run.log_records, run.artifacts.length];
  const tabs: (TabInfo | false)[] = [
    { id: "overview", label: "Overview", icon: "grid" },
    ...objects,
    run.log_lines > 0 && { id: "log", label: "Log", icon: "terminal" },
    records > 0 && { id: "records", label: "Records", icon: "list", count: records },
    hasSystem && { id: "system", label: "System", icon: "gauge" },
    (run.system !== null || run.writers.length > 0) && { id: "environment", label: "Environment", icon: "chip" },
    artifacts > 0 && { id: "artifacts", label: "Artifacts", icon: "folder", count: artifacts },
  ];
  return tabs.filter((item) => item !== false);
}

export function RunPage(): JSX.Element {
  const app = useApp();
  const { marks, scope, session } = app;
  const hash = address.value.subject;
  const store = useStore(() => runStore(scope, hash));
  const only = useSignal<readonly string[]>([hash]);
  const scene = useStore(() => makeScene(app, { only }));
  const run = store.answer.value;
  useTitle(run?.name ?? "Run");
  useCommands(() => [
    { keys: "Escape", label: "Back to the runs", section: "Run", run: () => history.back() },
    {
      keys: "c",
      label: "Compare this run with the selected ones",
      section: "Run",
      run: () => {
        marks.select([hash]);
        goTo("compare", "", { runs: hash });
      },
    },
  ]);
  if (store.error.value && !run) {
    return (
      <main class="main">
        <Notice icon="search" title="There is no such run" tone="bad">
          <p>{store.error.value.message}</p>
          <PageLink page="runs" class="pill strong">
            All runs
          </PageLink>
        </Notice>
      </main>
    );
  }
  if (!run)
    return (
      <main class="main">
        <Skeleton rows={10} />
      </main>
    );
  const tabs = tabsOf(run, session.kinds.value);
  const current = tabs.find(({ id }) => id === tab.value) ? tab.value : "overview";
  return (
    <main class="main run-page">
      <RunHead run={run} />
      <div class="tabs" role="tablist" aria-label="Parts of the run">
        {tabs.map(({ id, label, icon, count }) => (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={id === current}
            class={id === current ? "on" : ""}
            onClick={() => change({ tab: id === "overview" ? null : id })}
          >
            <Icon name={icon} size={14} />
            {label}
            {count !== undefined && <span class="muted">{count}</span>}
          </button>
        ))}
      </div>
      <div class="tabpanel" role="tabpanel" aria-label={current}>
        <RunTab run={run} scene={scene} only={only} current={current} />
      </div>
    </main>
  );
}

function RunTab({
  run,
  scene,
  only,
  current,
}: {
  run: RunAnswer;
  scene: Scene;
  only: ReadonlySignal<readonly string[]>;
  current: string;
}): JSX.Element {
  const lines = useSignal(run.log_lines);
  if (lines.peek() !== run.log_lines) lines.value = run.log_lines;
  if (current === "overview") return <Overview run={run} scene={scene} only={only} />;
  if (current === "log") return <LogView hash={run.hash} logs={run.logs} total={lines} />;
  if (current === "records") return <RecordsTab run={run} />;
  if (current === "system") return <Charts run={run} scene={scene} only={only} isSystem />;
  if (current === "environment") return <EnvironmentTab run={run} />;
  if (current === "artifacts") return <ArtifactsTab run={run} />;
  return <ObjectsTab key={current} run={run} subject={current} />;
}

const PARAM_ROWS = 10; // that have room whatever is beside them

function Overview({
  run,
  scene,
  only,
}: {
  run: RunAnswer;
  scene: Scene;
  only: ReadonlySignal<readonly string[]>;
}): JSX.Element {
  const find = useSignal("");
  const hasParams = Object.keys(run.params).length > 0;
  const literal = (value: TreeValue): string | null =>
    value === null || typeof value !== "object" ? queryLiteral(value) : null;
  return (
    <>
      <FailurePanel run={run} />
      <div class={hasParams ? "overview" : "overview single"}>
        <div class="about">
          <GapsPanel run={run} />
          <ImportedPanel run={run} />
          <RunSummary run={run} />
          <RunText run={run} field="description" />
          <RunText run={run} field="notes" />
        </div>
        {hasParams && (
          <aside style={{ "--rows": treeRows(run.params, PARAM_ROWS) }}>
            <section class="panel">
              <h2>
                Params <FindField label="Find a param" icon_px={13} setText={(text) => (find.value = text)} />
              </h2>
              <Tree
                value={run.params}
                find={find.value}
                after={(path, value) => {
                  const text = literal(value);
                  return text === null ? null : (
                    <button
                      type="button"
                      class="bare"
                      title="Runs with this value"
                      aria-label={`Runs with this ${path.join(".")}`}
                      onClick={() => goTo("runs", "", { q: `${queryPath(path)} == ${text}` })}
                    >
                      <Icon name="filter" size={12} />
                    </button>
                  );
                }}
              />
            </section>
          </aside>
        )}
      </div>
      <div class="run-charts">
        <Charts run={run} scene={scene} only={only} isSystem={false} />
      </div>
    </>
  );
}
