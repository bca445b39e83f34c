"""
Pages and built files.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from aim.server import assets
from tests.server.conftest import Browser, MakeBrowser, MakeRun

SCRIPT = b"console.log('pages')"


@pytest.fixture(name="built")
def _built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Pages as the build of ui/ writes them.
    """
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text('<head><base href="./"></head>', encoding="utf-8")
    (static / "assets" / "main-1a2b.js").write_bytes(SCRIPT)
    (static / "assets" / "main-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (static / "assets" / ".secret").write_bytes(b"")
    (static / "outside.js").write_bytes(b"")
    monkeypatch.setattr(assets, "STATIC", static)
    return static


@pytest.mark.usefixtures("built")
def test_every_address_of_a_page_gives_the_page_with_its_base(browser: Browser) -> None:
    """
    One page answers all addresses; its base leads to the root of the app, also behind a proxy.
    """
    for name in ("", "runs", "metrics", "params", "media", "text", "reports", "compare", "settings"):
        answer = browser.client.get(name)
        assert ('<head><base href="./"></head>', "no-cache") == (answer.text, answer.headers["cache-control"])
    assert '<head><base href="../"></head>' == browser.client.get("run/3df7").text
    assert '<head><base href="../"></head>' == browser.client.get("reports/weekly").text
    for name in ("nothing", "runs/", "run/a/b", "run"):
        assert 404 == browser.client.get(name).status_code


@pytest.mark.usefixtures("built")
def test_a_wrong_address_shows_the_app_to_people_and_an_error_to_programs(browser: Browser) -> None:
    """
    A request that accepts a page gets the app, which shows the error; others, and requests to the API, get JSON.
    """
    page = browser.client.get("some/where/else", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (404, '<head><base href="../../"></head>') == (page.status_code, page.text)
    for address in ("some/where", "api/nothing", "assets/none.js"):
        accept = "*/*" if address == "some/where" else "text/html"
        answer = browser.client.get(address, headers={"Accept": accept})
        assert (404, "not-found") == (answer.status_code, answer.json()["kind"])


@pytest.mark.usefixtures("built")
def test_the_app_lives_under_any_path(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    With --base-path the app answers addresses with and without that path.
    """
    make_run("a").close()
    browser = make_browser(base_path="/proxy/43800")
    host = browser.client.base_url.copy_with(path="")

    for address in ("/proxy/43800/run/a", "/run/a", "/proxy/43800/api/repos/demo/runs/a", "/api/repos/demo/runs/a"):
        assert 200 == browser.client.get(host.join(address)).status_code
    assert 404 == browser.client.get(host.join("/proxy/438001/runs")).status_code


@pytest.mark.usefixtures("built")
def test_built_files_are_kept_for_ever_and_sent_compressed(browser: Browser) -> None:
    """
    A file is sent unchanged, or in a compression that the browser accepts, with its type and cached for ever.
    """
    plain = browser.client.get("assets/main-1a2b.js", headers={"Accept-Encoding": "identity"})
    packed = browser.client.get("assets/main-1a2b.js", headers={"Accept-Encoding": "br, gzip;q=0.8"})

    assert ("text/javascript", SCRIPT) == (plain.headers["content-type"].partition(";")[0], plain.content)
    assert ("gzip", SCRIPT) == (packed.headers["content-encoding"], packed.content)
    assert "public, max-age=31536000, immutable" == packed.headers["cache-control"]
    for name in ("none.js", "..%2foutside.js", ".secret", "../outside.js", "%2e%2e%2foutside.js"):
        assert 404 == browser.client.get(f"assets/{name}").status_code


def test_without_built_pages_a_page_says_how_to_build_them(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without built pages every address shows how to build them, and the API works.
    """
    monkeypatch.setattr(assets, "STATIC", tmp_path / "none")
    answer = browser.client.get("run/a")

    assert 503 == answer.status_code
    assert "npm run build" in answer.text
    assert '<base href="../">' in answer.text


def test_plotly_comes_from_the_installed_package(browser: Browser) -> None:
    """
    The script is that of the installed plotly.
    """
    path = assets.plotly_file()
    assert path is not None

    assert path.read_bytes() == browser.client.get("api/plotly.js").content


def test_without_plotly_its_script_is_not_found(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without plotly its address is not found, and the pages know it.
    """
    monkeypatch.setattr(assets, "find_spec", lambda name: None)

    assert 404 == browser.client.get("api/plotly.js").status_code
    assert not browser.client.get("api/info").json()["plotly"]
