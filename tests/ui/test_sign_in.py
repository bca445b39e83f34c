"""
Signing in on the pages: by a token, at a provider of identities, by a proxy; what people may do then; signing out.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from tests.ui.changing import PAGES, changing_controls, reach_controls
from tests.ui.conftest import Open, serving
from tests.ui.proxy import stripping_proxy
from tests.ui.recording import record_run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the provider uses a part of Authlib that has a successor
    import oidc_provider_mock

# the provider, which runs in a thread of this process, is what uses it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

expect = sync_api.expect
RUN = "resnet18-0.001-0"
RULES = ("group:ml=editor", "user:*@example.org=viewer")


@pytest.fixture(name="provider", scope="module")
def _provider() -> Iterator[str]:
    """
    The address of a provider of identities with two people, one of whom no rule of the server fits.
    """
    users = [
        oidc_provider_mock.User(sub=name, claims={"email": email, "email_verified": True, "groups": groups})
        for name, email, groups in (("ada", "ada@example.org", ["ml"]), ("eve", "eve@elsewhere.example", []))
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The folder of a repository with one run.
    """
    folder = tmp_path_factory.mktemp("people") / "shared"
    folder.mkdir()
    record_run(folder, "resnet18", 0.001, 0, has_objects=False)
    return folder


@pytest.fixture(name="site", scope="module")
def _site(shared: Path, provider: str) -> Iterator[str]:
    """
    The address of a server that asks everybody who they are, and takes tokens, the provider, and a proxy.
    """
    rules = [word for rule in RULES for word in ("--role", rule)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIM_OIDC_SECRET", "secret of this client")
        oidc = ("--oidc-issuer", provider, "--oidc-client-id", "aim")
        proxy = ("--trusted-proxy", "127.0.0.1", "--user-header", "X-User", "--groups-header", "X-Groups")
        with serving("--repo", str(shared), *rules, *oidc, *proxy) as address:
            yield address


@pytest.fixture(name="tolerated")
def _tolerated(tolerated: list[str]) -> list[str]:
    """
    Also that the provider's page lacks the style that it has from elsewhere, and that a person is not let in.
    """
    return [*tolerated, "net::ERR_", "status of 403"]


def token_for(shared: Path, role: str) -> str:
    """Make a token as `aim token create` does."""
    return TokenFile(auth_folder(None, (shared,))).create(f"the-{role}", role, ["*"], None)


def sign_in_by_token(page: sync_api.Page, token: str) -> None:
    """Fill in the page that asks who the reader is."""
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in with a token").click()


def authorise(page: sync_api.Page, provider: str, person: str) -> None:
    """Go to the provider, and be *person* there."""
    page.route(re.compile("^https://"), lambda route: route.abort())
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(f"^{provider}/"))
    page.get_by_placeholder("sub").fill(person)
    page.get_by_role("button", name="Authorize").click()


def shown_account(page: sync_api.Page) -> list[str]:
    """Return the name and the role on the settings page."""
    panel = page.locator("section.panel", has=page.get_by_role("heading", name="You", exact=True))
    panel.wait_for()
    return [text.splitlines()[0] for text in panel.locator("dd").all_inner_texts()[:2]]


def test_a_token_signs_in_and_out(site: str, shared: Path, open_page: Open) -> None:
    """
    A wrong one is told, and the right one shows the runs and whose it is; after signing out the page asks again.
    """
    page = open_page(site + "settings")
    sign_in_by_token(page, "wrong")
    expect(page.locator(".toast.bad")).to_contain_text("This is not a token of this server")

    sign_in_by_token(page, token_for(shared, "editor"))
    expect(page.get_by_role("heading", name="You", exact=True)).to_be_visible()
    assert ["the-editor", "editor"] == shown_account(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="This server asks for a token")).to_be_visible()
    page.goto(site + "runs")
    expect(page.get_by_role("heading", name="This server asks for a token")).to_be_visible()
    assert 0 == page.get_by_text(RUN).count()


def test_a_viewer_is_offered_no_change(site: str, shared: Path, open_page: Open) -> None:
    """
    No page has a control that would change something, and the keys for changes do nothing; an editor has them.
    """
    page = open_page(f"{site}runs?token={token_for(shared, 'viewer')}")
    for name in PAGES:
        page.goto(site + ("runs" if name == "run" else name))
        reach_controls(page, name)
        assert [] == changing_controls(page), name

    editor = open_page(f"{site}runs?token={token_for(shared, 'editor')}")
    editor.locator(".grid .row").first.get_by_role("checkbox").click()
    expect(editor.get_by_role("toolbar", name="The selected runs")).to_be_visible()
    assert {"Tag", "Archive", "Delete"} <= {text.split()[0] for text in changing_controls(editor)}


def test_a_person_signs_in_at_the_provider(
    site: str, provider: str, open_page: Open, neighbours: set[str]
) -> None:
    """
    The button leads there and back; the person has the role of the rules, also after a reload, until they sign out.
    """
    neighbours |= {provider.removeprefix("http://"), "cdn.jsdelivr.net"}
    page = open_page(site + "runs")
    authorise(page, provider, "ada")

    page.get_by_role("navigation", name="Pages").wait_for()
    page.goto(site + "settings")
    assert ["ada@example.org", "editor"] == shown_account(page)
    page.reload()
    assert ["ada@example.org", "editor"] == shown_account(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="This server asks for a token")).to_be_visible()


def test_a_person_without_a_role_is_told(site: str, provider: str, open_page: Open, neighbours: set[str]) -> None:
    """
    Who is signed in at the provider and fits no rule sees a page that says so, and no run.
    """
    neighbours |= {provider.removeprefix("http://"), "cdn.jsdelivr.net"}
    page = open_page(site + "runs")
    authorise(page, provider, "eve")

    expect(page.get_by_role("heading", name="You are signed in, and may not see anything here")).to_be_visible()
    page.goto(site + "runs")
    expect(page.get_by_role("heading", name="This server asks for a token")).to_be_visible()


def test_a_person_whom_the_proxy_names_makes_a_token(site: str, open_page: Open) -> None:
    """
    They are in without a page that asks, and have nothing to sign out of; their token is shown once, and revoked there.
    """
    with stripping_proxy(site, X_User="ada@example.org", X_Groups="ml") as public:
        page = open_page(public + "settings")
        assert ["ada@example.org", "editor"] == shown_account(page)
        assert 0 == page.get_by_role("button", name=re.compile("^Sign")).count()

        page.get_by_label("What the token is for").fill("laptop")
        page.get_by_label("Role").select_option("viewer")
        page.get_by_role("button", name="Make a token").click()
        page.get_by_role("button", name="Revoke laptop").wait_for()
        token = page.locator(".snippet pre").inner_text()
        headers = {"Authorization": f"Bearer {token}"}
        you = page.request.get(site + "api/info", headers=headers).json()["you"]
        assert ("ada@example.org", "viewer") == (you["name"], you["role"])
        page.get_by_role("button", name="Revoke laptop").click()
        expect(page.locator("ul.tokens li", has_text="laptop")).to_contain_text("revoked")
        assert 401 == page.request.get(site + "api/info", headers=headers).status
        page.close()
