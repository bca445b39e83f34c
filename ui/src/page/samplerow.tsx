/// One row of a logged table: all of its texts, and the same row at other steps or of other runs beside it, with the
/// words in which it differs.

import { useComputed, useSignal, useSignalEffect, type ReadonlySignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Item } from "../model/objects";
import { relatives, tableLabel, type SampleRow } from "../model/samples";
import { sendJson } from "../wire/request";
import type { RowsAnswer, RowsRequest } from "../wire/objects";
import type { Json } from "../wire/types";
import { Icon } from "../widget/icon";
import { Segments } from "../widget/segments";
import { useApp } from "./app";
import { Difference } from "./difference";
import { SampleCell, textIn } from "./samplecell";
import { KeyChoice } from "./samplekey";

const BESIDE_MOST = 5;
const OVER = [
  ["none", "this row"],
  ["steps", "over steps"],
  ["runs", "over runs"],
] as const;

interface SampleRowPanelProps {
  readonly item: Item;
  readonly row: SampleRow;
  readonly keyName: Signal<string | null>;
  readonly related: ReadonlySignal<readonly Item[]>;
  readonly names: (hash: string) => string;
  readonly onMove: (step: number) => void;
  readonly onClose: () => void;
}

/// The request for the row in several tables.
function rowRequest(item: Item, others: readonly Item[], row: SampleRow, keyName: string | null): RowsRequest {
  const blobs = [item, ...others].map(({ blob = "" }) => blob);
  const column = (item.columns ?? []).findIndex(({ name }) => name === keyName);
  if (column < 0) return { blobs, key: null, from: row.number, limit: 1 };
  const value = row.cells[column] ?? null;
  const text = textIn(value);
  // a long text in the list is cut: its beginning finds it
  const clause =
    text === null || typeof value !== "string"
      ? { column, operator: "==" as const, value }
      : { column, operator: "contains" as const, value: text };
  return { blobs, key: keyName, where: [clause], from: 0, limit: 1 };
}

/// The newest of a prop, as a signal.
function useNow<T>(value: T): ReadonlySignal<T> {
  const now = useSignal(value);
  now.value = value;
  return now;
}

/// The panel. It stays as it is when another row or table comes into it: what is beside a row is chosen once.
export function SampleRowPanel(props: SampleRowPanelProps): JSX.Element {
  const { item, row, keyName, related, names } = props;
  const [itemNow, rowNow] = [useNow(item), useNow(row)];
  const panel = useRef<HTMLElement>(null);
  const { scope, session } = useApp();
  const over = useSignal<string>("none");
  const answer = useSignal<RowsAnswer | null>(null);
  const others = useComputed(() =>
    over.value === "steps" || over.value === "runs"
      ? relatives(itemNow.value, related.value, over.value, BESIDE_MOST)
      : [],
  );
  const whole = useSignal<readonly Item[]>([]);
  useSignalEffect(() => {
    const beside = others.value;
    sendJson<RowsAnswer>(scope.here("tables"), rowRequest(itemNow.value, beside, rowNow.value, keyName.value)).then(
      (next) => {
        whole.value = beside;
        answer.value = next;
      },
      session.report,
    );
  });
  useEffect(() => panel.current?.scrollIntoView({ block: "nearest" }), [answer.value === null]);
  const tables = [item, ...whole.value];
  return (
    <section ref={panel} class="panel sample-row" aria-label={`Row ${row.number + 1}`}>
      <h2>
        Row {(row.number + 1).toLocaleString("en")}
        <Segments label="Beside it" options={OVER} current={over.value} onPick={(value) => (over.value = value)} />
        <KeyChoice item={item} keyName={keyName} />
        <span class="spacer" />
        <button type="button" class="bare" aria-label="Previous row" onClick={() => props.onMove(-1)}>
          <Icon name="arrowUp" size={14} />
        </button>
        <button type="button" class="bare" aria-label="Next row" onClick={() => props.onMove(1)}>
          <Icon name="arrowDown" size={14} />
        </button>
        <button type="button" class="bare" aria-label="Close the row" onClick={props.onClose}>
          <Icon name="close" size={14} />
        </button>
      </h2>
      {over.value !== "none" && others.value.length === 0 && (
        <p class="muted">
          There is no other table of this name {over.value === "steps" ? "in this run" : "in other runs"}.
        </p>
      )}
      {answer.value && (
        <RowTable
          answer={answer.value}
          tables={tables}
          labels={tables.map((table) => (over.value === "runs" ? names(table.run) : tableLabel(table, names, item)))}
        />
      )}
    </section>
  );
}

/// The values by column, those of each table side by side.
function RowTable({
  answer,
  tables,
  labels,
}: {
  answer: RowsAnswer;
  tables: readonly Item[];
  labels: readonly string[];
}): JSX.Element {
  const cells = answer.rows[0] ?? [];
  const columnNames = [...new Set(answer.columns.map(({ name }) => name))];
  const at = (name: string, table: number): number =>
    answer.columns.findIndex((column) => column.name === name && column.table === table);
  return (
    <div class="scroller" tabIndex={0} role="region" aria-label="Values of the row">
      <table class="listing">
        {labels.length > 1 && (
          <thead>
            <tr>
              <th />
              {labels.map((label, i) => (
                <th key={i}>{label}</th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {columnNames.map((name) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {tables.map((table, i) => {
                const index = at(name, i);
                const base = i === 0 ? null : (cells[at(name, 0)] ?? null);
                const type = index < 0 ? "text" : answer.columns[index].type;
                return (
                  <td key={i} data-label={labels.length > 1 ? labels[i] : undefined}>
                    <RowCell cell={cells[index] ?? null} base={base} type={type} blob={table.blob ?? ""} />
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/// A value, with the words in which a text differs from that of the first table.
function RowCell({ cell, base, type, blob }: { cell: Json; base: Json; type: string; blob: string }): JSX.Element {
  const [text, old] = [textIn(cell), textIn(base)];
  if (text !== null && old !== null && text !== old)
    return (
      <span class="words">
        <Difference from={old} to={text} />
      </span>
    );
  return <SampleCell cell={cell} type={type} blob={blob} />;
}
