/// The name of a run in a list.

import type { JSX } from "preact";
import { namePartsOf } from "../model/runnames";

/// A name that is cut in the middle where it is too long; what all names begin with is grey.
export function RunNameText({ name, prefix }: { name: string; prefix: string }): JSX.Element {
  const { prefix: common, middle, end } = namePartsOf(name, prefix);
  return (
    <span class="midcut">
      <span class="start">
        {common && <span class="common">{common}</span>}
        {middle}
      </span>
      {end && <span class="end">{end}</span>}
    </span>
  );
}
