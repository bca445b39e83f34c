"""
People: whom a proxy names, who signs in at a provider of identities, and what the rules give them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from aim.core.errors import UsageError
from aim.server.people import OidcSettings, PeopleSettings, read_proxy, read_rule
from aim.server.roles import Principal
from aim.server.sessions import Sessions
from aim.server.settings import auth_folder
from tests.server.conftest import Browser, MakeBrowser, MakeRun

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the provider uses a part of Authlib that has a successor
    import oidc_provider_mock

# the provider, which runs in a thread of this process, is what uses it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RULES = ("group:ml=editor", "user:*@example.org=viewer", "group:nlp=editor:nlp-*")
HEADERS = {"X-Auth-Request-Email": "ada@example.org", "X-Auth-Request-Groups": "ml, staff"}


def behind_proxy(*proxies: str) -> PeopleSettings:
    """Return settings that trust the headers of these proxies."""
    return PeopleSettings(
        tuple(map(read_rule, RULES)),
        "X-Auth-Request-Email",
        "X-Auth-Request-Groups",
        tuple(map(read_proxy, proxies)),
    )


def test_all_rules_that_fit_a_person_count() -> None:
    """
    Each gives its role in its projects; whom none fits is nobody. Names of people have no case.
    """
    people = behind_proxy()
    ada = people.person("Ada@Example.org", ["nlp"])

    assert isinstance(ada, Principal)
    assert [{"read"}, {"read", "edit", "change"}] == [set(ada.rights_in(name)) for name in ("vision", "nlp-2")]
    assert ["editor", True] == [ada.role, ada.is_person]
    assert people.person("eve@elsewhere.example", ["staff"]) is None
    assert people.person("", ["ml"]) is None
    assert people.person("ada\n@example.org", ["ml"]) is None


@pytest.mark.parametrize("text", ["", "ml=editor", "group:ml", "group:ml=owner", "team:ml=editor", "user:=viewer"])
def test_a_rule_that_can_not_be_read_is_refused(text: str) -> None:
    """
    The message has an example.
    """
    with pytest.raises(UsageError, match="group:ml=editor"):
        read_rule(text)


def test_a_proxy_is_an_address_a_network_or_the_socket() -> None:
    """
    Only connections from there are trusted; an IPv4 address counts in its IPv6 form, too.
    """
    people = behind_proxy("10.0.0.7", "192.168.0.0/16", "fd00::/8")
    assert [True, True, True, True, False, False, False] == [
        people.is_trusted(address)
        for address in ("10.0.0.7", "192.168.3.4", "::ffff:10.0.0.7", "fd00::1", "10.0.0.8", "", "name")
    ]
    assert behind_proxy("unix").is_trusted("")
    for text in ("example.org", "10.0.0.7/8", ""):
        with pytest.raises(UsageError, match="--trusted-proxy"):
            read_proxy(text)


def test_a_person_is_who_the_trusted_proxy_names(make_run: MakeRun, make_browser: MakeBrowser, root: Path) -> None:
    """
    Their edits have their name; they make tokens for themselves, none above their own role.
    """
    make_run("a").close()
    browser = make_browser(people=behind_proxy("127.0.0.1"), auth=auth_folder(None, (root,)))
    you = browser.client.get("api/info", headers=HEADERS).json()["you"]

    assert ("ada@example.org", "editor", True) == (you["name"], you["role"], you["makes_tokens"])
    assert not you["signed_in"]  # the proxy signs people out
    assert 401 == browser.client.get("api/info").status_code
    browser.post("edits", {"runs": ["a"], "change": {"name": "x"}}, headers=HEADERS)
    (edit,) = (root / ".aim" / "runs" / "a").glob("edit-*.json")
    assert b'"by":"ui:ada@example.org"' in edit.read_bytes()
    bodies = [{"name": "laptop", "role": role, "expires_in": None} for role in ("editor", "writer", "admin")]
    answers = [browser.client.post("api/tokens", json=body, headers=HEADERS) for body in bodies]
    assert [200, 403, 403] == [answer.status_code for answer in answers]
    own = {"Authorization": f"Bearer {answers[0].json()['token']}"}
    assert "ada@example.org" == browser.client.get("api/info", headers=own).json()["you"]["name"]
    assert 403 == browser.client.post("api/tokens", json=bodies[0], headers=own).status_code
    assert ["laptop"] == [token["name"] for token in browser.client.get("api/tokens", headers=HEADERS).json()["tokens"]]


@pytest.mark.parametrize(
    ("proxies", "headers"),
    [
        (("10.0.0.7",), HEADERS),
        (("unix",), HEADERS),
        ((), HEADERS),
        (("127.0.0.1",), {"X-Auth-Request-Groups": "ml"}),
        (("127.0.0.1",), {"X-Auth-Request-Email": "eve@elsewhere.example"}),
    ],
)
def test_forged_headers_let_nobody_in(
    make_run: MakeRun, make_browser: MakeBrowser, proxies: tuple[str, ...], headers: dict[str, str]
) -> None:
    """
    Headers from elsewhere than the proxy, and people whom no rule fits, are answered with 401.
    """
    make_run("a").close()
    browser = make_browser(people=behind_proxy(*proxies))

    assert 401 == browser.client.get("api/info", headers=headers).status_code


def test_a_header_that_a_client_adds_to_that_of_the_proxy_lets_nobody_in(
    make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    Two names are no name: one of them was not the proxy's.
    """
    make_run("a").close()
    browser = make_browser(people=behind_proxy("127.0.0.1"))
    twice = [("X-Auth-Request-Email", "root@example.org"), *HEADERS.items()]

    assert 401 == browser.client.get("api/info", headers=twice).status_code


