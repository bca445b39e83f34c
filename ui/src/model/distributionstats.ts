/// What a box, a violin and a bar show of the values of a group.

/// Quartiles by linear interpolation, whiskers at the farthest values within 1.5 interquartile ranges of the box, and
/// the values beyond them.
export interface BoxStats {
  readonly count: number;
  readonly mean: number;
  readonly std: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly low: number;
  readonly high: number;
  readonly outliers: readonly number[];
}

const WHISKER = 1.5;
const KERNELS = 48;
const SILVERMAN = 0.9;

/// The quantile of sorted values at `share`, 0 … 1.
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

/// The statistics of finite values; null: there are none.
export function boxStats(values: readonly number[]): BoxStats | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
  const reach = WHISKER * (q3 - q1);
  const inside = sorted.filter((value) => value >= q1 - reach && value <= q3 + reach);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    count: sorted.length,
    mean,
    std: sorted.length > 1 ? Math.sqrt(squares / (sorted.length - 1)) : 0,
    q1,
    median,
    q3,
    low: inside[0],
    high: inside[inside.length - 1],
    outliers: sorted.filter((value) => value < q1 - reach || value > q3 + reach),
  };
}

/// The density of values at places over their range, by normal kernels of Silverman's width; empty for equal values.
export function densityCurve(values: readonly number[]): readonly (readonly [value: number, density: number])[] {
  const stats = boxStats(values);
  if (!stats || stats.std === 0) return [];
  const spread = stats.q3 > stats.q1 ? Math.min(stats.std, (stats.q3 - stats.q1) / 1.34) : stats.std;
  const width = SILVERMAN * spread * values.length ** -0.2;
  const [from, to] = [Math.min(...values) - 2 * width, Math.max(...values) + 2 * width];
  const scale = 1 / (values.length * width * Math.sqrt(2 * Math.PI));
  return Array.from({ length: KERNELS + 1 }, (_, i) => {
    const at = from + ((to - from) * i) / KERNELS;
    const sum = values.reduce((total, value) => total + Math.exp(-0.5 * ((at - value) / width) ** 2), 0);
    return [at, sum * scale] as const;
  });
}
