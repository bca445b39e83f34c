/// The tabs of a run besides its curves and its log: objects, records, environment, artifacts.

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { ownColor } from "../model/runcolors";
import { contextLabel, sequenceText } from "../model/fields";
import { formatBytes, formatTime } from "../model/format";
import { allSteps, atPresent, itemsOf, objectsStore, type Item } from "../model/objects";
import { wordsOf } from "../model/overlays";
import { here } from "../model/scope";
import { report, theme } from "../model/session";
import { getJson } from "../wire/request";
import type { Json, LogRecord, ObjectsRequest, ObjectType, RecordsAnswer, RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { Patch, patchCounts } from "../widget/patch";
import { Copy } from "../widget/text";
import { Skeleton } from "../widget/state";
import { Lightbox } from "./lightbox";
import { Distributions, Piece } from "./mediaitems";
import { OverlayBar } from "./overlay";
import { StepSlider, useStepping } from "./steps";
import { useStore } from "./hooks";

const DISTRIBUTION_STEPS = 200;
const PICTURE_PX = 150;

/// The items of each sequence, in the order of the answer.
export function bySequence(items: readonly Item[]): readonly (readonly Item[])[] {
  const groups = new Map<number, Item[]>();
  for (const item of items) groups.set(item.sequence, [...(groups.get(item.sequence) ?? []), item]);
  return [...groups.values()];
}

/// A run's objects of one type.
export function ObjectsTab({ run, type }: { run: RunAnswer; type: ObjectType }): JSX.Element {
  const at = useSignal<number | null>(null);
  const open = useSignal<readonly Item[] | null>(null);
  const wish = useComputed<ObjectsRequest>(() => ({
    query: "",
    runs: [run.hash],
    type,
    steps: type === "distributions" ? { from: null, to: null, count: DISTRIBUTION_STEPS } : { at: at.value },
    index: { from: 0, count: 64 },
  }));
  const store = useStore(() => objectsStore(wish));
  const steps = useComputed(() => allSteps(store.answer.value));
  const stepping = useStepping(
    steps,
    at,
    (step) => (at.value = step),
    () => !store.isLoading.peek(),
  );
  const items = itemsOf(store.answer.value);
  const words = wordsOf(items);
  const groups = bySequence(items);
  if (!store.answer.value) return store.error.value ? <p class="failure">{store.error.value.message}</p> : <Skeleton />;
  return (
    <>
      {type !== "distributions" && steps.value.length > 1 && (
        <div class="toolbar">
          <StepSlider stepping={stepping} />
        </div>
      )}
      {type === "images" && <OverlayBar items={items} />}
      {groups.map((group) => {
        const { of } = group[0];
        return (
          <section key={sequenceText(of)}>
            <div class="section">
              <b>{of.name}</b>{" "}
              <span class="muted">
                {[
                  contextLabel(of.context),
                  ...(type === "distributions" ? [] : [`step ${group[0].step}`, `${of.count} steps`]),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
            </div>
            {type === "texts" && group.map((item) => <TextBlock key={item.index} item={item} />)}
            {type === "distributions" && (
              <Distributions items={group} color={ownColor(run.hash, theme.value)} at={null} />
            )}
            {type !== "texts" && type !== "distributions" && (
              <div class="pictures">
                {group.map((item) => (
                  <Piece
                    key={item.index}
                    type={type}
                    item={item}
                    size_px={PICTURE_PX}
                    words={words}
                    onOpen={() => (open.value = [item])}
                  />
                ))}
              </div>
            )}
          </section>
        );
      })}
      {open.value && (
        <Lightbox
          items={atPresent(open.value, items)}
          labelOf={(item) => `${item.of.name} · step ${item.step}${item.caption ? ` · ${item.caption}` : ""}`}
          words={words}
          onStep={stepping.move}
          onClose={() => (open.value = null)}
        />
      )}
    </>
  );
}

/// A text as it is.
export function TextBlock({ item }: { item: Item }): JSX.Element {
  return (
    <div class="textblock">
      <pre>{item.text ?? ""}</pre>
      <Copy text={item.text ?? ""} label="Copy the text" />
    </div>
  );
}

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"];

/// What the run logged with `log_info` and the like.
export function RecordsTab({ run }: { run: RunAnswer }): JSX.Element {
  const records = useSignal<readonly LogRecord[] | null>(null);
  const level = useSignal("");
  const total = run.log_records;
  useSignalEffect(() => {
    const wanted = level.value;
    getJson<RecordsAnswer>(
      here(`runs/${encodeURIComponent(run.hash)}/records?from=${Math.max(0, total - 2000)}&limit=2000&level=${wanted}`),
    ).then((answer) => (records.value = answer.records), report);
  });
  return (
    <>
      <div class="toolbar">
        <span class="segments" role="group" aria-label="Least level">
          {["", ...LEVELS.slice(1)].map((name) => (
            <button
              key={name}
              type="button"
              class={level.value === name ? "on" : ""}
              onClick={() => (level.value = name)}
            >
              {name === "" ? "all" : name.toLowerCase()}
            </button>
          ))}
        </span>
      </div>
      <table class="listing">
        <thead>
          <tr>
            <th>Time</th>
            <th>Level</th>
            <th>Message</th>
            <th>Values</th>
            <th>Where</th>
          </tr>
        </thead>
        <tbody>
          {records.value?.map((record, i) => (
            <tr key={i}>
              <td class="muted">{formatTime(record.time)}</td>
              <td>
                <span class={`level ${record.level.toLowerCase()}`}>{record.level.toLowerCase()}</span>
              </td>
              <td>{record.message}</td>
              <td>
                <code>
                  {record.args
                    ? Object.entries(record.args)
                        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
                        .join(" ")
                    : ""}
                </code>
              </td>
              <td class="muted">{record.file ? `${record.file}:${record.line ?? ""}` : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

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

/// Where the run ran: processes, git, packages, variables.
export function EnvironmentTab({ run }: { run: RunAnswer }): JSX.Element {
  const find = useSignal("");
  const git = run.system?.git_info;
  const commit = memberOf(git, "commit");
  const diff = jsonText(memberOf(git, "diff"));
  const list = (value: Json | undefined): readonly (readonly [string, string])[] =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value as { readonly [key: string]: Json })
          .map(([key, inner]) => [key, jsonText(inner)] as const)
          .filter(([key, text]) => `${key} ${text}`.toLowerCase().includes(find.value))
      : [];
  const packages = list(run.system?.packages);
  const variables = list(run.system?.env_variables);
  return (
    <div class="environment">
      {run.writers.map((writer) => (
        <section key={writer.writer} class="panel">
          <h2>Process {writer.writer}</h2>
          <Pairs
            rows={[
              [
                "command",
                writer.command ? (
                  <>
                    <code>{writer.command.join(" ")}</code>
                    <Copy text={writer.command.join(" ")} label="Copy the command" />
                  </>
                ) : null,
              ],
              ["host", writer.host],
              ["pid", writer.pid === null ? null : String(writer.pid)],
              ["python", writer.python],
              ["aim", writer.aim],
              ["began", writer.begin === null ? null : formatTime(writer.begin)],
              ["ended", writer.end === null ? null : formatTime(writer.end)],
              ["state", writer.state],
              ["error", writer.error],
            ]}
          />
        </section>
      ))}
      {commit !== undefined && (
        <section class="panel">
          <h2>Git</h2>
          <Pairs
            rows={[
              ["branch", jsonText(memberOf(git, "branch"))],
              [
                "commit",
                <>
                  <code>{jsonText(memberOf(commit, "hash"))}</code>
                  <Copy text={jsonText(memberOf(commit, "hash"))} label="Copy the commit" />
                </>,
              ],
              ["author", jsonText(memberOf(commit, "author"))],
              ["time", jsonText(memberOf(commit, "timestamp"))],
              ["remote", jsonText(memberOf(git, "remote_origin_url"))],
              ["uncommitted", memberOf(git, "is_dirty") === true ? "yes" : null],
            ]}
          />
        </section>
      )}
      {diff !== "" && (
        <section class="panel whole">
          <h2>
            Uncommitted changes{" "}
            <span class="muted">
              +{patchCounts(diff).added} −{patchCounts(diff).removed}
              {memberOf(git, "diff_is_cut") === true ? " · only the beginning is kept" : ""}
            </span>
            <span class="spacer" />
            <Copy text={diff} label="Copy the diff" />
          </h2>
          <Patch text={diff} label="Uncommitted changes" />
        </section>
      )}
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
      {packages.length > 0 && (
        <section class="panel">
          <h2>
            Packages <span class="muted">{packages.length}</span>
          </h2>
          <Pairs rows={packages} />
        </section>
      )}
      {variables.length > 0 && (
        <section class="panel">
          <h2>
            Environment variables <span class="muted">{variables.length}</span>
          </h2>
          <Pairs rows={variables.map(([key, text]) => [key, <code key={key}>{text}</code>] as const)} />
        </section>
      )}
    </div>
  );
}

/// The run's files.
export function ArtifactsTab({ run }: { run: RunAnswer }): JSX.Element {
  return (
    <table class="listing">
      <thead>
        <tr>
          <th>Name</th>
          <th>Size</th>
          <th>Where</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {run.artifacts.map((artifact) => (
          <tr key={artifact.name}>
            <td>{artifact.name}</td>
            <td>{artifact.size === null ? "" : formatBytes(artifact.size)}</td>
            <td class="muted">
              <code title={artifact.sha256 === null ? undefined : `SHA-256 ${artifact.sha256}`}>{artifact.uri}</code>
              <Copy text={artifact.uri} label={`Copy the address of ${artifact.name}`} />
            </td>
            <td>
              {artifact.here && (
                <a
                  class="pill"
                  href={here(
                    `runs/${encodeURIComponent(run.hash)}/artifacts/${artifact.name.split("/").map(encodeURIComponent).join("/")}`,
                  )}
                  download
                >
                  <Icon name="download" size={14} />
                  Download
                </a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
