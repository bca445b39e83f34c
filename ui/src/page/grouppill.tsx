/// The pills by which rows, cards and lines are grouped by a field of runs.

import type { JSX } from "preact";
import { change } from "../model/address";
import { joinTexts } from "../model/columns";
import { fieldText, parseField, varyingParams } from "../model/fields";
import { foldSetting, groupOrder, rowFields } from "../model/rowsettings";
import type { GroupOrder } from "../model/runrows";
import type { Scope } from "../model/scope";
import type { Field } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";
import { Segments } from "../widget/segments";
import { useApp } from "./app";

const RUN_FIELDS: readonly Field[] = [
  ["run", "experiment"],
  ["run", "status"],
  ["run", "tags"],
  ["run", "name"],
];

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

const ORDERS: readonly (readonly [GroupOrder, string])[] = [
  ["mean", "mean"],
  ["best", "best"],
  ["std", "deviation"],
  ["n", "runs"],
];

/// The pill that groups the rows of a page by one field or several. `isPivot`: the heads of the groups have values, by
/// which they can be put in order, and groups can be folded.
export function RowGroupPill({ isPivot = false }: { isPivot?: boolean }): JSX.Element {
  const { scope } = useApp();
  const fields = rowFields.value;
  const texts = fields.map(fieldText);
  const pick = (value: string): void => {
    const next = texts.includes(value) ? texts.filter((text) => text !== value) : [...texts, value];
    change({ group: joinTexts(next) || null });
  };
  const pill = (
    <Popover
      button={
        fields.length > 0 ? (
          <>
            group <b>{fields.map((field) => scope.columns.value.label(field)).join(" · ")}</b>
          </>
        ) : (
          <>+ group</>
        )
      }
      label="Group the rows"
      buttonClass={fields.length > 0 ? "pill" : "pill add"}
    >
      {() => (
        <>
          <Picker choices={groupChoices(scope)} chosen={new Set(texts)} placeholder="Group by…" onPick={pick} isMany />
          {isPivot && fields.length > 0 && (
            <div class="form">
              <h4>Sort the groups by</h4>
              <Segments
                label="Sort the groups by"
                current={groupOrder.value}
                options={ORDERS}
                onPick={(order) => change({ by: order === "mean" ? null : order })}
              />
              <p class="muted">Of the column that the table is sorted by.</p>
            </div>
          )}
        </>
      )}
    </Popover>
  );
  const isFolded = foldSetting.value === "all";
  return (
    <>
      <span class={fields.length > 0 ? "pair" : ""}>
        {pill}
        {fields.length > 0 && (
          <button
            type="button"
            class="pill"
            aria-label="Stop grouping the rows"
            title="Remove"
            onClick={() => change({ group: null })}
          >
            <Icon name="close" size={12} />
          </button>
        )}
      </span>
      {isPivot && fields.length > 0 && (
        <button type="button" class="pill" onClick={() => change({ fold: isFolded ? null : "all" })}>
          {isFolded ? "Unfold all" : "Fold all"}
        </button>
      )}
    </>
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
