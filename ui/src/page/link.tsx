/// A link to a page of the app: an ordinary one, so it opens in a new tab, is copied and shown at the foot; a plain
/// press stays here.

import type { ComponentChildren, JSX } from "preact";
import { goTo, pageUrl } from "../model/address";

interface PageLinkProps {
  readonly page: string;
  /// What the page is about: a run's hash, a report's id.
  readonly subject?: string;
  readonly changes?: Readonly<Record<string, string>>;
  readonly class?: string;
  readonly title?: string;
  /// Its name where it shows no words.
  readonly label?: string;
  readonly isCurrent?: boolean;
  readonly children: ComponentChildren;
}

export function PageLink({
  page,
  subject = "",
  changes = {},
  title,
  label,
  isCurrent,
  children,
  ...props
}: PageLinkProps): JSX.Element {
  return (
    <a
      class={props.class}
      href={pageUrl(page, subject, changes)}
      title={title}
      aria-label={label}
      aria-current={isCurrent ? "page" : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        goTo(page, subject, changes);
      }}
    >
      {children}
    </a>
  );
}
