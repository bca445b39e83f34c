/// A clock that a test moves: timers and `performance.now()` follow it, and nothing waits for real time.

/// Lets all happen that waits for no time: answers of the fake server are read by parts.
async function happened(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

interface Timer {
  readonly id: number;
  readonly at_ms: number;
  readonly run: () => void;
}

/// The clock; it takes the place of the timers of this process until it is stopped.
export class FakeClock {
  now_ms = 0;
  private timers: Timer[] = [];
  private next = 1;
  private readonly real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  private readonly realNow = performance.now.bind(performance);

  constructor() {
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms = 0) => this.add(run, ms),
      clearTimeout: (id: number | undefined) => (this.timers = this.timers.filter((timer) => timer.id !== id)),
    });
    performance.now = () => this.now_ms;
  }

  /// A promise that is kept after so long.
  readonly after = (ms: number): Promise<void> => new Promise((resolve) => void this.add(resolve, ms));

  /// Lets so much time pass, with all that happens in it.
  async pass(ms: number): Promise<void> {
    const end_ms = this.now_ms + ms;
    await happened();
    for (;;) {
      const due = this.timers
        .filter(({ at_ms }) => at_ms <= end_ms)
        .sort((a, b) => a.at_ms - b.at_ms || a.id - b.id)[0];
      if (!due) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.now_ms = Math.max(this.now_ms, due.at_ms);
      due.run();
      await happened();
    }
    this.now_ms = end_ms;
  }

  stop(): void {
    Object.assign(globalThis, this.real);
    performance.now = this.realNow;
  }

  private add(run: () => void, ms: number): number {
    this.timers.push({ id: this.next, at_ms: this.now_ms + ms, run });
    return this.next++;
  }
}
