/// Signing in: with a token, or by the provider of identities that the server trusts.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { apiUrl } from "../wire/request";
import { useApp } from "./app";

/// A field for a token, and a button for people if the server knows a provider. `hasProvider`: whether it does.
export function SignIn({ hasProvider }: { readonly hasProvider: boolean }): JSX.Element {
  const { session } = useApp();
  const [token, setToken] = useState("");
  return (
    <>
      {hasProvider && (
        <a class="pill strong" href={apiUrl("oidc/begin")}>
          Sign in
        </a>
      )}
      <form
        class="new-tag"
        onSubmit={(event) => {
          event.preventDefault();
          session.logIn(token).catch(session.report);
        }}
      >
        <input
          class="field"
          type="password"
          placeholder="Token"
          aria-label="Token"
          autocomplete="off"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class={hasProvider ? "pill" : "pill strong"}>
          Sign in with a token
        </button>
      </form>
    </>
  );
}
