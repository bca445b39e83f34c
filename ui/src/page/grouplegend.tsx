/// The legend above the charts: each group with its colour, how many runs it has and its best value. A press on its
/// name draws it alone; one on its colour changes the colour; two groups are compared.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { formatCell } from "../model/format";
import { drawOnly, groupKey, onlyGroups, pressed, type LegendGroup } from "../model/legend";
import type { Scene } from "../model/scene";
import { plural } from "../model/words";
import { aggregate, colorField } from "../model/workspace";
import { fieldMemory } from "../model/valuecolors";
import { useApp } from "./app";
import { ColorChoice } from "./colorchoice";
import { GroupDialog } from "./groupdialog";

const ENTRIES_MOST = 10;

function Entry({ group, scene, field }: { group: LegendGroup; scene: Scene; field: string }): JSX.Element {
  const only = onlyGroups.value;
  const key = groupKey(group);
  const isOn = only.length === 0 || only.includes(key);
  const rank = scene.target.value;
  const { scope } = useApp();
  const best = group.best === null ? "" : formatCell(group.best);
  const of = rank ? `, best ${scope.columns.value.label(rank.field)} ${best}` : "";
  const summary = `${group.label}: ${plural(group.count, "run")}${of}.`;
  return (
    <span class={isOn ? "entry" : "entry off"}>
      <ColorChoice
        color={group.color}
        name={group.label}
        targets={[{ label: group.label, field, value: group.value }]}
      />
      <button
        type="button"
        class="bare"
        aria-pressed={only.includes(key)}
        title={`${summary} A press draws only this group; with Shift it is added to the others`}
        onClick={(event) => drawOnly(pressed(only, key, event.shiftKey))}
      >
        <span class="name">{group.label}</span>
        <span class="muted">
          {group.count}
          {best && ` · ${best}`}
        </span>
      </button>
    </span>
  );
}

/// The legend; nothing where nothing is grouped.
export function GroupLegend({ scene }: { scene: Scene }): JSX.Element | null {
  const { scope, session } = useApp();
  const isWhole = useSignal(false);
  const isComparing = useSignal(false);
  const groups = scene.legend.value;
  if (groups.length === 0) return null;
  const field = colorField.value || `groups of ${JSON.stringify(aggregate.value?.by)}`;
  const listed = isWhole.value ? groups : groups.slice(0, ENTRIES_MOST);
  const canCompare = groups.length > 1 && !session.server.value?.archive;
  return (
    <div class="group-legend" role="group" aria-label="Groups, the best first">
      {listed.map((group) => (
        <Entry key={groupKey(group)} group={group} scene={scene} field={fieldMemory(scope.repo.value, field)} />
      ))}
      {groups.length > ENTRIES_MOST && (
        <button type="button" class="bare" onClick={() => (isWhole.value = !isWhole.value)}>
          {isWhole.value ? "fewer" : `+ ${groups.length - ENTRIES_MOST} more`}
        </button>
      )}
      {onlyGroups.value.length > 0 && (
        <button type="button" class="pill on" onClick={() => drawOnly([])}>
          all groups
        </button>
      )}
      {canCompare && (
        <button
          type="button"
          class="pill"
          title="By how much two groups differ, with a confidence interval"
          onClick={() => (isComparing.value = true)}
        >
          Compare groups
        </button>
      )}
      {isComparing.value && <GroupDialog scene={scene} onClose={() => (isComparing.value = false)} />}
    </div>
  );
}
