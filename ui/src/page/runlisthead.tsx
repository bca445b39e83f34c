/// The head of the list beside the charts: how many runs there are, which of them are drawn, what they are ranked by,
/// and which columns the list has.

import type { JSX } from "preact";
import { change, setting } from "../model/address";
import { columnsText, parseColumns } from "../model/columns";
import { fieldText, metricsOf, parseField, sequenceText } from "../model/fields";
import type { Marks } from "../model/marks";
import type { Scene, Target } from "../model/scene";
import type { Field } from "../wire/types";
import { Icon } from "../widget/icon";
import { MenuItems, Picker, Popover, type MenuItem } from "../widget/popover";
import { useApp } from "./app";
import { columnChoices } from "./runspills";

const COLUMNS_MOST = 8;

const columnsSetting = setting("list");

/// The columns of the list besides the name and the value that runs are ranked by.
export function listColumns(): readonly Field[] {
  return parseColumns(columnsSetting.value).slice(0, COLUMNS_MOST);
}

function TargetPicker({ current }: { current: Target | null }): JSX.Element {
  const { scope } = useApp();
  const choices = scope.fields.value
    ? metricsOf(scope.fields.value).flatMap(({ name, context }) =>
        (["last", "min", "max"] as const).map((summary) => {
          const field = ["metric", name, context, summary] as const;
          return {
            value: fieldText(field),
            label: `${scope.columns.value.label(field)}${summary === "last" ? " last" : ""}`,
            section: sequenceText({ name, context }),
          };
        }),
      )
    : [];
  const pick = (text: string, close: () => void): void => {
    const isSame = current !== null && fieldText(current.field) === text;
    const descending = isSame ? !current.descending : !/loss|err/i.test(text);
    change({ target: (descending ? "-" : "") + text }, true);
    close();
  };
  return (
    <Popover
      button={
        <>
          {current ? scope.columns.value.label(current.field) : "order"}{" "}
          {current && <Icon name={current.descending ? "arrowDown" : "arrowUp"} size={12} />}
        </>
      }
      label="Rank the runs by a metric"
      buttonClass="bare"
      align="right"
    >
      {(close) => (
        <Picker
          choices={choices}
          chosen={new Set(current ? [fieldText(current.field)] : [])}
          onPick={(text) => pick(text, close)}
          placeholder="Rank by…"
        />
      )}
    </Popover>
  );
}

/// Which columns the list has.
function ColumnsPicker(): JSX.Element {
  const { scope } = useApp();
  const chosen = listColumns().map(fieldText);
  const pick = (text: string): void => {
    const next = chosen.includes(text) ? chosen.filter((other) => other !== text) : [...chosen, text];
    const fields = next.map(parseField).filter((field) => field !== null);
    change({ list: columnsText(fields.slice(-COLUMNS_MOST)) || null }, true);
  };
  return (
    <Popover
      isIcon
      button={<Icon name="columns" size={14} />}
      label="Columns of this list"
      buttonClass={chosen.length > 0 ? "bare on" : "bare"}
      align="right"
    >
      {() => (
        <Picker
          choices={columnChoices(scope.fields.value, scope.columns.value)}
          chosen={new Set(chosen)}
          onPick={pick}
          isMany
          placeholder="Columns…"
        />
      )}
    </Popover>
  );
}

/// Which runs are drawn.
function ShownMenu({ scene }: { scene: Scene }): JSX.Element {
  const { marks } = useApp();
  const items = (): readonly MenuItem[] => {
    const selected = marks.selected.peek();
    const hides = scene.hidesFailed.peek();
    const all: (MenuItem | false)[] = [
      selected.length > 0 && {
        label: "Hide all but the selected",
        icon: "eyeOff",
        run: () => marks.showOnly(selected),
      },
      {
        label: hides ? "Show failed and lost runs" : "Hide failed and lost runs",
        icon: hides ? "eye" : "eyeOff",
        run: () => change({ failed: hides ? null : "hide" }, true),
      },
      (marks.hasHidden.peek() || hides) && { label: "Show all", icon: "eye", run: () => showAll(scene, marks) },
    ];
    return all.filter((item) => item !== false);
  };
  return (
    <Popover
      isIcon
      button={<Icon name="eye" size={14} />}
      label="Which runs are drawn"
      buttonClass="bare"
      align="right"
    >
      {(close) => <MenuItems items={items()} close={close} />}
    </Popover>
  );
}

function showAll(scene: Scene, marks: Marks): void {
  marks.showAll();
  if (scene.hidesFailed.peek()) change({ failed: null }, true);
}

/// The head.
export function ListHead({ scene }: { scene: Scene }): JSX.Element {
  const { scope, marks } = useApp();
  const { count, total } = scope.matches.value ?? { count: null, total: null };
  const text = count?.toLocaleString("en") ?? "";
  return (
    <header>
      <b>Runs</b>
      <span class="muted">{count === total ? text : `${text} of ${total?.toLocaleString("en")}`}</span>
      {(marks.hasHidden.value || scene.hidesFailed.value) && (
        <button type="button" class="bare" onClick={() => showAll(scene, marks)}>
          show all
        </button>
      )}
      <span class="spacer" />
      <ShownMenu scene={scene} />
      <ColumnsPicker />
      <TargetPicker current={scene.target.value} />
    </header>
  );
}

/// The names of the columns, above them.
export function ColumnHeads(): JSX.Element | null {
  const { scope } = useApp();
  const fields = listColumns();
  if (fields.length === 0) return null;
  return (
    <div class="heads" role="presentation">
      {fields.map((field) => {
        const label = scope.columns.value.label(field);
        return (
          <span key={fieldText(field)} class="col" title={fieldText(field)}>
            {label}
          </span>
        );
      })}
      <span class="value" />
    </div>
  );
}
