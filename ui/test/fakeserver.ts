/// A server for tests: `fetch` answers from a table of paths, and remembers what was asked.

import { settled } from "./browser";

/// One request that was made.
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: { readonly [key: string]: unknown };
  readonly signal: AbortSignal | null;
}

type Answer = object | ArrayBuffer | Promise<object | ArrayBuffer>;
type Handler = (asked: Asked) => Answer;

/// An answer that is no success.
export class Refusal {
  constructor(
    readonly status: number,
    readonly body: object,
  ) {}
}

/// A server that answers at once, or when it is told to.
export class FakeServer {
  readonly asked: Asked[] = [];
  private readonly handlers: (readonly [string, Handler])[] = [];

  constructor() {
    globalThis.fetch = (url, init) => this.answer(String(url), init);
  }

  /// Answers requests whose path ends so, as `runs` or `edits`; the last one that was added counts.
  on(end: string, handler: Handler): void {
    this.handlers.unshift([end, handler]);
  }

  /// The requests whose path ends so.
  to(end: string): readonly Asked[] {
    return this.asked.filter(({ path }) => path.split("?")[0].endsWith(end));
  }

  private async answer(url: string, init: RequestInit = {}): Promise<Response> {
    const path = url.replace("http://localhost/api/", "");
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Asked["body"]) : {};
    const asked: Asked = { method: init.method ?? "GET", path, body, signal: init.signal ?? null };
    this.asked.push(asked);
    const handler = this.handlers.find(([end]) => path.split("?")[0].endsWith(end))?.[1];
    if (!handler) throw new Error(`No answer to ${path}`);
    await settled();
    if (asked.signal?.aborted) throw new DOMException("aborted", "AbortError");
    const answer = await handler(asked);
    if (asked.signal?.aborted) throw new DOMException("aborted", "AbortError");
    if (answer instanceof Refusal) return Response.json(answer.body, { status: answer.status });
    return answer instanceof ArrayBuffer ? new Response(answer) : Response.json(answer);
  }
}
