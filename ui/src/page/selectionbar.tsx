/// What can be done with the ticked runs: at the foot of every page that lists runs.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { goTo } from "../model/address";
import type { App } from "../model/app";
import type { Marks } from "../model/marks";
import type { RunsStore } from "../model/runs";
import { cellOf, notListedText } from "../model/table";
import { plural } from "../model/words";
import { sendJson } from "../wire/request";
import type { RunsAnswer, RunsRequest } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover, type Choice } from "../widget/popover";
import { useApp } from "./app";
import { NO_DELETION } from "./topbar";
import { ExportMenu, exportedRuns } from "./exportmenu";
import { useCommands } from "./hooks";

/// Opens the comparison of the ticked runs.
function compareSelected(marks: Marks): void {
  if (marks.selected.peek().length > 0) goTo("compare", "", { runs: marks.selected.peek().join(",") });
}

function TagMenu({ scene, isOpenLabel }: { scene: RunsStore; isOpenLabel: JSX.Element }): JSX.Element {
  const { scope, marks, edits } = useApp();
  const fresh = useSignal("");
  const names = (scope.fields.value?.facets.tags ?? []).map(([name]) => name);
  const runs = marks.selected.value;
  const tagsOf = (hash: string): readonly string[] => {
    const cell = cellOf(scene.table.value, "run.tags", hash);
    return Array.isArray(cell) ? (cell as readonly string[]) : [];
  };
  const onAll = new Set(names.filter((name) => runs.every((hash) => tagsOf(hash).includes(name))));
  const choices: Choice[] = names.map((name) => ({ value: name, label: name }));
  const put = (name: string): void => {
    const isOnAll = onAll.has(name);
    void edits.edit(
      runs,
      { tags: { add: isOnAll ? [] : [name], remove: isOnAll ? [name] : [] } },
      isOnAll ? `Removed tag ${name} from` : "Tagged",
      notListedText(scene.areMissing(runs).length, runs),
    );
  };
  return (
    <Popover button={isOpenLabel} label="Tag the selected runs (t)" buttonClass="bare tag-button">
      {(close) => (
        <>
          <form
            class="new-tag"
            onSubmit={(event) => {
              event.preventDefault();
              const name = fresh.value.trim();
              if (name === "") return;
              put(name);
              fresh.value = "";
              close();
            }}
          >
            <input
              class="field"
              placeholder="New tag"
              aria-label="New tag"
              value={fresh.value}
              onInput={(event) => (fresh.value = event.currentTarget.value)}
            />
            <button type="submit" class="pill strong">
              Add
            </button>
          </form>
          {names.length > 0 && <Picker choices={choices} chosen={onAll} onPick={put} isMany placeholder="Tags…" />}
        </>
      )}
    </Popover>
  );
}

/// Whether all of some runs are archived; the server is asked for it where not all of them are in the table.
async function areArchived({ scope }: App, { table }: RunsStore, runs: readonly string[]): Promise<boolean> {
  const { rowOf, columns } = table.peek();
  if (columns.has("run.archived") && runs.every((hash) => rowOf.has(hash)))
    return runs.every((hash) => cellOf(table.peek(), "run.archived", hash) === true);
  const request: RunsRequest = { query: "run.archived", runs, fields: [], sort: [], limit: 1 };
  return (await sendJson<RunsAnswer>(scope.question("runs"), request)).count === runs.length;
}

/// Archives the ticked runs, or brings them back if all of them are archived.
async function archive(app: App, scene: RunsStore): Promise<void> {
  const { marks, edits } = app;
  const runs = marks.selected.peek();
  const isBack = await areArchived(app, scene, runs);
  const remark = notListedText(scene.areMissing(runs).length, runs);
  const isDone = await edits.edit(runs, { archived: !isBack }, isBack ? "Brought back" : "Archived", remark);
  if (isDone) marks.selected.value = [];
}

/// How many runs are selected, and how many of them the query leaves out.
function SelectionCount({ scene }: { scene: RunsStore }): JSX.Element {
  const { marks } = useApp();
  const runs = marks.selected.value;
  const missing = scene.areMissing(runs);
  const leaveOut = (): void => {
    marks.selected.value = runs.filter((hash) => !missing.includes(hash));
  };
  return (
    <>
      <b>
        {plural(runs.length, "run")} selected{notListedText(missing.length, runs)}
      </b>
      {missing.length > 0 && (
        <button type="button" class="bare" onClick={leaveOut}>
          Leave them out
        </button>
      )}
    </>
  );
}

function DeleteSelected({ scene, runs }: { readonly scene: RunsStore; readonly runs: readonly string[] }): JSX.Element {
  const { edits } = useApp();
  return (
    <button
      type="button"
      class="bare danger"
      disabled={!edits.canDelete()}
      title={edits.canDelete() ? undefined : NO_DELETION}
      onClick={() =>
        void edits.edit(runs, { deleted: true }, "Deleted", notListedText(scene.areMissing(runs).length, runs))
      }
    >
      <Icon name="trash" size={14} />
      Delete
    </button>
  );
}

/// The bar; it also adds the keys for what it does.
export function SelectionBar({ scene }: { scene: RunsStore }): JSX.Element | null {
  const app = useApp();
  const { marks, edits, session } = app;
  const archiveSelected = (): void => void archive(app, scene).catch(session.report);
  useCommands(() => [
    { keys: "c", label: "Compare the selected runs", section: "Runs", run: () => compareSelected(marks) },
    {
      keys: "t",
      label: "Tag the selected runs",
      section: "Runs",
      run: () => document.querySelector<HTMLElement>(".tag-button")?.click(),
    },
    {
      keys: "a",
      label: "Archive the selected runs",
      section: "Runs",
      run: () => marks.selected.peek().length > 0 && edits.canEdit() && archiveSelected(),
    },
    { keys: "Escape", label: "Clear the selection", section: "Runs", run: () => (marks.selected.value = []) },
  ]);
  const runs = marks.selected.value;
  if (runs.length === 0) return null;
  const exported = (): RunsRequest =>
    exportedRuns(session, {
      query: "",
      runs,
      fields: [...scene.table.value.columns.values()].map(({ field }) => field),
      sort: [],
    });
  return (
    <div class="selection" role="toolbar" aria-label="The selected runs">
      <SelectionCount scene={scene} />
      <button type="button" class="bare" onClick={() => compareSelected(marks)}>
        <Icon name="compare" size={14} />
        Compare <kbd>C</kbd>
      </button>
      <button type="button" class="bare" onClick={() => marks.togglePinned(runs)}>
        <Icon name="pin" size={14} />
        Pin
      </button>
      {edits.canEdit() && (
        <>
          <TagMenu
            scene={scene}
            isOpenLabel={
              <>
                <Icon name="tag" size={14} />
                Tag <kbd>T</kbd>
              </>
            }
          />
          <button type="button" class="bare" onClick={archiveSelected}>
            <Icon name="archive" size={14} />
            Archive <kbd>A</kbd>
          </button>
          <DeleteSelected scene={scene} runs={runs} />
        </>
      )}
      <ExportMenu label="The selected runs as a file" request={exported} buttonClass="bare" />
      <span class="spacer" />
      <button
        type="button"
        class="bare"
        aria-label="Clear the selection"
        title="Clear the selection (Esc)"
        onClick={() => (marks.selected.value = [])}
      >
        <Icon name="close" size={14} />
      </button>
    </div>
  );
}
