/// The shapes of docs/formats/wire.md, section 13, as TypeScript. Nothing here has behaviour.

/// How grave an alert is.
export type AlertLevel = "info" | "warning" | "error";

export interface AlertRule {
  readonly id: string;
  readonly query: string;
  /// A run has to match for so many seconds.
  readonly for_s: number;
  readonly level: AlertLevel;
  readonly title: string;
  readonly created_at: number;
}

export interface AlertChannel {
  readonly name: string;
  readonly kind: "webhook" | "smtp" | "desktop" | "command";
  /// Where it leads, without its secrets.
  readonly where: string;
  readonly level: AlertLevel;
  /// Hours in which only errors go, such as `22:00-07:00`; empty: none.
  readonly quiet: string;
  readonly is_quiet: boolean;
  readonly for_all: boolean;
  readonly may_change: boolean;
}

export interface AlertDelivery {
  readonly at: number;
  readonly channel: string;
  readonly state: "waiting" | "delivered" | "failed";
  readonly level: AlertLevel;
  readonly title: string;
  readonly lines: readonly string[];
  readonly attempts: number;
  readonly next_at: number | null;
  /// Whether it waits for the end of quiet hours.
  readonly is_held: boolean;
  readonly error: string | null;
}

export interface AlertingAnswer {
  readonly rules: readonly AlertRule[];
  readonly channels: readonly AlertChannel[];
  readonly problem: string | null;
  readonly deliveries: readonly AlertDelivery[];
  readonly looked_at: number | null;
}

/// What came of a test of a channel.
export interface ChannelTest {
  readonly state: "delivered" | "failed";
  readonly error: string | null;
}
