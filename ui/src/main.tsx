/// Starts the app.

import "./style/font.css";
import "./style/alphabets.css";
import "./style/tokens.css";
import "./style/shell.css";
import "./style/alerts.css";
import "./style/alerting.css";
import "./style/narrow-shell.css";
import "./style/widgets.css";
import "./style/states.css";
import "./style/grid.css";
import "./style/workspace.css";
import "./style/runlist.css";
import "./style/cards.css";
import "./style/groups.css";
import "./style/runs.css";
import "./style/run.css";
import "./style/log.css";
import "./style/media.css";
import "./style/gallery.css";
import "./style/compare.css";
import "./style/params.css";
import "./style/reports.css";
import "./style/docs.css";
import "./style/narrow.css";

import { render } from "preact";
import { makeApp, startApp } from "./model/app";
import { AppProvider } from "./page/app";
import { Shell } from "./page/shell";

const root = document.getElementById("app");
if (!root) throw new Error("The page has no element for the app.");
const app = makeApp();
render(
  <AppProvider value={app}>
    <Shell />
  </AppProvider>,
  root,
);
void startApp(app);
