/// What a run's metrics came to: the few numbers in the head of its page, and the table of all.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { change } from "../model/address";
import { valueTitle, type Cell } from "../model/cell";
import { formatCell } from "../model/format";
import { summaryRows, type SummaryRow } from "../model/runsummary";
import type { RunAnswer } from "../wire/types";

const READINGS = 4;
const COLUMNS = ["Last", "Best", "at step", "Lowest", "Highest", "Mean", "Points"];
const ROWS_FIRST = 8;

/// A number with all its digits as its title.
function Value({ cell }: { cell: Cell }): JSX.Element {
  return cell === null ? <span class="muted">–</span> : <span title={valueTitle(cell)}>{formatCell(cell)}</span>;
}

/// What is better, as an arrow with words.
function BetterSign({ direction }: Pick<SummaryRow, "direction">): JSX.Element | null {
  if (direction === 0) return null;
  const words = direction > 0 ? "higher is better" : "lower is better";
  return (
    <span class="muted" title={`By its name, ${words}`} role="img" aria-label={words}>
      {direction > 0 ? "↑" : "↓"}
    </span>
  );
}

/// The last and the best value of the metrics that say most about the run.
export function RunReadings({ run }: { run: RunAnswer }): JSX.Element | null {
  const rows = summaryRows(run).slice(0, READINGS);
  if (rows.length === 0) return null;
  return (
    <dl class="readings" aria-label="Main results">
      {rows.map(({ id, label, direction, last, best, bestStep }) => (
        <div key={id}>
          <dt title={label}>{label}</dt>
          <dd>
            <b>
              <Value cell={last} />
            </b>
            {best !== null && (
              <span class="muted">
                best <Value cell={best} /> <BetterSign direction={direction} />
                {bestStep === null ? "" : ` at step ${bestStep.toLocaleString("en")}`}
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/// The table of all metrics; of many only the first, until a button is pressed.
export function RunSummary({ run }: { run: RunAnswer }): JSX.Element | null {
  const isWhole = useSignal(false);
  const rows = summaryRows(run);
  if (rows.length === 0) return null;
  const visible = isWhole.value ? rows : rows.slice(0, ROWS_FIRST);
  return (
    <section class="panel run-summary" aria-label="Summary">
      <h2>
        Summary <span class="muted">{rows.length}</span>
      </h2>
      <div class="scroller" tabIndex={0} role="region" aria-label="Values of the metrics">
        <table class="listing">
          <thead>
            <tr>
              <th>Metric</th>
              {COLUMNS.map((name) => (
                <th key={name} class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {visible.map((row) => (
              <SummaryLine key={row.id} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > ROWS_FIRST && (
        <button type="button" class="pill" onClick={() => (isWhole.value = !isWhole.value)}>
          {isWhole.value ? "Only the first" : `All ${rows.length} metrics`}
        </button>
      )}
    </section>
  );
}

function SummaryLine({ row }: { row: SummaryRow }): JSX.Element {
  const { card, label, direction, last, best, bestStep, min, max, mean, count } = row;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" title="Go to its chart" onClick={() => change({ card }, true)}>
          {label}
        </button>
      </th>
      <td class="number" data-label="Last">
        <b>
          <Value cell={last} />
        </b>
      </td>
      <td class="number" data-label="Best">
        <BetterSign direction={direction} /> <Value cell={best} />
      </td>
      <td class="number muted" data-label="at step">
        {bestStep === null ? "–" : bestStep.toLocaleString("en")}
      </td>
      <td class="number" data-label="Lowest">
        <Value cell={min} />
      </td>
      <td class="number" data-label="Highest">
        <Value cell={max} />
      </td>
      <td class="number" data-label="Mean">
        <Value cell={mean} />
      </td>
      <td class="number muted" data-label="Points">
        {count.toLocaleString("en")}
      </td>
    </tr>
  );
}
