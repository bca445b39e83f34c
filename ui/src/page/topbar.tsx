/// The parts of the top bar: the repository, and whether the pages are live.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { address, goTo } from "../model/address";
import { Icon } from "../widget/icon";
import { MenuItems, Popover } from "../widget/popover";
import { useApp } from "./app";
import { PageLink } from "./link";

const PROJECTS_COME = "default"; // what a server for a folder of projects calls the project of an address without one

/// The logo with the repository's name; with several repositories, a menu of them.
export function Brand(): JSX.Element {
  const { session, scope } = useApp();
  const repos = session.server.value?.repos ?? [];
  const current = repos.find(({ id }) => id === scope.repo.value);
  const logo = (
    <svg class="logo" viewBox="0 0 16 16" aria-hidden="true">
      <rect width="16" height="16" rx="4.5" fill="var(--accent)" />
      <path
        d="M3 11 6.5 6l3 3L13 4"
        stroke="var(--panel)"
        stroke-width="1.8"
        fill="none"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
  if (repos.length < 2 && session.server.value?.project !== PROJECTS_COME)
    return (
      <PageLink page="metrics" class="brand" title={current?.path}>
        {logo}
        <span>{current?.name ?? "Aim"}</span>
      </PageLink>
    );
  return (
    <Popover
      buttonClass="brand"
      label="Change the repository"
      button={
        <>
          {logo}
          <span>{current?.name ?? "Aim"}</span>
          <i class="turned">
            <Icon name="chevron" size={11} />
          </i>
        </>
      }
    >
      {(close) => <RepositoryMenu close={close} />}
    </Popover>
  );
}

function RepositoryMenu({ close }: { readonly close: () => void }): JSX.Element {
  const { session, scope } = useApp();
  const info = session.server.value;
  const repos = info?.repos ?? [];
  useEffect(() => void session.connect(), []); // a project may have come since
  const isFirst = (id: string): boolean => info?.project !== PROJECTS_COME && id === repos[0].id;
  return (
    <MenuItems
      close={close}
      items={repos.map((item) => ({
        label: item.name,
        hint: String(item.runs),
        isOn: item.id === scope.repo.value,
        run: () =>
          goTo(address.peek().page === "run" ? "runs" : address.peek().page, "", {
            repo: isFirst(item.id) ? "" : item.id,
            q: "",
            color: "",
          }),
      }))}
    />
  );
}

/// Why a button that deletes is off.
export const NO_DELETION = "Your role here edits runs and deletes none.";

/// Says that the repository cannot be changed, and why; nothing where it can be.
export function ReadOnly(): JSX.Element | null {
  const { scope } = useApp();
  const reason = scope.readOnly.value;
  return reason === null ? null : (
    <span class="hint read-only" role="status" title={`${reason} Nothing can be changed here.`}>
      read-only
    </span>
  );
}

/// Whether changes arrive, and how many runs are running.
export function Live(): JSX.Element {
  const { scope } = useApp();
  const count = scope.liveRuns.value;
  const state = scope.live.value;
  const title = state === "live" ? `Live: ${count} running` : state === "connecting" ? "Connecting…" : "Not live";
  return (
    <button
      type="button"
      class={`bare live ${state === "live" ? "live-on" : ""} ${count > 0 && state === "live" ? "live-some" : ""}`}
      title={`${title}. Press to show them.`}
      onClick={() => scope.setQuery(scope.query.peek() === "run.active" ? "" : "run.active")}
    >
      <i />
      {count > 0 ? `${count} live` : state === "live" ? "live" : "…"}
    </button>
  );
}

/// Settings, keys and guides: words where the window is wide, one menu where it is not.
export function ShellLinks({ onHelp }: { readonly onHelp: () => void }): JSX.Element {
  const { session } = useApp();
  const isFile = session.server.value?.archive !== undefined;
  const current = address.value.page;
  return (
    <>
      <span class="shell-links">
        {!isFile && (
          <PageLink page="docs" isCurrent={current === "docs"} class="bare">
            <Icon name="docs" size={14} /> Docs
          </PageLink>
        )}
        <button type="button" class="bare" title="All keys and gestures (?)" onClick={onHelp}>
          <Icon name="keyboard" size={14} /> Help
        </button>
        {!isFile && (
          <PageLink page="settings" isCurrent={current === "settings"} class="bare">
            <Icon name="settings" size={14} /> Settings
          </PageLink>
        )}
      </span>
      <span class="shell-menu">
        <Popover
          buttonClass="bare"
          label="Docs, help and settings"
          button={<Icon name="menu" size={15} />}
          isIcon
          align="right"
        >
          {(close) => (
            <MenuItems
              close={close}
              items={[
                ...(isFile ? [] : [{ label: "Docs", icon: "docs" as const, run: () => goTo("docs") }]),
                { label: "Help: keys and gestures", icon: "keyboard", run: onHelp },
                ...(isFile ? [] : [{ label: "Settings", icon: "settings" as const, run: () => goTo("settings") }]),
              ]}
            />
          )}
        </Popover>
      </span>
    </>
  );
}
