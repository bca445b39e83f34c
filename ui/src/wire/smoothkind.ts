/// Exponential mean, which is meant without a kind; the same by gaps in x; running mean; Gaussian.
export type SmoothKind = "ema" | "time-ema" | "mean" | "gaussian";
