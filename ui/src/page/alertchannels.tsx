/// Channels: where alerts go, each with a button that tries it; and the box in which one is written.

import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Alerting, ChannelDraft } from "../model/alerting";
import type { AlertChannel, AlertLevel } from "../wire/alerting";
import { Dialog } from "../widget/dialog";
import { Icon } from "../widget/icon";
import { ChoiceField, Field, LevelField, LevelMark, useSending } from "./alertfields";

type NewKind = "webhook" | "smtp" | "desktop";

const SHAPES = [
  ["", "by the address"],
  ["slack", "Slack"],
  ["mattermost", "Mattermost"],
  ["discord", "Discord"],
  ["teams", "Teams"],
  ["json", "JSON"],
] as const;
const TLS = [
  ["", "by the port"],
  ["starttls", "STARTTLS"],
  ["implicit", "implicit"],
  ["none", "none"],
] as const;
const KINDS: readonly (readonly [NewKind, string])[] = [
  ["webhook", "Webhook"],
  ["smtp", "Mail"],
];
const ADMIN_KINDS: typeof KINDS = [...KINDS, ["desktop", "Desktop of the server"]];

/// What is open: a new channel, or the one that is changed.
type Opened = "new" | AlertChannel | null;

export function Channels({ alerting }: { alerting: Alerting }): JSX.Element {
  const opened = useSignal<Opened>(null);
  const channels = alerting.answer.value?.channels ?? [];
  const close = (): void => void (opened.value = null);
  return (
    <section class="panel" aria-label="Channels">
      <h2>
        Channels
        <span class="muted">Where alerts go</span>
        <span class="spacer" />
        {alerting.mayChange.value && (
          <button type="button" class="pill strong" onClick={() => (opened.value = "new")}>
            <Icon name="plus" size={14} />
            New channel
          </button>
        )}
      </h2>
      {channels.length === 0 && (
        <p class="nothing">No channel yet: alerts stay on these pages, and reach nobody who does not look.</p>
      )}
      <ul class="entries">
        {channels.map((channel) => (
          <ChannelRow
            key={channel.name}
            alerting={alerting}
            channel={channel}
            onChange={() => (opened.value = channel)}
          />
        ))}
      </ul>
      {opened.value === "new" && <NewChannelDialog alerting={alerting} onClose={close} />}
      {opened.value !== null && opened.value !== "new" && (
        <ChannelDialog alerting={alerting} channel={opened.value} onClose={close} />
      )}
    </section>
  );
}

interface ChannelRowProps {
  readonly alerting: Alerting;
  readonly channel: AlertChannel;
  readonly onChange: () => void;
}

function ChannelRow({ alerting, channel, onChange }: ChannelRowProps): JSX.Element {
  const { name, where, level, quiet, is_quiet, for_all, may_change } = channel;
  const mayChange = alerting.mayChange.value && may_change;
  const tests = alerting.tests.value;
  const test = tests.get(name);
  return (
    <li>
      <b>{name}</b>
      <div>
        <span class="where">{where}</span>
        <p class="muted">
          {level !== "info" && (
            <>
              from <LevelMark level={level} /> on
            </>
          )}
          {for_all && <span>for all repositories</span>}
          {quiet !== "" && (
            <span class={is_quiet ? "quiet now" : "quiet"}>
              <Icon name="moon" size={12} /> quiet {quiet}
              {is_quiet && ", now: only errors go"}
            </span>
          )}
        </p>
        {test && (
          <p class={test.error === null ? "success" : "failure"} role="status">
            {test.error === null ? "The test message was delivered." : test.error}
          </p>
        )}
      </div>
      <span class="acts">
        {alerting.mayChange.value && (
          <button
            type="button"
            class="pill"
            disabled={tests.has(name) && test === null}
            aria-label={`Test ${name}`}
            onClick={() => void alerting.test(name)}
          >
            {tests.has(name) && test === null ? "Testing…" : "Test"}
          </button>
        )}
        {mayChange && (
          <>
            <button
              type="button"
              class="bare"
              aria-label={`Change ${name}`}
              title="Level and quiet hours"
              onClick={onChange}
            >
              <Icon name="pencil" size={14} />
            </button>
            <button
              type="button"
              class="bare"
              aria-label={`Remove ${name}`}
              title="Remove"
              onClick={() => void alerting.removeChannel(name)}
            >
              <Icon name="trash" size={14} />
            </button>
          </>
        )}
      </span>
    </li>
  );
}

interface Chosen {
  readonly level: Signal<AlertLevel>;
  readonly quiet: Signal<string>;
}

/// What every channel has.
function ChosenFields({ level, quiet }: Chosen): JSX.Element {
  return (
    <>
      <LevelField label="Least level" value={level} />
      <Field
        label="Quiet hours"
        hint="by the clock of the server: only errors go, others wait"
        value={quiet}
        placeholder="22:00-07:00"
      />
    </>
  );
}

interface ChannelDialogProps {
  readonly alerting: Alerting;
  readonly onClose: () => void;
}

