/// Ctrl K: everything that can be done, every page, run and metric, found by typing.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { goTo } from "../model/address";
import { metricLabel, metricsOf, sequenceText } from "../model/fields";
import { commands } from "../model/keys";
import { tableOf, cellOf, type RunTable } from "../model/table";
import { sendJson } from "../wire/request";
import type { Field, RunsAnswer } from "../wire/types";
import { findChoices, type Choice } from "../widget/popover";
import { useApp } from "./app";

const SECTION_MOST = 8;
const FIELDS: readonly Field[] = [
  ["run", "name"],
  ["run", "status"],
  ["run", "experiment"],
];

interface Found extends Choice {
  readonly run: () => void;
}

export function Palette({ onClose }: { onClose: () => void }): JSX.Element {
  const { session, scope } = useApp();
  const box = useRef<HTMLDialogElement>(null);
  const text = useSignal("");
  const at = useSignal(0);
  const runs = useSignal<RunTable | null>(null);
  // Before the next key is pressed, so that none is lost.
  useLayoutEffect(() => box.current?.showModal(), []);
  useEffect(() => {
    sendJson<RunsAnswer>(scope.here("runs"), { query: "", fields: FIELDS, limit: 5000 }).then(
      (answer) => (runs.value = tableOf(answer, FIELDS)),
      session.report,
    );
  }, []);
  const actions: Found[] = commands.value.map((command) => ({
    value: "command " + command.label,
    label: command.label,
    detail: command.keys,
    section: "Actions",
    run: command.run,
  }));
  const runChoices: Found[] = (runs.value?.hashes ?? []).map((hash) => {
    const table = runs.value;
    const name = table ? cellOf(table, "run.name", hash) : null;
    return {
      value: hash,
      label: typeof name === "string" && name !== "" ? name : hash,
      detail: `${String(table ? (cellOf(table, "run.experiment", hash) ?? "") : "")} ${hash.slice(0, 8)}`,
      section: "Runs",
      run: () => goTo("run", hash),
    };
  });
  const metrics: Found[] = (scope.fields.value ? metricsOf(scope.fields.value) : []).map((metric) => ({
    value: "metric " + sequenceText(metric),
    label: metricLabel(metric),
    detail: "open the chart",
    section: "Metrics",
    run: () => goTo("metrics", "", { full: sequenceText(metric) }),
  }));
  const found = [actions, runChoices, metrics].flatMap((list) =>
    (findChoices(list, text.value) as readonly Found[]).slice(0, SECTION_MOST),
  );
  const go = (choice: Found | undefined): void => {
    if (!choice) return;
    box.current?.close();
    choice.run();
  };
  const key = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) at.value = (at.value + step + found.length) % Math.max(1, found.length);
    else if (event.key === "Enter") go(found[at.value]);
    else return;
    event.preventDefault();
    box.current?.querySelector(".hit.on")?.scrollIntoView({ block: "nearest" });
  };
  let section: string | undefined;
  return (
    <dialog
      ref={box}
      class="palette"
      aria-label="Command palette"
      onClose={onClose}
      onClick={(event) => event.target === box.current && box.current?.close()}
      onKeyDown={key}
    >
      <input
        class="ask"
        type="text"
        placeholder="Find an action, a run, a metric…"
        aria-label="Find an action, a run, a metric"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-found"
        spellcheck={false}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
      />
      <div class="found" id="palette-found" role="listbox" aria-label="Found" tabIndex={-1}>
        {found.map((choice, i) => {
          const isNew = choice.section !== section;
          section = choice.section;
          return (
            <div key={choice.value}>
              {isNew && <h5>{section}</h5>}
              <div
                class={i === at.value ? "hit on" : "hit"}
                role="option"
                aria-selected={i === at.value}
                onClick={() => go(choice)}
                onMouseMove={() => (at.value = i)}
              >
                <span>{choice.label}</span>
                {choice.section === "Actions" ? (
                  <span class="detail">
                    {choice.detail?.split(" ").map((part) => part && <kbd key={part}>{part}</kbd>)}
                  </span>
                ) : (
                  <span class="detail">{choice.detail}</span>
                )}
              </div>
            </div>
          );
        })}
        {found.length === 0 && <p class="nothing">Nothing has this name.</p>}
      </div>
    </dialog>
  );
}
