/// Ctrl K: every action, run and metric, by typing a part of its name.

import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { commands } from "../model/keys";
import { actionChoices, metricChoices, runChoices, type PaletteChoice } from "../model/palettechoices";
import { tableOf, type RunTable } from "../model/table";
import { sendJson } from "../wire/request";
import type { Field, RunsAnswer } from "../wire/types";
import { findChoices } from "../widget/popover";
import { useApp } from "./app";

const SECTION_MOST = 8;
const FIELDS: readonly Field[] = [
  ["run", "name"],
  ["run", "status"],
  ["run", "experiment"],
];

/// The palette, over the page.
export function Palette({ onClose }: { onClose: () => void }): JSX.Element {
  const { session, scope } = useApp();
  const box = useRef<HTMLDialogElement>(null);
  const text = useSignal("");
  const at = useSignal(0);
  const runs = useSignal<RunTable | null>(null);
  // Before the next key is pressed, so that none is lost.
  useLayoutEffect(() => box.current?.showModal(), []);
  useEffect(() => {
    sendJson<RunsAnswer>(scope.question("runs"), { query: "", fields: FIELDS, limit: 5000 }).then(
      (answer) => (runs.value = tableOf(answer, FIELDS)),
      session.report,
    );
  }, []);
  const lists = [actionChoices(commands.value), runChoices(runs.value), metricChoices(scope.fields.value)];
  const matching = lists.flatMap((list) =>
    (findChoices(list, text.value) as readonly PaletteChoice[]).slice(0, SECTION_MOST),
  );
  const go = (choice: PaletteChoice | undefined): void => {
    if (!choice) return;
    box.current?.close();
    choice.run();
  };
  const key = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) at.value = (at.value + step + matching.length) % Math.max(1, matching.length);
    else if (event.key === "Enter") go(matching[at.value]);
    else return;
    event.preventDefault();
    box.current?.querySelector(".hit.on")?.scrollIntoView({ block: "nearest" });
  };
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
      <PaletteList choices={matching} at={at} onPick={go} />
    </dialog>
  );
}

interface PaletteListProps {
  readonly choices: readonly PaletteChoice[];
  readonly at: Signal<number>;
  readonly onPick: (choice: PaletteChoice) => void;
}

function PaletteList({ choices, at, onPick }: PaletteListProps): JSX.Element {
  let section: string | undefined;
  return (
    <div class="found" id="palette-found" role="listbox" aria-label="Found" tabIndex={-1}>
      {choices.map((choice, i) => {
        const isNew = choice.section !== section;
        section = choice.section;
        return (
          <div key={choice.value}>
            {isNew && <h5>{section}</h5>}
            <div
              class={i === at.value ? "hit on" : "hit"}
              role="option"
              aria-selected={i === at.value}
              onClick={() => onPick(choice)}
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
      {choices.length === 0 && <p class="nothing">No match.</p>}
    </div>
  );
}
