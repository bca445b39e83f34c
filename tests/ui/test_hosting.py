"""
The pages as they are hosted: behind a proxy under a path, read-only, with several repositories, with a token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim import Run

from tests.small_disks import fill, small_disk
from tests.ui.changing import changing_controls, reach_controls
from tests.ui.conftest import Open, serving
from tests.ui.proxy import stripping_proxy
from tests.ui.recording import BEST_RUN, record_run

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect
ACCURACY = 'accuracy{"subset":"val"}'
TOKEN = "a-secret-of-the-test"


def wait_painted(page: sync_api.Page) -> None:
    """Wait until the first chart has its curves."""
    page.locator(f"[data-card='{ACCURACY}'] [data-scales]").wait_for()
    page.locator(f"[data-card='{ACCURACY}'] .waiting").wait_for(state="detached")


@pytest.fixture(name="proxied", params=["with --base-path", "without"])
def _proxied(request: pytest.FixtureRequest, repository: Path) -> Iterator[str]:
    """
    The address of the pages behind a proxy that takes `/aim` off.
    """
    options = ["--base-path", "/aim"] if request.param == "with --base-path" else []
    with serving("--repo", str(repository), *options) as address:
        target = re.sub(r"(?<=\d)/.*", "/", address)
        with stripping_proxy(target) as public:
            yield public


def test_the_pages_work_behind_a_proxy_under_a_path(proxied: str, open_page: Open) -> None:
    """
    Charts, the page of a run, a picture, the live stream and a reload: all of it under the proxy's path.
    """
    page = open_page(proxied)

    wait_painted(page)
    expect(page.locator(".live.live-on")).to_be_visible()
    page.get_by_role("link", name="Runs", exact=True).click()
    page.locator(".grid .row .name", has_text=BEST_RUN).click()
    expect(page.locator(".run-head h1")).to_contain_text(BEST_RUN)
    assert page.url.startswith(proxied + "run/")
    page.reload()
    expect(page.locator(".run-head h1")).to_contain_text(BEST_RUN)
    page.goto(proxied + "media")
    picture = page.locator(".picture img").first
    picture.wait_for()
    page.wait_for_function("(image) => image.naturalWidth > 0", arg=picture.element_handle())


@pytest.fixture(name="read_only", scope="session")
def _read_only(repository: Path) -> Iterator[str]:
    """
    The address of a server that takes no changes.
    """
    with serving("--repo", str(repository), "--read-only") as address:
        yield address


@pytest.mark.parametrize("address", ["runs", "metrics", "reports", "run", "settings"])
def test_a_read_only_server_offers_no_change(read_only: str, open_page: Open, address: str) -> None:
    """
    No page has a control that would change something, and the keys for changes do nothing.
    """
    page = open_page(read_only + ("runs" if address == "run" else address))
    reach_controls(page, address)

    assert [] == changing_controls(page)


def test_a_read_only_server_refuses_changes(read_only: str, open_page: Open) -> None:
    """
    A program in the same browser that asks for a change is refused, and the runs stay as they are.
    """
    page = open_page(read_only + "runs")
    page.locator(".grid .row").first.wait_for()
    repo = read_only + "api/repos/demo/"
    table = page.request.post(repo + "runs", data={"query": "", "fields": [["run", "tags"]], "limit": 5}).json()

    for method, path, body in (
        ("POST", "edits", {"runs": table["hash"], "change": {"tags": {"add": ["x"], "remove": []}}}),
        ("POST", "undo", {"undo": "u1"}),
        ("PUT", "documents/view/mine", {"revision": None, "body": {"name": "mine"}}),
        ("DELETE", "documents/view/mine", None),
    ):
        answer = page.request.fetch(repo + path, method=method, data=body)
        assert (403, "read-only") == (answer.status, answer.json()["kind"]), path
    again = page.request.post(repo + "runs", data={"query": "", "fields": [["run", "tags"]], "limit": 5}).json()
    assert table["columns"] == again["columns"]
    assert [] == page.request.get(repo + "documents").json()["documents"]


def test_a_full_disk_is_said_until_there_is_room(tmp_path: Path, open_page: Open) -> None:
    """
    A banner stays while nothing more finds room, on a page that was open before, and goes by itself.
    """
    with small_disk(tmp_path / "disk", 4 << 10) as disk:
        with Run(repo=str(disk / "demo"), system_tracking_interval=None, capture_terminal_logs=False) as run:
            run.track(0.5, name="loss")
        with serving("--repo", str(disk / "demo")) as address:
            page = open_page(address + "runs")
            page.locator(".grid .row").first.wait_for()
            assert 0 == page.locator(".full-notice").count()
            filler = fill(disk)
            notice = page.get_by_role("alert").filter(has_text="The disk of this repository is full")
            notice.wait_for()
            filler.unlink()
            notice.wait_for(state="detached")


@pytest.fixture(name="two", scope="session")
def _two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A folder with two repositories of a run each: `alpha` with a ResNet, `beta` with a ViT.
    """
    folder = tmp_path_factory.mktemp("several")
    for name, model in (("alpha", "resnet18"), ("beta", "vit-s")):
        (folder / name).mkdir()
        record_run(folder / name, model, 0.001, 0, has_objects=False)
    return folder


@pytest.mark.parametrize("is_parent", [True, False], ids=["their parent", "each"])
def test_one_of_several_repositories_is_chosen(open_page: Open, two: Path, is_parent: bool) -> None:
    """
    The corner has a menu of them; the choice is in the address, and holds on the next page.
    """
    repos = ["--repo", str(two)] if is_parent else ["--repo", str(two / "alpha"), "--repo", str(two / "beta")]
    with serving(*repos) as address:
        page = open_page(address + "runs")
        expect(page.locator(".grid .row .name")).to_have_text(["resnet18-0.001-0"])

        page.get_by_title("Change the repository").click()
        page.get_by_role("menuitem", name="beta").click()
        expect(page.locator(".grid .row .name")).to_have_text(["vit-s-0.001-0"])
        assert "repo=beta" in page.url
        page.get_by_role("link", name="Metrics").click()
        wait_painted(page)
        expect(page.locator(".runlist .run .name")).to_have_text(["vit-s-0.001-0"])
        assert "repo=beta" in page.url
        page.close()


def test_a_server_with_a_token_lets_in_who_has_it(open_page: Open, repository: Path, shot: Shot) -> None:
    """
    Without it there is a page that asks, which a wrong one does not pass; the right one shows the runs, for good.
    """
    with serving("--repo", str(repository), "--token", TOKEN) as address:
        page = open_page(address + "metrics?color=hparams.lr")
        expect(page.get_by_role("heading", name="This server asks for a token")).to_be_visible()
        assert 401 == page.request.get(address + "api/info").status
        shot(page)

        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Sign in with a token").click()
        expect(page.locator(".toast.bad")).to_contain_text("This is not a token of this server")
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        wait_painted(page)
        page.reload()
        wait_painted(page)
        assert "color=hparams.lr" in page.url
        page.close()


def test_an_address_with_the_token_logs_in(open_page: Open, repository: Path) -> None:
    """
    The printed address opens the page at once, and the token leaves the address and no script can read it.
    """
    with serving("--repo", str(repository), "--token", TOKEN) as address:
        page = open_page(f"{address}metrics?token={TOKEN}&smooth=0.6")
        wait_painted(page)

        assert address + "metrics?smooth=0.6" == page.url
        assert "" == page.evaluate("document.cookie")
        page.close()
