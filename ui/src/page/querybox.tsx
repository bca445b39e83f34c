/// The query box: a plain input until it is entered, then an editor with completion; its errors under the text.

import { useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { JSX, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { plural } from "../model/words";
import { sendJson, type WireError } from "../wire/request";
import type { Scope } from "../model/scope";
import type { CompleteAnswer } from "../wire/types";
import type { QueryEditor, Span } from "../widget/editor";
import { Icon } from "../widget/icon";
import { useApp } from "./app";

const HINT = 'Search runs, or filter them:  run.hparams.lr <= 1e-3 and metric.name == "loss"';
const TYPING_PAUSE_MS = 200;

/// The UTF-16 offset of a code point's index, as editors count.
export function utf16At(text: string, codePoint: number): number {
  return Array.from(text).slice(0, codePoint).join("").length;
}

/// The code point's index of a UTF-16 offset, as the wire counts.
export function codePointAt(text: string, utf16: number): number {
  return Array.from(text.slice(0, utf16)).length;
}

async function complete(
  scope: Scope,
  text: string,
  at: number,
): Promise<{ from: number; to: number; items: CompleteAnswer["items"] } | null> {
  try {
    const answer = await sendJson<CompleteAnswer>(scope.question("complete"), {
      query: text,
      at: codePointAt(text, at),
    });
    return { from: utf16At(text, answer.from), to: utf16At(text, answer.to), items: answer.items };
  } catch {
    return null; // the box works without completion too
  }
}

interface Editor {
  readonly host: RefObject<HTMLDivElement | null>;
  /// The plain input that stands there until the box is entered.
  readonly plain: RefObject<HTMLInputElement | null>;
  readonly isEditor: ReadonlySignal<boolean>;
  readonly open: () => Promise<void>;
  /// The reader typed, in either of the two.
  readonly typed: (text: string) => void;
}

/// The editor of the box: fetched when the box is entered, or when there is an error to underline.
function useEditor(): Editor {
  const { scope, session } = useApp();
  const host = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLInputElement>(null);
  const editor = useRef<QueryEditor | null>(null);
  const isEditor = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const typedText = useRef("");
  const typed = (text: string): void => {
    typedText.current = text.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(
      () => void scope.searchWhileTyping(text.trim(), () => typedText.current === text.trim()),
      TYPING_PAUSE_MS,
    );
  };
  const open = async (): Promise<void> => {
    if (editor.current) return;
    const { openEditor } = await import("../widget/editor");
    if (editor.current || !host.current) return;
    const text = plain.current?.value ?? scope.query.peek();
    const hadFocus = document.activeElement === plain.current;
    const at = plain.current?.selectionStart ?? text.length;
    isEditor.value = true;
    const names = ["run", ...session.kinds.peek().all.flatMap(({ subject, aliases }) => [subject, ...aliases])];
    editor.current = openEditor(host.current, text, HINT, names, {
      enter: (next) => scope.setQuery(next),
      typed,
      leave: (next) => next.trim() !== scope.query.peek() && scope.setQuery(next),
      escape: () => (document.activeElement as HTMLElement | null)?.blur(),
      complete: (next, caret) => complete(scope, next, caret),
    });
    showError();
    if (hadFocus) editor.current.focus(at);
    // What was typed before the editor was there gets its completions too.
    if (hadFocus && text !== scope.query.peek()) editor.current.suggest();
  };
  const showError = (): void => {
    const body = scope.queryError.peek()?.body;
    const text = scope.query.peek();
    const span: Span | null =
      body?.start === undefined || body.end === undefined
        ? null
        : { start: utf16At(text, body.start), end: utf16At(text, body.end) };
    editor.current?.setError(span);
  };
  useSignalEffect(() => {
    const text = scope.query.value;
    editor.current?.setText(text);
    if (plain.current && plain.current.value.trim() !== text) plain.current.value = text;
  });
  useSignalEffect(() => {
    if (scope.queryError.value) void open();
    showError();
  });
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      editor.current?.destroy();
    },
    [],
  );
  return { host, plain, isEditor, open, typed };
}

/// The box.
export function QueryBox(): JSX.Element {
  const { scope } = useApp();
  const { host, plain, isEditor, open, typed } = useEditor();
  const error = scope.queryError.value;
  const counts = scope.matches.value;
  return (
    <div class={error ? "query wrong" : "query"} role="search">
      <Icon name="search" size={14} />
      <div class="host" ref={host} onFocusIn={() => void open()}>
        {!isEditor.value && (
          <input
            ref={plain}
            class="plain"
            type="text"
            defaultValue={scope.query.peek()}
            placeholder={HINT}
            aria-label="Query"
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => typed(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") scope.setQuery(event.currentTarget.value);
            }}
          />
        )}
      </div>
      <SearchChip />
      {scope.query.value !== "" && (
        <button
          type="button"
          class="bare"
          aria-label="Clear the query"
          title="Clear the query"
          onClick={() => scope.setQuery("")}
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
      {error && <QueryFault error={error} />}
    </div>
  );
}

/// Says that the text is words to look for, and turns it into a query.
function SearchChip(): JSX.Element | null {
  const { scope } = useApp();
  const search = scope.search.value;
  if (search === null) return null;
  return (
    <button
      type="button"
      class="pill search-chip"
      title={`These words are looked for in names, tags, notes, hashes and params. As a query: ${search}`}
      onClick={() => scope.setQuery(search)}
    >
      Search <b>as a query</b>
    </button>
  );
}

/// What is wrong with the query, and what to write instead.
function QueryFault({ error }: { error: WireError }): JSX.Element {
  const { scope } = useApp();
  const { suggestion, start, end } = error.body;
  const fix = (): void => {
    if (!suggestion || start === undefined || end === undefined) return;
    const chars = Array.from(scope.query.peek());
    scope.setQuery(chars.slice(0, start).join("") + suggestion + chars.slice(end).join(""));
  };
  // What completes the text opens under the error, not over it.
  const measured = (box: HTMLDivElement | null): void => {
    const query = box?.closest<HTMLElement>(".query");
    if (box && query) query.style.setProperty("--error-height", `${box.offsetHeight}px`);
  };
  return (
    <div class="query-error" role="alert" ref={measured}>
      <Icon name="warning" size={14} />
      <span>{error.message}</span>
      {suggestion && (
        <button type="button" class="pill" onClick={fix}>
          Use <b>{suggestion}</b>
        </button>
      )}
    </div>
  );
}
