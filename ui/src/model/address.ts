/// The page and all its settings live in the address bar, readable:
/// `metrics?q=run.hparams.lr<=1e-3&color=hparams.model`.
///
/// Defaults are left out. Settings of the scope (which repository, which query) stay when the page changes.

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { BASE } from "../wire/request";

/// A page's name (`run`), what it is about (`3df7…`), and its settings.
export interface Address {
  readonly page: string;
  readonly subject: string;
  readonly params: ReadonlyMap<string, string>;
}

const SHARED = ["repo", "q", "color"];

/// A part of an address as text; a part that is no escaped text stays as it is.
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/// Parses the part of an address after the base.
export function parseAddress(text: string): Address {
  const [path, search = ""] = text.split(/\?(.*)/s);
  const [page, ...segments] = path.split("/");
  const params = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) params.set(name, value);
  return { page, subject: unescaped(segments.join("/")), params };
}

function escapeValue(text: string): string {
  return text.replace(/[%&+#\u0000-\u001f]/g, encodeURIComponent).replace(/ /g, "+");
}

/// The text of an address, without the base; escapes only what would not come back.
export function formatAddress({ page, subject, params }: Address): string {
  const search = [...params]
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${escapeValue(value)}`);
  const path = subject === "" ? page : `${page}/${subject.split("/").map(encodeURIComponent).join("/")}`;
  return search.length === 0 ? path : `${path}?${search.join("&")}`;
}

function current(): Address {
  if (typeof location === "undefined") return parseAddress("");
  return parseAddress(location.href.slice(BASE.length).replace(/#.*$/, ""));
}

/// The address of the page that is open.
export const address = signal<Address>(current());

if (typeof window !== "undefined") window.addEventListener("popstate", () => (address.value = current()));

function show(next: Address, replace: boolean): void {
  const text = formatAddress(next);
  if (text === formatAddress(address.peek())) return;
  history[replace ? "replaceState" : "pushState"](null, "", BASE + text);
  address.value = next;
}

/// Settings for another page: those of the scope, and `changes`.
export function carried(changes: Readonly<Record<string, string>> = {}): Map<string, string> {
  const params = new Map<string, string>();
  for (const name of SHARED) {
    const value = address.value.params.get(name);
    if (value) params.set(name, value);
  }
  for (const [name, value] of Object.entries(changes)) params.set(name, value);
  return params;
}

/// The address of a page as a link's target.
export function pageUrl(page: string, subject = "", changes: Readonly<Record<string, string>> = {}): string {
  return BASE + formatAddress({ page, subject, params: carried(changes) });
}

/// Goes to a page.
export function goTo(page: string, subject = "", changes: Readonly<Record<string, string>> = {}): void {
  show({ page, subject, params: carried(changes) }, false);
}

/// Goes to an address as text, such as a saved view's.
export function goToText(text: string): void {
  show(parseAddress(text), false);
}

/// Changes settings of this page. `replace`: without a step in the history, for sliders and the like.
export function change(changes: Readonly<Record<string, string | null>>, replace = false): void {
  const { page, subject, params } = address.peek();
  const next = new Map(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  show({ page, subject, params: next }, replace);
}

/// One setting of the page as a signal; `fallback` when the address does not have it.
export function setting(name: string, fallback = ""): ReadonlySignal<string> {
  return computed(() => address.value.params.get(name) ?? fallback);
}

/// One setting that is a list, separated by commas.
export function listSetting(name: string): ReadonlySignal<readonly string[]> {
  const text = setting(name);
  return computed(() => (text.value === "" ? [] : text.value.split(",")));
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/// What to say when the link of a view was copied from a page on `hostname`: a loopback address is this machine only.
export function shareText(hostname: string): string {
  if (!LOOPBACK.test(hostname)) return "Link copied. It shows exactly this.";
  return "Link copied. It works on this machine only: for others, start `aim up --host 0.0.0.0`.";
}
