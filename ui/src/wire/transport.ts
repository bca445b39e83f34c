/// How requests reach the answers: over HTTP, from the server that the page came from.
///
/// The one-file page is built with `archive/transport` in place of this module: the same names, and no network.

/// Where the app lives; it ends with a slash. Taken once: later addresses of pages must not move it.
export const BASE: string =
  typeof document === "undefined" ? "http://localhost/" : document.baseURI.replace(/[^/]*$/, "");

/// The absolute address of `path` in the interface.
export function apiUrl(path: string): string {
  return new URL("api/" + path, BASE).href;
}

/// Sends a request. Throws a `TypeError` when nothing answers.
export function send(url: string, init?: RequestInit): Promise<Response> {
  return fetch(url, init);
}
