/// Starts the app.

import "./style/tokens.css";
import "./style/shell.css";
import "./style/widgets.css";
import "./style/charts.css";
import "./style/pages.css";

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
