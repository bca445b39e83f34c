/// The guides of `docs/` as a module of the bundle, `docs:pages`: what the site's navigation names, without the pages
/// about formats, decisions and the Python API.
///
/// Lines of a paragraph are joined, pictures are left out, and links lead to other guides, or become their text.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";

const LEFT_OUT = /^(formats|decisions|api)\//;
const SECTION = /^ {2}- ([^:]+):\s*$/;
const ENTRY = /^\s+- (?:(.+): )?(\S+\.md)\s*$/;

/// The pages in the order of `mkdocs.yml`, with their sections.
function entries(site) {
  const result = [];
  let section = "";
  for (const line of site.slice(site.indexOf("\nnav:")).split("\n")) {
    const name = SECTION.exec(line)?.[1];
    if (name !== undefined) section = name;
    const [, title, path] = ENTRY.exec(line) ?? [];
    if (path === undefined || LEFT_OUT.test(path)) continue;
    if (/^ {2}- /.test(line)) section = "";
    result.push({ name: path.replace(/\.md$/, ""), title, section });
  }
  return result;
}

/// A paragraph or an item in one line; code and tables as they are.
function joined(text) {
  const result = [];
  let isCode = false;
  let isOpen = false;
  for (const line of text.split("\n")) {
    const isFence = /^\s*(```|~~~)/.test(line);
    if (isFence) isCode = !isCode;
    const isPlain = !isCode && !isFence && /^\s*[^\s#|>]/.test(line) && !/^\s*([-*+]|\d+[.)])\s/.test(line);
    if (isPlain && isOpen) result[result.length - 1] += ` ${line.trim()}`;
    else result.push(line);
    isOpen = !isCode && !isFence && !/^\s*($|#|\||>)/.test(line);
  }
  return result.join("\n");
}

/// Links between guides, as addresses of the page that shows them.
function linked(text, name, names) {
  const link = (whole, label, target) => {
    if (/^[a-z]+:/i.test(target)) return whole;
    const path = normalize(join(dirname(name), target.replace(/#.*$/, ""))).replace(/\.md$/, "");
    return names.has(path) ? `[${label}](docs?page=${path})` : label;
  };
  return text
    .replace(/<!--[\s\S]*?-->\n?/g, "")
    .replace(/!\[[^\]]*\]\([^)]*\)(\{[^}]*\})?/g, "")
    .replace(/\[([^\]]*)\]\(([^()\s]+)\)/g, link);
}

/// The plugin of esbuild; `isEmpty`: the module has no pages.
export function documentation(root, isEmpty) {
  const read = async () => {
    const file = join(root, "mkdocs.yml");
    if (isEmpty || !existsSync(file)) return [];
    const pages = entries(await readFile(file, "utf8"));
    const names = new Set(pages.map(({ name }) => name));
    return Promise.all(
      pages.map(async ({ name, title, section }) => {
        const text = linked(joined(await readFile(join(root, "docs", `${name}.md`), "utf8")), name, names);
        return { name, title: title ?? /^# (.*)$/m.exec(text)?.[1] ?? name, section, text };
      }),
    );
  };
  return {
    name: "documentation",
    setup(build) {
      build.onResolve({ filter: /^docs:pages$/ }, ({ path }) => ({ path, namespace: "documentation" }));
      build.onLoad({ filter: /.*/, namespace: "documentation" }, async () => ({
        contents: `export const PAGES = ${JSON.stringify(await read())};`,
        loader: "js",
      }));
    },
  };
}
