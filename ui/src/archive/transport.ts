/// How requests reach the answers in a page in one file: they never leave it.
///
/// Pages are told apart by what follows `#`, since a file has one address.

import { FileAnswers } from "./answers";
import { blockBytes } from "./blocks";
import { exactText, parseJson } from "../wire/json";

const SCHEME = "file-answer:";
const MEDIUM = /^repos\/[^/]+\/(?:blobs|thumbs)\/([^?]+)(\?.*)?$/;
const MISSING =
  "data:image/svg+xml," +
  encodeURIComponent(
    "<svg xmlns='http://www.w3.org/2000/svg' width='160' height='60'>" +
      "<rect width='160' height='60' fill='#8882'/>" +
      "<text x='80' y='34' font-size='11' text-anchor='middle' fill='#888' font-family='sans-serif'>" +
      "not in this file</text></svg>",
  );

/// Where the pages live: this file, up to the `#`.
export const BASE: string = typeof document === "undefined" ? "file:///x#" : location.href.replace(/#.*$/s, "") + "#";

let opened: FileAnswers | null = null;
const urls = new Map<string, string>();
const contents = new Map<string, Uint8Array<ArrayBuffer>>();

/// Reads the archive of this document. Called once, before the pages start.
export async function openFile(): Promise<FileAnswers> {
  opened = await FileAnswers.open();
  return opened;
}

/// The address of an object's bytes, or of a part of them; of one that had no room, a picture that says so.
function mediumUrl(blob: string, search: string): string {
  const part = new URLSearchParams(search).get("part");
  const name = part === null ? blob : `${blob}?part=${part}`;
  const medium = opened?.answers.media[name];
  if (!medium) return MISSING;
  let url = urls.get(name);
  if (url === undefined) {
    const bytes = blockBytes(medium.id);
    url = URL.createObjectURL(new Blob([bytes], { type: medium.type }));
    urls.set(name, url);
    contents.set(url, bytes);
  }
  return url;
}

/// The address of `path` in the interface.
export function apiUrl(path: string): string {
  const medium = MEDIUM.exec(path);
  return medium ? mediumUrl(decodeURIComponent(medium[1]), medium[2] ?? "") : SCHEME + path;
}

/// Answers a request from the archive.
export async function send(url: string, init?: RequestInit): Promise<Response> {
  init?.signal?.throwIfAborted();
  const content = contents.get(url);
  if (content) return new Response(content);
  if (!opened) throw new TypeError("The file is not read yet.");
  const body: unknown = typeof init?.body === "string" ? parseJson(init.body) : null;
  const answer = opened.answer(init?.method ?? "GET", url.slice(SCHEME.length), body);
  if ("bytes" in answer) return new Response(answer.bytes);
  return new Response(exactText(answer.json), { status: answer.status ?? 200 });
}
