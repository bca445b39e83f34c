/// From data to pixels and back: linear, log and symlog, as one straight line over a transformed axis.
///
///     px = k · t(v) + b        t: identity, log10, or sign(v) · log10(1 + |v| / c)
///
/// So a whole series is drawn with one multiplication and one addition a point, once `project` has transformed it.

export type ScaleKind = "linear" | "log" | "symlog";

/// Where symlog goes from straight to logarithmic.
export const SYMLOG_CORNER = 1e-2;

export type Numbers = Int32Array | Float32Array | Float64Array;

/// The transform *t* of one value. A value that log cannot show is NaN, which draws as a gap.
export function transform(kind: ScaleKind, value: number): number {
  if (kind === "linear") return value;
  if (kind === "log") return value > 0 ? Math.log10(value) : NaN;
  return Math.sign(value) * Math.log10(1 + Math.abs(value) / SYMLOG_CORNER);
}

/// The value whose transform is `t`.
export function untransform(kind: ScaleKind, t: number): number {
  if (kind === "linear") return t;
  if (kind === "log") return 10 ** t;
  return Math.sign(t) * SYMLOG_CORNER * (10 ** Math.abs(t) - 1);
}

/// One axis: the domain `lo … hi` on the pixels `from … to` (`from > to` for y, which grows upwards).
export class Scale {
  readonly k: number;
  readonly b: number;

  constructor(
    readonly kind: ScaleKind,
    readonly lo: number,
    readonly hi: number,
    readonly from: number,
    readonly to: number,
  ) {
    const a = transform(kind, lo);
    const z = transform(kind, hi);
    this.k = z === a ? 0 : (to - from) / (z - a);
    this.b = z === a ? (from + to) / 2 : from - this.k * a;
  }

  /// Pixel of a value.
  px(value: number): number {
    return this.k * transform(this.kind, value) + this.b;
  }

  /// Value at a pixel.
  value(px: number): number {
    return this.k === 0 ? this.lo : untransform(this.kind, (px - this.b) / this.k);
  }
}

const projected = new WeakMap<Numbers, Map<ScaleKind, Numbers>>();

/// The transformed values of a series; the array itself for linear. Kept as long as the array lives.
export function project(kind: ScaleKind, values: Numbers): Numbers {
  if (kind === "linear") return values;
  let kinds = projected.get(values);
  if (!kinds) projected.set(values, (kinds = new Map()));
  let result = kinds.get(kind);
  if (!result) {
    result = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) result[i] = transform(kind, values[i]);
    kinds.set(kind, result);
  }
  return result;
}

/// First index of sorted `values` whose value is not below `value`; their length if there is none.
export function lowerBound(values: Numbers, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/// Index of the value of sorted `values` next to `value`; -1 if there are none.
export function nearestIndex(values: Numbers, value: number): number {
  if (values.length === 0) return -1;
  const right = lowerBound(values, value);
  if (right === 0) return 0;
  if (right === values.length) return right - 1;
  return value - values[right - 1] <= values[right] - value ? right - 1 : right;
}

/// Whether no value is below the one before it.
export function isSorted(values: Numbers): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] < values[i - 1]) return false;
  return true;
}
