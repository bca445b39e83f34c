/// What outlives every page: the server, the theme, the time of day, and messages at the foot of the window.

import { computed, signal } from "@preact/signals";
import type { Theme } from "../chart/palette";
import { Kinds } from "./kinds";
import { apiUrl, getJson, sendJson, WireError } from "../wire/request";
import type { ServerInfo } from "../wire/types";

const THEME_KEY = "aim.theme";
const TOAST_MS = 8000;
const CLOCK_MS = 20_000;
const TOASTS_MOST = 3;

/// A message at the foot of the window, perhaps with one thing to do about it.
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: "plain" | "bad";
  readonly action?: { readonly label: string; readonly run: () => void };
}

function initialTheme(): Theme {
  return typeof document !== "undefined" && document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

/// One window's session. There is one, and everything on the pages shares it.
export class Session {
  /// What the server is and has; null until it answered.
  readonly server = signal<ServerInfo | null>(null);

  /// The kinds of objects that the server knows.
  readonly kinds = computed(() => new Kinds(this.server.value?.kinds ?? []));

  /// Why there is no server to show; null if there is one.
  readonly serverError = signal<WireError | null>(null);

  /// Now, in Unix seconds; moves every 20 s, for "2 m ago".
  readonly now = signal(Date.now() / 1000);

  /// Light or dark.
  readonly theme = signal<Theme>(initialTheme());

  /// The messages on the screen, oldest first.
  readonly toasts = signal<readonly Toast[]>([]);

  private nextToast = 1;

  /// Shows a message for some seconds. `before`: an earlier message, which it takes the place of. Returns its id.
  readonly toast = (text: string, action?: Toast["action"], tone: Toast["tone"] = "plain", before?: number): number => {
    const id = this.nextToast++;
    if (before !== undefined) this.dropToast(before);
    this.toasts.value = [...this.toasts.peek().slice(1 - TOASTS_MOST), { id, text, tone, action }];
    setTimeout(() => this.dropToast(id), TOAST_MS);
    return id;
  };

  /// Takes a message away.
  readonly dropToast = (id: number): void => {
    this.toasts.value = this.toasts.peek().filter((toast) => toast.id !== id);
  };

  /// Shows an error as a message. An aborted request is no error.
  readonly report = (error: unknown): void => {
    if (error instanceof DOMException && error.name === "AbortError") return;
    if (error instanceof WireError && error.status === 401 && this.server.peek()) void this.connect(); // signed out
    this.toast(error instanceof Error ? error.message : String(error), undefined, "bad");
  };

  /// Asks the server what it is.
  readonly connect = async (): Promise<void> => {
    try {
      this.server.value = await getJson<ServerInfo>(apiUrl("info"));
      this.serverError.value = null;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.serverError.value = error;
    }
  };

  /// Sends the token to a server that asks for one.
  readonly logIn = async (token: string): Promise<void> => {
    await sendJson<object>(apiUrl("login"), { token });
    await this.connect();
  };

  /// Signs out, and asks the server again who the reader is.
  readonly logOut = async (): Promise<void> => {
    await sendJson<object>(apiUrl("logout"), {});
    await this.connect();
  };

  /// Changes between light and dark, and remembers it.
  readonly toggleTheme = (): void => {
    this.theme.value = this.theme.peek() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = this.theme.peek();
    localStorage.setItem(THEME_KEY, this.theme.peek());
  };

  /// Starts the clock. Called once.
  readonly start = (): void => {
    setInterval(() => (this.now.value = Date.now() / 1000), CLOCK_MS);
  };
}
