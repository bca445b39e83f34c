/// Starts the pages in a cell of a notebook: a frame whose requests the kernel answers.

import "./cell/storage";
import "./theme";
import { BASE, openCell } from "./cell/transport";

openCell();
const start = document.documentElement.dataset.start ?? "";
if (location.hash === "" && start !== "") history.replaceState(null, "", BASE + start);
void import("./main");
