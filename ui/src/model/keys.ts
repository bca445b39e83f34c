/// The keyboard: what each key does on the page that is open. One table feeds the handler, the palette and the help.

import { signal } from "@preact/signals";

/// A command. `keys`: one key (`c`, `Ctrl+k`, `?`) or two in a row (`g r`); empty for the palette only.
export interface Command {
  readonly keys: string;
  readonly label: string;
  readonly section: string;
  readonly run: () => void;
}

/// All commands that work now; pages add theirs while they are open.
export const commands = signal<readonly Command[]>([]);

/// Adds commands until the returned function is called.
export function addCommands(added: readonly Command[]): () => void {
  commands.value = [...commands.peek(), ...added];
  return () => {
    commands.value = commands.peek().filter((command) => !added.includes(command));
  };
}

const IN_FRONT = new Set(["Charts", "Media"]);
const PAIR_MS = 1200;
let first: { readonly key: string; readonly at_ms: number } | null = null;

/// The name of the pressed key: `Ctrl+k` for Ctrl or ⌘.
export function keyName(event: KeyboardEvent): string {
  return (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (event.key.length === 1 ? event.key : event.key);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "range", "button"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/// Runs the command of a pressed key, if there is one; the last added wins.
export function handleKey(event: KeyboardEvent): void {
  const name = keyName(event);
  if (event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target) && !name.startsWith("Ctrl+")) return;
  const isPair = first !== null && event.timeStamp - first.at_ms < PAIR_MS;
  const pair = isPair && first ? `${first.key} ${name}` : "";
  const find = (keys: string): Command | undefined =>
    [...commands.peek()].reverse().find((command) => command.keys === keys);
  const command = (pair && find(pair)) || find(name);
  first = null;
  // A box over the page holds the keyboard: Escape closes it, and only what it shows can be changed from there.
  if (document.querySelector("dialog[open]") && !IN_FRONT.has(command?.section ?? "")) return;
  if (command) {
    // A text field keeps its own Ctrl+Z.
    if (isTyping(event.target) && name !== "Ctrl+k") return;
    event.preventDefault();
    command.run();
  } else if (name.length === 1 && commands.peek().some((other) => other.keys.startsWith(name + " "))) {
    first = { key: name, at_ms: event.timeStamp };
  }
}
