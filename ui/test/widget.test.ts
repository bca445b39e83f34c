/// Text widgets: terminal colours, Markdown that cannot become markup, searched choices.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { VNode } from "preact";
import { parseAnsi } from "../src/widget/ansi";
import { Markdown, safeUrl } from "../src/widget/markdown";
import { patchCounts, patchKind } from "../src/widget/patch";
import { findChoices } from "../src/widget/popover";
import { leafText } from "../src/widget/tree";
import { codePointAt, utf16At } from "../src/page/querybox";
import { parseChartBlock } from "../src/model/chartblock";
import { hidesRuns, withoutClause } from "../src/page/scopenotice";
import { WireError } from "../src/wire/request";

const ESC = "\u001b[";

/// A tree of elements as text: `p(a strong(b))`.
function outline(node: unknown): string {
  if (node === null || node === undefined || typeof node === "boolean") return "";
  if (Array.isArray(node)) return node.map(outline).join("");
  if (typeof node !== "object") return String(node);
  const { type, props } = node as VNode<{ children?: unknown; href?: string }>;
  const inner = outline(props.children);
  return typeof type === "string" ? `${type}${props.href ? `[${props.href}]` : ""}(${inner})` : inner;
}

function markdown(text: string): string {
  return outline(Markdown({ text })).replace(/^div\((.*)\)$/s, "$1");
}

test("colours last until they are changed", () => {
  const stretches = parseAnsi(`a${ESC}31mred ${ESC}1mbold${ESC}0m plain`);
  assert.deepEqual(
    ["a", "red ", "bold", " plain"],
    stretches.map(({ text }) => text),
  );
  assert.deepEqual(
    [null, "var(--ansi-1)", "var(--ansi-1)", null],
    stretches.map(({ color }) => color),
  );
  assert.equal("bold", stretches[2].classes);
});

test("256 colours, true colours and grounds are understood", () => {
  const [a, b, c] = parseAnsi(`${ESC}38;5;196ma${ESC}38;2;1;2;3mb${ESC}0;44mc`);
  assert.deepEqual(["rgb(255,0,0)", "rgb(1,2,3)", null], [a.color, b.color, c.color]);
  assert.equal("var(--ansi-4)", c.ground);
});

test("other escapes are dropped", () => {
  assert.deepEqual(
    ["ab"],
    [
      parseAnsi(`a${ESC}2K${ESC}1;1H\u001b]0;title\u0007b`)
        .map(({ text }) => text)
        .join(""),
    ],
  );
});

test("Markdown has its usual blocks and marks", () => {
  assert.equal("h1(Why)", markdown("# Why"));
  assert.equal("p(a strong(b) em(c) code(d) del(e))", markdown("a **b** *c* `d` ~~e~~"));
  assert.equal("ul(li(one)li(twoul(li(deep))))", markdown("- one\n- two\n  - deep"));
  assert.equal("blockquote(p(said))", markdown("> said"));
  assert.equal("div(pre(code(x < y)))", markdown("```\nx < y\n```"));
  assert.equal("table(thead(tr(th(a)th(b)))tbody(tr(td(1)td(2))))", markdown("| a | b |\n|---|--:|\n| 1 | 2 |"));
});

test("a list goes on over empty lines, and another kind of list is another list", () => {
  assert.equal("ol(li(one)li(two))", markdown("1. one\n\n2. two"));
  assert.equal("ul(li(a))ol(li(one))", markdown("- a\n1. one"));
  assert.equal("ul(li(ap(more))li(b))p(after)", markdown("- a\n\n  more\n- b\n\nafter"));
  assert.equal(3, (Markdown({ text: "3. three" }).props.children as VNode<{ start: number }>[])[0].props.start);
});

test("markup in Markdown stays text, and scripts are no links", () => {
  assert.equal("p(<script>alert(1)</script>)", markdown("<script>alert(1)</script>"));
  assert.equal("p(span(x))", markdown("[x](javascript:alert%281%29)"));
  assert.equal("p(a[https://x.org/a_b](y))", markdown("[y](https://x.org/a_b)"));
  for (const url of ["javascript:x", " java\nscript:x", "data:text/html,x", "vbscript:x", "//evil.org"])
    assert.equal(null, safeUrl(url), url);
  assert.equal("run/abc", safeUrl("run/abc"));
});

test("a picture from elsewhere is a link, not a request", () => {
  assert.equal("p(a[https://x.org/p.png](plot))", markdown("![plot](https://x.org/p.png)"));
});

test("Markdown ends for texts without an end", () => {
  for (const text of ["```", "> ", "- ", "|", "| a |\n|-|", "#", "**", "[", "\n\n\n", "  x"])
    assert.equal("string", typeof markdown(text));
});

test("choices have all the typed words; those that begin with them are first", () => {
  const choices = ["train loss", "loss", "accuracy"].map((label) => ({ value: label, label }));
  assert.deepEqual(
    ["loss", "train loss"],
    findChoices(choices, "loss").map(({ label }) => label),
  );
  assert.deepEqual(
    ["train loss"],
    findChoices(choices, "loss tr").map(({ label }) => label),
  );
});

test("leaves are written as Python writes them", () => {
  assert.deepEqual(["None", "True", "3", "nan", "[1,2]"], [null, true, 3, { $float: "nan" }, [1, 2]].map(leafText));
});

test("places in a query count code points on the wire", () => {
  const text = 'run.x == "😀" and run';
  assert.equal(text.length, utf16At(text, Array.from(text).length));
  assert.equal(Array.from(text).length, codePointAt(text, text.length));
  assert.equal(12, utf16At(text, 11));
});

test("a dropped clause takes its `and` along", () => {
  assert.equal("b > 1", withoutClause("a > 1 and b > 1", 0, 5));
  assert.equal("a > 1", withoutClause("a > 1 and b > 1", 10, 15));
  assert.equal("a and c", withoutClause("a and b and c", 6, 7));
  assert.equal("", withoutClause("a", 0, 1));
});

test("a chart block names a metric and a query", () => {
  assert.deepEqual(
    { metric: "loss", query: "run.lr > 1", title: "" },
    parseChartBlock("metric: loss\nquery: run.lr > 1"),
  );
  assert.deepEqual("run.a == 1", parseChartBlock("metric: loss\npage: metrics?q=run.a+==+1").query);
});

test("lines of a diff are known by what they do", () => {
  const diff = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n+more\n";
  assert.deepEqual(
    ["file", "file", "file", "place", "same", "old", "new", "new", "same"],
    diff.split("\n").map(patchKind),
  );
  assert.deepEqual({ added: 2, removed: 1 }, patchCounts(diff));
});

test("runs that are here stay while server or repository are away; any other error takes their place", () => {
  const away = new WireError({ kind: "offline", message: "no answer" }, 0);
  const moved = new WireError({ kind: "not-found", message: "gone" }, 404);
  const damaged = new WireError({ kind: "internal", message: "damaged" }, 500);
  const typo = new WireError({ kind: "query", message: "typo" }, 400);

  assert.deepEqual(
    [hidesRuns(away, 3), hidesRuns(away, 0), hidesRuns(damaged, 3), hidesRuns(typo, 0), hidesRuns(null, 0)],
    [false, true, true, false, false],
  );
  assert.deepEqual([false, true], [hidesRuns(moved, 3), hidesRuns(moved, 0)]);
});
