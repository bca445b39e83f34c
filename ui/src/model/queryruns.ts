/// The runs that a query matches, without changing the query of the page.

import type { Scope } from "./scope";
import { sendJson } from "../wire/request";
import type { RunsAnswer } from "../wire/types";

const RUNS_MOST = 1000;

/// Hashes of the matching runs, newest first.
export async function runsOfQuery(scope: Scope, query: string): Promise<readonly string[]> {
  return (await sendJson<RunsAnswer>(scope.here("runs"), { query, fields: [], limit: RUNS_MOST })).hash;
}
