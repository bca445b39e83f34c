/// Which params lead where: parallel coordinates with brushes, a scatter with a trend, and what matters most.

import { useComputed, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { change, setting } from "../model/address";
import { currentBrushes } from "../model/brushes";
import { columnsText } from "../model/columns";
import { fieldText, parseField } from "../model/fields";
import { makeScene, targetOf, type Scene } from "../model/scene";
import { plural } from "../model/words";
import { colorField } from "../model/workspace";
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";
import { Notice } from "../widget/state";
import { Swatch } from "../widget/text";
import { useApp } from "./app";
import { FieldPill } from "./grouppill";
import { useStore, useTitle } from "./hooks";
import { Parallel, Scatter } from "./paramscharts";
import { chosenAxes, scatterFields, useStudy, type Study } from "./paramstudy";
import { Importances, RunsInBrushes } from "./paramstables";
import { columnChoices } from "./runspills";
import { ScopeNotice, useHasRuns } from "./scopenotice";
import { SelectionBar } from "./selectionbar";
import { ViewButtons } from "./viewbuttons";

const LEGEND_MOST = 9;
const targetSetting = setting("target");

/// The page.
export function ParamsPage(): JSX.Element {
  useTitle("Params");
  const app = useApp();
  const { scope } = app;
  const target = useComputed(() => targetOf(targetSetting.value, scope.fields.value)?.field ?? null);
  const fields = useComputed(() => [...chosenAxes(scope.fields.value, target.value), ...scatterFields()]);
  const scene = useStore(() => makeScene(app, { more: fields }));
  const study = useStudy(scene);
  const state = useHasRuns(scene);
  if (state !== "runs") return <ScopeNotice state={state} scene={scene} />;
  if (scope.fields.value && study.value.axes.length < 2 && !scene.isLoading.value) return <NothingDiffers />;
  // Of the properties of a run, only its duration is a result.
  const choices = columnChoices(scope.fields.value, scope.columns.value).filter(
    ({ section, value }) => section !== "Run" || value === "run.duration",
  );
  return (
    <main class="main params-page">
      <ParamsToolbar study={study} scene={scene} choices={choices} />
      <Parallel study={study} scene={scene} />
      <div class="params-lower">
        <Scatter study={study} scene={scene} choices={choices} />
        <Importances study={study} scene={scene} />
      </div>
      <RunsInBrushes study={study} scene={scene} />
      <SelectionBar scene={scene} />
    </main>
  );
}

function NothingDiffers(): JSX.Element {
  return (
    <main class="main">
      <Notice icon="sliders" title="Nothing differs between these runs">
        <p>
          Runs with different params, set by <code>run["hparams"] = …</code>, are compared here.
        </p>
      </Notice>
    </main>
  );
}

interface ParamsToolbarProps {
  readonly study: ReadonlySignal<Study>;
  readonly scene: Scene;
  readonly choices: readonly Choice[];
}

function ParamsToolbar({ study, scene, choices }: ParamsToolbarProps): JSX.Element {
  const { marks } = useApp();
  const { axes, fields, rows } = study.value;
  const keys = new Set(axes.map(({ key }) => key));
  const toggle = (value: string): void => {
    const field = parseField(value);
    if (!field) return;
    const next = keys.has(value) ? fields.filter((other) => fieldText(other) !== value) : [...fields, field];
    change({ axes: columnsText(next) }, true);
  };
  const hashes = rows.map((row) => scene.table.value.hashes[row]);
  const button = (
    <>
      <Icon name="columns" size={14} />
      axes <b>{axes.length}</b>
    </>
  );
  return (
    <div class="toolbar">
      <Popover button={button} label="Choose the axes">
        {() => <Picker choices={choices} chosen={keys} onPick={toggle} isMany placeholder="Axes…" />}
      </Popover>
      <FieldPill name="color" word="colour" current={colorField.value} hint="Colour runs by" />
      {currentBrushes().size > 0 && (
        <>
          <button type="button" class="pill on" onClick={() => change({ brush: null }, true)}>
            {plural(hashes.length, "run")} in the brushes <Icon name="close" size={12} />
          </button>
          <button type="button" class="pill" onClick={() => marks.select(hashes)}>
            <Icon name="check" size={14} />
            Select
          </button>
        </>
      )}
      <span class="muted">drag along an axis to brush · drag a name to move it</span>
      {colorField.value !== "" && (
        <span class="legend" aria-label="Colours">
          {scene.colors.value.groups.slice(0, LEGEND_MOST).map((group) => (
            <span key={group.label}>
              <Swatch color={group.color} />
              {group.label}
            </span>
          ))}
        </span>
      )}
      <span class="spacer" />
      <ViewButtons />
    </div>
  );
}
