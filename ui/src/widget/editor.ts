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
import { EditorState, Prec, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
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

const TOKEN =
  /("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|(\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)|(\b(?:and|or|not|in|is|if|else|for|True|False|None)\b)|(\b(?:run|metric|images|texts|audios|figures|distributions|videos|tables)\b)|\.\s*([A-Za-z_]\w*)/g;
const CLASSES = ["", "q-string", "q-number", "q-word", "q-name", "q-name"];

function colours(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const text = view.state.doc.toString();
  for (const match of text.matchAll(TOKEN)) {
    const group = [1, 2, 3, 4, 5].find((i) => match[i] !== undefined) ?? 0;
    const end = match.index + match[0].length;
    if (group > 0) builder.add(end - match[group].length, end, Decoration.mark({ class: CLASSES[group] }));
  }
  return builder.finish();
}

const colouring = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = colours(view);
    }
    update(update: ViewUpdate): void {
      if (update.docChanged) this.decorations = colours(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

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

/// Puts an editor into `host`.
export function openEditor(host: HTMLElement, text: string, hint: string, events: EditorEvents): QueryEditor {
  const source = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const found = await events.complete(context.state.doc.toString(), context.pos);
    if (!found || found.items.length === 0) return null;
    return {
      from: found.from,
      to: found.to,
      filter: false,
      options: found.items.map(({ text: label, kind, detail }) => ({ label, detail, type: kind })),
    };
  };
  const enter = (view: EditorView): boolean => {
    events.enter(view.state.doc.toString());
    return true;
  };
  const view = new EditorView({
    parent: host,
    state: EditorState.create({
      doc: text,
      selection: { anchor: text.length },
      extensions: [
        history(),
        colouring,
        errorField,
        placeholder(hint),
        EditorView.contentAttributes.of({ "aria-label": "Query", spellcheck: "false" }),
        EditorState.transactionFilter.of((transaction) => (transaction.newDoc.lines > 1 ? [] : transaction)),
        autocompletion({
          override: [source],
          icons: false,
          activateOnTyping: true,
          defaultKeymap: false,
          closeOnBlur: true,
        }),
        Prec.high(keymap.of(completionKeymap.filter(({ key }) => key !== "Enter"))),
        keymap.of([
          { key: "Tab", run: (at) => acceptCompletion(at) || startCompletion(at) },
          { key: "Enter", run: enter },
          { key: "Escape", run: () => (events.escape(), true) },
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.domEventHandlers({
          blur: (_, at) => events.leave(at.state.doc.toString()),
          paste: (event, at) => {
            const pasted = event.clipboardData?.getData("text/plain") ?? "";
            if (!/[\r\n]/.test(pasted)) return false;
            at.dispatch(at.state.replaceSelection(pasted.replace(/\s*[\r\n]+\s*/g, " ").trim()));
            event.preventDefault();
            return true;
          },
        }),
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
      if (next !== view.state.doc.toString())
        view.dispatch({
          changes: { from: 0, to: view.state.doc.length, insert: next },
          selection: { anchor: next.length },
        });
    },
    setError: (span) => view.dispatch({ effects: setErrorSpan.of(span) }),
    destroy: () => view.destroy(),
  };
}
