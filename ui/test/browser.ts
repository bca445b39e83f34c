/// The parts of a browser that the models use, for tests without one: storages, a history, and a clock that tests move.

class MemoryStorage {
  private readonly texts = new Map<string, string>();
  getItem(key: string): string | null {
    return this.texts.get(key) ?? null;
  }
  setItem(key: string, text: string): void {
    this.texts.set(key, text);
  }
  removeItem(key: string): void {
    this.texts.delete(key);
  }
  clear(): void {
    this.texts.clear();
  }
}

/// The addresses that were pushed or replaced, the latest last.
export const visited: { readonly url: string; readonly isReplaced: boolean }[] = [];

const entries = {
  pushState: (_: unknown, __: string, url: string) => visited.push({ url, isReplaced: false }),
  replaceState: (_: unknown, __: string, url: string) => visited.push({ url, isReplaced: true }),
};

Object.assign(globalThis, {
  localStorage: new MemoryStorage(),
  sessionStorage: new MemoryStorage(),
  history: entries,
});

// A test ends when it has seen enough, not when the last message of a page would go away.
const LONG_MS = 500;
const realTimeout = globalThis.setTimeout;
globalThis.setTimeout = Object.assign((run: () => void, ms = 0) => {
  const timer = realTimeout(run, ms);
  return ms >= LONG_MS ? timer.unref() : timer;
}, realTimeout);

/// Lets everything that was promised happen.
export async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

/// Waits for real time, as for a throttle.
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/// Waits until something holds; fails after a minute.
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline_ms = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > deadline_ms) throw new Error(`Waited in vain: ${what}`);
    await pause(2);
  }
}
