/// Starts the app.

import "./style/tokens.css";
import "./style/shell.css";
import "./style/alerts.css";
import "./style/narrow-shell.css";
import "./style/widgets.css";
import "./style/states.css";
import "./style/grid.css";
import "./style/workspace.css";
import "./style/runlist.css";
import "./style/cards.css";
import "./style/runs.css";
import "./style/run.css";
import "./style/log.css";
import "./style/media.css";
import "./style/gallery.css";
import "./style/compare.css";
import "./style/params.css";
import "./style/reports.css";
import "./style/narrow.css";

import { render } from "preact";
import { startAlerts } from "./model/alerts";
import { connect, startClock } from "./model/session";
import { startScope } from "./model/scope";
import { startTags } from "./model/tags";
import { Shell } from "./page/shell";

const root = document.getElementById("app");
if (!root) throw new Error("The page has no place for the app.");
render(<Shell />, root);
startScope();
startAlerts();
startTags();
startClock();
void connect();
