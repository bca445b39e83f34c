/// Small pieces of text: a state with its shape, a tag, a coloured swatch, a name that can be copied.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icon";

const STATE_WORDS: Readonly<Record<string, string>> = {
  running: "running",
  finished: "done",
  failed: "failed",
  lost: "lost",
};

interface StateProps {
  readonly status: string;
  readonly error?: string | null;
  /// What a disk has refused of the run, in words.
  readonly losses?: string | null;
}

/// A run's state: a shape of its own, a colour, and the word; and a sign where values are lost.
export function State({ status, error, losses }: StateProps): JSX.Element {
  const reason = error ?? (status === "lost" ? "no end was recorded" : null);
  const said = reason ? `${status}: ${reason}` : status;
  return (
    <span class={`state ${status}`} title={losses ? `${said}. ${losses}` : said}>
      <i aria-hidden="true" />
      {STATE_WORDS[status] ?? status}
      {losses && (
        <span class="hint bad" role="img" aria-label={losses}>
          <Icon name="warning" size={12} />
        </span>
      )}
    </span>
  );
}

/// A run's colour.
export function Swatch({ color, dash }: { color: string; dash?: readonly number[] }): JSX.Element {
  if (dash) {
    return (
      <svg class="stroke" width="18" height="10" aria-hidden="true">
        <path d="M1 5h16" stroke={color} stroke-width="2" stroke-dasharray={dash.join(" ")} />
      </svg>
    );
  }
  return <i class="swatch" style={{ background: color }} aria-hidden="true" />;
}

/// One tag, in the hue of its name, or in the colour that it was given, as light or dark as the theme needs.
export function Tag({
  name,
  look,
}: {
  name: string;
  look: { readonly hue: number; readonly color: string | null; readonly description: string | null };
}): JSX.Element {
  return (
    <span
      class={look.color === null ? "tag" : "tag colored"}
      style={look.color === null ? { "--hue": String(look.hue) } : { "--color": look.color }}
      title={look.description ?? undefined}
    >
      {name}
    </span>
  );
}

/// A button that copies a text and says so.
export function Copy({ text, label }: { text: string; label: string }): JSX.Element {
  const [isDone, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1400);
  };
  return (
    <button type="button" class="bare copy" title={label} aria-label={label} onClick={() => void copy()}>
      <Icon name={isDone ? "check" : "copy"} size={14} />
    </button>
  );
}

/// Saves text or bytes as a file.
export function saveFile(name: string, content: Blob | string, type = "text/plain"): void {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
