/// Some runs beside each other: params, results, curves, pictures, code and machine, all on one page.

import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { change, listSetting } from "../model/address";
import { sectionsOf } from "../model/cards";
import { trackedMetrics } from "../model/compare";
import { formatAgo, formatDuration, formatTime } from "../model/format";
import { fewRunsStore } from "../model/run";
import { makeScene, runName, type Scene } from "../model/scene";
import { plural } from "../model/words";
import type { RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover } from "../widget/popover";
import { Notice, Skeleton } from "../widget/state";
import { State, Swatch } from "../widget/text";
import { useApp } from "./app";
import { ComparedObjects, comparedSubjects } from "./comparepictures";
import { EnvironmentTables, ResultTables } from "./difftables";
import { useStore, useTitle } from "./hooks";
import { PageLink } from "./link";
import { PlainCard } from "./plaincard";
import { ChartToolbar } from "./toolbar";

const chosen = listSetting("runs");

/// The page.
export function ComparePage(): JSX.Element {
  useTitle("Compare");
  const app = useApp();
  const { scope, marks, session } = app;
  const hashes = useComputed(() => chosen.value);
  const scene = useStore(() => makeScene(app, { only: hashes }));
  const store = useStore(() => fewRunsStore(scope, hashes));
  const runs = useComputed(() => hashes.value.map((hash) => store.answer.value?.get(hash) ?? null));
  const onlyDifferent = useSignal(true);
  const only = useComputed<readonly string[] | null>(() => hashes.value);
  if (hashes.value.length === 0) return <NothingToCompare />;
  const base = Math.max(0, hashes.value.findIndex(marks.isBaseline));
  // Nothing is said of differences before all runs are here, or are known not to be.
  const isKnown = hashes.value.every((hash) => store.answer.value?.has(hash));
  const metrics = trackedMetrics(runs.value);
  const tracked = runs.value.flatMap((run) => run?.sequences ?? []);
  const sides = { "--runs": String(hashes.value.length) };
  return (
    <main class="main compare-page">
      <div class="toolbar">
        <h1>Compare {plural(hashes.value.length, "run")}</h1>
        <AddRun hashes={hashes} />
        <label class="pill">
          <input
            type="checkbox"
            checked={onlyDifferent.value}
            onChange={(event) => (onlyDifferent.value = event.currentTarget.checked)}
          />
          differences only
        </label>
      </div>
      <div class="sides" style={sides}>
        <div class="side-head">
          <div class="side-name" />
          {hashes.value.map((hash, i) => (
            <SideHead key={hash} hash={hash} run={runs.value[i]} scene={scene} isBase={i === base} hashes={hashes} />
          ))}
        </div>
        {!isKnown ? (
          <Skeleton rows={8} />
        ) : (
          <ResultTables runs={runs.value} base={base} isShort={onlyDifferent.value} />
        )}
      </div>
      {metrics.length > 0 && <Curves scene={scene} only={only} metrics={metrics} />}
      {comparedSubjects(session.kinds.value.subjectsOf(tracked)).map((subject) => (
        <ComparedObjects
          key={subject}
          subject={subject}
          hashes={hashes}
          nameOf={(hash) => runName(scene.table.value, hash)}
        />
      ))}
      <div class="sides" style={sides}>
        {isKnown && <EnvironmentTables runs={runs.value} base={base} isShort={onlyDifferent.value} />}
      </div>
    </main>
  );
}

function NothingToCompare(): JSX.Element {
  return (
    <main class="main">
      <Notice icon="compare" title="Nothing to compare yet">
        <p>
          Tick runs in the table or in the list, then press <kbd>C</kbd>.
        </p>
        <PageLink page="runs" class="pill strong">
          To the runs
        </PageLink>
      </Notice>
    </main>
  );
}

function compareRuns(hashes: readonly string[]): void {
  change({ runs: hashes.join(",") });
}

function AddRun({ hashes }: { hashes: ReadonlySignal<readonly string[]> }): JSX.Element {
  const button = (
    <>
      <Icon name="plus" size={14} />
      run
    </>
  );
  return (
    <Popover button={button} label="Add a run" buttonClass="pill add">
      {() => <OtherRuns hashes={hashes} />}
    </Popover>
  );
}

/// The runs that are not compared yet; their names are fetched when they are asked for.
function OtherRuns({ hashes }: { hashes: ReadonlySignal<readonly string[]> }): JSX.Element {
  const app = useApp();
  const { table } = useStore(() => makeScene(app));
  const others = table.value.hashes.filter((hash) => !hashes.value.includes(hash));
  return (
    <Picker
      choices={others.map((hash) => ({ value: hash, label: runName(table.value, hash), detail: hash.slice(0, 8) }))}
      chosen={new Set()}
      placeholder="Add a run…"
      onPick={(hash) => compareRuns([...hashes.peek(), hash])}
    />
  );
}

interface SideHeadProps {
  readonly hash: string;
  readonly run: RunAnswer | null;
  readonly scene: Scene;
  readonly isBase: boolean;
  readonly hashes: ReadonlySignal<readonly string[]>;
}

/// The head of a run's column.
function SideHead({ hash, run, scene, isBase, hashes }: SideHeadProps): JSX.Element {
  const { marks, session } = useApp();
  return (
    <div class="side">
      <div class="line">
        <Swatch color={scene.looks.value.coloring.colorOf(hash)} />
        <PageLink page="run" subject={hash} class="name">
          {run?.name ?? runName(scene.table.value, hash)}
        </PageLink>
        <span class="spacer" />
        <button
          type="button"
          class={isBase ? "bare on" : "bare"}
          title="Compare the others to this run"
          aria-label="Baseline"
          onClick={() => marks.toggleBaseline(hash)}
        >
          <Icon name="star" size={13} />
        </button>
        <button
          type="button"
          class="bare"
          aria-label="Remove this run from the comparison"
          onClick={() => compareRuns(hashes.peek().filter((other) => other !== hash))}
        >
          <Icon name="close" size={12} />
        </button>
      </div>
      {run && (
        <div class="line muted">
          <State status={run.status} error={run.error} />
          <span title={formatTime(run.created_at)}>{formatAgo(run.created_at, session.now.value)}</span>
          <span>{formatDuration(run.duration ?? 0)}</span>
        </div>
      )}
    </div>
  );
}

function Curves({
  scene,
  only,
  metrics,
}: {
  scene: Scene;
  only: ReadonlySignal<readonly string[] | null>;
  metrics: Parameters<typeof sectionsOf>[0];
}): JSX.Element {
  const sections = sectionsOf(metrics, "name");
  return (
    <section aria-label="Curves">
      <div class="section">
        <b>Curves</b> <span class="spacer" />
        <ChartToolbar />
      </div>
      <div class="cards">
        {sections
          .flatMap((section) => section.cards)
          .map((card) => (
            <PlainCard key={card.id} card={card} scene={scene} runs={only} />
          ))}
      </div>
    </section>
  );
}
