/// A picture.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { pictureUrl, thumbUrl, type Item } from "../model/objects";
import type { OverlayWords } from "../model/overlays";
import { request, type WireError } from "../wire/request";
import { useApp } from "./app";
import { Overlay } from "./overlay";

const RETRY_MS = 5000;
const UNDRAWN = "The picture could not be drawn.";
const THUMB_PX = [64, 128, 256, 512];

/// A picture in its place, at the size of the place; the original when it is small itself.
export function Picture({
  item,
  size_px,
  words,
  onOpen,
}: {
  item: Item;
  size_px: number;
  words: OverlayWords;
  onOpen?: () => void;
}): JSX.Element {
  const { scope } = useApp();
  const height = size_px * (devicePixelRatio || 1);
  const width = item.width ?? height;
  const thumb = THUMB_PX.find((px) => px >= height);
  const src =
    item.blob === undefined
      ? ""
      : width <= height || thumb === undefined
        ? pictureUrl(scope, item.blob)
        : thumbUrl(scope, item.blob, thumb);
  const label = item.caption || `step ${item.step}`;
  // as wide as it will be, so that nothing moves when it has come
  const width_px = item.width && item.height ? (size_px * item.width) / item.height : undefined;
  const [failure, setFailure] = useState("");
  useEffect(() => setFailure(""), [src]);
  useEffect(() => {
    if (!failure) return undefined;
    const retry = setInterval(() => void reasonOf(src).then(setFailure), RETRY_MS);
    return () => clearInterval(retry);
  }, [failure, src]);
  return (
    <button
      type="button"
      class="picture"
      title={`${label} · step ${item.step} · ${item.width ?? "?"} × ${item.height ?? "?"}`}
      onClick={onOpen}
    >
      <span class="framed">
        {failure ? (
          <span class="picture-failure" role="alert" style={{ minHeight: `${size_px}px` }}>
            {failure}
          </span>
        ) : (
          <img
            src={src}
            alt={label}
            loading="lazy"
            decoding="async"
            onError={() => void reasonOf(src).then((reason) => setFailure(reason || UNDRAWN))}
            style={{
              height: `${size_px}px`,
              width: width_px && `${width_px}px`,
              imageRendering: width < height / 2 ? "pixelated" : "auto",
            }}
          />
        )}
        <Overlay item={item} words={words} scale={size_px / (item.height || size_px)} />
      </span>
      {item.caption && (
        <span class="caption" style={{ maxWidth: `${Math.max(size_px, 80)}px` }}>
          {item.caption}
        </span>
      )}
    </button>
  );
}

/// Why a picture cannot be loaded: the object store is away, say; empty when it can be.
function reasonOf(src: string): Promise<string> {
  return request(src).then(
    () => "",
    (error: WireError) => error.message,
  );
}
