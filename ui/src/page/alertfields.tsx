/// What the boxes of rules and channels have in common: fields with labels, and sending what was written.

import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { AlertLevel } from "../wire/alerting";

const LEVELS: readonly AlertLevel[] = ["info", "warning", "error"];

interface FieldProps {
  readonly label: string;
  readonly value: Signal<string>;
  readonly hint?: string;
  readonly isSecret?: boolean;
  readonly placeholder?: string;
  readonly isCode?: boolean;
}

/// A line of text.
export function Field({ label, value, hint, placeholder, isSecret = false, isCode = false }: FieldProps): JSX.Element {
  const hintId = useId();
  const shared = {
    "aria-label": label,
    "aria-describedby": hint ? hintId : undefined,
    class: isCode ? "field code" : "field",
    value: value.value,
    placeholder,
    spellcheck: false,
    onInput: (event: { readonly currentTarget: HTMLInputElement }): void =>
      void (value.value = event.currentTarget.value),
  };
  return (
    <label>
      <span>
        {label}
        {hint && (
          <small id={hintId} class="muted">
            {hint}
          </small>
        )}
      </span>
      {isSecret ? (
        <input type="password" autocomplete="new-password" {...shared} />
      ) : (
        <input type="text" autocomplete="off" {...shared} />
      )}
    </label>
  );
}

interface ChoiceFieldProps<Value extends string> {
  readonly label: string;
  readonly value: Signal<Value>;
  readonly choices: readonly (readonly [Value, string])[];
}

/// One of a few.
export function ChoiceField<Value extends string>({ label, value, choices }: ChoiceFieldProps<Value>): JSX.Element {
  return (
    <div class="choice">
      <span>{label}</span>
      <div class="segments" role="group" aria-label={label}>
        {choices.map(([name, words]) => (
          <button
            key={name}
            type="button"
            class={value.value === name ? "on" : ""}
            aria-pressed={value.value === name}
            onClick={() => (value.value = name)}
          >
            {words}
          </button>
        ))}
      </div>
    </div>
  );
}

/// The level of an alert, as a mark.
export function LevelMark({ level }: { level: AlertLevel }): JSX.Element {
  return <span class={`kind level-${level}`}>{level}</span>;
}

/// The level of an alert, to be chosen.
export function LevelField({ label, value }: { label: string; value: Signal<AlertLevel> }): JSX.Element {
  return <ChoiceField label={label} value={value} choices={LEVELS.map((level) => [level, level] as const)} />;
}

/// Sends what was written, once at a time; what the server says against it is in `error`. `done` is called after it.
export function useSending(done: () => void): {
  readonly error: Signal<string>;
  readonly isBusy: Signal<boolean>;
  readonly send: (work: () => Promise<void>) => Promise<void>;
} {
  const error = useSignal("");
  const isBusy = useSignal(false);
  const send = async (work: () => Promise<void>): Promise<void> => {
    if (isBusy.peek()) return;
    isBusy.value = true;
    error.value = "";
    try {
      await work();
      done();
    } catch (failure) {
      error.value = failure instanceof Error ? failure.message : String(failure);
    } finally {
      isBusy.value = false;
    }
  };
  return { error, isBusy, send };
}
