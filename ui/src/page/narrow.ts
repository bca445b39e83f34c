/// Whether the window is as narrow as a telephone.

import { signal, type ReadonlySignal } from "@preact/signals";

const query = typeof matchMedia === "undefined" ? null : matchMedia("(max-width: 720px)"); // as in style/narrow.css
const now = signal(query?.matches ?? false);
query?.addEventListener("change", ({ matches }) => (now.value = matches));

/// Whether the window is that narrow now.
export const isNarrow: ReadonlySignal<boolean> = now;
