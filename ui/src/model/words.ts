/// Small words for counts.

/// `1 run`, `2 runs`, `12,000 runs`.
export function plural(count: number, word: string): string {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}