/// Changes the level and the quiet hours; where it leads stays, with its secrets.
function ChannelDialog({ alerting, channel, onClose }: ChannelDialogProps & { channel: AlertChannel }): JSX.Element {
  const chosen = { level: useSignal(channel.level), quiet: useSignal(channel.quiet) };
  return (
    <ChannelForm
      title={`Change ${channel.name}`}
      button="Save"
      isReady
      onClose={onClose}
      send={() => alerting.putChannel(channel.name, { level: chosen.level.peek(), quiet: chosen.quiet.peek().trim() })}
    >
      <p class="muted">{channel.where}</p>
      <ChosenFields {...chosen} />
    </ChannelForm>
  );
}

type Values = Readonly<Record<string, string | number | boolean | null>>;

/// What is written of a webhook.
function useWebhook() {
  const url = useSignal("");
  const shape = useSignal<(typeof SHAPES)[number][0]>("");
  const values = (): Values => ({ url: url.value.trim(), shape: shape.value || null });
  return { url, shape, values };
}

/// What is written of mail.
function useMail() {
  const host = useSignal("");
  const port = useSignal("587");
  const tls = useSignal<(typeof TLS)[number][0]>("");
  const to = useSignal("");
  const sender = useSignal("");
  const user = useSignal("");
  const password = useSignal("");
  const values = (): Values => {
    const people = { to: to.value.trim(), sender: sender.value.trim(), user: user.value, password: password.value };
    return { host: host.value.trim(), port: Number(port.value), tls: tls.value || null, ...people };
  };
  return { host, port, tls, to, sender, user, password, values };
}

function WebhookFields({ url, shape }: ReturnType<typeof useWebhook>): JSX.Element {
  return (
    <>
      <Field
        label="Address"
        hint="is a secret: it is not shown again"
        value={url}
        placeholder="https://hooks.slack.com/services/…"
      />
      <ChoiceField label="For" value={shape} choices={SHAPES} />
    </>
  );
}

function MailFields({ host, port, tls, to, sender, user, password }: ReturnType<typeof useMail>): JSX.Element {
  return (
    <>
      <div class="two">
        <Field label="Mail server" value={host} placeholder="mail.example.org" />
        <Field label="Port" value={port} />
      </div>
      <ChoiceField label="TLS" value={tls} choices={TLS} />
      <div class="two">
        <Field label="To" value={to} placeholder="ada@example.org" />
        <Field label="From" hint="To, when it is empty" value={sender} />
      </div>
      <div class="two">
        <Field label="User" value={user} />
        <Field label="Password" isSecret value={password} />
      </div>
    </>
  );
}

function NewChannelDialog({ alerting, onClose }: ChannelDialogProps): JSX.Element {
  const name = useSignal("");
  const kind = useSignal<NewKind>("webhook");
  const isForAll = useSignal(false);
  const webhook = useWebhook();
  const mail = useMail();
  const chosen = { level: useSignal<AlertLevel>("info"), quiet: useSignal("") };
  const draft = (): ChannelDraft => ({
    ...{ webhook: webhook.values, smtp: mail.values, desktop: (): Values => ({}) }[kind.peek()](),
    kind: kind.peek(),
    level: chosen.level.peek(),
    quiet: chosen.quiet.peek().trim(),
    for_all: isForAll.peek(),
  });
  const leads = {
    webhook: webhook.url.value !== "",
    smtp: mail.host.value !== "" && mail.to.value !== "",
    desktop: true,
  }[kind.value];
  return (
    <ChannelForm
      title="New channel"
      button="Add the channel"
      isReady={name.value.trim() !== "" && leads}
      onClose={onClose}
      send={() => alerting.putChannel(name.peek().trim(), draft())}
    >
      <Field label="Name" value={name} placeholder="team" />
      <ChoiceField label="Kind" value={kind} choices={alerting.isAdmin.value ? ADMIN_KINDS : KINDS} />
      {kind.value === "webhook" && <WebhookFields {...webhook} />}
      {kind.value === "smtp" && <MailFields {...mail} />}
      <ChosenFields {...chosen} />
      {alerting.isAdmin.value && (
        <label class="check">
          <input
            type="checkbox"
            checked={isForAll.value}
            onChange={(event) => (isForAll.value = event.currentTarget.checked)}
          />
          For all repositories that this server's user watches
        </label>
      )}
    </ChannelForm>
  );
}

interface ChannelFormProps {
  readonly title: string;
  readonly button: string;
  readonly isReady: boolean;
  readonly onClose: () => void;
  readonly send: () => Promise<void>;
  readonly children: JSX.Element | (JSX.Element | false)[];
}

function ChannelForm({ title, button, isReady, onClose, send, children }: ChannelFormProps): JSX.Element {
  const sending = useSending(onClose);
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="body alert-form"
        onSubmit={(event) => {
          event.preventDefault();
          void sending.send(send);
        }}
      >
        {children}
        {sending.error.value && (
          <p class="failure" role="alert">
            {sending.error.value}
          </p>
        )}
        <footer>
          <button type="submit" class="pill strong" disabled={!isReady || sending.isBusy.value}>
            {button}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
