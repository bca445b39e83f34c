/// Media that stay where they are: their address, which no page can open for the reader, to be copied.

import type { ComponentChildren, JSX } from "preact";
import { Icon } from "../widget/icon";
import { Copy } from "../widget/text";

/// The address of an original.
export function Address({ uri }: { uri: string }): JSX.Element {
  return (
    <span class="address" title={`The original stays at ${uri}`}>
      <Icon name="link" size={12} />
      <code>
        <bdi>{uri}</bdi>
      </code>
      <Copy text={uri} label="Copy the address" />
    </span>
  );
}

/// An object of which the repository holds the address alone.
export function Elsewhere({
  uri,
  label,
  children,
}: {
  uri: string;
  label: string;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <figure class="elsewhere">
      <figcaption>
        {label} <span class="muted">{children}</span>
      </figcaption>
      <Address uri={uri} />
    </figure>
  );
}
