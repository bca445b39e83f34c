/// Saving the page as it is, and handing it on.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { address, formatAddress, goToText, shareText } from "../model/address";
import { defaultView, dropDefault, saveDefault } from "../model/defaults";
import { documentId } from "../model/documents";
import { Icon } from "../widget/icon";
import { Popover } from "../widget/popover";
import { useApp } from "./app";
import { copyText } from "./cardactions";

function ViewList({ close }: { close: () => void }): JSX.Element {
  const { session, edits, documents } = useApp();
  const name = useSignal("");
  useEffect(() => void documents.load(), []);
  const common = defaultView(documents.all.value);
  const views = (documents.all.value ?? []).filter((document) => document.kind === "view" && document !== common);
  const isCharts = address.value.page === "metrics" || address.value.page === "";
  const save = async (): Promise<void> => {
    const title = name.value.trim();
    if (title === "") return;
    const same = views.find((view) => view.body.name === title);
    const id = same?.id ?? documentId(title, new Set(views.map((view) => view.id)));
    const saved = await documents.save("view", id, same?.revision ?? null, {
      name: title,
      page: formatAddress(address.peek()),
    });
    if (saved) session.toast(`View “${title}” saved.`);
    close();
  };
  return (
    <div class="views">
      {edits.canDelete() && (
        <form
          class="new-tag"
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <input
            class="field"
            placeholder="Name of this view"
            aria-label="Name of this view"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
          <button type="submit" class="pill strong">
            Save
          </button>
        </form>
      )}
      <div class="menu">
        {views.map((view) => (
          <div key={view.id} class="view">
            <button
              type="button"
              role="menuitem"
              onClick={() => {
                close();
                goToText(String(view.body.page ?? ""));
              }}
            >
              {String(view.body.name ?? view.id)}
            </button>
            {edits.canDelete() && (
              <button
                type="button"
                class="bare"
                aria-label={`Delete view ${view.id}`}
                onClick={() => void documents.drop("view", view.id, `View “${String(view.body.name ?? view.id)}”`)}
              >
                <Icon name="trash" size={13} />
              </button>
            )}
          </div>
        ))}
        {views.length === 0 && <p class="nothing">No view is saved yet.</p>}
        {isCharts && edits.canEdit() && <DefaultItem close={close} />}
      </div>
    </div>
  );
}

/// The item by which the page becomes what all see first.
function DefaultItem({ close }: { close: () => void }): JSX.Element {
  const { session, documents } = useApp();
  const save = async (): Promise<void> => {
    close();
    if (await saveDefault(documents)) session.toast("All see this first now.");
  };
  return (
    <div class="view">
      <button
        type="button"
        role="menuitem"
        title="Axes, smoothing, sections, charts, columns and groups; not the query and single runs"
        onClick={() => void save()}
      >
        Make this what all see first
      </button>
      {defaultView(documents.all.value) && (
        <button
          type="button"
          class="bare"
          aria-label="Remove what all see first"
          onClick={() => void dropDefault(documents)}
        >
          <Icon name="trash" size={13} />
        </button>
      )}
    </div>
  );
}

/// The two pills.
export function ViewButtons(): JSX.Element {
  const app = useApp();
  return (
    <>
      <Popover button="Views" label="Saved views" align="right">
        {(close) => <ViewList close={close} />}
      </Popover>
      <button
        type="button"
        class="pill"
        title="Copy a link that shows exactly this"
        onClick={() => void copyText(app, location.href, shareText(location.hostname))}
      >
        Share
      </button>
    </>
  );
}
