/// The guides that the package carries, so that they can be read without a network and are of the installed version.

import { PAGES } from "docs:pages";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { address, change, parseAddress, setting } from "../model/address";
import { FindField } from "../widget/findfield";
import { Markdown } from "../widget/markdown";
import { Notice } from "../widget/state";
import { useTitle } from "./hooks";

const pageSetting = setting("page");

/// The page.
export function DocsPage(): JSX.Element {
  const find = useSignal("");
  const article = useRef<HTMLElement>(null);
  const open = PAGES.find(({ name }) => name === pageSetting.value) ?? PAGES[0];
  useTitle(open?.title ?? "Docs");
  useEffect(() => article.current?.closest("main")?.scrollTo({ top: 0 }), [open?.name]);
  if (!open)
    return (
      <main class="main">
        <Notice icon="docs" title="The guides were not built into these pages" />
      </main>
    );
  const follow = (event: MouseEvent): void => {
    const href = (event.target as Element).closest("a")?.getAttribute("href");
    if (!href?.startsWith("docs?") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    change({ page: parseAddress(href).params.get("page") ?? null });
  };
  const matching = PAGES.filter(({ title, text }) => `${title}\n${text}`.toLowerCase().includes(find.value));
  return (
    <main class="main docs" onClick={follow}>
      <nav aria-label="Guides">
        <FindField label="Find in the docs" setText={(text) => (find.value = text.toLowerCase())} />
        {matching.map(({ name, title, section }, i) => (
          <div key={name}>
            {section !== "" && section !== matching[i - 1]?.section && <h3>{section}</h3>}
            <a href={`docs?page=${name}`} aria-current={name === open.name ? "page" : undefined}>
              {title}
            </a>
          </div>
        ))}
        {matching.length === 0 && <p class="muted">No guide has this text.</p>}
      </nav>
      <article ref={article} key={`${open.name} ${address.value.subject}`}>
        <Markdown text={open.text} />
      </article>
    </main>
  );
}
