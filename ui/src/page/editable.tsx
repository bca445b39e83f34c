/// Texts of a run that can be changed where they stand: its name, its description, its notes.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { Markdown } from "../widget/markdown";
import { useApp } from "./app";

/// A text that becomes a field when it is pressed.
export function Editable({
  value,
  label,
  placeholder,
  onSave,
}: {
  value: string;
  label: string;
  placeholder: string;
  onSave: (next: string) => void;
}): JSX.Element {
  const { edits } = useApp();
  const isOpen = useSignal(false);
  if (!edits.canEdit()) return <span>{value || ""}</span>;
  if (!isOpen.value) {
    return (
      <button
        type="button"
        class={value ? "editable" : "editable none"}
        title={`Change the ${label}`}
        onClick={() => (isOpen.value = true)}
      >
        {value || placeholder}
        <Icon name="pencil" size={12} />
      </button>
    );
  }
  const save = (next: string): void => {
    if (!isOpen.peek()) return; // a field that is taken away loses the focus, which is no second change
    isOpen.value = false;
    if (next !== value) onSave(next);
  };
  return (
    <input
      class="field inline"
      defaultValue={value}
      aria-label={label}
      ref={(input) => input?.focus()}
      onBlur={(event) => save(event.currentTarget.value.trim())}
      onKeyDown={(event) => {
        if (event.key === "Enter") save(event.currentTarget.value.trim());
        if (event.key === "Escape") {
          event.stopPropagation();
          isOpen.value = false;
        }
      }}
    />
  );
}

/// What is written about a run in Markdown: its title, and what a message says when it was changed.
const TEXTS = {
  description: { title: "Description", label: "the description", add: "Add a description", done: "Described" },
  notes: { title: "Notes", label: "the notes", add: "Add notes", done: "Wrote notes of" },
} as const;

/// The description of a run or its notes, and the field to change it.
export function RunText({ run, field }: { run: RunAnswer; field: keyof typeof TEXTS }): JSX.Element | null {
  const { edits } = useApp();
  const isOpen = useSignal(false);
  const text = useSignal("");
  const { title, label, add, done } = TEXTS[field];
  const stored = run[field];
  const save = (): void =>
    void edits
      .edit([run.hash], { [field]: text.value || null }, done)
      .then((isDone) => isDone && (isOpen.value = false));
  if (isOpen.value) {
    return (
      <section class="panel">
        <h2>
          {title} <span class="muted">Markdown</span>
        </h2>
        <textarea
          class="field"
          rows={10}
          aria-label={title}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <div class="toolbar">
          <button type="button" class="pill strong" onClick={save}>
            Save
          </button>
          <button type="button" class="pill" onClick={() => (isOpen.value = false)}>
            Cancel
          </button>
        </div>
      </section>
    );
  }
  const open = (): void => {
    text.value = stored ?? "";
    isOpen.value = true;
  };
  if (!stored)
    return edits.canEdit() ? (
      <button type="button" class="pill add" onClick={open}>
        <Icon name="note" size={14} />
        {add}
      </button>
    ) : null;
  return (
    <section class="panel">
      <h2>
        {title}{" "}
        {edits.canEdit() && (
          <button type="button" class="bare" aria-label={`Change ${label}`} onClick={open}>
            <Icon name="pencil" size={13} />
          </button>
        )}
      </h2>
      <Markdown text={stored} />
    </section>
  );
}
