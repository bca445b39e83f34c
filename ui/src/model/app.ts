/// What the parts of the pages share: one object of each model, made once and passed down as a context.
///
/// Nothing here is a global of a module, so a part of a page, such as a report, may be given a scope and marks of its
/// own.

import { signal } from "@preact/signals";
import { Alerts } from "./alerts";
import { Arrangement } from "./arrangement";
import { Documents } from "./documents";
import { Edits } from "./edits";
import { Marks } from "./marks";
import { Scope } from "./scope";
import { Session } from "./session";
import { Tags } from "./tags";
import { ValueColors } from "./valuecolors";

/// The models of a window.
export interface App {
  readonly session: Session;
  readonly scope: Scope;
  readonly marks: Marks;
  readonly edits: Edits;
  readonly alerts: Alerts;
  readonly documents: Documents;
  readonly tags: Tags;
  readonly arrangement: Arrangement;
  readonly colors: ValueColors;
}

/// Makes the models; none of them asks the server before the session is connected.
export function makeApp(): App {
  const session = new Session();
  const scope = new Scope(session);
  const marks = new Marks();
  const documents = new Documents(session, scope);
  return {
    session,
    scope,
    marks,
    edits: new Edits(session, scope, marks),
    alerts: new Alerts(session, scope),
    documents,
    tags: new Tags(scope, documents),
    arrangement: new Arrangement(scope),
    colors: new ValueColors(typeof localStorage === "undefined" ? null : localStorage),
  };
}

/// Begins to follow the server, and connects to it. Called once.
export async function startApp({ session, scope, alerts, documents, tags, edits }: App): Promise<void> {
  scope.start();
  alerts.start();
  tags.start();
  documents.follow();
  session.start();
  await session.connect();
  void edits.resume();
}

/// The models of a part of a page that has a query of its own, such as a chart of a report; `stop` ends them.
export function appOfQuery(app: App, query: string): App & { readonly stop: () => void } {
  const settings = { repo: app.scope.repo, query: signal(query), setQuery: () => undefined };
  const scope = new Scope(app.session, settings, app.scope);
  return { ...app, scope, stop: scope.stop };
}
