/// The head of a run's page: its name, its state, its tags, and what can be done with it.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { goTo } from "../model/address";
import { queryLiteral } from "../model/fields";
import { formatAgo, formatDuration, formatTime } from "../model/format";
import { fetchRun } from "../model/run";
import { ownColor } from "../model/runcolors";
import type { RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { Copy, State, Swatch } from "../widget/text";
import { useApp } from "./app";
import { NO_DELETION } from "./topbar";
import { RunAlerts } from "./alerts";
import { Editable } from "./editable";
import { GapsMark } from "./gaps";
import { PageLink } from "./link";
import { ProgressLine } from "./progress";
import { RunReadings } from "./runsummary";
import { TagOfRun } from "./tagcolor";
import { ImportedMark } from "./imported";

/// The name of another run, once it is known.
function ForkName({ hash }: { hash: string }): JSX.Element {
  const { scope } = useApp();
  const name = useSignal<string | null>(null);
  useEffect(() => {
    // A fork's origin may be gone: then its hash stands for it.
    fetchRun(scope, hash).then(
      (run) => (name.value = run.name),
      () => undefined,
    );
  }, [hash]);
  return <>{name.value ?? hash.slice(0, 8)}</>;
}

/// The head.
export function RunHead({ run }: { run: RunAnswer }): JSX.Element {
  const { session, edits } = useApp();
  const runs = [run.hash];
  const seconds = run.duration ?? 0;
  return (
    <header class="run-head">
      <div class="title">
        <Swatch color={ownColor(run.hash, session.theme.value)} />
        <h1>
          <Editable
            value={run.name ?? run.hash}
            label="name"
            placeholder="name"
            onSave={(name) => void edits.edit(runs, { name: name || null }, "Renamed")}
          />
        </h1>
        <State status={run.status} error={run.error} />
        {run.error && <code class="exception">{run.error}</code>}
        <span class="lasted" title={run.end_time === null ? undefined : `until ${formatTime(run.end_time)}`}>
          {run.status === "running" ? "for" : "took"}{" "}
          {formatDuration(run.status === "running" ? Math.max(seconds, session.now.value - run.created_at) : seconds)}
        </span>
        <GapsMark run={run} />
        {run.archived && <span class="hint">archived</span>}
        <span class="spacer" />
        <RunButtons run={run} />
      </div>
      <div class="facts">
        <span>
          <code>{run.hash}</code>
          <Copy text={run.hash} label="Copy the hash" />
        </span>
        <span title={formatTime(run.created_at)}>started {formatAgo(run.created_at, session.now.value)}</span>
        {run.experiment && (
          <button
            type="button"
            class="bare"
            title="All runs of this experiment"
            onClick={() => goTo("runs", "", { q: `run.experiment == ${queryLiteral(run.experiment)}` })}
          >
            <Icon name="folder" size={14} />
            {run.experiment}
          </button>
        )}
        <RunHistory run={run} />
        <ImportedMark run={run} />
        <RunTags run={run} />
      </div>
      <ProgressLine run={run} />
      <RunReadings run={run} />
      <RunAlerts hash={run.hash} />
    </header>
  );
}

/// What can be done with the run.
function RunButtons({ run }: { run: RunAnswer }): JSX.Element {
  const { edits, marks } = useApp();
  const runs = [run.hash];
  return (
    <>
      <button
        type="button"
        class="pill"
        onClick={() => {
          marks.select([run.hash]);
          goTo("compare", "", { runs: run.hash });
        }}
      >
        <Icon name="compare" size={14} />
        Compare
      </button>
      {edits.canEdit() && (
        <button
          type="button"
          class="pill"
          onClick={() => void edits.edit(runs, { archived: !run.archived }, run.archived ? "Brought back" : "Archived")}
        >
          <Icon name="archive" size={14} />
          {run.archived ? "Bring back" : "Archive"}
        </button>
      )}
      {edits.canEdit() && (
        <button
          type="button"
          class="pill"
          disabled={!edits.canDelete()}
          title={edits.canDelete() ? undefined : NO_DELETION}
          onClick={() => void edits.edit(runs, { deleted: true }, "Deleted").then((isDone) => isDone && goTo("runs"))}
        >
          <Icon name="trash" size={14} />
          Delete
        </button>
      )}
    </>
  );
}

/// Where the run was forked from, and to which step it was taken back.
function RunHistory({ run }: { run: RunAnswer }): JSX.Element {
  return (
    <>
      {run.forked_from && (
        <span title={formatTime(run.forked_from.time)}>
          <Icon name="fork" size={14} />
          forked from{" "}
          <PageLink page="run" subject={run.forked_from.run}>
            <ForkName hash={run.forked_from.run} />
          </PageLink>
          {run.forked_from.step === null ? "" : ` at step ${run.forked_from.step}`}
        </span>
      )}
      {run.rewinds.length > 0 && (
        <span title={run.rewinds.map(({ step, time }) => `${formatTime(time)}: back to step ${step}`).join("\n")}>
          <Icon name="undo" size={14} />
          rewound {run.rewinds.length === 1 ? "" : `${run.rewinds.length} times, last `}to step{" "}
          {run.rewinds[run.rewinds.length - 1].step}
        </span>
      )}
    </>
  );
}

/// The tags, and a field for one more.
function RunTags({ run }: { run: RunAnswer }): JSX.Element {
  const { edits } = useApp();
  const tagText = useSignal("");
  const runs = [run.hash];
  return (
    <span class="tags">
      {run.tags.map((name) => (
        <TagOfRun
          key={name}
          name={name}
          onRemove={() => void edits.edit(runs, { tags: { add: [], remove: [name] } }, `Removed tag ${name} from`)}
        />
      ))}
      {edits.canEdit() && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const name = tagText.value.trim();
            tagText.value = "";
            if (name) void edits.edit(runs, { tags: { add: [name], remove: [] } }, "Tagged");
          }}
        >
          <input
            class="tag-input"
            placeholder="+ tag"
            aria-label="Add a tag"
            value={tagText.value}
            onInput={(event) => (tagText.value = event.currentTarget.value)}
          />
        </form>
      )}
    </span>
  );
}
