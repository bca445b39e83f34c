/// The tables of the page of params: what matters most, and the runs in the brushes.

import { useComputed, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { goTo } from "../model/address";
import { fieldText } from "../model/fields";
import { formatCell } from "../model/format";
import { importances } from "../model/importance";
import { runName, type Scene } from "../model/scene";
import { cellOf } from "../model/table";
import { Grid, type GridColumn } from "../widget/grid";
import { Swatch } from "../widget/text";
import { useApp } from "./app";
import { PageLink } from "./link";
import type { Study } from "./paramstudy";

/// How much each param matters for the target.
export function Importances({ study, scene }: { study: ReadonlySignal<Study>; scene: Scene }): JSX.Element {
  const { scope } = useApp();
  const rank = useComputed(() => {
    const goal = scene.target.value;
    if (!goal) return [];
    const table = scene.table.value;
    const columns = study.value.axes.flatMap((axis) => {
      const column = table.columns.get(axis.key);
      return column && column.field[0] === "param" ? [{ key: axis.label, cells: column.cells }] : [];
    });
    return importances(columns, table.columns.get(fieldText(goal.field))?.cells ?? []);
  });
  const most = Math.max(...rank.value.map(({ importance }) => importance), 1e-9);
  return (
    <section class="panel">
      <h2>
        Importance{" "}
        <span class="muted">
          for {scene.target.value ? scope.columns.value.label(scene.target.value.field) : "nothing yet"}
        </span>
      </h2>
      {rank.value.length === 0 && <p class="muted">At least six finished runs with different params are needed.</p>}
      <div class="importances" role="table" aria-label="Importance of params">
        {rank.value.map(({ key, importance, correlation }) => (
          <div key={key} role="row">
            <span role="cell" class="name" title={key}>
              {key}
            </span>
            <span role="cell" class="track">
              <i style={{ width: `${(importance / most) * 100}%` }} />
            </span>
            <span role="cell" class="value">
              {(importance * 100).toFixed(0)} %
            </span>
            <span
              role="cell"
              class={correlation === null ? "muted" : correlation < 0 ? "down" : "up"}
              title="Spearman's rank correlation"
            >
              {correlation === null ? "" : `${correlation > 0 ? "↗" : "↘"} ${Math.abs(correlation).toFixed(2)}`}
            </span>
          </div>
        ))}
      </div>
    </section>
  );
}

/// The runs in the brushes, with their values on the axes.
export function RunsInBrushes({ study, scene }: { study: ReadonlySignal<Study>; scene: Scene }): JSX.Element {
  const { marks } = useApp();
  const columns = useComputed<readonly GridColumn[]>(() => [
    { key: "run.name", label: "Run", width_px: 230, isFixed: true },
    ...study.value.axes.map((axis) => ({
      key: axis.key,
      label: axis.label,
      width_px: 120,
      isStretched: true,
      isNumeric: axis.kind !== "category",
    })),
  ]);
  const hashAt = (row: number): string => scene.table.value.hashes[study.value.rows[row]];
  return (
    <div class="params-table">
      <Grid
        label="Runs in the brushes"
        columns={columns.value}
        rowCount={study.value.rows.length}
        rowHeight_px={28}
        cursor={-1}
        rowClass={(row) => (marks.hot.value?.owner === hashAt(row) ? "hot" : "")}
        onRowEnter={(row) => (marks.hot.value = { owner: hashAt(row), x: null })}
        onLeave={() => (marks.hot.value = null)}
        onRowDoubleClick={(row) => goTo("run", hashAt(row))}
        cell={(row, column) => {
          const hash = hashAt(row);
          if (column.key === "run.name")
            return (
              <>
                <Swatch color={study.value.colors[study.value.rows[row]]} />
                <PageLink page="run" subject={hash} class="name">
                  {runName(scene.table.value, hash)}
                </PageLink>
              </>
            );
          return <span>{formatCell(cellOf(scene.table.value, column.key, hash))}</span>;
        }}
      />
    </div>
  );
}
