/// What the page of params draws: its axes, the runs in the brushes, and their colours.

import { useComputed, type ReadonlySignal } from "@preact/signals";
import { rampColor } from "../chart/palette";
import { setting } from "../model/address";
import { axisOf, brushedRows, type Axis } from "../model/axes";
import { currentBrushes } from "../model/brushes";
import { parseColumns } from "../model/columns";
import { fieldText, parseField, settingParams, varyingParams } from "../model/fields";
import type { Scene } from "../model/scene";
import { colorField, groupFields } from "../model/workspace";
import type { Field, FieldsAnswer } from "../wire/types";
import { useApp } from "./app";

const DEFAULT_AXES = 7;
const WITHOUT_RANK = "#888888";
const axesSetting = setting("axes");
const xSetting = setting("sx");
const ySetting = setting("sy");

/// The default axes of parallel coordinates: the settings that differ, and the target last.
export function defaultAxes(fields: FieldsAnswer | null, target: Field | null): readonly Field[] {
  if (!fields) return [];
  const comparable = settingParams(fields);
  // runs that differ in the seed alone differ all the same
  const params = comparable.length > 0 ? comparable : varyingParams(fields);
  const axes = params.slice(0, DEFAULT_AXES).map((param): Field => ["param", ...param.path]);
  return target ? [...axes, target] : axes;
}

/// The axes: those in the address, else the default ones.
export function chosenAxes(fields: FieldsAnswer | null, target: Field | null): readonly Field[] {
  const chosen = parseColumns(axesSetting.value);
  return chosen.length > 0 ? chosen : defaultAxes(fields, target);
}

/// The fields of the scatter that are in the address.
export function scatterFields(): readonly Field[] {
  return groupFields(xSetting.value, ySetting.value);
}

/// The x and the y axis of the scatter in the address; null: not in the address.
export function scatterField(axis: "x" | "y"): Field | null {
  return parseField(axis === "x" ? xSetting.value : ySetting.value);
}

/// What is drawn.
export interface Study {
  readonly fields: readonly Field[];
  readonly axes: readonly Axis[];
  /// The runs in all brushes, by their rows in the table.
  readonly rows: readonly number[];
  /// The colour of each run of the table.
  readonly colors: readonly string[];
}

/// Follows the table of a scene. Runs are coloured by the last axis, unless a field was chosen for that.
export function useStudy(scene: Scene): ReadonlySignal<Study> {
  const { scope, session } = useApp();
  return useComputed<Study>(() => {
    const table = scene.table.value;
    const fields = chosenAxes(scope.fields.value, scene.target.value?.field ?? null);
    const axes = fields.flatMap((field) => {
      const column = table.columns.get(fieldText(field));
      return column ? [axisOf(column, scope.columns.value.label(field))] : [];
    });
    const rank = axes.at(-1);
    const colors = table.hashes.map((hash, row) => {
      if (colorField.value !== "" || !rank) return scene.colors.value.colorOf(hash);
      return Number.isNaN(rank.positions[row]) ? WITHOUT_RANK : rampColor(rank.positions[row], session.theme.value);
    });
    return { fields, axes, colors, rows: brushedRows(axes, currentBrushes(), table.hashes.length) };
  });
}
