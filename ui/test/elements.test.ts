/// Text widgets in detail: Markdown and terminal output as people write them, trees of params, views that are zoomed.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { VNode } from "preact";
import { randomSource } from "../src/model/importance";
import { parseAnsi } from "../src/widget/ansi";
import { inline, Markdown, safeUrl } from "../src/widget/markdown";
import { patchCounts, patchKind } from "../src/widget/patch";
import { leafText, type TreeValue } from "../src/widget/tree";
import { zoomedView } from "../src/page/lightbox";
import { inTabOrder, rendererOf } from "../src/page/renderers";
import { codePointAt, utf16At } from "../src/page/querybox";
import { withoutClause } from "../src/page/scopenotice";

function outline(node: unknown): string {
  if (node === null || node === undefined || typeof node === "boolean") return "";
  if (Array.isArray(node)) return node.map(outline).join("");
  if (typeof node !== "object") return String(node);
  const { type, props } = node as VNode<{ children?: unknown; href?: string; start?: number }>;
  const inner = outline(props.children);
  if (typeof type !== "string") return inner;
  const more = props.href ? `[${props.href}]` : props.start ? `[${props.start}]` : "";
  return `${type}${more}(${inner})`;
}

const markdown = (text: string): string => outline(Markdown({ text })).replace(/^div\((.*)\)$/s, "$1");

const BLOCKS: readonly (readonly [string, string])[] = [
  ["", ""],
  ["a\nb", "p(a\nb)"],
  ["a\n\nb", "p(a)p(b)"],
  ["# A\n###### F #", "h1(A)h5(F)"],
  ["#no heading", "p(#no heading)"],
  ["---\n***", "hr()hr()"],
  ["> a\n> > b", "blockquote(p(a)blockquote(p(b)))"],
  ["- a\n- b", "ul(li(a)li(b))"],
  ["3. a\n4. b", "ol[3](li(a)li(b))"],
  ["- a\n  - b\n- c", "ul(li(aul(li(b)))li(c))"],
  ["- a\n\n1. b", "ul(li(a))ol[1](li(b))"],
  ["- [ ] todo\n- [x] done", "ul(li(input()todo)li(input()done))"],
  ["```py\na = 1\n# b\n```\nafter", "div(pre(code(a = 1\n# b)))p(after)"],
  ["~~~\nopen", "div(pre(code(open)))"],
  ["|a|b|\n|-|:-:|\n|1|2|", "table(thead(tr(th(a)th(b)))tbody(tr(td(1)td(2))))"],
  ["a | b", "p(a | b)"],
];

test("blocks of Markdown are elements", () => {
  for (const [text, expected] of BLOCKS) assert.equal(expected, markdown(text), JSON.stringify(text));
});

const INLINES: readonly (readonly [string, string])[] = [
  ["**b** *i* `c` ~~s~~", "strong(b) em(i) code(c) del(s)"],
  ["__b__ and _i_", "strong(b) and em(i)"],
  ["snake_case_name stays", "snake_case_name stays"],
  ["2 * 3 * 4", "2 * 3 * 4"],
  ["**a *b* c**", "strong(a em(b) c)"],
  ["`` a ` b ``", "code(a ` b)"],
  ["[text](https://x.org/a_(b))", "a[https://x.org/a_(b)](text)"],
  ["see https://x.org/a, then", "see a[https://x.org/a,](https://x.org/a,) then"],
  ["![picture](https://x.org/a.png)", "a[https://x.org/a.png](picture)"],
  ["[page](runs?q=run.active)", "a[runs?q=run.active](page)"],
  ["[bad](javascript:alert(1))", "span(bad)"],
  ["<b>no markup</b>", "<b>no markup</b>"],
];

test("marks within a line are elements, and markup is text", () => {
  for (const [text, expected] of INLINES) assert.equal(expected, inline(text).map(outline).join(""), text);
});

test("a fence can be drawn by its owner", () => {
  const drawn = Markdown({
    text: "```chart\nmetric: loss\n```\n```py\nx\n```",
    fence: (language) => (language === "chart" ? ({ type: "svg", props: {} } as VNode) : null),
  });
  assert.equal("div(div(svg())div(pre(code(x))))", outline(drawn));
});

test("Markdown of any text ends, and no words become markup", () => {
  const random = randomSource(21);
  const pieces = [
    "Q",
    " ",
    "\n",
    "\n\n",
    "- ",
    "1. ",
    "> ",
    "# ",
    "```",
    "|",
    "*",
    "_",
    "`",
    "[",
    "](",
    ")",
    "<i>",
    "    ",
  ];
  for (let i = 0; i < 300; i++) {
    const text = Array.from({ length: 40 }, () => pieces[Math.floor(random() * pieces.length)]).join("");
    assert.ok(!markdown(text).includes("xyz("), text);
  }
});

