/// The bell and its list, and the mark beside a run that is to be looked at.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import {
  alertAgo,
  alertPlace,
  alertRun,
  alerts,
  alertsByRun,
  alertText,
  dismiss,
  dismissedAlerts,
  openAlert,
  openAlerts,
  restoreDismissed,
} from "../model/alerts";
import { formatTime } from "../model/format";
import { now } from "../model/session";
import type { AlertItem, AlertKind } from "../wire/types";
import { Icon } from "../widget/icon";
import { Popover } from "../widget/popover";
import { PageLink } from "./link";

const BELL = "alert-bell";

const WORDS: Readonly<Record<AlertKind, string>> = {
  failed: "failed",
  lost: "lost",
  stalled: "stalled",
  nan: "not a number",
  diverged: "diverged",
};

/// Now, to the second; moves as the clock of the pages does.
function thisMoment(): number {
  return Math.max(now.value, Date.now() / 1000);
}

/// Opens the list, or closes it.
export function toggleAlerts(): void {
  document.querySelector<HTMLElement>(`.${BELL}`)?.click();
}

/// The bell of the top bar; nothing where there is nothing to look at.
export function Bell(): JSX.Element | null {
  const count = openAlerts.value.length;
  if (alerts.value.length === 0) return null;
  const label = count === 0 ? "Nothing new to look at" : `${count} ${count === 1 ? "thing" : "things"} to look at`;
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
  const box = useRef<HTMLDivElement>(null);
  const isAll = useSignal(false);
  const open = openAlerts.value;
  const away = dismissedAlerts.value;
  /// What was pressed is gone then: the focus goes to what stands in its place.
  const putAway = (list: readonly AlertItem[], at: number): void => {
    dismiss(list);
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
    <div ref={box} class="menu alerts" role="menu" aria-label="What to look at" tabIndex={-1}>
      {open.length === 0 && <p class="nothing">Nothing new to look at.</p>}
      {open.map((alert, i) => (
        <AlertRow key={alert.id} alert={alert} onOpen={close} onDismiss={() => putAway([alert], i)} />
      ))}
      {isAll.value && away.map((alert) => <AlertRow key={alert.id} alert={alert} onOpen={close} />)}
      <div class="foot" role="none">
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
          <button type="button" role="menuitem" onClick={restoreDismissed}>
            Bring the dismissed back
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
  const text = alertText(alert, thisMoment());
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
        <time title={alert.time === null ? undefined : formatTime(alert.time)}>{alertAgo(alert, thisMoment())}</time>
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

/// A mark beside a run's name that leads to what is wrong; nothing where nothing is.
export function AlertMark({ hash }: { hash: string }): JSX.Element | null {
  const found = alertsByRun.value.get(hash)?.filter(({ kind }) => kind !== "failed" && kind !== "lost"); // these the state says already
  if (!found || found.length === 0) return null;
  const text = found.map((alert) => alertText(alert, thisMoment())).join("\n");
  return (
    <PageLink
      page="run"
      rest={hash}
      changes={alertPlace(found[0])}
      class={`alert-mark ${found[0].kind}`}
      title={text}
      label={text}
    >
      <Icon name="warning" size={13} />
    </PageLink>
  );
}

/// What is wrong with a run, on its own page.
export function RunAlerts({ hash }: { hash: string }): JSX.Element | null {
  const found = alertsByRun.value.get(hash)?.filter(({ kind }) => kind !== "failed"); // a failed run's page begins with its failure
  if (!found || found.length === 0) return null;
  return (
    <div class="run-alerts" role="status">
      {found.map((alert) => (
        <span key={alert.id}>
          <i class={`kind ${alert.kind}`}>{WORDS[alert.kind]}</i>
          {alertText(alert, thisMoment())}
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
