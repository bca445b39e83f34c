/// A field that finds something in what is shown, with a glass before it.

import type { JSX } from "preact";
import { Icon } from "./icon";

/// The field. `label`: what it finds; `setText`: called with what stands in it at each key.
export function FindField({
  label,
  setText,
  onKeyDown,
  icon_px = 14,
}: {
  label: string;
  setText: (text: string) => void;
  onKeyDown?: (event: KeyboardEvent) => void;
  icon_px?: number;
}): JSX.Element {
  return (
    <span class="find">
      <Icon name="search" size={icon_px} />
      <input
        type="text"
        placeholder={label}
        aria-label={label}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
    </span>
  );
}
