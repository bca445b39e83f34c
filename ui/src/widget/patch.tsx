/// A unified diff, with its lines coloured by what they do.

import type { JSX } from "preact";

/// What a line of a unified diff is.
export function patchKind(line: string): "file" | "place" | "new" | "old" | "same" {
  if (/^(diff |index |--- |\+\+\+ |new file|deleted file|similarity|rename )/.test(line)) return "file";
  if (line.startsWith("@@")) return "place";
  return line.startsWith("+") ? "new" : line.startsWith("-") ? "old" : "same";
}

/// How many lines a diff adds and removes.
export function patchCounts(text: string): { readonly added: number; readonly removed: number } {
  const kinds = text.split("\n").map(patchKind);
  return {
    added: kinds.filter((kind) => kind === "new").length,
    removed: kinds.filter((kind) => kind === "old").length,
  };
}

export function Patch({ text, label }: { text: string; label: string }): JSX.Element {
  return (
    <pre class="patch" tabIndex={0} aria-label={label}>
      {text
        .replace(/\n$/, "")
        .split("\n")
        .map((line, i) => (
          <div key={i} class={patchKind(line)}>
            {line || " "}
          </div>
        ))}
    </pre>
  );
}
