/// JSON without a lost digit: an integer that a JavaScript number can't hold is `{"$int": "9223372036854775807"}`, as
/// the wire writes integers of more than 64 bits.

/// An integer by its digits.
export type BigInteger = { readonly $int: string };

const LARGE = /(?<![\d.])\d{16,}(?![\d.eE])/;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function exact(token: string): string {
  if (token.length < 16 || !/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token))) return token;
  return `{"$int":"${token}"}`;
}

/// Parses JSON; integers beyond 2^53 keep their digits.
export function parseJson(text: string): unknown {
  return JSON.parse(LARGE.test(text) ? text.replace(TOKENS, exact) : text);
}

/// The digits of a large integer; null for every other value.
export function digitsOf(value: unknown): string | null {
  if (value === null || typeof value !== "object" || !("$int" in value)) return null;
  return typeof value.$int === "string" && Object.keys(value).length === 1 ? value.$int : null;
}

/// The float that JSON cannot hold, as `{"$float": "nan"}`; null for every other value.
export function floatOf(value: unknown): number | null {
  if (value === null || typeof value !== "object" || !("$float" in value)) return null;
  if (Object.keys(value).length !== 1) return null;
  return value.$float === "nan" ? NaN : value.$float === "inf" ? Infinity : value.$float === "-inf" ? -Infinity : null;
}

/// A value with its large integers as they are in JSON text, for people.
export function exactText(value: unknown): string {
  return JSON.stringify(value).replace(/\{"\$int":"(-?\d+)"\}/g, "$1");
}
