/// The page of alerts that reach people: rules, channels, and what was delivered.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { Alerting, deliveryText, forText, watchText } from "../model/alerting";
import { formatTime } from "../model/format";
import { plural } from "../model/words";
import type { AlertDelivery } from "../wire/alerting";
import { Icon } from "../widget/icon";
import { Notice, Skeleton } from "../widget/state";
import { Channels } from "./alertchannels";
import { useApp } from "./app";
import { useStore, useTitle } from "./hooks";
import { LevelMark } from "./alertfields";
import { RuleDialog } from "./alertrule";

const LINES_SEEN = 3;

export function AlertingPage(): JSX.Element {
  const { session, scope } = useApp();
  const alerting = useStore(() => new Alerting(session, scope));
  useTitle("Alerts");
  const answer = alerting.answer.value;
  const error = alerting.error.value;
  if (!answer)
    return (
      <main class="main">{error ? <Notice icon="warning" title={error.message} children={null} /> : <Skeleton />}</main>
    );
  const idle = watchText(answer.looked_at, Math.max(session.now.value, Date.now() / 1000));
  return (
    <main class="main alerting">
      {answer.problem && <p class="failure">{answer.problem}</p>}
      {idle && answer.channels.length > 0 && (
        <p class="idle" role="status">
          <Icon name="warning" size={14} /> {idle}
        </p>
      )}
      <Rules alerting={alerting} />
      <Channels alerting={alerting} />
      <Deliveries alerting={alerting} />
    </main>
  );
}

function Rules({ alerting }: { alerting: Alerting }): JSX.Element {
  const isAdding = useSignal(false);
  const rules = alerting.answer.value?.rules ?? [];
  const mayChange = alerting.mayChange.value;
  return (
    <section class="panel" aria-label="Rules">
      <h2>
        Rules
        <span class="muted">What rings, besides failures, lost runs, NaN, divergence and silence</span>
        <span class="spacer" />
        {mayChange && (
          <button type="button" class="pill strong" onClick={() => (isAdding.value = true)}>
            <Icon name="plus" size={14} />
            New rule
          </button>
        )}
      </h2>
      {rules.length === 0 && (
        <p class="nothing">
          No rule yet. A rule is a query, such as <code>metric.name == "loss" and metric.last &gt; 10</code>: it rings
          once for each run that matches.
        </p>
      )}
      <ul class="entries">
        {rules.map((rule) => (
          <li key={rule.id}>
            <LevelMark level={rule.level} />
            <div>
              {rule.title !== "" && <b>{rule.title}</b>}
              <code>{rule.query}</code>
            </div>
            <span class="muted" title={`Since ${formatTime(rule.created_at)}`}>
              {forText(rule.for_s)}
            </span>
            {mayChange && (
              <button
                type="button"
                class="bare"
                aria-label={`Remove the rule ${rule.title || rule.query}`}
                title="Remove"
                onClick={() => void alerting.removeRule(rule.id)}
              >
                <Icon name="trash" size={14} />
              </button>
            )}
          </li>
        ))}
      </ul>
      {isAdding.value && <RuleDialog alerting={alerting} onClose={() => (isAdding.value = false)} />}
    </section>
  );
}

function Deliveries({ alerting }: { alerting: Alerting }): JSX.Element {
  const deliveries = alerting.answer.value?.deliveries ?? [];
  const waiting = deliveries.filter(({ state }) => state === "waiting").length;
  return (
    <section class="panel" aria-label="Deliveries">
      <h2>
        Deliveries
        {deliveries.length > 0 && (
          <span class="muted">{waiting > 0 ? `${waiting} waiting` : plural(deliveries.length, "message")}</span>
        )}
      </h2>
      {deliveries.length === 0 && <p class="nothing">No message was sent yet.</p>}
      <ul class="entries">
        {deliveries.map((delivery, i) => (
          <DeliveryRow key={`${delivery.at} ${delivery.channel} ${i}`} delivery={delivery} />
        ))}
      </ul>
    </section>
  );
}

function DeliveryRow({ delivery }: { delivery: AlertDelivery }): JSX.Element {
  const { session } = useApp();
  const isAll = useSignal(false);
  const { lines, state, channel, error } = delivery;
  const more = lines.length - LINES_SEEN;
  return (
    <li>
      <span class={`kind state-${state}`}>{state}</span>
      <div>
        {(isAll.value ? lines : lines.slice(0, LINES_SEEN)).map((line, i) => (
          <p key={i}>{line}</p>
        ))}
        {more > 0 && !isAll.value && (
          <button type="button" class="pill" onClick={() => (isAll.value = true)}>
            {more} more
          </button>
        )}
        {error && state !== "delivered" && <p class="failure">{error}</p>}
      </div>
      <span class="muted" title={formatTime(delivery.at)}>
        {channel}
        <br />
        {deliveryText(delivery, Math.max(session.now.value, Date.now() / 1000))}
      </span>
    </li>
  );
}
