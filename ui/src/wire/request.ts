/// Requests to the server: addresses, JSON, frames, and errors as one class.
///
/// All addresses are resolved against the base that the page was loaded with, so that the app lives under any path.

import { exactText, parseJson } from "./json";
import { apiUrl, send } from "./transport";
import type { WireErrorBody } from "./types";

export { apiUrl, BASE } from "./transport";

/// The server refused a request, or could not be reached (kind `offline`).
export class WireError extends Error {
  constructor(
    readonly body: WireErrorBody,
    readonly status: number,
  ) {
    super(body.message);
  }
  get kind(): string {
    return this.body.kind;
  }
}

/// The absolute address of `path` in one repository.
export function repoUrl(repo: string, path: string): string {
  return apiUrl(`repos/${encodeURIComponent(repo)}/${path}`);
}

async function failure(response: Response): Promise<WireError> {
  const fallback: WireErrorBody = { kind: "internal", message: `The server answered ${response.status}.` };
  const body = await response.json().then(
    (json: WireErrorBody) => json,
    () => fallback,
  );
  return new WireError(typeof body.message === "string" ? body : fallback, response.status);
}

/// Fetches `url`; throws `WireError` unless the answer is good. An abort passes through as it is.
export async function request(url: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await send(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    const message = "The server does not answer. Is `aim up` still running?";
    throw new WireError({ kind: "offline", message }, 0);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

/// GET, as JSON of the shape `T` that docs/formats/wire.md promises.
export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return parseJson(await (await request(url, { signal })).text()) as T;
}

function jsonInit(method: string, body: unknown, signal?: AbortSignal): RequestInit {
  return { method, body: exactText(body), headers: { "Content-Type": "application/json" }, signal };
}

/// POST or PUT of a JSON body, answered by JSON of the shape `T`.
export async function sendJson<T>(url: string, body: unknown, signal?: AbortSignal, method = "POST"): Promise<T> {
  return parseJson(await (await request(url, jsonInit(method, body, signal))).text()) as T;
}

/// POST of a JSON body, answered by bytes.
export async function sendForBytes(url: string, body: unknown, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await request(url, jsonInit("POST", body, signal))).arrayBuffer();
}
