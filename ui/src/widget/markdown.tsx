/// Markdown as elements. Nothing becomes HTML by itself: text stays text, so there is nothing to sanitise.
///
/// Headings, paragraphs, lists (nested, with boxes), quotes, tables, fenced code, rules; bold, italic, struck, code,
/// links. Links go to http(s), mailto or pages of this app; pictures from elsewhere are shown as links, as no request
/// leaves the machine.

import type { ComponentChildren, JSX } from "preact";

/// Draws fenced blocks of a language by itself, such as `chart`; null leaves them code.
export type Fence = (language: string, text: string) => JSX.Element | null;

const LINK = String.raw`!?\[([^\]]*)\]\(([^()\s]*(?:\([^()\s]*\))?[^()\s]*)\)`;
const INLINE = new RegExp(
  [
    "(`+)(.+?)\\1",
    String.raw`\*\*(.+?)\*\*`,
    "__(.+?)__",
    "~~(.+?)~~",
    String.raw`\*([^*\s](?:.*?[^*\s])?)\*`,
    String.raw`\b_([^_\s](?:.*?[^_\s])?)_\b`,
    LINK,
    String.raw`(https?:\/\/[^\s<>()]+)`,
  ].join("|"),
);

/// A link's target if it is a safe one, else null.
export function safeUrl(url: string): string | null {
  const plain = url.replace(/[\u0000-\u0020]/g, "");
  if (/^(https?:|mailto:)/i.test(plain)) return plain;
  return /^[a-z][a-z0-9+.-]*:/i.test(plain) || plain.startsWith("//") ? null : plain;
}

function link(url: string, label: ComponentChildren, key: number): JSX.Element {
  const safe = safeUrl(url);
  if (safe === null) return <span key={key}>{label}</span>;
  const isOutside = /^[a-z]+:/i.test(safe);
  return (
    <a
      key={key}
      href={safe}
      target={isOutside ? "_blank" : undefined}
      rel={isOutside ? "noopener noreferrer" : undefined}
    >
      {label}
    </a>
  );
}

/// The marks inside one line.
export function inline(text: string): ComponentChildren[] {
  const result: ComponentChildren[] = [];
  let rest = text;
  let key = 0;
  for (;;) {
    const match = INLINE.exec(rest);
    if (!match) break;
    if (match.index > 0) result.push(rest.slice(0, match.index));
    const [whole, , code, bold, bold2, struck, italic, italic2, label, target, bare] = match;
    key++;
    if (code !== undefined) result.push(<code key={key}>{code.trim()}</code>);
    else if (bold ?? bold2) result.push(<strong key={key}>{inline(bold ?? bold2)}</strong>);
    else if (struck) result.push(<del key={key}>{inline(struck)}</del>);
    else if (italic ?? italic2) result.push(<em key={key}>{inline(italic ?? italic2)}</em>);
    else if (bare) result.push(link(bare, bare, key));
    else result.push(link(target, label === "" ? target : inline(label), key));
    rest = rest.slice(match.index + whole.length);
  }
  if (rest !== "") result.push(rest);
  return result;
}

const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/;

function heading(level: number, children: ComponentChildren, key: number): JSX.Element {
  const Name = (["h1", "h2", "h3", "h4", "h5", "h5"] as const)[level - 1];
  return <Name key={key}>{children}</Name>;
}

function list(lines: readonly string[], fence: Fence, key: number): JSX.Element {
  const first = ITEM.exec(lines[0]);
  const indent = first ? first[1].length : 0;
  const items: string[][] = [];
  for (const line of lines) {
    const match = ITEM.exec(line);
    if (match && match[1].length <= indent) items.push([match[3]]);
    else items[items.length - 1].push(line);
  }
  const children = items.map((item, i) => {
    const box = /^\[([ xX])\]\s+/.exec(item[0]);
    const text = box ? item[0].slice(box[0].length) : item[0];
    return (
      <li key={i} class={box ? "box" : undefined}>
        {box && <input type="checkbox" checked={box[1] !== " "} disabled aria-label="done" />}
        {inline(text)}
        {item.length > 1 &&
          blocks(
            item.slice(1).map((line) => line.replace(/^\s{1,4}/, "")),
            fence,
          )}
      </li>
    );
  });
  const start = first?.[2];
  return start === undefined ? (
    <ul key={key}>{children}</ul>
  ) : (
    <ol key={key} start={Number(start)}>
      {children}
    </ol>
  );
}

