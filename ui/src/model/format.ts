/// Numbers, times and sizes for people. Four significant digits; the full value belongs in the title.

import { quantityIn, type Cell } from "./cell";
import { exactText } from "../wire/json";

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;

/// A number to four significant digits; `1.2e-5` beyond 1e-3 and 1e5. Whole numbers keep all their digits.
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isSafeInteger(value)) return String(value);
  if (size < 1e-3 || size >= 1e5) {
    const [mantissa, exponent] = value.toExponential(3).split("e");
    return `${Number(mantissa)}e${Number(exponent)}`;
  }
  const short = value.toPrecision(4);
  // What is exact in fewer digits is written in fewer: 0.001, not 0.001000.
  return Number(short) === value ? String(value) : short;
}

/// A difference, with its sign.
export function formatDelta(value: number): string {
  return (value > 0 ? "+" : value < 0 ? "−" : "±") + formatNumber(Math.abs(value));
}

/// The difference of two cells, for people; of integers with all its digits. Null: one of them is no finite number.
export function deltaText(cell: Cell, base: Cell): string | null {
  const [p, q] = [quantityIn(cell), quantityIn(base)];
  if (p === null || q === null) return null;
  const [a, b] = [Number(p), Number(q)];
  if (!Number.isFinite(a) || !Number.isFinite(b)) return null;
  const isWhole = (value: number | bigint): boolean => typeof value === "bigint" || Number.isSafeInteger(value);
  if (!isWhole(p) || !isWhole(q)) return formatDelta(a - b);
  const delta = BigInt(p) - BigInt(q);
  return `${delta > 0n ? "+" : delta < 0n ? "−" : "±"}${delta < 0n ? -delta : delta}`;
}

/// Seconds as `3 m 12 s`, `2 h 5 m`, `0.4 s`.
export function formatDuration(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < MINUTE_S) return `${Math.round(seconds)} s`;
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)} m ${Math.floor(seconds % MINUTE_S)} s`;
  if (seconds < DAY_S) return `${Math.floor(seconds / HOUR_S)} h ${Math.floor((seconds % HOUR_S) / MINUTE_S)} m`;
  return `${Math.floor(seconds / DAY_S)} d ${Math.floor((seconds % DAY_S) / HOUR_S)} h`;
}

/// How long ago; the date after a week.
export function formatAgo(time: number, now: number): string {
  const gone = now - time;
  if (gone < 45) return "just now";
  if (gone < HOUR_S) return `${Math.max(1, Math.round(gone / MINUTE_S))} m ago`;
  if (gone < DAY_S) return `${Math.round(gone / HOUR_S)} h ago`;
  if (gone < 7 * DAY_S) return `${Math.round(gone / DAY_S)} d ago`;
  const date = new Date(time * 1000);
  const year = date.getFullYear() === new Date(now * 1000).getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${date.toLocaleString("en", { month: "short" })} ${date.getDate()}${year}`;
}

/// The exact moment in the reader's time zone.
export function formatTime(time: number): string {
  const date = new Date(time * 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

/// Bytes as `512 B`, `1.2 MB`.
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 ? size : Number(size.toPrecision(3))} ${units[unit]}`;
}

/// A cell as text.
export function formatCell(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return formatNumber(cell);
  if (typeof cell === "string") return cell;
  if (typeof cell === "boolean") return cell ? "true" : "false";
  if (Array.isArray(cell) && cell.every((item) => typeof item === "string")) return cell.join(", ");
  return exactText(cell);
}
