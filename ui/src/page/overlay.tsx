/// Boxes and masks drawn over a picture, and the bar that switches them.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { DASHES } from "../chart/palette";
import { change } from "../model/address";
import { formatNumber } from "../model/format";
import { blobUrl, type Item } from "../model/objects";
import {
  classLabel,
  isOn,
  labelColor,
  labelText,
  layerKey,
  leastScore,
  loadMask,
  maskPixels,
  opacity,
  placeLabels,
  shownBoxes,
  toggle,
  wordsOf,
  type OverlayWords,
  type Rect,
} from "../model/overlays";
import { Swatch } from "../widget/text";
import { useApp } from "./app";

const TEXT_PX = 11;
const LABELLED_PX = 14; // narrower boxes have their label as a title only
const LINE_EM = 1.35;
const CHAR_EM = 0.62; // of the font's size, on average and a little more

/// What lies over a picture; drawn to fit it as `object-fit: contain` does. `scale`: pixels of the screen a pixel of
/// the picture.
export function Overlay({
  item,
  words,
  scale,
}: {
  item: Item;
  words: OverlayWords;
  scale: number;
}): JSX.Element | null {
  const { session } = useApp();
  const [width, height] = [item.width ?? 0, item.height ?? 0];
  if (!item.boxes && !item.masks) return null;
  const boxes = shownBoxes(item);
  const layers = words.layers;
  const font = TEXT_PX / scale;
  const texts = boxes.map((box) =>
    [labelText(item, box.label), box.score === undefined ? "" : formatNumber(box.score)].filter(Boolean).join(" "),
  );
  const isLabelled = boxes.map(({ box }, i) => texts[i] !== "" && box[2] * scale > LABELLED_PX);
  const labelRects = placeLabels(
    boxes.map(({ box }) => box),
    texts.map((text, i) => (isLabelled[i] ? text.length * font * CHAR_EM + font * 0.5 : 0)),
    font * LINE_EM,
    [width, height],
  );
  return (
    <>
      {item.masks
        ?.filter((name) => isOn(layerKey(name)))
        .map((name) => (
          <MaskLayer key={name} item={item} name={name} words={words} />
        ))}
      {boxes.length > 0 && width > 0 && (
        <svg class="overlay" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${boxes.length} boxes`}>
          {boxes.map((box, i) => {
            const [x, y, w, h] = box.box;
            const color = labelColor(words.labels, labelText(item, box.label), session.theme.value);
            const dash = DASHES[Math.max(0, box.layer === undefined ? 0 : layers.indexOf(box.layer)) % DASHES.length];
            return (
              <g key={i}>
                <title>{[texts[i], box.layer].filter(Boolean).join(" · ")}</title>
                <rect
                  x={x}
                  y={y}
                  width={w}
                  height={h}
                  fill="none"
                  stroke={color}
                  stroke-width="2"
                  stroke-dasharray={dash.join(" ")}
                  vector-effect="non-scaling-stroke"
                />
              </g>
            );
          })}
          {boxes.map(
            (box, i) =>
              isLabelled[i] && (
                <BoxLabel
                  key={i}
                  rect={labelRects[i]}
                  font={font}
                  text={texts[i]}
                  color={labelColor(words.labels, labelText(item, box.label), session.theme.value)}
                />
              ),
          )}
        </svg>
      )}
    </>
  );
}

function BoxLabel({
  rect: [x, y, width, height],
  font,
  text,
  color,
}: {
  rect: Rect;
  font: number;
  text: string;
  color: string;
}): JSX.Element {
  const { session } = useApp();
  return (
    <g class="box-label">
      <rect x={x} y={y} width={width} height={height} fill={color} />
      <text
        x={x + font * 0.25}
        y={y + font}
        font-size={font}
        fill={session.theme.value === "dark" ? "#101216" : "#fff"}
      >
        {text}
      </text>
    </g>
  );
}

function MaskLayer({ item, name, words }: { item: Item; name: string; words: OverlayWords }): JSX.Element {
  const { session, scope } = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const colorOf = (number: number): string | null => {
    const label = classLabel(item, number);
    return label === null || !isOn(label) ? null : labelColor(words.labels, label, session.theme.value);
  };
  const look = `${words.labels.map((label) => (isOn(label) ? label : "")).join("\n")} ${session.theme.value}`;
  useEffect(() => {
    let isGone = false;
    loadMask(item, blobUrl(scope, item.blob ?? "", name)).then(({ width, height, classes }) => {
      const context = canvas.current?.getContext("2d");
      if (isGone || !canvas.current || !context) return;
      [canvas.current.width, canvas.current.height] = [width, height];
      context.putImageData(new ImageData(maskPixels(classes, colorOf), width, height), 0, 0);
      canvas.current.dataset.drawn = name;
    }, session.report);
    return () => {
      isGone = true;
    };
  }, [item.blob, name, look]);
  return (
    <canvas ref={canvas} class="overlay mask" style={{ opacity: opacity() }} role="img" aria-label={`Mask ${name}`} />
  );
}

/// Switches for what lies over some pictures; nothing where nothing does.
export function OverlayBar({ items }: { items: readonly Item[] }): JSX.Element | null {
  const { session } = useApp();
  const words = wordsOf(items);
  const { labels, layers, hasScores, hasMasks } = words;
  if (labels.length === 0 && layers.length === 0) return null;
  const press =
    (key: string, among: readonly string[]) =>
    (event: MouseEvent): void =>
      toggle(key, among, event.altKey || event.detail > 1);
  return (
    <div class="toolbar overlay-bar" role="group" aria-label="What is drawn over the images">
      {layers.map((layer) => (
        <button
          key={layerKey(layer)}
          type="button"
          class={isOn(layerKey(layer)) ? "pill on" : "pill"}
          aria-pressed={isOn(layerKey(layer))}
          title="Show or hide this layer"
          onClick={press(layerKey(layer), layers.map(layerKey))}
        >
          {layer}
        </button>
      ))}
      {layers.length > 0 && labels.length > 0 && <i class="divider" />}
      {labels.map((label) => (
        <button
          key={label}
          type="button"
          class={isOn(label) ? "pill label" : "pill label off"}
          aria-pressed={isOn(label)}
          title="Show or hide this label; with Alt or twice: only this one"
          onClick={press(label, labels)}
        >
          <Swatch color={labelColor(labels, label, session.theme.value)} />
          {label || "no label"}
        </button>
      ))}
      <span class="spacer" />
      {hasMasks && (
        <label class="size">
          opacity{" "}
          <input
            type="range"
            min="0"
            max="100"
            step="5"
            value={Math.round(opacity() * 100)}
            onInput={(event) =>
              change({ opacity: event.currentTarget.value === "55" ? null : event.currentTarget.value }, true)
            }
          />
        </label>
      )}
      {hasScores && (
        <label class="size">
          score ≥ <b>{leastScore().toFixed(2)}</b>{" "}
          <input
            type="range"
            aria-label="Least score"
            min="0"
            max="1"
            step="0.01"
            value={leastScore()}
            onInput={(event) =>
              change({ score: event.currentTarget.value === "0" ? null : event.currentTarget.value }, true)
            }
          />
        </label>
      )}
    </div>
  );
}
