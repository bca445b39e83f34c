/// Kinds of smoothing of a curve, as the server has them: see `smooth_kind` in docs/formats/wire.md.

import type { SeriesRequest } from "../wire/types";

const GAP_SHARE_MIN = 0.01;
const REACH = 4;

/// The exponential mean whose weight at each value is the weight to the power of `shares`.
function exponential(y: Float64Array, weight: number, shares: (i: number) => number): Float64Array {
  let [sum, total] = [0, 0];
  return y.map((value, i) => {
    const past = weight ** shares(i);
    sum = past * sum + (1 - past) * value;
    total = past * total + (1 - past);
    return sum / total;
  });
}

function timeMean(x: Float64Array, y: Float64Array, weight: number): Float64Array {
  let way = 0;
  for (let i = 1; i < x.length; i++) way += Math.abs(x[i] - x[i - 1]);
  const gap = way / Math.max(1, x.length - 1);
  return exponential(y, weight, (i) =>
    i === 0 || gap === 0 ? 1 : Math.max(Math.abs(x[i] - x[i - 1]) / gap, GAP_SHARE_MIN),
  );
}

/// The mean of the values around each, from `before` to `after` places away, by their weights.
function around(y: Float64Array, before: number, after: number, weightOf: (distance: number) => number): Float64Array {
  return y.map((_, i) => {
    let [sum, total] = [0, 0];
    for (let k = Math.max(0, i - before); k <= Math.min(y.length - 1, i + after); k++) {
      const weight = weightOf(k - i);
      sum += weight * y[k];
      total += weight;
    }
    return sum / total;
  });
}

function smoothFinite(x: Float64Array, y: Float64Array, kind: string, amount: number): Float64Array {
  if (kind === "time-ema") return timeMean(x, y, amount);
  if (kind === "mean") {
    const count = Math.max(1, Math.round(amount));
    return around(y, (count - 1) >> 1, count >> 1, () => 1);
  }
  if (kind !== "gaussian") return exponential(y, amount, () => 1);
  const reach = Math.ceil(REACH * amount);
  return around(y, reach, reach, (distance) => Math.exp(-0.5 * (distance / amount) ** 2));
}

/// The smooth values of a line; where a value is not finite, the smooth value before, NaN before the first finite one.
export function smoothedValues(
  x: Float64Array,
  y: Float64Array,
  { smooth = 0, smooth_kind = "ema" }: Pick<SeriesRequest, "smooth" | "smooth_kind">,
): Float64Array {
  const finite = y.map((value, i) => (Number.isFinite(value) ? i : -1)).filter((i) => i >= 0);
  const means = smoothFinite(
    finite.map((i) => x[i]),
    finite.map((i) => y[i]),
    smooth_kind,
    smooth,
  );
  let count = 0;
  return y.map((value) => {
    if (Number.isFinite(value)) count++;
    return count === 0 ? NaN : means[count - 1];
  });
}
