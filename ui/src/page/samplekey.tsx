/// The choice of what makes rows of several tables the same.

import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Item } from "../model/objects";

/// By which column rows of several tables are the same.
export function KeyChoice({ item, keyName }: { item: Item; keyName: Signal<string | null> }): JSX.Element {
  return (
    <label class="line">
      Same rows have the same
      <select
        class="field"
        aria-label="The column by which rows are the same"
        value={keyName.value ?? ""}
        onChange={(event) => (keyName.value = event.currentTarget.value || null)}
      >
        <option value="">row number</option>
        {(item.columns ?? []).map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
