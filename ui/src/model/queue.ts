/// Work that takes turns: a browser allows six connections a host, and decoding a sound takes a processor.

interface Waiting {
  readonly rank: () => number;
  readonly go: () => void;
}

/// Runs work, at most so much at a time; of what waits, the least `rank` goes first. A rank is asked for each time that
/// the next work is chosen, so that it may change while the work waits.
export type Queue = <T>(rank: () => number, work: () => Promise<T>) => Promise<T>;

/// A queue that runs `most` pieces of work at a time.
export function makeQueue(most: number): Queue {
  let running = 0;
  const waiting: Waiting[] = [];
  const next = (): void => {
    if (running >= most || waiting.length === 0) return;
    const ranks = waiting.map(({ rank }) => rank());
    let first = 0;
    for (let i = 1; i < ranks.length; i++) if (ranks[i] < ranks[first]) first = i;
    running++;
    waiting.splice(first, 1)[0].go();
  };
  return async (rank, work) => {
    await new Promise<void>((go) => {
      waiting.push({ rank, go });
      // Not at once: everything that came into view together has to be in the queue before the first is chosen.
      setTimeout(next);
    });
    try {
      return await work();
    } finally {
      running--;
      next();
    }
  };
}
