/// Brushes: ranges on the axes of parallel coordinates, in the address as `hparams.lr~0.100~0.500;…`.

import { change, setting } from "./address";
import { joinTexts, splitTexts } from "./columns";

/// A part of an axis, from 0 (its bottom) to 1.
export type Range = readonly [low: number, high: number];

const brushText = setting("brush");

/// The brushes of a text, by the key of their axis.
export function parseBrushes(text: string): ReadonlyMap<string, Range> {
  const brushes = new Map<string, Range>();
  for (const part of splitTexts(text)) {
    const [, key, low, high] = /^(.*)~([\d.]+)~([\d.]+)$/.exec(part) ?? [];
    if (key !== undefined) brushes.set(key, [Number(low), Number(high)]);
  }
  return brushes;
}

/// The text of brushes.
export function formatBrushes(brushes: ReadonlyMap<string, Range>): string {
  return joinTexts([...brushes].map(([key, [low, high]]) => `${key}~${low.toFixed(3)}~${high.toFixed(3)}`));
}

/// The brushes in the address.
export function currentBrushes(): ReadonlyMap<string, Range> {
  return parseBrushes(brushText.value);
}

/// Sets the brush of an axis; null: none.
export function setBrush(key: string, range: Range | null): void {
  const next = new Map(parseBrushes(brushText.peek()));
  if (range) next.set(key, range);
  else next.delete(key);
  change({ brush: formatBrushes(next) }, true);
}
