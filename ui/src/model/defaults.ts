/// What all readers of a repository see first on the page of charts: the x axis, the smoothing, sections and charts on
/// top, folded sections, columns. It is a saved view of a fixed id, so whoever may edit changes it; a reader's own
/// arrangement, and an address that says more than which runs, come before it.

import { address, change, formatAddress, parseAddress } from "./address";
import type { Documents } from "./documents";
import type { Scope } from "./scope";
import type { StoredDocument } from "../wire/types";

const ID = "default";
const NAME = "What all see first";
/// Settings of the scope, and what is about single runs or the moment.
const LEFT_OUT: ReadonlySet<string> = new Set(["repo", "q", "win", "full", "only", "pin", "hide", "base", "view"]);
const SCOPE: ReadonlySet<string> = new Set(["repo", "q", "color"]);

/// The view among documents that all see first; undefined: there is none.
export function defaultView(documents: readonly StoredDocument[] | null): StoredDocument | undefined {
  return documents?.find(({ kind, id }) => kind === "view" && id === ID);
}

/// The settings of an address that all would see first, as an address.
export function keptSettings(text: string): string {
  const { params } = parseAddress(text);
  const settings = new Map([...params].filter(([name]) => !LEFT_OUT.has(name)));
  return formatAddress({ page: "metrics", subject: "", params: settings });
}

/// Makes the settings of the page what all see first; returns whether the server has them.
export async function saveDefault(documents: Documents): Promise<boolean> {
  const page = keptSettings(formatAddress(address.peek()));
  const revision = defaultView(documents.all.peek())?.revision ?? null;
  return (await documents.save("view", ID, revision, { name: NAME, page })) !== null;
}

/// Shows the page as it is by itself again.
export function dropDefault(documents: Documents): Promise<void> {
  return documents.drop("view", ID, "What all see first");
}

/// Shows what all see first, unless the address says more than which runs.
export async function applyDefault(scope: Scope, documents: Documents): Promise<void> {
  await scope.whenKnown();
  await documents.load();
  const view = defaultView(documents.all.peek());
  if (!view || [...address.peek().params.keys()].some((name) => !SCOPE.has(name))) return;
  const { params } = parseAddress(String(view.body.page ?? ""));
  const color = address.peek().params.get("color");
  change({ ...Object.fromEntries(params), ...(color ? { color } : {}) }, true);
}
