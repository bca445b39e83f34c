/// How requests reach the answers in a cell of a notebook: as messages to the kernel, which asks the app of the server
/// in its own process. No port is opened, and no network is used.
///
///     this page, in a frame   --postMessage-->   the widget   --comm-->   the kernel
///
/// Pages are told apart by what follows `#`, since a frame has one address.

const SCHEME = "kernel:";
const MEDIA = "img[src^='kernel:'], audio[src^='kernel:'], video[src^='kernel:'], source[src^='kernel:']";

/// Where the pages live: this frame, up to the `#`.
export const BASE: string =
  typeof document === "undefined" ? "about:srcdoc#" : location.href.replace(/#.*$/s, "") + "#";

/// A message of the kernel: what answers a request, or a tick, which answers none.
interface KernelMessage {
  readonly aim: string;
  readonly id?: number;
  readonly status?: number;
  readonly type?: string;
  readonly bytes?: ArrayBuffer;
  readonly tick?: unknown;
}

const CELL = typeof crypto === "undefined" ? "" : String(crypto.getRandomValues(new Uint32Array(2)).join("-"));
const waiting = new Map<number, (answer: KernelMessage) => void>();
const listeners = new Set<(tick: unknown) => void>();
const urls = new Map<string, string>();
let last = 0;

/// Begins to listen to the kernel, and to show media whose bytes come from it.
export function openCell(): void {
  addEventListener("message", ({ data, source }: MessageEvent<KernelMessage>) => {
    if (source !== parent || (data?.aim !== CELL && data?.aim !== "all")) return;
    if (data.id === undefined) listeners.forEach((listen) => listen(data.tick));
    else waiting.get(data.id)?.(data);
  });
  new MutationObserver(() =>
    document.querySelectorAll<HTMLImageElement>(MEDIA).forEach((medium) => void show(medium)),
  ).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["src"] });
}

/// Puts the bytes of a medium in place of its address.
async function show(medium: HTMLImageElement): Promise<void> {
  const address = medium.getAttribute("src") ?? "";
  let url = urls.get(address);
  if (url === undefined) {
    const answer = await send(address);
    url = answer.ok ? URL.createObjectURL(await answer.blob()) : "data:,";
    urls.set(address, url);
  }
  if (medium.getAttribute("src") === address) medium.src = url;
}

/// The address of `path` in the interface.
export function apiUrl(path: string): string {
  return SCHEME + path;
}

/// Sends a request to the kernel. Throws when it was given up.
export function send(url: string, init?: RequestInit): Promise<Response> {
  const signal = init?.signal;
  signal?.throwIfAborted();
  const id = ++last;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      waiting.delete(id);
      reject(signal?.reason instanceof Error ? signal.reason : new DOMException("aborted", "AbortError"));
    };
    signal?.addEventListener("abort", giveUp, { once: true });
    waiting.set(id, ({ status = 500, type = "application/json", bytes }) => {
      waiting.delete(id);
      signal?.removeEventListener("abort", giveUp);
      const hasBody = status !== 204 && status !== 304;
      resolve(new Response(hasBody ? bytes : null, { status, headers: { "content-type": type } }));
    });
    const body = typeof init?.body === "string" ? init.body : "";
    parent.postMessage({ aim: CELL, id, method: init?.method ?? "GET", path: url.slice(SCHEME.length), body }, "*");
  });
}

/// Calls `listen` with each tick that the kernel tells of, until the returned function is called.
export function onTick(listen: (tick: unknown) => void): () => void {
  listeners.add(listen);
  return () => listeners.delete(listen);
}
