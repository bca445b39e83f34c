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

/// The notes of a run, and the field to change them.
export function Notes({ run }: { run: RunAnswer }): JSX.Element | null {
  const { edits } = useApp();
  const isOpen = useSignal(false);
  const text = useSignal("");
  if (isOpen.value) {
    return (
      <section class="panel">
        <h2>
          Notes <span class="muted">Markdown</span>
        </h2>
        <textarea
          class="field"
          rows={10}
          aria-label="Notes"
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <div class="toolbar">
          <button
            type="button"
            class="pill strong"
            onClick={() =>
              void edits
                .edit([run.hash], { notes: text.value || null }, "Wrote notes of")
                .then((isDone) => isDone && (isOpen.value = false))
            }
          >
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
    text.value = run.notes ?? "";
    isOpen.value = true;
  };
  if (!run.notes)
    return edits.canEdit() ? (
      <button type="button" class="pill add" onClick={open}>
        <Icon name="note" size={14} />
        Add notes
      </button>
    ) : null;
  return (
    <section class="panel">
      <h2>
        Notes{" "}
        {edits.canEdit() && (
          <button type="button" class="bare" aria-label="Change the notes" onClick={open}>
            <Icon name="pencil" size={13} />
          </button>
        )}
      </h2>
      <Markdown text={run.notes} />
    </section>
  );
}
