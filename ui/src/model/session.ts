/// What outlives every page: the server, the theme, the time of day, and messages at the foot of the window.

import { signal } from "@preact/signals";
import type { Theme } from "../chart/palette";
import { apiUrl, getJson, sendJson, WireError } from "../wire/request";
import type { ServerInfo } from "../wire/types";

const THEME_KEY = "aim.theme";
const TOAST_MS = 8000;
const CLOCK_MS = 20_000;

/// What the server is and has; null until it answered.
export const server = signal<ServerInfo | null>(null);

/// Why there is no server to show; null if there is one.
export const serverError = signal<WireError | null>(null);

/// Now, in Unix seconds; moves every 20 s, for "2 m ago".
export const now = signal(Date.now() / 1000);

/// Light or dark.
export const theme = signal<Theme>(
  typeof document !== "undefined" && document.documentElement.dataset.theme === "dark" ? "dark" : "light",
);

/// A message at the foot of the window, perhaps with one thing to do about it.
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: "plain" | "bad";
  readonly action?: { readonly label: string; readonly run: () => void };
}

/// The messages shown now, oldest first.
export const toasts = signal<readonly Toast[]>([]);

let nextToast = 1;

/// Shows a message for some seconds.
export function toast(text: string, action?: Toast["action"], tone: Toast["tone"] = "plain"): void {
  const id = nextToast++;
  toasts.value = [...toasts.value.slice(-2), { id, text, tone, action }];
  setTimeout(() => dropToast(id), TOAST_MS);
}

/// Takes a message away.
export function dropToast(id: number): void {
  toasts.value = toasts.value.filter((shown) => shown.id !== id);
}

/// Shows an error as a message. Aborted requests are nobody's concern.
export function report(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  toast(error instanceof Error ? error.message : String(error), undefined, "bad");
}

/// Asks the server what it is.
export async function connect(): Promise<void> {
  try {
    server.value = await getJson<ServerInfo>(apiUrl("info"));
    serverError.value = null;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    serverError.value = error;
  }
}

/// Gives the token of a server that asks for one.
export async function logIn(token: string): Promise<void> {
  await sendJson<object>(apiUrl("login"), { token });
  await connect();
}

/// Changes between light and dark, and remembers it.
export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem(THEME_KEY, theme.value);
}

/// Starts the clock.
export function startClock(): void {
  setInterval(() => (now.value = Date.now() / 1000), CLOCK_MS);
}
