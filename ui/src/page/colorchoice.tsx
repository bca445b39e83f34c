/// A swatch that can be pressed: the reader gives a run, all runs of a name, or a value of a group another colour.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { PALETTE } from "../chart/palette";
import type { Cell } from "../model/cell";
import { Popover } from "../widget/popover";
import { Swatch } from "../widget/text";
import { useApp } from "./app";

/// What a colour is given to.
export interface ColorTarget {
  readonly label: string;
  /// The field as colours are remembered by, and the value in it.
  readonly field: string;
  readonly value: Cell;
}

/// The swatch. `targets`: what the colour may be given to; the first one at first.
export function ColorChoice({
  color,
  name,
  targets,
  dash,
}: {
  color: string;
  name: string;
  targets: readonly ColorTarget[];
  dash?: readonly number[];
}): JSX.Element {
  const { session, colors } = useApp();
  const index = useSignal(0);
  const { field, value } = targets[index.value];
  const chosen = colors.chosen(field, value);
  return (
    <Popover isIcon button={<Swatch color={color} dash={dash} />} label={`Colour of ${name}`} buttonClass="bare color">
      {(close) => (
        <div class="form colors">
          {targets.length > 1 && (
            <span class="segments" role="group" aria-label="What gets the colour">
              {targets.map(({ label }, i) => (
                <button
                  key={label}
                  type="button"
                  class={i === index.value ? "on" : ""}
                  aria-pressed={i === index.value}
                  onClick={() => (index.value = i)}
                >
                  {label}
                </button>
              ))}
            </span>
          )}
          <div class="palette-grid" role="group" aria-label="Colours">
            {PALETTE[session.theme.value].map((each) => (
              <button
                key={each}
                type="button"
                class={each === chosen ? "on" : ""}
                style={{ background: each }}
                aria-label={each}
                aria-pressed={each === chosen}
                onClick={() => {
                  colors.choose(field, value, each);
                  close();
                }}
              />
            ))}
          </div>
          <label class="line">
            Another colour
            <input
              type="color"
              value={chosen ?? (color.startsWith("#") ? color : "#888888")}
              onChange={(event) => colors.choose(field, value, event.currentTarget.value)}
            />
          </label>
          {chosen !== null && (
            <button
              type="button"
              class="pill"
              onClick={() => {
                colors.choose(field, value, null);
                close();
              }}
            >
              Automatic colour
            </button>
          )}
        </div>
      )}
    </Popover>
  );
}
