/// The box in which a rule is written.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Alerting } from "../model/alerting";
import type { AlertLevel } from "../wire/alerting";
import { Dialog } from "../widget/dialog";
import { useApp } from "./app";
import { Field, LevelField, useSending } from "./alertfields";

const TIMES: readonly (readonly [number, string])[] = [
  [0, "at once"],
  [60, "after 1 minute"],
  [300, "after 5 minutes"],
  [900, "after 15 minutes"],
  [3600, "after 1 hour"],
  [21_600, "after 6 hours"],
];

export function RuleDialog({ alerting, onClose }: { alerting: Alerting; onClose: () => void }): JSX.Element {
  const { scope } = useApp();
  const query = useSignal(scope.expression.peek());
  const title = useSignal("");
  const for_s = useSignal(0);
  const level = useSignal<AlertLevel>("warning");
  const { error, isBusy, send } = useSending(onClose);
  return (
    <Dialog title="New rule" onClose={onClose}>
      <form
        class="body alert-form"
        onSubmit={(event) => {
          event.preventDefault();
          const draft = { query: query.peek(), title: title.peek(), for_s: for_s.peek(), level: level.peek() };
          void send(() => alerting.addRule(draft));
        }}
      >
        <Field
          label="Query"
          hint="of runs or of metrics; the rule rings once for each run that matches"
          value={query}
          isCode
          placeholder='metric.name == "loss" and metric.last > 10'
        />
        <Field label="Title" hint="what the message says; the query, when it is empty" value={title} />
        <label>
          <span>Rings</span>
          <select
            class="field"
            value={String(for_s.value)}
            onChange={(event) => (for_s.value = Number(event.currentTarget.value))}
          >
            {TIMES.map(([seconds, words]) => (
              <option key={seconds} value={String(seconds)}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <LevelField label="Level" value={level} />
        {error.value && (
          <p class="failure" role="alert">
            {error.value}
          </p>
        )}
        <footer>
          <button type="submit" class="pill strong" disabled={isBusy.value || query.value.trim() === ""}>
            Add the rule
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
