/// A card on the whole screen: the chart, and under it every line with its values, sortable.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { goTo } from "../model/address";
import { deltaText, formatCell } from "../model/format";
import type { CardLines } from "../model/lines";
import { lineRows, sortedLines, type LineKey } from "../model/linerows";
import { valueTitle } from "../model/cell";
import { Dialog } from "../widget/dialog";
import { Grid, type GridColumn } from "../widget/grid";
import { Swatch } from "../widget/text";
import { useApp } from "./app";
import type { CardSubject } from "./carddata";
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

/// The card, over the page.
export function FullCard({
  card,
  scene,
  settings,
  reshape,
  onClose,
}: CardSubject & { onClose: () => void }): JSX.Element {
  const { marks } = useApp();
  const lines = useSignal<CardLines | null>(null);
  const sort = useSignal<{ readonly key: LineKey; readonly descending: boolean }>({ key: "last", descending: true });
  const rows = useComputed(() =>
    sortedLines(lines.value ? lineRows(lines.value, settings.window.value) : [], sort.value.key, sort.value.descending),
  );
  const base = rows.value.find((row) => marks.isBaseline(row.owner));
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
      return <span class="muted">{base && base !== row ? (deltaText(row.last, base.last) ?? "") : ""}</span>;
    const value = row[column.key as "last" | "min" | "max"];
    return <span title={valueTitle(value)}>{formatCell(value)}</span>;
  };
  return (
    <Dialog title={[card.title, card.subtitle].filter(Boolean).join(" · ")} isWide onClose={onClose}>
      <div class="fullcard">
        <ChartToolbar settings={settings} />
        <ChartCard
          card={card}
          scene={scene}
          settings={settings}
          reshape={reshape}
          isLarge
          onLines={(next) => (lines.value = next)}
        />
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
              key: key as LineKey,
              descending: sort.value.key === key ? !sort.value.descending : key !== "label",
            })
          }
          rowClass={(row) => (marks.hot.value?.owner === rows.value[row]?.owner ? "hot" : "")}
          onRowEnter={(row) => (marks.hot.value = { owner: rows.value[row].owner, x: null })}
          onLeave={() => (marks.hot.value = null)}
          onRowDoubleClick={(row) => goTo("run", rows.value[row].owner)}
        />
      </div>
    </Dialog>
  );
}
