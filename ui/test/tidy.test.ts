/// The limits of the sources: floors, sizes, no `any`, nothing suppressed, a header in every file, permissive licences.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

declare const UI_ROOT: string;

const LINES_MOST = 400;
const FUNCTION_LINES_MOST = 80;
const COLUMNS_MOST = 120;
/// Words that say only that something was obtained, and how many identifiers of a thousand lines may be one of them.
const EMPTY_WORDS = /\b(found|places?|known|one|own|given|shown|there|wanted|kept|rest|told|about|facts|of)\b/g;
const EMPTY_WORDS_MOST = 3;
/// Whom a folder may import, besides itself.
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  chart: [],
  widget: [],
  model: ["wire", "chart"],
  solid: ["chart"],
  print: ["chart"],
  page: ["model", "wire", "chart", "widget", "solid", "print"],
  archive: ["wire", "solid"],
  cell: ["wire", "archive"],
  "": ["page", "model", "archive", "cell", "solid"],
};
/// OFL-1.1 is of fonts.
const LICENCES = new Set([
  "MIT",
  "OFL-1.1",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "BlueOak-1.0.0",
  "(MIT AND Zlib)",
]);
/// Used by the tests in a browser only, never shipped: MPL-2.0.
const TEST_ONLY = new Set(["axe-core"]);

interface Source {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
}

const SRC = join(UI_ROOT, "src");
const sources: Source[] = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({
    path: name.replace(/\\/g, "/"),
    folder: dirname(name) === "." ? "" : dirname(name),
    text: readFileSync(join(SRC, name), "utf8"),
  }));

const TEST = join(UI_ROOT, "test");
const tests = readdirSync(TEST)
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ path: `test/${name}`, text: readFileSync(join(TEST, name), "utf8") }));

test("imports go down the floors only", () => {
  const wrong: string[] = [];
  for (const { path, folder, text } of sources) {
    for (const [, target] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      const to = dirname(relative(SRC, join(SRC, folder, target)))
        .replace(/^\.$/, "")
        .split("/")[0];
      if (target.endsWith(".css") || to === folder || FLOORS[folder].includes(to)) continue;
      wrong.push(`${path} imports ${target}`);
    }
  }
  assert.deepEqual([], wrong);
});

test("no line is longer than 120 columns", () => {
  const long: string[] = [];
  const files = [...sources, ...tests];
  for (const { path, text } of files)
    text.split("\n").forEach((line, i) => line.length > COLUMNS_MOST && long.push(`${path}:${i + 1}`));
  assert.deepEqual([], long);
});

test("no function is longer than 80 lines", () => {
  const long: string[] = [];
  for (const { path, text } of sources) {
    let begin = -1;
    text.split("\n").forEach((line, i) => {
      if (/^(export )?(async )?function/.test(line)) begin = i;
      if (line !== "}" || begin < 0) return;
      if (i - begin + 1 > FUNCTION_LINES_MOST) long.push(`${path}:${begin + 1}`);
      begin = -1;
    });
  }
  assert.deepEqual([], long);
});

test("identifiers say what they hold", () => {
  const lines = sources.flatMap(({ text }) => text.split("\n"));
  const code = lines
    .filter((line) => !/^\s*\/\//.test(line))
    .map((line) => line.replace(/\/\/ .*$|"[^"]*"|`[^`]*`|>[^<>{}=()]*<|^[^<>{}=();:]*$/g, " "));
  const empty = code.flatMap((line) => line.match(EMPTY_WORDS) ?? []).filter((word) => word !== "of");
  assert.ok((1000 * empty.length) / lines.length <= EMPTY_WORDS_MOST, `${empty.join(" ")} in ${lines.length} lines`);
});

test("no file is longer than 400 lines", () => {
  assert.deepEqual(
    [],
    sources.filter(({ text }) => text.split("\n").length > LINES_MOST).map(({ path }) => path),
  );
});

test("every file says in its first line what it is about", () => {
  assert.deepEqual(
    [],
    sources.filter(({ text }) => !text.startsWith("/// ")).map(({ path }) => path),
  );
});

test("no type is `any`, and no error is suppressed", () => {
  const pattern =
    /:\s*any\b|<any>|\bas any\b|any\[\]|@ts-|eslint-disable|as unknown as|dangerouslySetInnerHTML|innerHTML|TODO/;
  assert.deepEqual(
    [],
    sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path),
  );
});

test("what is exported is documented", () => {
  const bare: string[] = [];
  for (const { path, text } of sources) {
    if (!/^(wire|chart|model)\//.test(path)) continue;
    const lines = text.split("\n");
    lines.forEach((line, i) => {
      if (/^export (async )?(function|class|const)/.test(line) && !lines[i - 1].startsWith("///"))
        bare.push(`${path}:${i + 1}`);
    });
  }
  assert.deepEqual([], bare);
});

test("licences of what is shipped are permissive, and the lock file names no host", () => {
  const lock = JSON.parse(readFileSync(join(UI_ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { license?: string; resolved?: string; optional?: boolean }>;
  };
  for (const [name, { license, resolved, optional }] of Object.entries(lock.packages)) {
    if (name === "") continue;
    assert.equal(undefined, resolved, name);
    // What is optional is not built in: what jsPDF would need for pages as pictures, and other machines' binaries.
    if (!optional && !TEST_ONLY.has(name.replace("node_modules/", "")))
      assert.ok(LICENCES.has(license ?? ""), `${name}: ${license}`);
  }
});

test("the page has its base as the server looks for it (src/aim/server/assets.py)", () => {
  assert.ok(readFileSync(join(SRC, "index.html"), "utf8").includes('<base href="./">'));
});
