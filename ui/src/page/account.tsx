/// Who looks at these pages, what they may do here, and their tokens.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { formatTime } from "../model/format";
import { apiUrl, getJson, request, sendJson } from "../wire/request";
import type { CreatedToken, TokenInfo, TokenList, You } from "../wire/account";
import { useApp } from "./app";
import { copyText } from "./cardactions";
import { SignIn } from "./signin";

const DAY_S = 86_400;
const LIFETIMES: readonly (readonly [string, number | null])[] = [
  ["90 days", 90 * DAY_S],
  ["1 year", 365 * DAY_S],
  ["no end", null],
];
const RIGHTS: Readonly<Record<string, string>> = {
  viewer: "looks at runs and exports them",
  writer: "looks at runs, records and edits them, and deletes nothing",
  editor: "looks at runs, edits and deletes them, and saves views, reports and tags",
  admin: "does everything, in all projects, and makes tokens",
};

/// Who looks at the pages; nothing where the server asks nobody who they are.
export function Account(): JSX.Element | null {
  const { session } = useApp();
  const info = session.server.value;
  if (!info?.you || !info.token) return null;
  const { you } = info;
  const isEverywhere = you.projects.includes("*");
  return (
    <section class="panel">
      <h2>You</h2>
      <dl class="pairs">
        <div>
          <dt>name</dt>
          <dd>{you.name || (you.signed_in ? "the token of this server’s start" : "not signed in")}</dd>
        </div>
        <div>
          <dt>role</dt>
          <dd>
            {you.role} <span class="muted">{RIGHTS[you.role]}</span>
          </dd>
        </div>
        <div>
          <dt>projects</dt>
          <dd>{isEverywhere ? "all" : you.projects.join(", ")}</dd>
        </div>
      </dl>
      {you.signed_in && (
        <button type="button" class="pill" onClick={() => void session.logOut().catch(session.report)}>
          Sign out
        </button>
      )}
      {!you.signed_in && you.name === "" && <SignIn hasProvider={info.provider ?? false} />}
    </section>
  );
}

/// The reader's tokens, and a form for a new one; nothing for those who make none.
export function Tokens(): JSX.Element | null {
  const { session } = useApp();
  const you = session.server.value?.you;
  const tokens = useSignal<readonly TokenInfo[]>([]);
  const made = useSignal<string | null>(null);
  const makes = you?.makes_tokens ?? false;
  const load = async (): Promise<void> => {
    tokens.value = (await getJson<TokenList>(apiUrl("tokens"))).tokens;
  };
  useEffect(() => {
    if (makes) void load().catch(session.report);
  }, [makes]);
  if (!you || !makes) return null;
  const revoke = async (token: TokenInfo): Promise<void> => {
    await request(apiUrl(`tokens/${token.id}`), { method: "DELETE" });
    await load();
    session.toast(`The token ${token.name} is revoked.`);
  };
  return (
    <section class="panel">
      <h2>Tokens</h2>
      <p class="muted">
        A token lets a program in: a training that records, a notebook that reads. Give it as <code>AIM_TOKEN</code>, or
        store it with <code>aim login</code>.
      </p>
      <NewToken
        you={you}
        onMade={(text) => {
          made.value = text;
          void load().catch(session.report);
        }}
      />
      {made.value !== null && <MadeToken text={made.value} />}
      <ul class="tokens">
        {tokens.value.map((token) => (
          <li key={token.id}>
            <b>{token.name}</b> <code>{token.id}</code> {token.role}
            {token.projects.includes("*") ? "" : ` · ${token.projects.join(", ")}`}
            <span class="muted">
              {token.state !== "valid"
                ? token.state
                : token.expires_at === null
                  ? "no end"
                  : `until ${formatTime(token.expires_at)}`}
              {token.user ? ` · of ${token.user}` : ""}
            </span>
            {token.state === "valid" && (
              <button
                type="button"
                class="pill"
                aria-label={`Revoke ${token.name}`}
                onClick={() => void revoke(token).catch(session.report)}
              >
                Revoke
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function MadeToken({ text }: { readonly text: string }): JSX.Element {
  const app = useApp();
  return (
    <div class="snippet" role="status">
      <span>Copy the token now: it is not shown again.</span>
      <pre>{text}</pre>
      <button type="button" class="pill" onClick={() => void copyText(app, text, "Token copied.")}>
        Copy
      </button>
    </div>
  );
}

function NewToken({ you, onMade }: { readonly you: You; readonly onMade: (text: string) => void }): JSX.Element {
  const { session } = useApp();
  const name = useSignal("");
  const role = useSignal(you.roles[0]);
  const lifetime = useSignal(0);
  const create = async (): Promise<void> => {
    const body = { name: name.value, role: role.value, expires_in: LIFETIMES[lifetime.value][1] };
    const { token } = await sendJson<CreatedToken>(apiUrl("tokens"), body);
    name.value = "";
    onMade(token);
  };
  return (
    <form
      class="new-tag"
      onSubmit={(event) => {
        event.preventDefault();
        void create().catch(session.report);
      }}
    >
      <input
        class="field"
        required
        maxLength={100}
        placeholder="What it is for"
        aria-label="What the token is for"
        value={name.value}
        onInput={(event) => (name.value = event.currentTarget.value)}
      />
      <select class="field" aria-label="Role" onChange={(event) => (role.value = event.currentTarget.value)}>
        {you.roles.map((item) => (
          <option key={item} value={item}>
            {item}
          </option>
        ))}
      </select>
      <select
        class="field"
        aria-label="How long it is valid"
        onChange={(event) => (lifetime.value = event.currentTarget.selectedIndex)}
      >
        {LIFETIMES.map(([label]) => (
          <option key={label}>{label}</option>
        ))}
      </select>
      <button type="submit" class="pill strong">
        Make a token
      </button>
    </form>
  );
}