function tableRow(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, "")
    .split("|")
    .map((cell) => cell.trim());
}

function table(lines: readonly string[], key: number): JSX.Element {
  const align = tableRow(lines[1]).map((cell) =>
    cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left",
  );
  return (
    <table key={key}>
      <thead>
        <tr>
          {tableRow(lines[0]).map((cell, i) => (
            <th key={i} style={{ textAlign: align[i] }}>
              {inline(cell)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.slice(2).map((line, row) => (
          <tr key={row}>
            {tableRow(line).map((cell, i) => (
              <td key={i} style={{ textAlign: align[i] }}>
                {inline(cell)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/// Takes lines while `test` holds, from `at` on.
function take(lines: readonly string[], at: number, test: (line: string) => boolean): readonly string[] {
  let end = at;
  while (end < lines.length && test(lines[end])) end++;
  return lines.slice(at, end);
}

/// The lines of a list: items of one kind and what is indented below them, with empty lines between.
function listLines(lines: readonly string[], at: number): readonly string[] {
  const [, indent, number] = ITEM.exec(lines[at]) ?? ["", "", undefined];
  const belongs = (line: string): boolean => {
    const item = ITEM.exec(line);
    if (item && item[1].length <= indent.length) return (item[2] === undefined) === (number === undefined);
    return /^\s{2,}\S/.test(line);
  };
  let end = at;
  for (let next = at; next < lines.length; next++) {
    if (lines[next].trim() === "") continue;
    if (!belongs(lines[next])) break;
    end = next + 1;
  }
  return lines.slice(at, end);
}

function blocks(lines: readonly string[], fence: Fence): JSX.Element[] {
  const result: JSX.Element[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const key = at;
    const open = /^\s*(```+|~~~+)\s*(\S*)/.exec(line);
    const head = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (open) {
      const body = take(lines, at + 1, (next) => !next.trim().startsWith(open[1]));
      const text = body.join("\n");
      result.push(
        <div key={key}>
          {fence(open[2], text) ?? (
            <pre tabIndex={0}>
              <code>{text}</code>
            </pre>
          )}
        </div>,
      );
      at += body.length + 2;
    } else if (head) {
      result.push(heading(head[1].length, inline(head[2]), key));
      at++;
    } else if (/^\s*$/.test(line)) {
      at++;
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      result.push(<hr key={key} />);
      at++;
    } else if (/^\s*>/.test(line)) {
      const body = take(lines, at, (next) => /^\s*>/.test(next));
      result.push(
        <blockquote key={key}>
          {blocks(
            body.map((next) => next.replace(/^\s*>\s?/, "")),
            fence,
          )}
        </blockquote>,
      );
      at += body.length;
    } else if (line.includes("|") && /^[\s|:-]*-[\s|:-]*$/.test(lines[at + 1] ?? "")) {
      const body = take(lines, at, (next) => next.includes("|"));
      result.push(table(body, key));
      at += body.length;
    } else if (ITEM.test(line)) {
      const body = listLines(lines, at);
      result.push(list(body, fence, key));
      at += body.length;
    } else {
      const body = take(
        lines,
        at,
        (next) => next.trim() !== "" && !/^(#{1,6}\s|\s*>|\s*```|\s*~~~)/.test(next) && !ITEM.test(next),
      );
      const taken = body.length > 0 ? body : [line];
      result.push(<p key={key}>{inline(taken.join("\n"))}</p>);
      at += taken.length;
    }
  }
  return result;
}

/// A text in Markdown.
export function Markdown({ text, fence = () => null }: { text: string; fence?: Fence }): JSX.Element {
  return <div class="markdown">{blocks(text.replace(/\r\n?/g, "\n").split("\n"), fence)}</div>;
}
