/// A choice of a few words side by side, one of which is on.

import type { JSX } from "preact";

/// The words; `current` is the value of the one that is on.
export function Segments({
  label,
  options,
  current,
  onPick,
}: {
  label: string;
  options: readonly (readonly [string, string])[];
  current: string;
  onPick: (value: string) => void;
}): JSX.Element {
  return (
    <span class="segments" role="group" aria-label={label}>
      {options.map(([value, text]) => (
        <button
          key={value}
          type="button"
          class={value === current ? "on" : ""}
          aria-pressed={value === current}
          onClick={() => onPick(value)}
        >
          {text}
        </button>
      ))}
    </span>
  );
}