test("only addresses that run nothing are links", () => {
  for (const url of [
    "javascript:x",
    "JavaScript:x",
    "java\nscript:x",
    " javascript:x",
    "data:text/html,x",
    "vbscript:x",
    "//evil.org",
    "file:///etc",
  ])
    assert.equal(null, safeUrl(url), url);
  for (const url of ["https://x.org", "http://x.org", "mailto:a@b.c", "runs?q=1", "#top", "a/b:c"])
    assert.equal(url, safeUrl(url));
});

const ESC = "\u001b[";
const looks = (text: string): readonly string[] =>
  parseAnsi(text).map(({ text: words, classes, color, ground }) =>
    [words, classes, color, ground].filter(Boolean).join("|"),
  );

test("colours of a terminal in all their forms", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["plain", ["plain"]],
    [`${ESC}91mbright`, ["bright|var(--ansi-9)"]],
    [`${ESC}42mgreen`, ["green|var(--ansi-2)"]],
    [`${ESC}103mbright ground`, ["bright ground|var(--ansi-11)"]],
    [`${ESC}38;5;196mcube`, ["cube|rgb(255,0,0)"]],
    [`${ESC}38;5;244mgrey`, ["grey|rgb(128,128,128)"]],
    [`${ESC}38;2;1;2;3mtrue`, ["true|rgb(1,2,3)"]],
    [`${ESC}48;5;21mground`, ["ground|rgb(0,0,255)"]],
    [`${ESC}1;3;4mall`, ["all|bold italic under"]],
    [`${ESC}1mb${ESC}22mn`, ["b|bold", "n"]],
    [`${ESC}31;7minverse`, ["inverse|var(--panel)|var(--ansi-1)"]],
    [`${ESC}31ma${ESC}39mb`, ["a|var(--ansi-1)", "b"]],
    [`${ESC}2Kcleared${ESC}1A`, ["cleared"]],
    ["\u001b]8;;https://x\u0007link\u001b]8;;\u0007", ["link"]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(expected, looks(text), JSON.stringify(text));
});

test("leaves of params are written as Python writes them", () => {
  const cases: readonly (readonly [TreeValue, string])[] = [
    [null, "None"],
    [true, "True"],
    [false, "False"],
    [0.1, "0.1"],
    ["text", "text"],
    [[1, "a"], '[1,"a"]'],
    [{}, "{}"],
    [{ $float: "NaN" }, "NaN"],
    [{ $float: "Infinity" }, "Infinity"],
    [{ $bytes: "AAAA" }, "bytes (3)"],
    [{ $object: { type: "x" } }, "object"],
    [{ $other: 1 }, '{"$other":1}'],
  ];
  for (const [value, text] of cases) assert.equal(text, leafText(value));
});

test("lines of a diff are told apart", () => {
  const diff = "diff --git a/x b/x\nindex 1..2\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n+more\n same";
  assert.deepEqual({ added: 2, removed: 1 }, patchCounts(diff));
  assert.deepEqual(
    ["file", "file", "file", "file", "place", "old", "new", "new", "same"],
    diff.split("\n").map(patchKind),
  );
});

test("a picture is zoomed at the pointer, which stays on the same spot", () => {
  const whole = { scale: 1, x: 0, y: 0 };
  const closer = zoomedView(whole, 50, -20, -300);
  assert.ok(Math.abs(closer.scale - Math.E) < 1e-9);
  assert.ok(Math.abs((50 - closer.x) / closer.scale - 50) < 1e-9, "the spot under the pointer");
  assert.ok(Math.abs((-20 - closer.y) / closer.scale + 20) < 1e-9);
  assert.deepEqual(whole, zoomedView(closer, 50, -20, 3000), "never smaller than the whole");
  assert.equal(40, zoomedView(closer, 0, 0, -1e6).scale);
});

test("tabs of kinds have an order; a kind without a renderer comes last, and is drawn as what it holds", () => {
  assert.deepEqual(["images", "audios", "texts", "meshes"], inTabOrder(["meshes", "texts", "audios", "images"]));
  assert.equal("file", rendererOf("meshes").icon);
  assert.equal("text", rendererOf("texts").page);
  assert.notEqual(undefined, rendererOf("distributions").whole);
  assert.equal(true, rendererOf("images").hasOverlays);
});

test("offsets of the wire count code points, those of the editor UTF-16 units", () => {
  const text = 'run.name == "🙂é"';
  for (let i = 0; i <= Array.from(text).length; i++) assert.equal(i, codePointAt(text, utf16At(text, i)));
  assert.equal(text.length, utf16At(text, 99));
});

test("a clause is dropped from a query with the `and` beside it", () => {
  const dropped = (text: string, clause: string): string => {
    const start = text.indexOf(clause);
    return withoutClause(text, start, start + clause.length);
  };
  assert.equal("b and c", dropped("a and b and c", "a"));
  assert.equal("a and c", dropped("a and b and c", "b"));
  assert.equal("a and b", dropped("a and b and c", "c"));
  assert.equal("", dropped("a", "a"));
  assert.equal("brand == 1", dropped("x and brand == 1", "x"));
});
