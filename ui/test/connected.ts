/// The models of a window that is connected to a server for tests.

import { until, visited } from "./browser";
import { FakeServer } from "./fakeserver";
import { fieldsAnswer, makeRuns, SERVER } from "./project";
import { goToText } from "../src/model/address";
import { makeApp, type App } from "../src/model/app";
import type { FieldsAnswer } from "../src/wire/types";

/// What the server says that the runs have: those of the generated project.
export const FIELDS: FieldsAnswer = fieldsAnswer(makeRuns(60));

/// Empties what a window keeps, and shows the page of metrics, as each test begins.
export function freshWindow(): void {
  goToText("metrics");
  visited.length = 0;
  localStorage.clear();
  sessionStorage.clear();
}

/// Connects the models of a window. `fields`: what the runs have.
export async function makeConnected(
  server = new FakeServer(),
  fields = FIELDS,
): Promise<{ readonly server: FakeServer; readonly app: App }> {
  server.on("info", () => SERVER);
  server.on("fields", () => fields);
  server.on("alerts", () => ({ cursor: "1", alerts: [] }));
  const app = makeApp();
  await app.session.connect();
  await until(() => app.scope.fields.value !== null, "fields");
  return { server, app };
}
