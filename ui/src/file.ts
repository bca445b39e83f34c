/// Starts the pages of a file: reads its archive, then goes on as with a server.

import "./theme";
import { BASE, openFile } from "./archive/transport";

void openFile().then(({ answers }) => {
  if (location.hash === "" && answers.page !== "") history.replaceState(null, "", BASE + answers.page);
  return import("./main");
});
