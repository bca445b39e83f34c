/// Tables of a run: what it logged, and its files.

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { formatBytes, formatTime } from "../model/format";
import { getJson } from "../wire/request";
import type { LogRecord, RecordsAnswer } from "../wire/logs";
import type { RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { Copy } from "../widget/text";
import { useApp } from "./app";

const RECORDS_MOST = 2000;
const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"];

/// What the run logged with `log_info` and the like.
export function RecordsTab({ run }: { run: RunAnswer }): JSX.Element {
  const { session, scope } = useApp();
  const records = useSignal<readonly LogRecord[] | null>(null);
  const level = useSignal("");
  const total = run.log_records;
  useSignalEffect(() => {
    const query = `from=${Math.max(0, total - RECORDS_MOST)}&limit=${RECORDS_MOST}&level=${level.value}`;
    getJson<RecordsAnswer>(scope.here(`runs/${encodeURIComponent(run.hash)}/records?${query}`)).then(
      (answer) => (records.value = answer.records),
      session.report,
    );
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

function artifactPath(hash: string, name: string): string {
  return `runs/${encodeURIComponent(hash)}/artifacts/${name.split("/").map(encodeURIComponent).join("/")}`;
}

/// The run's files.
export function ArtifactsTab({ run }: { run: RunAnswer }): JSX.Element {
  const { scope } = useApp();
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
                <a class="pill" href={scope.here(artifactPath(run.hash, artifact.name))} download>
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
