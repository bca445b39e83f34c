/// A run's terminal output: live, with its colours, searched; only the lines on the screen exist.

import { useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { logStore } from "../model/log";
import type { LogInfo } from "../wire/types";
import { AnsiLine } from "../widget/ansi";
import { FindField } from "../widget/findfield";
import { useApp } from "./app";
import { useStore } from "./hooks";

const LINE_PX = 18;
const SPARE_LINES = 20;

/// The state of the view: which log, what is searched for in it, and what of it is on the screen.
function useLogView(hash: string, logs: readonly LogInfo[], total: ReadonlySignal<number>) {
  const { session, scope } = useApp();
  const which = useSignal(logs[0]?.id ?? "");
  const log = useStore(() => logStore(scope, hash, which, total));
  const box = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 600 });
  const isFollowing = useSignal(true);
  const text = useSignal("");
  const matches = useSignal<readonly number[]>([]);
  const at = useSignal(0);
  useLayoutEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(
      () => box.current && (view.value = { top: box.current.scrollTop, height: box.current.clientHeight }),
    );
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useSignalEffect(() => {
    if (!log.part.value || !isFollowing.value) return;
    requestAnimationFrame(() => box.current && (box.current.scrollTop = box.current.scrollHeight));
  });
  const scrolled = async (element: HTMLDivElement): Promise<void> => {
    view.value = { top: element.scrollTop, height: element.clientHeight };
    isFollowing.value = element.scrollTop + element.clientHeight > element.scrollHeight - LINE_PX;
    const from = log.part.peek()?.from ?? 0;
    if (element.scrollTop > LINE_PX * 10 || from === 0) return;
    await log.earlier();
    element.scrollTop += (from - (log.part.peek()?.from ?? 0)) * LINE_PX;
  };
  const go = async (index: number): Promise<void> => {
    const line = matches.peek()[index];
    if (line === undefined) return;
    at.value = index;
    isFollowing.value = false;
    await log.around(line);
    if (box.current)
      box.current.scrollTop = Math.max(
        0,
        (line - (log.part.peek()?.from ?? 0)) * LINE_PX - box.current.clientHeight / 2,
      );
  };
  const find = async (words: string): Promise<void> => {
    text.value = words;
    matches.value = [];
    if (words.trim() === "") return;
    try {
      const answer = await log.find(words);
      if (text.peek() !== words) return;
      matches.value = answer.matches;
      await go(answer.matches.length - 1);
    } catch (error) {
      session.report(error);
    }
  };
  const show = (id: string): void => {
    which.value = id;
    isFollowing.value = true;
    void find(text.peek());
  };
  /// Goes to the next match, or back to the one before.
  const goBy = (by: 1 | -1): void => {
    const count = Math.max(1, matches.peek().length);
    void go((at.peek() + by + count) % count);
  };
  return { log, which, box, view, isFollowing, text, matches, at, scrolled, find, show, goBy };
}

type LogState = ReturnType<typeof useLogView>;

/// The view of the logs of a run. `total`: how many lines the run has by now.
export function LogView({
  hash,
  logs,
  total,
}: {
  hash: string;
  logs: readonly LogInfo[];
  total: ReadonlySignal<number>;
}): JSX.Element {
  const state = useLogView(hash, logs, total);
  return (
    <div class="log">
      <LogToolbar logs={logs} state={state} />
      <Terminal state={state} />
    </div>
  );
}

function LogToolbar({ logs, state }: { logs: readonly LogInfo[]; state: LogState }): JSX.Element {
  const { log, which, isFollowing, text, matches, at, find, show, goBy } = state;
  return (
    <div class="toolbar">
      {logs.length > 1 && (
        <select
          class="pill"
          aria-label="Output of"
          value={which.value}
          onChange={(event) => show(event.currentTarget.value)}
        >
          {logs.map(({ id, label, lines }) => (
            <option key={id} value={id}>
              {label} ({lines.toLocaleString("en")})
            </option>
          ))}
        </select>
      )}
      <FindField
        label="Find in the log"
        setText={(text) => void find(text)}
        onKeyDown={(event) => event.key === "Enter" && goBy(event.shiftKey ? 1 : -1)}
      />
      {text.value !== "" && (
        <span class="muted">
          {matches.value.length === 0 ? "no match" : `${at.value + 1} of ${matches.value.length}`}
        </span>
      )}
      {matches.value.length > 1 && (
        <button type="button" class="pill" onClick={() => goBy(-1)}>
          Previous
        </button>
      )}
      {matches.value.length > 1 && (
        <button type="button" class="pill" onClick={() => goBy(1)}>
          Next
        </button>
      )}
      <span class="spacer" />
      <span class="muted">{(log.part.value?.total ?? 0).toLocaleString("en")} lines</span>
      <button
        type="button"
        class={isFollowing.value ? "pill on" : "pill"}
        aria-pressed={isFollowing.value}
        onClick={() => (isFollowing.value = !isFollowing.value)}
      >
        follow
      </button>
    </div>
  );
}

/// The lines on the screen, each at its height.
function Terminal({ state }: { state: LogState }): JSX.Element {
  const { log, box, view, text, matches, at, scrolled } = state;
  const part = log.part.value;
  const count = part?.lines.length ?? 0;
  const first = Math.max(0, Math.floor(view.value.top / LINE_PX) - SPARE_LINES);
  const last = Math.min(count, Math.ceil((view.value.top + view.value.height) / LINE_PX) + SPARE_LINES);
  const marked = new Set(matches.value);
  const classOf = (number: number): string => {
    if (!marked.has(number)) return "line";
    return matches.value[at.value] === number ? "line found now" : "line found";
  };
  return (
    <div
      class="terminal"
      ref={box}
      tabIndex={0}
      role="log"
      aria-label="Terminal output"
      onScroll={(event) => void scrolled(event.currentTarget)}
    >
      <div style={{ height: `${count * LINE_PX}px` }}>
        {part?.lines.slice(first, last).map((line, i) => {
          const number = part.from + first + i;
          return (
            <div key={number} class={classOf(number)} style={{ transform: `translateY(${(first + i) * LINE_PX}px)` }}>
              <span class="number">{number + 1}</span>
              <AnsiLine line={line} find={marked.has(number) ? text.value : ""} />
            </div>
          );
        })}
      </div>
    </div>
  );
}
