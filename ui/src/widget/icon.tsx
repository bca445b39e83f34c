/// The icons: 16 px, drawn with one stroke, coloured by the text around them.

import type { JSX } from "preact";

const PATHS = {
  archive: "M2.5 3h11v3h-11zM3.5 6v7h9V6M6.5 8.5h3",
  arrowDown: "M8 3v10M4 9l4 4 4-4",
  arrowUp: "M8 13V3M4 7l4-4 4 4",
  bell: "M2 13c3 0 3.5-10 6-10s3 10 6 10M2 13h12",
  bars: "M3 13V8M8 13V3M13 13v-3",
  chip: "M4.5 4.5h7v7h-7zM6.5 4.5v-2M9.5 4.5v-2M6.5 13.5v-2M9.5 13.5v-2M4.5 6.5h-2M4.5 9.5h-2M13.5 6.5h-2M13.5 9.5h-2",
  chart: "M2.5 2.5v11h11M5 10.5 8 7l2 2 3.5-4.5",
  check: "m3 8.5 3.5 3.5L13 4.5",
  chevron: "m6 3.5 4.5 4.5L6 12.5",
  close: "m4 4 8 8M12 4l-8 8",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  compare: "M5.5 2.5v11M10.5 2.5v11M2.5 5.5h3M2.5 8.5h3M10.5 7.5h3M10.5 10.5h3",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
  docs: "M8 4.2C6.5 3 4.5 2.7 2 2.8v9.4c2.5-.1 4.5.2 6 1.4 1.5-1.2 3.5-1.5 6-1.4V2.8c-2.5-.1-4.5.2-6 1.4v9.2",
  cube: "M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6",
  dots: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  down: "m3.5 6 4.5 4.5L12.5 6",
  download: "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M2.5 13.5h11",
  expand: "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9",
  eye:
    "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8Z" + "M8 6.1a1.9 1.9 0 1 1 0 3.8 1.9 1.9 0 0 1 0-3.8",
  eyeOff:
    "M2 2l12 12M6 3.8A7 7 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a11 11 0 0 1-2 2.5" +
    "M4 5.2A11 11 0 0 0 1.5 8S4 12.5 8 12.5a6.5 6.5 0 0 0 2.6-.5",
  file: "M4 1.8h5l3.5 3.5v8.9H4zM9 1.8v3.7h3.5",
  film: "M2.5 3.5h11v9h-11zM5 3.5v9M11 3.5v9M2.5 6.5H5M2.5 9.5H5M11 6.5h2.5M11 9.5h2.5",
  filter: "M2 3.5h12L9.5 8.8v4.7l-3-1.5V8.8z",
  flag: "M4 14V2.5h8.5L10.5 6l2 3.5H4",
  folder: "M2 12.5v-9h4l1.5 2H14v7z",
  fork:
    "M4.5 5.5v5M4.5 2.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 1 0 0-3" +
    "M4.5 10.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 1 0 0-3M11.5 2.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 1 0 0-3M11.5 5.5c0 3-7 2-7 5",
  group: "M2.5 3h6M2.5 6.3h11M2.5 9.7h6M2.5 13h11",
  gauge: "M3.5 12.5a6 6 0 1 1 9 0M8 9.5l2.5-3.5M5 8.5h.01M8 5.2h.01",
  grid: "M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5H9z",
  image: "M2.5 3h11v10h-11zM2.5 11l3.5-3.5 3 3 2-2 2.5 2.5M10.5 6h.01",
  keyboard: "M1.5 4h13v8.5h-13zM4 6.5h.01M6.6 6.5h.01M9.3 6.5h.01M12 6.5h.01M5 10h6",
  link:
    "M6.5 9.5a2.5 2.5 0 0 0 3.6 0l2.4-2.4a2.5 2.5 0 0 0-3.6-3.6l-.9.9" +
    "M9.5 6.5a2.5 2.5 0 0 0-3.6 0L3.5 8.9a2.5 2.5 0 0 0 3.6 3.6l.9-.9",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z",
  note: "M3 2.5h10v11H3zM5.5 6h5M5.5 8.5h5M5.5 11h3",
  pause: "M5.5 3v10M10.5 3v10",
  pencil: "m3 13 .7-3L11 2.7l2.3 2.3L6 12.3z",
  pin: "M6 2.5h4l-.5 4 2.5 2.5H4L6.5 6.5zM8 9v5",
  play: "M5 3v10l8-5z",
  plus: "M8 3v10M3 8h10",
  report: "M3 2.5h10v11h-10zM5.5 10.5v-2M8 10.5v-5M10.5 10.5V7",
  scatter: "M2.5 2.5v11h11M6 10h.01M8 6.5h.01M10.5 8.5h.01M12.5 4h.01M6 7h.01",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.3 10.3 14 14",
  settings:
    "M2.5 4.5h4M10 4.5h3.5M2.5 11.5h3M9 11.5h4.5" +
    "M8.2 2.8a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4M7.2 9.8a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4",
  shrink: "M13.5 6.5h-4v-4M9.5 6.5 14 2M2.5 9.5h4v4M6.5 9.5 2 14",
  sliders: "M2.5 5h6M11.5 5h2M2.5 11h2M7.5 11h6M10 3.5v3M6 9.5v3",
  star: "m8 2 1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.3l-3.7 2 .8-4.1L2 6.3l4.2-.5z",
  sun:
    "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5" +
    "M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1",
  table: "M2.5 3h11v10h-11zM2.5 6.5h11M6.5 6.5V13",
  tag: "M2.5 2.5H8l5.5 5.5L8 13.5 2.5 8zM5.5 5.5h.01",
  terminal: "M2 3h12v10H2zM4.5 6l2.2 2-2.2 2M8 10.5h3.5",
  trash: "M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4M6.7 6.7v4M9.3 6.7v4",
  up: "M3.5 10.5 8 6l4.5 4.5",
  undo: "M5.5 3 2.5 6l3 3M2.5 6H9a3.8 3.8 0 0 1 0 7.5H6",
  wave: "M2 8h1.5l1.5-4 2.5 8L10 3.5l1.8 4.5H14",
  warning: "M8 2 1.5 13.5h13zM8 6.5v3.5M8 12h.01",
  wider: "M5 4.5 1.5 8 5 11.5M11 4.5 14.5 8 11 11.5M1.5 8h13",
} as const;

export type IconName = keyof typeof PATHS;

/// One icon. It has no name of its own for screen readers: what it is on must have one.
export function Icon({ name, size = 16 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