def test_the_wrong_tokens_of_clients_behind_a_proxy_are_counted_apart(
    make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    The address that the proxy names counts, and only from the proxy.
    """
    make_run("a").close()
    browser = make_browser(people=behind_proxy("127.0.0.1"), token="secret")

    def status(token: str, address: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"203.0.113.9, {address}"}
        return browser.client.get("api/info", headers=headers).status_code

    assert [401] * 10 + [429] == [status("wrong", "198.51.100.1") for _ in range(11)]
    assert [429, 200] == [status("secret", "198.51.100.1"), status("secret", "198.51.100.2")]


def test_sessions_outlive_the_server_and_end(tmp_path: Path) -> None:
    """
    Another object for the same folder knows a session; the file has no id of one; a session that was ended is no more.
    """
    sessions = Sessions(tmp_path)
    first, second = sessions.begin("ada", ["ml"]), sessions.begin("ben", [])
    content = (tmp_path / "sessions.jsonl").read_text()

    assert ("ada", ("ml",)) == (Sessions(tmp_path).session(first).user, Sessions(tmp_path).session(first).groups)
    assert first not in content
    sessions.end(first)
    assert [None, "ben"] == [
        None if session is None else session.user for session in map(Sessions(tmp_path).session, (first, second))
    ]


@pytest.fixture(name="provider", scope="module")
def _provider() -> Iterator[str]:
    """
    The address of a provider of identities with three people.
    """
    users = [
        oidc_provider_mock.User(sub=name, claims={"email": email, "email_verified": is_verified, "groups": groups})
        for name, email, is_verified, groups in (
            ("ada", "ada@example.org", True, ["nlp"]),
            ("eve", "eve@elsewhere.example", True, []),
            ("mallory", "root@example.org", False, ["ml"]),
        )
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(name="site")
def _site(provider: str, make_run: MakeRun, make_browser: MakeBrowser, root: Path) -> Browser:
    """
    A browser on a server that trusts the provider.
    """
    make_run("a").close()
    oidc = OidcSettings(provider, "aim", "secret of this client")
    people = PeopleSettings(tuple(map(read_rule, RULES)), oidc=oidc)
    return make_browser(people=people, auth=auth_folder(None, (root,)))


def authorised(site: Browser, sub: str) -> str:
    """Sign in at the provider as *sub*, and return the address to which it sends the browser back."""
    begun = site.client.get("api/oidc/begin")
    assert 303 == begun.status_code
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.headers["location"]).query).items()}
    assert {"S256", "code"} <= set(asked.values())
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    answer = httpx.post(begun.headers["location"], data={"sub": sub}, timeout=60)
    return str(answer.headers["location"])


def test_a_person_signs_in_at_the_provider(site: Browser) -> None:
    """
    The session is a cookie that scripts can't read; it ends when the person signs out.
    """
    refused = site.client.get("api/info")
    assert (401, True) == (refused.status_code, refused.json()["provider"])
    done = site.client.get(authorised(site, "ada"))

    assert (303, "../../") == (done.status_code, done.headers["location"])
    cookie = next(text for text in done.headers.get_list("set-cookie") if text.startswith("aim_session="))
    assert "HttpOnly; Max-Age" in cookie or "HttpOnly; Path=/; SameSite=lax" in cookie
    you = site.client.get("api/info").json()["you"]
    assert ("ada@example.org", "editor", True) == (you["name"], you["role"], you["signed_in"])
    session_id = site.client.cookies["aim_session"]
    assert 200 == site.client.post("api/logout", json={}).status_code
    assert 401 == site.client.get("api/info", headers={"Cookie": f"aim_session={session_id}"}).status_code


@pytest.mark.parametrize("sub", ["eve", "mallory"])
def test_whom_no_rule_fits_is_not_let_in(site: Browser, sub: str) -> None:
    """
    So is whose address the provider has not verified; neither gets a session.
    """
    done = site.client.get(authorised(site, sub))

    assert 403 == done.status_code
    assert "aim_session" not in site.client.cookies
    assert 401 == site.client.get("api/info").status_code


def test_a_sign_in_that_this_browser_did_not_begin_is_refused(site: Browser) -> None:
    """
    An address that somebody else prepared, one that was used, one of another state, and an error of the provider.
    """
    prepared = authorised(site, "ada")
    site.client.cookies.clear()
    assert 403 == site.client.get(prepared).status_code
    used = authorised(site, "ada")
    assert 303 == site.client.get(used).status_code
    assert 403 == site.client.get(used).status_code
    assert [403, 403, 403] == [
        site.client.get(f"api/oidc/done?{query}").status_code
        for query in ("code=x&state=y", "", "error=access_denied&state=y")
    ]
    other = authorised(site, "ada").replace("code=", "code=x")
    assert 403 == site.client.get(other).status_code


def test_a_server_without_a_provider_says_so(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    There is nothing to begin.
    """
    make_run("a").close()
    browser = make_browser(token="x")

    assert [404, 404] == [browser.client.get(f"api/oidc/{name}").status_code for name in ("begin", "done?state=x")]


@pytest.mark.parametrize(
    ("changed", "is_right"),
    [
        ({}, True),
        ({"iss": "https://evil.example"}, False),
        ({"aud": "another"}, False),
        ({"nonce": "another"}, False),
        ({"exp": 1}, False),
        ({"azp": "another"}, False),
        ({"sub": None}, False),
    ],
)
def test_each_claim_of_an_id_token_is_checked(changed: dict[str, Any], is_right: bool) -> None:
    """
    A token of another issuer, for another client, of another sign-in or of another time is refused.
    """
    import time

    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    from aim.server.oidc import checked_claims

    key = RSAKey.generate_key(2048, {"kid": "1"})
    settings = OidcSettings("https://id.example.org", "aim", "secret")
    now_s = int(time.time())
    claims = {"iss": settings.issuer, "aud": "aim", "sub": "ada", "nonce": "n", "iat": now_s, "exp": now_s + 600}
    sent = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    token = jwt.encode({"alg": "RS256", "kid": "1"}, sent, key)
    keys = {"keys": [key.as_dict(private=False)]}

    if is_right:
        assert "ada" == checked_claims(token, keys, settings, "n")["sub"]
    else:
        with pytest.raises((JoseError, ValueError)):
            checked_claims(token, keys, settings, "n")
    other = {"keys": [RSAKey.generate_key(2048, {"kid": "1"}).as_dict(private=False)]}
    with pytest.raises((JoseError, ValueError)):
        checked_claims(token, other, settings, "n")
