/// The pills by which rows, cards and lines are grouped by a field of runs.

import type { JSX } from "preact";
import { change, setting } from "../model/address";
import { fieldText, parseField, varyingParams } from "../model/fields";
import type { Scope } from "../model/scope";
import type { Field } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";
import { useApp } from "./app";

const RUN_FIELDS: readonly Field[] = [
  ["run", "experiment"],
  ["run", "status"],
  ["run", "tags"],
  ["run", "name"],
];

const groupSetting = setting("group");

/// What runs can be grouped by: params that differ first, then properties, then params that are the same in all runs.
export function groupChoices(scope: Scope): readonly Choice[] {
  const fields = scope.fields.value;
  if (!fields) return [];
  const columns = scope.columns.value;
  const choice = (field: Field, section: string, detail: string): Choice => ({
    value: fieldText(field),
    label: field[0] === "run" ? columns.label(field).toLowerCase() : fieldText(field),
    section,
    detail,
  });
  const same = fields.params.filter((param) => param.distinct <= 1 && param.path.length > 0);
  return [
    ...varyingParams(fields).map((param) =>
      choice(["param", ...param.path], "Params that differ", `${param.distinct} values`),
    ),
    ...RUN_FIELDS.map((field) => choice(field, "Run", "")),
    ...same.map((param) => choice(["param", ...param.path], "Same in all runs", "")),
  ];
}

/// The pill that groups the rows of a page.
export function GroupPill({ label }: { label: string }): JSX.Element {
  const { scope } = useApp();
  const field = parseField(groupSetting.value);
  return (
    <Popover
      button={
        field ? (
          <>
            group <b>{scope.columns.value.label(field)}</b>
          </>
        ) : (
          <>+ group</>
        )
      }
      label={label}
      buttonClass={field ? "pill" : "pill add"}
    >
      {(close) => (
        <Picker
          choices={groupChoices(scope)}
          chosen={new Set([groupSetting.value])}
          placeholder="Group by…"
          onPick={(value) => {
            change({ group: value === groupSetting.peek() ? null : value });
            close();
          }}
        />
      )}
    </Popover>
  );
}

/// A pill for one way of grouping: a field is chosen, named, and removed again.
export function FieldPill({
  name,
  word,
  current,
  hint,
}: {
  name: string;
  word: string;
  current: string;
  hint: string;
}): JSX.Element {
  const { scope } = useApp();
  const field = parseField(current);
  const label = field ? scope.columns.value.label(field) : "";
  const picker = (
    <Popover
      button={
        field ? (
          <>
            {word} <b>{field[0] === "run" && field[1] === "status" ? label.toLowerCase() : label}</b>
          </>
        ) : (
          <>+ {word}</>
        )
      }
      label={hint}
      buttonClass={field ? "pill" : "pill add"}
    >
      {(close) => (
        <Picker
          choices={groupChoices(scope)}
          chosen={new Set(current ? [current] : [])}
          placeholder={`${hint}…`}
          onPick={(value) => {
            change({ [name]: value === current ? null : value });
            close();
          }}
        />
      )}
    </Popover>
  );
  if (!field) return picker;
  return (
    <span class="pair">
      {picker}
      <button
        type="button"
        class="pill"
        aria-label={`Stop ${hint.toLowerCase()}`}
        title="Remove"
        onClick={() => change({ [name]: null })}
      >
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}
