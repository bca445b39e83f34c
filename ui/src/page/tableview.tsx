/// A logged table: its rows, fetched in parts, sorted by a press on a column's head.

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { formatNumber } from "../model/format";
import { sortedBy } from "../model/tablerows";
import { blobUrl, pictureUrl, tableUrl, type Item } from "../model/objects";
import { getJson } from "../wire/request";
import type { CellObject, TableAnswer } from "../wire/objects";
import { digitsOf } from "../wire/json";
import { numberOf, type Json, type WireNumber } from "../wire/types";
import { Icon } from "../widget/icon";
import { useApp } from "./app";
import { Address } from "./reference";

const PART_ROWS = 100;

function objectOf(cell: Json): CellObject | null {
  if (cell === null || typeof cell !== "object" || Array.isArray(cell) || !("kind" in cell)) return null;
  const { kind, fields, file } = cell as { readonly [key: string]: Json };
  return { kind: String(kind), fields: fields as CellObject["fields"], file: file === null ? null : String(file) };
}

function uriOf(object: CellObject): string | null {
  const reference = object.fields.reference ?? null;
  if (reference === null || typeof reference !== "object" || Array.isArray(reference)) return null;
  const { uri } = reference as { readonly [key: string]: Json };
  return typeof uri === "string" ? uri : null;
}

function Cell({ cell, type, blob }: { cell: Json; type: string; blob: string }): JSX.Element {
  const { scope } = useApp();
  const object = objectOf(cell);
  if (object) {
    const uri = uriOf(object);
    const url = object.file === null ? null : blobUrl(scope, blob, object.file);
    if (object.kind === "aim.image" && url)
      return (
        <img
          src={pictureUrl(scope, blob, object.file ?? undefined)}
          alt={String(object.fields.caption ?? "")}
          title={uri ?? undefined}
          loading="lazy"
          decoding="async"
        />
      );
    if (object.kind === "aim.audio" && url)
      return <audio controls preload="none" src={url} aria-label={String(object.fields.caption ?? "sound")} />;
    if (object.kind === "aim.text") return <span class="words">{String(object.fields.text ?? "")}</span>;
    if (uri !== null && !url) return <Address uri={uri} />;
    return url ? (
      <a class="pill" href={url} download>
        <Icon name="download" size={13} />
        {object.kind}
      </a>
    ) : (
      <span class="muted">{object.kind}</span>
    );
  }
  if (cell === null) return <span class="muted">–</span>;
  const digits = digitsOf(cell);
  if (digits !== null) return <span>{digits}</span>;
  if (type === "float" || type === "int")
    return <span title={String(cell)}>{formatNumber(numberOf(cell as WireNumber) ?? NaN)}</span>;
  return <span class="words">{String(cell)}</span>;
}

export function TableView({ item }: { item: Item }): JSX.Element {
  const { session, scope } = useApp();
  const rows = useSignal<readonly (readonly Json[])[]>([]);
  const sort = useSignal<{ readonly column: number; readonly descending: boolean } | null>(null);
  const blob = item.blob ?? "";
  const columns = item.columns ?? [];
  const total = item.row_count ?? 0;
  const more = (from: number): void => {
    getJson<TableAnswer>(tableUrl(scope, blob, from, PART_ROWS)).then((answer) => {
      if (rows.peek().length === answer.from) rows.value = [...rows.peek(), ...answer.rows];
    }, session.report);
  };
  useSignalEffect(() => {
    if (rows.peek().length === 0 && total > 0) more(0);
  });
  const order = sort.value;
  const sortedRows = order
    ? sortedBy(rows.value, order.column, columns[order.column]?.type ?? "", order.descending)
    : rows.value;
  const press = (column: number): void => {
    sort.value =
      order?.column !== column ? { column, descending: false } : order.descending ? null : { column, descending: true };
  };
  return (
    <figure class="tableview">
      {item.caption && <figcaption>{item.caption}</figcaption>}
      <div
        class="scroller"
        tabIndex={0}
        role="region"
        aria-label={item.caption || `Table ${item.track.name} at step ${item.step}`}
      >
        <table class="listing">
          <thead>
            <tr>
              {columns.map(({ name, type }, i) => (
                <th
                  key={name}
                  class={type === "int" || type === "float" ? "number" : ""}
                  aria-sort={order?.column === i ? (order.descending ? "descending" : "ascending") : "none"}
                >
                  <button type="button" class="sort" title={`${name}: ${type}`} onClick={() => press(i)}>
                    {name}
                    {order?.column === i && <Icon name={order.descending ? "arrowDown" : "arrowUp"} size={11} />}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sortedRows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) => (
                  <td key={j} class={columns[j]?.type === "int" || columns[j]?.type === "float" ? "number" : ""}>
                    <Cell cell={cell} type={columns[j]?.type ?? "text"} blob={blob} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted">
        {rows.value.length < total ? (
          <button type="button" class="pill" onClick={() => more(rows.peek().length)}>
            Show more: {rows.value.length} of {total.toLocaleString("en")} rows
          </button>
        ) : (
          `${total.toLocaleString("en")} rows`
        )}
      </p>
    </figure>
  );
}
