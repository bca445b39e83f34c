/// Why a run failed: its exception, and the last lines that it printed and logged.

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { change } from "../model/address";
import { exceptionMessage } from "../model/runsummary";
import { getJson } from "../wire/request";
import type { LogAnswer, LogRecord, RecordsAnswer } from "../wire/logs";
import type { RunAnswer } from "../wire/types";
import { AnsiLine } from "../widget/ansi";
import { Icon } from "../widget/icon";
import { useApp } from "./app";

const LAST_LINES = 14;
const LAST_RECORDS = 3;

/// The panel; nothing for a run that did not fail.
export function FailurePanel({ run }: { run: RunAnswer }): JSX.Element | null {
  const { session, scope } = useApp();
  const lines = useSignal<readonly string[]>([]);
  const records = useSignal<readonly LogRecord[]>([]);
  const address = `runs/${encodeURIComponent(run.hash)}`;
  useSignalEffect(() => {
    if (run.log_lines > 0)
      getJson<LogAnswer>(scope.here(`${address}/log?from=-${LAST_LINES}&limit=${LAST_LINES}`)).then(
        (answer) => (lines.value = answer.lines),
        session.report,
      );
    if (run.log_records > 0)
      getJson<RecordsAnswer>(
        scope.here(`${address}/records?from=${Math.max(0, run.log_records - 500)}&limit=500&level=ERROR`),
      ).then((answer) => (records.value = answer.records.slice(-LAST_RECORDS)), session.report);
  });
  if (run.status !== "failed" && run.status !== "lost") return null;
  const reason =
    run.status !== "lost"
      ? "It raised"
      : run.imported
        ? "Lost: its source has no end of this run"
        : "Lost: no end was recorded";
  const message = exceptionMessage(lines.value, run.error);
  return (
    <section class="panel failed-panel" aria-label="Why it failed">
      <h2>
        <Icon name="warning" size={14} />
        {reason} {run.error && <code>{run.error}</code>}
        {message !== null && <span class="message">{message}</span>}
        <span class="spacer" />
        {run.log_lines > 0 && (
          <button type="button" class="pill" onClick={() => change({ tab: "log" })}>
            Read the log
          </button>
        )}
      </h2>
      {records.value.map((record, i) => (
        <p key={i} class="record">
          <span class={`level ${record.level.toLowerCase()}`}>{record.level.toLowerCase()}</span> {record.message}{" "}
          <code class="muted">
            {record.args
              ? Object.entries(record.args)
                  .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
                  .join(" ")
              : ""}
          </code>
        </p>
      ))}
      {lines.value.length > 0 && (
        <pre class="last-lines" tabIndex={0} aria-label="The last lines that it printed">
          {lines.value.map((line, i) => (
            <div key={i}>
              <AnsiLine line={line} />
            </div>
          ))}
        </pre>
      )}
    </section>
  );
}
