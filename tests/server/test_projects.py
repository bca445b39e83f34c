"""
Projects: the repositories in a folder, opened when they are asked for.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from aim.engine.repository import Repository
from aim.sdk.run import Run
from aim.server.answers import Refusal
from aim.server.open_projects import IDLE_S
from aim.server.open_repository import OpenRepository
from aim.server.projects import PROJECTS_MAX, FolderSize, Projects
from aim.server.settings import auth_folder
from aim.server.ship import BYTES_TYPE
from aim.server.tokens import TokenFile
from tests.server.conftest import Browser, MakeBrowser


def record(folder: Path, name: str = "a") -> None:
    """Record a run into the repository in *folder*, which is made if there is none."""
    run = Run(name, repo=str(folder), system_tracking_interval=None, capture_terminal_logs=False, create=True)
    run.track(1.0, name="loss")
    run.close()


@pytest.fixture(name="projects")
def _projects(tmp_path: Path) -> Path:
    """
    A folder with the projects `nlp` and `vision`, and with folders that are none.
    """
    for name in ("vision", "nlp", ".hidden", "Upper"):
        record(tmp_path / name)
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.fixture(name="browser")
def _browser(projects: Path, make_browser: MakeBrowser) -> Browser:
    """
    A browser on the project `vision` of a server for that folder.
    """
    return make_browser("vision", roots=(), project_root=projects)


def test_each_repository_of_the_folder_is_a_project(browser: Browser) -> None:
    """
    They are listed by name with their number of runs; an address without a project means `default`.
    """
    info = browser.client.get("api/info").json()

    assert [("nlp", 1), ("vision", 1)] == [(repo["id"], repo["runs"]) for repo in info["repos"]]
    assert "default" == info["project"]
    assert 1.0 == browser.get("runs/a")["sequences"][0]["last"]
    for name in ("empty", ".hidden", "Upper", "..", "%2e%2e", "nlp%2f..%2fvision", "a" * 65):
        answer = browser.client.get(f"api/repos/{name}/runs/a")
        assert 404 == answer.status_code, name


def test_a_project_that_is_made_later_is_served(browser: Browser, projects: Path) -> None:
    """
    Nobody has to start the server again.
    """
    record(projects / "audio")

    assert "a" == browser.client.get("api/repos/audio/runs/a").json()["hash"]


def test_a_project_that_is_moved_away_is_gone_and_one_in_its_place_is_served(browser: Browser, projects: Path) -> None:
    """
    The server notices with the next request, also that another repository is there now.
    """
    assert "a" == browser.get("runs/a")["hash"]
    shutil.move(projects / "vision", projects / ".backup")
    assert 404 == browser.client.get(f"{browser.base}runs/a").status_code
    record(projects / "vision", "b")

    assert "b" == browser.get("runs/b")["hash"]
    assert 404 == browser.client.get(f"{browser.base}runs/a").status_code


def test_an_idle_project_is_closed_and_opened_again(projects: Path) -> None:
    """
    One that a page follows stays open.
    """
    served = Projects(projects)
    first = served.get("vision")

    def is_followed(repo: OpenRepository) -> bool:
        return repo.id == "nlp"

    served.get("nlp")
    assert [] == served.close_idle(is_followed, IDLE_S)
    assert ["vision"] == served.close_idle(is_followed, 0.0)
    assert ["nlp"] == [repo.id for repo in served]
    assert first is not served.get("vision")
    served.close()
    assert [] == list(served)


def test_a_project_is_opened_once_by_many_at_once(projects: Path) -> None:
    """
    Requests that come together get one repository.
    """
    served = Projects(projects)
    opened: list[OpenRepository] = []
    threads = [threading.Thread(target=lambda: opened.append(served.get("vision"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (8, 1) == (len(opened), len({id(repo) for repo in opened}))
    served.close()


def test_a_project_is_made_only_when_that_is_asked_for(tmp_path: Path) -> None:
    """
    A name that is no name of a project is refused, and nothing is made outside of the folder.
    """
    root = tmp_path / "root"
    root.mkdir()
    served = Projects(root)
    with pytest.raises(Refusal, match="No repository 'new'"):
        served.get("new")
    assert "new" == served.get("new", create=True).id
    for name in ("..", "../x", "Upper", "a/b", ".auth", "a" * 65, "", "a\0"):
        with pytest.raises(Refusal, match="The name of a project"):
            served.get(name, create=True)

    assert [["new"], ["root"]] == [[path.name for path in folder.iterdir()] for folder in (root, tmp_path)]
    served.close()


def test_a_server_makes_a_bounded_number_of_projects(tmp_path: Path) -> None:
    """
    Beyond the bound nothing is made; what is there is served.
    """
    (tmp_path / "first" / ".aim").mkdir(parents=True)
    Repository(tmp_path / "one", create=True)
    for number in range(PROJECTS_MAX):
        shutil.copytree(tmp_path / "one", tmp_path / f"p{number}")
    served = Projects(tmp_path)
    with pytest.raises(Refusal, match="1,000 projects"):
        served.get("another", create=True)

    assert "one" == served.get("one").id
    served.close()


def test_a_full_project_takes_nothing_more(projects: Path) -> None:
    """
    The bound is of the bytes in its folder; another project is not full.
    """
    (projects / "vision" / "large").write_bytes(bytes(1 << 20))
    served = Projects(projects, bytes_max=1 << 20)

    with pytest.raises(Refusal, match="'vision' is full: it may hold 1,048,576 bytes"):
        served.check_room("vision")
    served.check_room("nlp")
    assert FolderSize(projects / "vision").bytes() > 1 << 20


def test_a_project_that_was_refused_room_is_said_to_be_full(projects: Path, make_browser: MakeBrowser) -> None:
    """
    From the first refusal of what a training sends: pages and monitors hear of it.
    """
    browser = make_browser("vision", roots=(), project_root=projects, project_bytes_max=1)
    before = browser.client.get("api/info").json()["repos"]
    refused = browser.client.post(f"{browser.base}ship", content=b"AXS1", headers={"Content-Type": BYTES_TYPE})
    after = {repo["id"]: repo["full"] for repo in browser.client.get("api/info").json()["repos"]}

    assert (507, "quota") == (refused.status_code, refused.json()["kind"])
    assert {None} == {repo["full"] for repo in before}
    assert ("project", None) == (after["vision"], after["nlp"])
    assert "\naim_full_repositories 1\n" in browser.client.get("api/metrics").text


def test_tokens_of_the_folder_are_for_some_projects(projects: Path, make_browser: MakeBrowser) -> None:
    """
    A token sees the projects of its scope; the other ones look as if there were none.
    """
    auth = auth_folder(projects, ())
    text = TokenFile(auth).create("me", "viewer", ["vis*"], None)
    browser = make_browser("vision", roots=(), project_root=projects, auth=auth)
    browser.client.headers["Authorization"] = f"Bearer {text}"

    assert ["vision"] == [repo["id"] for repo in browser.client.get("api/info").json()["repos"]]
    assert [200, 404, 404] == [
        browser.client.get(f"api/repos/{name}/runs/a").status_code for name in ("vision", "nlp", "nothing")
    ]


def test_a_server_without_pages_says_so(projects: Path, make_browser: MakeBrowser) -> None:
    """
    With --no-pages the data are answered, and pages are not.
    """
    browser = make_browser("vision", roots=(), project_root=projects, has_pages=False)

    assert 200 == browser.client.get("api/info").status_code
    answer = browser.client.get("runs", headers={"Accept": "text/html"})
    assert (404, True) == (answer.status_code, "no pages" in answer.json()["message"])
