/// What is served here, and the few things that a reader can set.

import type { JSX } from "preact";
import { plural } from "../model/words";
import { Account, Tokens } from "./account";
import { useApp } from "./app";
import { useTitle } from "./hooks";
import { PageLink } from "./link";

export function SettingsPage(): JSX.Element {
  const { session, scope } = useApp();
  useTitle("Settings");
  const info = session.server.value;
  return (
    <main class="main settings">
      <section class="panel">
        <h2>Repositories</h2>
        <dl class="pairs">
          {info?.repos.map((repo) => (
            <div key={repo.id}>
              <dt>
                <PageLink page="runs" changes={{ repo: repo.id, q: "" }}>
                  {repo.name}
                </PageLink>
              </dt>
              <dd>
                <code>{repo.path}</code> <span class="muted">{plural(repo.runs, "run")}</span>
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <Account />
      <Tokens />
      <section class="panel">
        <h2>Server</h2>
        <dl class="pairs">
          <div>
            <dt>version</dt>
            <dd>{info?.version}</dd>
          </div>
          <div>
            <dt>changes</dt>
            <dd>{scope.readOnly.value === null ? "allowed" : `refused: ${scope.readOnly.value}`}</dd>
          </div>
          <div>
            <dt>figures</dt>
            <dd>{info?.plotly ? "drawn by the installed plotly" : "plotly is not installed"}</dd>
          </div>
        </dl>
      </section>
      <section class="panel">
        <h2>Alerts</h2>
        <PageLink page="alerts" class="pill">
          Rules, channels and deliveries
        </PageLink>
      </section>
      <section class="panel">
        <h2>Look</h2>
        <button type="button" class="pill" onClick={session.toggleTheme}>
          {session.theme.value === "dark" ? "Change to light" : "Change to dark"}
        </button>
      </section>
    </main>
  );
}
