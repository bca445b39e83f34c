/// The query box: a plain input until it is entered, then an editor with completion; its errors under the text.

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { here, matches, query, queryError, setQuery } from "../model/scope";
import { plural } from "../model/words";
import { sendJson } from "../wire/request";
import type { CompleteAnswer } from "../wire/types";
import type { QueryEditor, Span } from "../widget/editor";
import { Icon } from "../widget/icon";

const HINT = 'Filter runs, such as  run.hparams.lr <= 1e-3 and metric.name == "loss"';

/// UTF-16 place of a code point's index, as editors count.
export function utf16At(text: string, codePoint: number): number {
  return Array.from(text).slice(0, codePoint).join("").length;
}

/// Code point index of a UTF-16 place, as the wire counts.
export function codePointAt(text: string, utf16: number): number {
  return Array.from(text.slice(0, utf16)).length;
}

async function complete(
  text: string,
  at: number,
): Promise<{ from: number; to: number; items: CompleteAnswer["items"] } | null> {
  try {
    const answer = await sendJson<CompleteAnswer>(here("complete"), { query: text, at: codePointAt(text, at) });
    return { from: utf16At(text, answer.from), to: utf16At(text, answer.to), items: answer.items };
  } catch {
    return null; // completion is a help; without it the box still works
  }
}

export function QueryBox(): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLInputElement>(null);
  const editor = useRef<QueryEditor | null>(null);
  const isEditor = useSignal(false);
  const open = async (): Promise<void> => {
    if (editor.current) return;
    const { openEditor } = await import("../widget/editor");
    if (editor.current || !host.current) return;
    const text = plain.current?.value ?? query.peek();
    const hadFocus = document.activeElement === plain.current;
    const at = plain.current?.selectionStart ?? text.length;
    isEditor.value = true;
    editor.current = openEditor(host.current, text, HINT, {
      enter: (next) => setQuery(next),
      leave: (next) => next.trim() !== query.peek() && setQuery(next),
      escape: () => (document.activeElement as HTMLElement | null)?.blur(),
      complete,
    });
    showError();
    if (hadFocus) editor.current.focus(at);
    // What was typed while the editor was on its way deserves its completion too.
    if (hadFocus && text !== query.peek()) editor.current.suggest();
  };
  const showError = (): void => {
    const body = queryError.peek()?.body;
    const text = query.peek();
    const span: Span | null =
      body?.start === undefined || body.end === undefined
        ? null
        : { start: utf16At(text, body.start), end: utf16At(text, body.end) };
    editor.current?.setError(span);
  };
  useSignalEffect(() => {
    const text = query.value;
    editor.current?.setText(text);
    if (plain.current) plain.current.value = text;
  });
  useSignalEffect(() => {
    if (queryError.value) void open();
    showError();
  });
  useEffect(() => () => editor.current?.destroy(), []);
  const error = queryError.value;
  const counts = matches.value;
  const fix = (): void => {
    const body = error?.body;
    if (
      body?.suggestion === undefined ||
      body.suggestion === null ||
      body.start === undefined ||
      body.end === undefined
    )
      return;
    const chars = Array.from(query.peek());
    setQuery(chars.slice(0, body.start).join("") + body.suggestion + chars.slice(body.end).join(""));
  };
  return (
    <div class={error ? "query wrong" : "query"} role="search">
      <Icon name="search" size={14} />
      <div class="host" ref={host} onFocusIn={() => void open()}>
        {!isEditor.value && (
          <input
            ref={plain}
            class="plain"
            type="text"
            defaultValue={query.peek()}
            placeholder={HINT}
            aria-label="Query"
            spellcheck={false}
            autocomplete="off"
            onKeyDown={(event) => {
              if (event.key === "Enter") setQuery(event.currentTarget.value);
            }}
          />
        )}
      </div>
      {query.value !== "" && (
        <button
          type="button"
          class="bare"
          aria-label="Clear the query"
          title="Clear the query"
          onClick={() => setQuery("")}
        >
          <Icon name="close" size={12} />
        </button>
      )}
      {counts && !error && (
        <span class="count">
          {plural(counts.count, "run")} ·{" "}
          {counts.elapsed_ms < 10 ? counts.elapsed_ms.toFixed(1) : Math.round(counts.elapsed_ms)} ms
        </span>
      )}
      {error && (
        <div class="query-error" role="alert">
          <Icon name="warning" size={14} />
          <span>{error.message}</span>
          {error.body.suggestion && (
            <button type="button" class="pill" onClick={fix}>
              Use <b>{error.body.suggestion}</b>
            </button>
          )}
        </div>
      )}
    </div>
  );
}
