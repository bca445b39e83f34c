/// All keys and gestures that work on the page that is open.

import type { JSX } from "preact";
import { commands } from "../model/keys";
import { Dialog } from "../widget/dialog";

type Entry = readonly [label: string, keys: string];

const GESTURES: readonly Entry[] = [
  ["Zoom in x", "drag"],
  ["Zoom in a box", "Shift drag"],
  ["Measure", "Alt drag"],
  ["Show all", "double click"],
  ["Zoom at the pointer", "Ctrl wheel"],
  ["Keep the values on the screen, to open a run from there", "click"],
];

const LIST_KEYS: readonly Entry[] = [
  ["Next, previous run", "j k"],
  ["Select", "x"],
  ["Pin", "p"],
  ["Baseline", "b"],
  ["Hide", "h"],
  ["Open", "Enter"],
];

/// The help.
export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  const sections = new Map<string, readonly Entry[]>();
  for (const { label, keys, section } of commands.value)
    if (keys) sections.set(section, [...(sections.get(section) ?? []), [label, keys]]);
  sections.set("In a list of runs", LIST_KEYS);
  sections.set("On a chart", GESTURES);
  return (
    <Dialog title="Keyboard" isWide={false} onClose={onClose}>
      <div class="keys">
        {[...sections].map(([name, entries]) => (
          <div key={name}>
            <h3>{name}</h3>
            {entries.map(([label, keys]) => (
              <div key={label}>
                <span>{label}</span>
                <span>
                  {keys.split(" ").map((part) => (
                    <kbd key={part}>{part}</kbd>
                  ))}
                </span>
              </div>
            ))}
          </div>
        ))}
      </div>
    </Dialog>
  );
}
