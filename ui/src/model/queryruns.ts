/// The runs that a query finds, without changing the query of the page.

import { here } from "./scope";
import { sendJson } from "../wire/request";
import type { RunsAnswer } from "../wire/types";

const MOST_RUNS = 1000;

/// Hashes of the matching runs, newest first.
export async function runsOfQuery(query: string): Promise<readonly string[]> {
  return (await sendJson<RunsAnswer>(here("runs"), { query, fields: [], limit: MOST_RUNS })).hash;
}
