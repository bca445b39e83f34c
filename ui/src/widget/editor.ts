/// The query box's editor: colours, completion and the underlined error. Loaded when the box is first entered.

import {
  acceptCompletion,
  autocompletion,
  completionKeymap,
  startCompletion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import {
  EditorState,
  Prec,
  RangeSetBuilder,
  StateEffect,
  StateField,
  Transaction,
  type Extension,
} from "@codemirror/state";
import {
  Decoration,
  EditorView,
  keymap,
  placeholder,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from "@codemirror/view";

/// Where a query is wrong, in UTF-16 units.
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Suggestion {
  readonly text: string;
  readonly kind: string;
  readonly detail: string;
}

export interface EditorEvents {
  readonly enter: (text: string) => void;
  readonly leave: (text: string) => void;
  /// The reader typed.
  readonly typed: (text: string) => void;
  readonly escape: () => void;
  /// What could stand at `at`, and from where on it stands; null: nothing.
  readonly complete: (
    text: string,
    at: number,
  ) => Promise<{ readonly from: number; readonly to: number; readonly items: readonly Suggestion[] } | null>;
}

/// The editor as its owner sees it.
export interface QueryEditor {
  readonly focus: (at?: number) => void;
  /// Offers what could stand at the caret.
  readonly suggest: () => void;
  readonly setText: (text: string) => void;
  readonly setError: (span: Span | null) => void;
  readonly destroy: () => void;
}

const STRING = String.raw`"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?`;
const NUMBER = String.raw`\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b`;
const WORD = String.raw`\b(?:and|or|not|in|is|if|else|for|True|False|None)\b`;
const CLASSES = ["", "q-string", "q-number", "q-word", "q-name", "q-name"];

/// What is coloured in a query; `names`: the variables that it can use.
function tokenPattern(names: readonly string[]): RegExp {
  const name = String.raw`\b(?:${names.join("|")})\b`;
  return new RegExp(
    [STRING, NUMBER, WORD, name].map((part) => `(${part})`).join("|") + String.raw`|\.\s*([A-Za-z_]\w*)`,
    "g",
  );
}

function colours(view: EditorView, pattern: RegExp): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const text = view.state.doc.toString();
  for (const match of text.matchAll(pattern)) {
    const group = [1, 2, 3, 4, 5].find((i) => match[i] !== undefined) ?? 0;
    const end = match.index + match[0].length;
    if (group > 0) builder.add(end - match[group].length, end, Decoration.mark({ class: CLASSES[group] }));
  }
  return builder.finish();
}

/// Colours the words of a query as it is written.
function colouring(pattern: RegExp): Extension {
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = colours(view, pattern);
      }
      update(update: ViewUpdate): void {
        if (update.docChanged) this.decorations = colours(update.view, pattern);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}

const setErrorSpan = StateEffect.define<Span | null>();
const errorField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects) {
      if (!effect.is(setErrorSpan)) continue;
      const size = transaction.state.doc.length;
      const span = effect.value;
      const start = span ? Math.min(span.start, Math.max(0, size - 1)) : 0;
      const end = span ? Math.min(size, Math.max(span.end, start + 1)) : 0;
      next = end > start ? Decoration.set([Decoration.mark({ class: "q-error" }).range(start, end)]) : Decoration.none;
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/// Asks the owner for completions.
function completionSource(events: EditorEvents): (context: CompletionContext) => Promise<CompletionResult | null> {
  return async (context) => {
    const answer = await events.complete(context.state.doc.toString(), context.pos);
    if (!answer || answer.items.length === 0) return null;
    const options = answer.items.map(({ text: label, kind, detail }) => ({ label, detail, type: kind }));
    return { from: answer.from, to: answer.to, filter: false, options };
  };
}

/// Keeps the query in one line, and tells the owner when it is entered or left.
function behaviour(events: EditorEvents): Extension {
  const enter = (view: EditorView): boolean => {
    events.enter(view.state.doc.toString());
    return true;
  };
  const escape = (): boolean => {
    events.escape();
    return true;
  };
  return [
    EditorView.updateListener.of(({ docChanged, transactions, state }) => {
      if (docChanged && transactions.some((transaction) => transaction.annotation(Transaction.userEvent)))
        events.typed(state.doc.toString());
    }),
    EditorState.transactionFilter.of((transaction) => (transaction.newDoc.lines > 1 ? [] : transaction)),
    Prec.high(keymap.of(completionKeymap.filter(({ key }) => key !== "Enter"))),
    keymap.of([
      { key: "Tab", run: (view) => acceptCompletion(view) || startCompletion(view) },
      { key: "Enter", run: enter },
      { key: "Escape", run: escape },
      ...historyKeymap,
      ...defaultKeymap,
    ]),
    EditorView.domEventHandlers({
      blur: (_, view) => events.leave(view.state.doc.toString()),
      paste: (event, view) => {
        const pasted = event.clipboardData?.getData("text/plain") ?? "";
        if (!/[\r\n]/.test(pasted)) return false;
        view.dispatch(view.state.replaceSelection(pasted.replace(/\s*[\r\n]+\s*/g, " ").trim()));
        event.preventDefault();
        return true;
      },
    }),
  ];
}

/// Puts an editor into `host`. `names`: the variables that a query can use.
export function openEditor(
  host: HTMLElement,
  text: string,
  hint: string,
  names: readonly string[],
  events: EditorEvents,
): QueryEditor {
  const view = new EditorView({
    parent: host,
    state: EditorState.create({
      doc: text,
      selection: { anchor: text.length },
      extensions: [
        history(),
        colouring(tokenPattern(names)),
        errorField,
        placeholder(hint),
        EditorView.contentAttributes.of({ "aria-label": "Query", spellcheck: "false" }),
        autocompletion({
          override: [completionSource(events)],
          icons: false,
          activateOnTyping: true,
          defaultKeymap: false,
          closeOnBlur: true,
        }),
        behaviour(events),
      ],
    }),
  });
  return {
    focus: (at) => {
      if (at !== undefined) view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } });
      view.focus();
    },
    suggest: () => void startCompletion(view),
    setText: (next) => {
      // a space at the end is being typed
      if (next !== view.state.doc.toString().trim())
        view.dispatch({
          changes: { from: 0, to: view.state.doc.length, insert: next },
          selection: { anchor: next.length },
        });
    },
    setError: (span) => view.dispatch({ effects: setErrorSpan.of(span) }),
    destroy: () => view.destroy(),
  };
}
