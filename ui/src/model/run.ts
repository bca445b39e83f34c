/// One run, or a few: all that the server knows of them, kept up to date.

import { computed, type ReadonlySignal } from "@preact/signals";
import { liveStore, type LiveStore } from "./livestore";
import type { Scope } from "./scope";
import { getJson } from "../wire/request";
import type { RunAnswer } from "../wire/types";

const PAUSE_MS = 1500;

/// Asks for one run.
export function fetchRun(scope: Scope, hash: string, abort?: AbortSignal): Promise<RunAnswer> {
  return getJson<RunAnswer>(scope.here(`runs/${encodeURIComponent(hash)}`), abort);
}

/// Follows one run.
export function runStore(scope: Scope, hash: string): LiveStore<RunAnswer> {
  return liveStore<string, RunAnswer>(scope, {
    wish: computed(() => hash),
    pause_ms: PAUSE_MS,
    fetch: (run, abort) => fetchRun(scope, run, abort),
    concerns: ({ changed, removed }) => changed === null || changed.includes(hash) || removed.includes(hash),
  });
}

/// Some runs by their hashes; null: it cannot be had. One that is not in it is still on its way.
export type RunsByHash = ReadonlyMap<string, RunAnswer | null>;

/// Follows some runs, such as those of a comparison. Only what is new or changed is asked for.
export function fewRunsStore(scope: Scope, hashes: ReadonlySignal<readonly string[]>): LiveStore<RunsByHash> {
  const ask = async (
    runs: readonly string[],
    old: RunsByHash,
    abort: AbortSignal,
    show: (part: RunsByHash) => void,
  ): Promise<RunsByHash> => {
    const byHash = new Map(old);
    const askOne = async (hash: string): Promise<void> => {
      try {
        byHash.set(hash, await fetchRun(scope, hash, abort));
      } catch (error) {
        if (abort.aborted) throw error;
        scope.asWireError(error); // the others can still be compared
        byHash.set(hash, null);
      }
      show(new Map(byHash));
    };
    await Promise.all(runs.map(askOne));
    return byHash;
  };
  return liveStore<readonly string[], RunsByHash>(scope, {
    wish: hashes,
    pause_ms: PAUSE_MS,
    fetch: (runs, abort, show, old) => {
      const missing = runs.filter((hash) => !old?.get(hash));
      return ask(missing, old ?? new Map(), abort, show);
    },
    merge: (old, changed, runs) => {
      const asked = runs.filter((hash) => changed === null || changed.has(hash));
      return (abort) => ask(asked, old, abort, () => undefined);
    },
    concerns: ({ changed }, runs) => changed === null || runs.some((hash) => changed.includes(hash)),
  });
}
