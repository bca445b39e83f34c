/// Where a run was imported from: the words in its head, and the panel with the report.

import type { JSX } from "preact";
import { formatTime } from "../model/format";
import { importLines, importTitle } from "../model/imported";
import type { RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";

/// The words in the head; nothing for a run that was recorded here.
export function ImportedMark({ run }: { run: RunAnswer }): JSX.Element | null {
  if (!run.imported) return null;
  return (
    <span title={run.imported.at === null ? "" : `imported ${formatTime(run.imported.at)}`}>
      <Icon name="download" size={14} />
      imported from {importTitle(run.imported)}
    </span>
  );
}

/// The panel: where the run came from, and what was and was not imported.
export function ImportedPanel({ run }: { run: RunAnswer }): JSX.Element | null {
  const { imported } = run;
  if (!imported) return null;
  return (
    <section class="panel" aria-label="Imported from">
      <h2>
        <Icon name="download" size={14} />
        Imported from {importTitle(imported)}
      </h2>
      <p class="muted">
        <code>{imported.id}</code> in <code>{imported.source}</code>
        {imported.at !== null && `, ${formatTime(imported.at)}`}
      </p>
      <ul>
        {importLines(imported.report).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}
