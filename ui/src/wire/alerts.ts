/// The shapes of alerts in docs/formats/wire.md, section 4, as TypeScript. Nothing here has behaviour.

import type { SequenceKey, WireNumber } from "./types";

/// What may be wrong with a run.
export type AlertKind = "failed" | "lost" | "stalled" | "nan" | "diverged" | "losses";

export interface AlertItem {
  readonly id: string;
  readonly run: string;
  readonly name: string;
  readonly kind: AlertKind;
  readonly time: number | null;
  readonly level: number;
  readonly metric: SequenceKey | null;
  readonly step: number | null;
  readonly window: readonly [number, number] | null;
  readonly value: WireNumber | null;
  readonly best: number | null;
  readonly pause: number | null;
  readonly error: string | null;
  readonly others: number;
}

export interface AlertsAnswer {
  readonly cursor: string;
  readonly alerts: readonly AlertItem[];
}
