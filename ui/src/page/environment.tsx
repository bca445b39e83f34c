/// Where a run ran: its processes, git, packages, variables.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { formatTime } from "../model/format";
import type { Json, RunAnswer, Writer } from "../wire/types";
import { Icon } from "../widget/icon";
import { Patch, patchCounts } from "../widget/patch";
import { Copy } from "../widget/text";

function Pairs({ rows }: { rows: readonly (readonly [string, JSX.Element | string | null])[] }): JSX.Element {
  return (
    <dl class="pairs">
      {rows
        .filter(([, value]) => value !== null && value !== "")
        .map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/// One JSON value as text.
export function jsonText(value: Json | undefined): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

/// An object's member, if there is one.
export function memberOf(value: Json | undefined, key: string): Json | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })[key]
    : undefined;
}

function ProcessPanel({ writer }: { writer: Writer }): JSX.Element {
  const command = writer.command?.join(" ");
  const time = (seconds: number | null): string | null => (seconds === null ? null : formatTime(seconds));
  return (
    <section class="panel">
      <h2>Process {writer.writer}</h2>
      <Pairs
        rows={[
          [
            "command",
            command === undefined ? null : (
              <>
                <code>{command}</code>
                <Copy text={command} label="Copy the command" />
              </>
            ),
          ],
          ["host", writer.host],
          ["pid", writer.pid === null ? null : String(writer.pid)],
          ["python", writer.python],
          ["aim", writer.aim],
          ["began", time(writer.begin)],
          ["ended", time(writer.end)],
          ["state", writer.state],
          ["error", writer.error],
        ]}
      />
    </section>
  );
}

function GitPanel({ git }: { git: Json | undefined }): JSX.Element | null {
  const commit = memberOf(git, "commit");
  if (commit === undefined) return null;
  const hash = jsonText(memberOf(commit, "hash"));
  return (
    <section class="panel">
      <h2>Git</h2>
      <Pairs
        rows={[
          ["branch", jsonText(memberOf(git, "branch"))],
          [
            "commit",
            <>
              <code>{hash}</code>
              <Copy text={hash} label="Copy the commit" />
            </>,
          ],
          ["author", jsonText(memberOf(commit, "author"))],
          ["time", jsonText(memberOf(commit, "timestamp"))],
          ["remote", jsonText(memberOf(git, "remote_origin_url"))],
          ["uncommitted", memberOf(git, "is_dirty") === true ? "yes" : null],
        ]}
      />
    </section>
  );
}

function DiffPanel({ git }: { git: Json | undefined }): JSX.Element | null {
  const diff = jsonText(memberOf(git, "diff"));
  if (diff === "") return null;
  const { added, removed } = patchCounts(diff);
  return (
    <section class="panel whole">
      <h2>
        Uncommitted changes{" "}
        <span class="muted">
          +{added} −{removed}
          {memberOf(git, "diff_is_cut") === true ? " · only the beginning was stored" : ""}
        </span>
        <span class="spacer" />
        <Copy text={diff} label="Copy the diff" />
      </h2>
      <Patch text={diff} label="Uncommitted changes" />
    </section>
  );
}

function ListPanel({
  title,
  rows,
}: {
  title: string;
  rows: readonly (readonly [string, JSX.Element | string])[];
}): JSX.Element | null {
  if (rows.length === 0) return null;
  return (
    <section class="panel">
      <h2>
        {title} <span class="muted">{rows.length}</span>
      </h2>
      <Pairs rows={rows} />
    </section>
  );
}

/// The tab.
export function EnvironmentTab({ run }: { run: RunAnswer }): JSX.Element {
  const find = useSignal("");
  const git = run.system?.git_info;
  const list = (value: Json | undefined): readonly (readonly [string, string])[] =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value as { readonly [key: string]: Json })
          .map(([key, inner]) => [key, jsonText(inner)] as const)
          .filter(([key, text]) => `${key} ${text}`.toLowerCase().includes(find.value))
      : [];
  const variables = list(run.system?.env_variables);
  return (
    <div class="environment">
      {run.writers.map((writer) => (
        <ProcessPanel key={writer.writer} writer={writer} />
      ))}
      <GitPanel git={git} />
      <DiffPanel git={git} />
      {run.system && (
        <label class="find wide">
          <Icon name="search" size={14} />
          <input
            type="text"
            placeholder="Find a package or a variable"
            onInput={(event) => (find.value = event.currentTarget.value.toLowerCase())}
          />
        </label>
      )}
      <ListPanel title="Packages" rows={list(run.system?.packages)} />
      <ListPanel
        title="Environment variables"
        rows={variables.map(([key, text]) => [key, <code key={key}>{text}</code>] as const)}
      />
    </div>
  );
}
