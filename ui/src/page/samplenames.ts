/// The names of runs whose tables are looked at.

import { useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import { shortHash } from "../model/marks";
import { sendJson } from "../wire/request";
import type { RunsAnswer } from "../wire/types";
import { useApp } from "./app";

/// What names a run, once the names have come; before, and for runs without a name, its short hash.
export function useRunNames(hashes: ReadonlySignal<readonly string[]>): (hash: string) => string {
  const { scope, session } = useApp();
  const names = useSignal<ReadonlyMap<string, string>>(new Map());
  useSignalEffect(() => {
    const missing = hashes.value.filter((hash) => !names.peek().has(hash));
    if (missing.length === 0) return;
    const body = { query: "", runs: missing, fields: [["run", "name"]], sort: [], offset: 0, limit: missing.length };
    sendJson<RunsAnswer>(scope.here("runs"), body).then((answer) => {
      const [column] = answer.columns;
      const cells = column.type === "string" ? column.codes.map((code) => column.values[code] ?? null) : [];
      const entries = answer.hash.map((hash, i) => [hash, cells[i] ?? shortHash(hash)] as const);
      names.value = new Map([...names.peek(), ...entries]);
    }, session.report);
  });
  return (hash) => names.value.get(hash) ?? shortHash(hash);
}
