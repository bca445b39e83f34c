/// How curves are smoothed, as the address writes it: `0.6` is the weight of an exponential mean, `time-ema:0.6` one by
/// gaps in x, `mean:21` a running mean of 21 points, `gaussian:3` one with a standard deviation of 3 points.

import type { SmoothKind } from "../wire/smoothkind";

/// A kind, and how much of it; 0: not at all.
export interface Smoothing {
  readonly kind: SmoothKind;
  readonly amount: number;
}

/// A kind for people: its name, what its amount is, and the range of the slider.
export interface KindOfSmoothing {
  readonly kind: SmoothKind;
  readonly label: string;
  readonly explanation: string;
  readonly most: number;
  readonly step: number;
  readonly first: number;
}

const WEIGHT_MOST = 0.999;
const POINTS_MOST = 10_000;

/// The kinds, in the order in which they are offered.
export const SMOOTHINGS: readonly KindOfSmoothing[] = [
  { kind: "ema", label: "EMA", explanation: "Weight of earlier values, below 1", most: 0.99, step: 0.01, first: 0.6 },
  {
    kind: "time-ema",
    label: "time-weighted",
    explanation: "Weight of earlier values, by the gaps in x, below 1",
    most: 0.99,
    step: 0.01,
    first: 0.6,
  },
  { kind: "mean", label: "running mean", explanation: "Number of points around each", most: 101, step: 2, first: 11 },
  { kind: "gaussian", label: "Gaussian", explanation: "Standard deviation in points", most: 50, step: 0.5, first: 3 },
];

/// What a kind is for people.
export function kindOf({ kind }: Pick<Smoothing, "kind">): KindOfSmoothing {
  return SMOOTHINGS.find((each) => each.kind === kind) ?? SMOOTHINGS[0];
}

/// Reads the setting; what can't be read is no smoothing.
export function parseSmoothing(text: string): Smoothing {
  const [first, second] = text.split(":");
  const kind = second === undefined ? "ema" : SMOOTHINGS.find((each) => each.kind === first)?.kind;
  const number = Number(second ?? first);
  if (!kind || !Number.isFinite(number) || number <= 0) return { kind: kind ?? "ema", amount: 0 };
  const most = kind === "mean" || kind === "gaussian" ? POINTS_MOST : WEIGHT_MOST;
  return { kind, amount: Math.min(most, number) };
}

/// Writes the setting; null: no smoothing by the first kind, which is left out.
export function formatSmoothing({ kind, amount }: Smoothing): string | null {
  if (kind === "ema") return amount > 0 ? String(amount) : null;
  return `${kind}:${amount}`;
}

/// The setting for people: `0.6`, `mean 21`.
export function smoothingLabel({ kind, amount }: Smoothing): string {
  if (amount === 0) return "0";
  return kind === "ema" ? String(amount) : `${kindOf({ kind }).label} ${amount}`;
}
