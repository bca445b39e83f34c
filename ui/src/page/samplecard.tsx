/// A row of a logged table where the window is too narrow for its columns: short values in a line, texts below them,
/// wrapped. All rows of a table are as high as its first ones need, since only those in view exist.

import type { JSX } from "preact";
import type { CardForm } from "../model/samplecards";
import type { Json } from "../wire/types";
import { SampleCell } from "./samplecell";

interface SampleCardProps {
  readonly form: CardForm;
  readonly cells: readonly Json[];
  /// The table that a column is of.
  readonly blobOf: (table: number) => string;
}

/// The card.
export function SampleCard({ form, cells, blobOf }: SampleCardProps): JSX.Element {
  return (
    <div class="sample-card">
      {form.values.length > 0 && (
        <div class="values" style={{ "--lines": form.valueLines }}>
          {form.values.map(({ index, label, type, table }) => (
            <span key={index}>
              <em>{label}</em> <SampleCell cell={cells[index] ?? null} type={type} blob={blobOf(table)} />
            </span>
          ))}
        </div>
      )}
      {form.texts.map(({ column: { index, label, type, table }, lines }) => (
        <div key={index} class="text" style={{ "--lines": lines }}>
          <em>{label}</em> <SampleCell cell={cells[index] ?? null} type={type} blob={blobOf(table)} />
        </div>
      ))}
    </div>
  );
}
