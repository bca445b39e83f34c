/// The bell with the list of alerts, and the mark beside a run that has one.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { goTo } from "../model/address";
import { alertAgo, alertTarget, alertRun, alertText, openAlert } from "../model/alerts";
import { formatTime } from "../model/format";
import type { Session } from "../model/session";
import type { AlertItem, AlertKind } from "../wire/alerts";
import { plural } from "../model/words";
import { Icon } from "../widget/icon";
import { Popover } from "../widget/popover";
import { useApp } from "./app";
import { PageLink } from "./link";

const BELL = "alert-bell";

const WORDS: Readonly<Record<AlertKind, string>> = {
  failed: "failed",
  lost: "lost",
  stalled: "stalled",
  nan: "not a number",
  diverged: "diverged",
  losses: "losses",
};

/// Now, to the second; moves as the clock of the pages does.
function thisMoment(session: Session): number {
  return Math.max(session.now.value, Date.now() / 1000);
}

/// Opens the list, or closes it.
export function toggleAlerts(): void {
  document.querySelector<HTMLElement>(`.${BELL}`)?.click();
}

/// The bell of the top bar; nothing where there are no alerts.
export function Bell(): JSX.Element | null {
  const { alerts } = useApp();
  const count = alerts.open.value.length;
  if (alerts.all.value.length === 0) return null;
  const label = count === 0 ? "No new alerts" : plural(count, "alert");
  return (
    <Popover
      isIcon
      buttonClass={count > 0 ? `bare ${BELL} on` : `bare ${BELL}`}
      align="right"
      label={`${label} (n)`}
      button={
        <>
          <Icon name="warning" size={15} />
          {count > 0 && <b>{count}</b>}
        </>
      }
    >
      {(close) => <AlertList close={close} />}
    </Popover>
  );
}

function AlertList({ close }: { close: () => void }): JSX.Element {
  const { alerts } = useApp();
  const box = useRef<HTMLDivElement>(null);
  const isAll = useSignal(false);
  const open = alerts.open.value;
  const away = alerts.dismissed.value;
  /// The pressed button is gone then: the focus goes to the one that stands where it was.
  const putAway = (list: readonly AlertItem[], at: number): void => {
    alerts.dismiss(list);
    setTimeout(() => {
      const items = box.current?.querySelectorAll<HTMLElement>(".alert .go") ?? [];
      (
        items[Math.min(at, items.length - 1)] ??
        box.current?.querySelector<HTMLElement>("[role=menuitem]") ??
        box.current
      )?.focus();
    });
  };
  return (
    <div ref={box} class="menu alerts" role="menu" aria-label="Alerts" tabIndex={-1}>
      {open.length === 0 && <p class="nothing">No new alerts.</p>}
      {open.map((alert, i) => (
        <AlertRow key={alert.id} alert={alert} onOpen={close} onDismiss={() => putAway([alert], i)} />
      ))}
      {isAll.value && away.map((alert) => <AlertRow key={alert.id} alert={alert} onOpen={close} />)}
      <div class="foot" role="none">
        <button
          type="button"
          role="menuitem"
          onClick={() => {
            close();
            goTo("alerts");
          }}
        >
          Rules and channels
        </button>
        {open.length > 1 && (
          <button type="button" role="menuitem" onClick={() => putAway(open, 0)}>
            Dismiss all
          </button>
        )}
        {away.length > 0 && !isAll.value && (
          <button type="button" role="menuitem" onClick={() => (isAll.value = true)}>
            {away.length} dismissed
          </button>
        )}
        {away.length > 0 && isAll.value && (
          <button type="button" role="menuitem" onClick={alerts.restore}>
            Show dismissed alerts again
          </button>
        )}
      </div>
    </div>
  );
}

function AlertRow({
  alert,
  onOpen,
  onDismiss,
}: {
  alert: AlertItem;
  onOpen: () => void;
  onDismiss?: () => void;
}): JSX.Element {
  const { session } = useApp();
  const text = alertText(alert, thisMoment(session));
  const name = alertRun(alert);
  return (
    <div
      class={onDismiss ? "alert" : "alert away"}
      role="none"
      onKeyDown={(event) => {
        if (event.key !== "Delete" && event.key !== "Backspace") return;
        event.preventDefault();
        onDismiss?.();
      }}
    >
      <button
        type="button"
        role="menuitem"
        class="go"
        onClick={() => {
          onOpen();
          openAlert(alert);
        }}
      >
        <span class={`kind ${alert.kind}`}>{WORDS[alert.kind]}</span>
        <b title={name}>{name}</b>
        <time title={alert.time === null ? undefined : formatTime(alert.time)}>
          {alertAgo(alert, thisMoment(session))}
        </time>
        <span class="said">{text}</span>
      </button>
      {onDismiss && (
        <button
          type="button"
          role="menuitem"
          class="put"
          aria-label={`Dismiss: ${name} ${text}`}
          title="Dismiss (Delete). It comes back when it gets worse."
          onClick={onDismiss}
        >
          <Icon name="close" size={12} />
        </button>
      )}
    </div>
  );
}

/// A mark beside a run's name that leads to its alert; nothing for a run without alerts.
export function AlertMark({ hash }: { hash: string }): JSX.Element | null {
  const { alerts, session } = useApp();
  // A run that failed or was lost says so by its state.
  const current = alerts.byRun.value.get(hash)?.filter(({ kind }) => kind !== "failed" && kind !== "lost");
  if (!current || current.length === 0) return null;
  const text = current.map((alert) => `${alertRun(alert)}: ${alertText(alert, thisMoment(session))}`).join("\n");
  return (
    <PageLink
      page="run"
      subject={hash}
      changes={alertTarget(current[0])}
      class={`alert-mark ${current[0].kind}`}
      title={text}
      label={text}
    >
      <Icon name="warning" size={13} />
    </PageLink>
  );
}

/// The alerts of a run, on its own page.
export function RunAlerts({ hash }: { hash: string }): JSX.Element | null {
  const { alerts, session } = useApp();
  // The page of a failed run begins with its failure.
  const current = alerts.byRun.value.get(hash)?.filter(({ kind }) => kind !== "failed");
  if (!current || current.length === 0) return null;
  return (
    <div class="run-alerts" role="status">
      {current.map((alert) => (
        <span key={alert.id}>
          <i class={`kind ${alert.kind}`}>{WORDS[alert.kind]}</i>
          {alertText(alert, thisMoment(session))}
          {alert.metric && (
            <button type="button" class="pill" onClick={() => openAlert(alert)}>
              Show
            </button>
          )}
        </span>
      ))}
    </div>
  );
}
