/// What a page shows, as code of the SDK.

import { queryLiteral } from "./fields";
import type { SequenceKey } from "../wire/types";

function clauseOf({ name, context }: SequenceKey): string {
  const parts = Object.entries(context).map(
    ([key, value]) => `metric.context[${queryLiteral(key)}] == ${queryLiteral(value)}`,
  );
  return [`metric.name == ${queryLiteral(name)}`, ...parts].join(" and ");
}

/// The query for some metrics of the runs that `query` matches.
export function metricQuery(metrics: readonly SequenceKey[], query: string): string {
  const clauses = metrics.map(clauseOf);
  const text = clauses.length === 1 ? clauses[0] : clauses.map((clause) => `(${clause})`).join(" or ");
  return query === "" ? text : `(${query}) and (${text})`;
}

/// A program that reads these metrics of the runs that `query` matches.
export function pythonCode(metrics: readonly SequenceKey[], query: string): string {
  return `from aim import Repo

repo = Repo(".")
for metric in repo.query_metrics(${JSON.stringify(metricQuery(metrics, query))}):
    steps, values = metric.values.sparse_numpy()
    print(metric.run.name, steps[-1], values[-1])
`;
}
