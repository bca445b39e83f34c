/// Which params do not count when runs are averaged over seeds, and why: a list that the reader can edit.

import { useSignal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { fieldLabel, fieldText, parseField, varyingParams } from "../model/fields";
import { ignoredParams, ignoreParams } from "../model/workspace";
import type { IgnoredParam } from "../wire/frame";
import type { IgnoredReason, ParamPath } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker } from "../widget/popover";
import { useApp } from "./app";

const REASONS: Readonly<Record<IgnoredReason, string>> = {
  seed: "names a seed",
  machine: "names a machine, a time or an output",
  unique: "differs in every run",
  chosen: "",
};

function textOf(path: ParamPath): string {
  return fieldText(["param", ...path]);
}

/// The list. `ignored`: what the last answer ignored; null: none has come.
export function IgnoredParams({
  ignored,
}: {
  ignored: ReadonlySignal<readonly IgnoredParam[] | null>;
}): JSX.Element | null {
  const list = ignored.value;
  if (list === null) return null;
  const paths = list.map(({ path }) => path);
  const count = (path: ParamPath): void => ignoreParams(paths.filter((other) => textOf(other) !== textOf(path)));
  return (
    <>
      <h4>Params that do not count</h4>
      {list.length === 0 && <p class="muted">None: runs are averaged when all of their params are equal.</p>}
      <ul class="ignored">
        {list.map(({ path, why }) => (
          <li key={textOf(path)}>
            <b title={textOf(path)}>{fieldLabel(["param", ...path])}</b> <span class="muted">{REASONS[why]}</span>
            <button
              type="button"
              class="bare"
              title="Runs with other values of it are then apart"
              aria-label={`Let ${textOf(path)} count`}
              onClick={() => count(path)}
            >
              <Icon name="close" size={12} />
            </button>
          </li>
        ))}
      </ul>
      <IgnoreMore paths={paths} />
    </>
  );
}

function IgnoreMore({ paths }: { paths: readonly ParamPath[] }): JSX.Element {
  const { scope } = useApp();
  const isOpen = useSignal(false);
  const texts = new Set(paths.map(textOf));
  const choices = varyingParams(scope.fields.value ?? { params: [] })
    .filter(({ path }) => !texts.has(textOf(path)))
    .map(({ path, distinct }) => ({ value: textOf(path), label: textOf(path), detail: `${distinct} values` }));
  const pick = (text: string): void => {
    const field = parseField(text);
    if (field?.[0] === "param") ignoreParams([...paths, field.slice(1)]);
    isOpen.value = false;
  };
  return (
    <>
      <p class="line">
        <button
          type="button"
          class="pill add"
          aria-expanded={isOpen.value}
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          + ignore a param
        </button>
        {ignoredParams.value !== null && (
          <button type="button" class="pill" onClick={() => ignoreParams(null)}>
            Choose automatically
          </button>
        )}
      </p>
      {isOpen.value && <Picker choices={choices} chosen={new Set()} placeholder="Ignore…" onPick={pick} />}
    </>
  );
}
