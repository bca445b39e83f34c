/// The reader's time zone, in which queries and exports have their times.

const MINUTES_AN_HOUR = 60;

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/// The zone as an address of the interface takes it: its name, and, for a server that lacks the name, its offset at
/// `now`.
export function zoneText(now: Date = new Date()): string {
  const minutes = -now.getTimezoneOffset();
  const size = Math.abs(minutes);
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / MINUTES_AN_HOUR))}:${two(size % MINUTES_AN_HOUR)}`;
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name ? `${name},${offset}` : offset;
}

/// An address with the reader's zone.
export function withZone(url: string, now?: Date): string {
  return `${url}${url.includes("?") ? "&" : "?"}zone=${encodeURIComponent(zoneText(now))}`;
}
