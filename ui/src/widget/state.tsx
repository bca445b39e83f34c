/// What a page says when it has nothing to show: waiting, an error, or nothing there.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";

const PATIENCE_MS = 300;

/// Grey shapes in the place of what is on its way; nothing for the first 300 ms.
export function Skeleton({ rows = 6 }: { rows?: number }): JSX.Element | null {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!isLate) return null;
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <i key={i} style={{ width: `${90 - ((i * 37) % 50)}%` }} />
      ))}
    </div>
  );
}

/// A message in the middle of the page: what is so, and what to do.
export function Notice({
  icon,
  title,
  children,
  tone = "plain",
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
  tone?: "plain" | "bad";
}): JSX.Element {
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : undefined}>
      <span class="emblem">
        <Icon name={icon} size={22} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
