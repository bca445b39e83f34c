/// What a person should look at: runs that failed, that were lost, or whose result is no number any more.

import { computed, effect, signal, untracked } from "@preact/signals";
import { fieldLabel } from "./fields";
import { throttled } from "./runs";
import { runName, target } from "./scene";
import { asWireError, fields, here, repo, tick } from "./scope";
import { cellOf, tableOf, type RunTable } from "./table";
import { sendJson } from "../wire/request";
import type { Field, RunsAnswer } from "../wire/types";

const SEEN_KEY = "aim.alerts.seen";
const SEEN_MOST = 500;
const PAUSE_MS = 10_000;
const RUNS_MOST = 100;
const QUERY = 'run.active or run.status == "failed" or run.status == "lost"';

/// One thing to look at. `id` is the same as long as it is the same thing.
export interface Alert { readonly id: string; readonly run: string; readonly name: string; readonly text: string; readonly tone: "failed" | "lost" | "odd" }

/// What there is to look at, newest runs first.
export const alerts = signal<readonly Alert[]>([]);

const seen = signal<ReadonlySet<string>>(new Set(readSeen()));

/// How many of them nobody has looked at in this browser.
export const unseenCount = computed(() => alerts.value.filter(({ id }) => !seen.value.has(id)).length);

function readSeen(): readonly string[] {
  try {
    return JSON.parse(localStorage.getItem(SEEN_KEY) ?? "[]") as string[];
  } catch {
    return [];
  }
}

/// Remembers that all of them were looked at.
export function markSeen(): void {
  const next = [...new Set([...alerts.peek().map(({ id }) => id), ...seen.peek()])].slice(0, SEEN_MOST);
  seen.value = new Set(next);
  localStorage.setItem(SEEN_KEY, JSON.stringify(next));
}

/// The alerts of a table of runs; `metric` is the field that must be a number.
export function alertsOf(table: RunTable, metric: { readonly key: string; readonly label: string } | null): readonly Alert[] {
  return table.hashes.flatMap((hash): Alert[] => {
    const name = runName(table, hash);
    const status = cellOf(table, "run.status", hash);
    const value = metric ? cellOf(table, metric.key, hash) : null;
    const found: Alert[] = [];
    if (status === "failed") found.push({ id: `${hash} failed`, run: hash, name, text: `failed with ${String(cellOf(table, "run.error", hash) ?? "an error")}`, tone: "failed" });
    if (status === "lost") found.push({ id: `${hash} lost`, run: hash, name, text: "gives no sign of life any more", tone: "lost" });
    if (status === "running" && typeof value === "number" && !Number.isFinite(value)) found.push({ id: `${hash} odd`, run: hash, name, text: `${metric?.label ?? "its result"} is ${Number.isNaN(value) ? "NaN" : "infinite"}`, tone: "odd" });
    return found;
  });
}

async function load(): Promise<void> {
  if (repo.peek() === "") return;
  const rank = target.peek();
  const wanted: readonly Field[] = [["run", "name"], ["run", "status"], ["run", "error"], ...(rank ? [rank.field] : [])];
  try {
    const table = tableOf(await sendJson<RunsAnswer>(here("runs"), { query: QUERY, fields: wanted, limit: RUNS_MOST }), wanted);
    const key = rank ? [...table.columns.keys()][3] : undefined;
    alerts.value = alertsOf(table, rank && key !== undefined ? { key, label: fieldLabel(rank.field) } : null);
  } catch (error) {
    asWireError(error); // alerts are a help: a page is whole without them
  }
}

/// Begins to watch the repository. Called once.
export function startAlerts(): void {
  const soon = throttled(PAUSE_MS, () => void load());
  effect(() => {
    void tick.value;
    if (repo.value !== "" && fields.value) untracked(soon.call);
  });
}
