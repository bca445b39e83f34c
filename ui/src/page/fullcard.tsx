/// A card on the whole screen: the chart, and under it every line with its values, sortable.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { goTo } from "../model/address";
import type { Card } from "../model/cards";
import { formatDelta, formatNumber } from "../model/format";
import type { CardLines } from "../model/lines";
import { hot, isBaseline } from "../model/marks";
import type { Scene } from "../model/scene";
import { Dialog } from "../widget/dialog";
import { Grid, type GridColumn } from "../widget/grid";
import { Swatch } from "../widget/text";
import { ChartCard } from "./chartcard";
import { ChartToolbar } from "./toolbar";

const COLUMNS: readonly GridColumn[] = [
  { key: "label", label: "Line", width_px: 300, isSortable: true },
  { key: "last", label: "last", width_px: 110, isNumeric: true, isSortable: true },
  { key: "min", label: "min", width_px: 110, isNumeric: true, isSortable: true },
  { key: "max", label: "max", width_px: 110, isNumeric: true, isSortable: true },
  { key: "delta", label: "Δ to baseline", width_px: 120, isNumeric: true },
  { key: "points", label: "points drawn", width_px: 110, isNumeric: true, isSortable: true },
];

interface Row {
  readonly owner: string;
  readonly label: string;
  readonly color: string;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly points: number;
}

function rowsOf(lines: CardLines): Row[] {
  return lines.data.lines
    .filter((line) => !line.faint)
    .map((line) => {
      let [min, max, last] = [Infinity, -Infinity, NaN];
      for (const value of line.y) {
        if (Number.isFinite(value)) last = value;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      return { owner: line.owner, label: line.label, color: line.color, last, min, max, points: line.y.length };
    });
}

export function FullCard({ card, scene, onClose }: { card: Card; scene: Scene; onClose: () => void }): JSX.Element {
  const lines = useSignal<CardLines | null>(null);
  const sort = useSignal({ key: "last" as "label" | "last" | "min" | "max" | "points", descending: true });
  const rows = useComputed(() => {
    const list = lines.value ? rowsOf(lines.value) : [];
    const { key, descending } = sort.value;
    const sign = descending ? -1 : 1;
    return list.sort((a, b) => {
      const [p, q] = [a[key], b[key]];
      return sign * (typeof p === "number" && typeof q === "number" ? p - q : String(p) < String(q) ? -1 : 1);
    });
  });
  const base = rows.value.find((row) => isBaseline(row.owner));
  const cell = (index: number, column: GridColumn): JSX.Element => {
    const row = rows.value[index];
    if (column.key === "label")
      return (
        <>
          <Swatch color={row.color} />
          <span>{row.label}</span>
        </>
      );
    if (column.key === "points") return <span>{row.points}</span>;
    if (column.key === "delta")
      return <span class="muted">{base && base !== row ? formatDelta(row.last - base.last) : ""}</span>;
    const value = row[column.key as "last" | "min" | "max"];
    return <span title={String(value)}>{formatNumber(value)}</span>;
  };
  return (
    <Dialog title={[card.title, card.subtitle].filter(Boolean).join(" · ")} isWide onClose={onClose}>
      <div class="fullcard">
        <ChartToolbar />
        <ChartCard card={card} scene={scene} isLarge onLines={(next) => (lines.value = next)} />
        <Grid
          label="Lines"
          columns={COLUMNS}
          rowCount={rows.value.length}
          rowHeight_px={28}
          cursor={-1}
          sort={sort.value}
          cell={cell}
          onSort={(key) =>
            (sort.value = {
              key: key as typeof sort.value.key,
              descending: sort.value.key === key ? !sort.value.descending : key !== "label",
            })
          }
          rowClass={(row) => (hot.value?.owner === rows.value[row]?.owner ? "hot" : "")}
          onRowEnter={(row) => (hot.value = { owner: rows.value[row].owner, x: null })}
          onLeave={() => (hot.value = null)}
          onRowDoubleClick={(row) => goTo("run", rows.value[row].owner)}
        />
      </div>
    </Dialog>
  );
}
