/// A tag that can be given a colour and a meaning, for all runs that have it.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { TAG_COLORS } from "../model/tags";
import { Icon } from "../widget/icon";
import { Popover } from "../widget/popover";
import { Tag } from "../widget/text";
import { useApp } from "./app";

/// The colour and the meaning of a tag; they count for all runs.
function TagForm({ name, close }: { name: string; close: () => void }): JSX.Element {
  const { tags } = useApp();
  const look = tags.look(name);
  const meaning = useSignal(look.description ?? "");
  const choose = (color: string | null): void => {
    void tags.describe(name, { color });
    close();
  };
  return (
    <form
      class="tag-form"
      onSubmit={(event) => {
        event.preventDefault();
        void tags.describe(name, { description: meaning.value.trim() || null });
        close();
      }}
    >
      <div class="tag-colors" role="group" aria-label={`Colour of ${name}`}>
        {Object.entries(TAG_COLORS).map(([word, color]) => (
          <button
            key={word}
            type="button"
            class={look.color === color ? "bare on" : "bare"}
            title={word}
            aria-label={word}
            aria-pressed={look.color === color}
            onClick={() => choose(color)}
          >
            <i style={{ background: color }} />
          </button>
        ))}
        <button
          type="button"
          class="bare"
          title="No colour of its own"
          aria-label="No colour of its own"
          onClick={() => choose(null)}
        >
          <Icon name="close" size={12} />
        </button>
      </div>
      <input
        class="field"
        placeholder="What it means"
        aria-label={`What ${name} means`}
        value={meaning.value}
        onInput={(event) => (meaning.value = event.currentTarget.value)}
      />
    </form>
  );
}

/// A tag of a run, with a button that removes it and a menu of colours where runs can be changed.
export function TagOfRun({ name, onRemove }: { name: string; onRemove: () => void }): JSX.Element {
  const { edits, tags } = useApp();
  if (!edits.canDelete()) return <Tag name={name} look={tags.look(name)} />;
  return (
    <span class="tag-place">
      <Popover
        button={<Tag name={name} look={tags.look(name)} />}
        label={`Colour of the tag ${name}`}
        buttonClass="bare"
      >
        {(close) => <TagForm name={name} close={close} />}
      </Popover>
      <button
        type="button"
        class="bare"
        title={`Remove tag ${name}`}
        aria-label={`Remove tag ${name}`}
        onClick={onRemove}
      >
        <Icon name="close" size={10} />
      </button>
    </span>
  );
}
