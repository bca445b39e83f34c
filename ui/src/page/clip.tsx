/// A video.

import type { JSX } from "preact";
import { blobUrl, itemLabel, type Item } from "../model/objects";
import { useApp } from "./app";
import { useOnScreen } from "./hooks";

/// A video: a moving picture plays by itself, others have the browser's player.
export function Clip({ item, size_px }: { item: Item; size_px: number }): JSX.Element {
  const { scope } = useApp();
  const { ref, isSeen } = useOnScreen();
  const url = item.blob === undefined ? "" : blobUrl(scope, item.blob);
  const label = itemLabel(item);
  const look = { height: `${size_px}px`, maxWidth: "100%" };
  const details = [
    item.width && item.height ? `${item.width} × ${item.height}` : "",
    item.fps ? `${item.fps} fps` : "",
    item.format,
  ]
    .filter(Boolean)
    .join(" · ");
  return (
    <figure class="clip" ref={ref}>
      {isSeen.value &&
        (item.format === "gif" ? (
          <img src={url} alt={label} style={look} />
        ) : (
          <video controls loop muted playsInline preload="metadata" src={url} aria-label={label} style={look} />
        ))}
      <figcaption class="caption">
        {label} <span class="muted">{details}</span>
      </figcaption>
    </figure>
  );
}
