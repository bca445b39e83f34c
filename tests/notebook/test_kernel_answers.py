"""
A page in a cell of a notebook: what the kernel answers, in a real browser and in a real notebook.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from playwright import sync_api

from aim import Repo, Run, notebook
from aim.core.errors import UsageError
from aim.notebook.cell import page_text
from aim.notebook.kernel_answers import Answer, KernelAnswers
from aim.notebook.picture import still_picture
from aim.notebook.showing import page_address
from tests.ui.conftest import BROWSER_ARGS, STATIC, VIEWPORT, browser_path

WAIT_S = 90
QUERY = "metric.name == 'loss'"

# What the widget does in a notebook, with a function of this process in place of its messages.
BRIDGE = """
<iframe title="Aim" style="width:1200px;height:800px"></iframe>
<script>
const frame = document.querySelector("iframe");
addEventListener("message", async ({ data, source }) => {
  if (source !== frame.contentWindow || !data.aim) return;
  const { status, type, content } = await askKernel(data);
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)).buffer;
  source.postMessage({ aim: data.aim, id: data.id, status, type, bytes }, "*");
});
</script>
"""


@pytest.fixture(name="repo")
def _repo(tmp_path: Path) -> Repo:
    """
    A repository of four runs with two learning rates.
    """
    repo = Repo(tmp_path, init=True)
    for index in range(4):
        _record(repo, index)
    return repo


def _record(repo: Repo, index: int) -> None:
    with Run(repo=repo, name=f"run {index}", system_tracking_interval=None, capture_terminal_logs=False) as run:
        run["hparams"] = {"lr": 0.1 if index % 2 else 0.01}
        for step in range(20):
            run.track(index + 1 / (1 + step), name="loss", step=step)


@contextmanager
def _answering(repo: Repo) -> Iterator[KernelAnswers]:
    answers = KernelAnswers(Path(repo.door.address))
    try:
        yield answers
    finally:
        answers.close()


def _asked(answers: KernelAnswers, method: str, path: str, body: object = None) -> Answer:
    heard: Queue[Answer] = Queue()
    answers.ask(method, path, json.dumps(body) if body is not None else "", heard.put).result(WAIT_S)
    return heard.get(timeout=WAIT_S)


def test_the_kernel_answers_what_a_server_does(repo: Repo) -> None:
    """
    The table of runs is that of the wire, a change is refused, and an unknown address is not there.
    """
    with _answering(repo) as answers:
        info = json.loads(_asked(answers, "GET", "info").content)
        repo_id = info["repos"][0]["id"]
        table = json.loads(_asked(answers, "POST", f"repos/{repo_id}/runs", {"query": "", "fields": []}).content)
        change = _asked(
            answers, "POST", f"repos/{repo_id}/edits", {"runs": table["hash"], "change": {"archived": True}}
        )
        missing = _asked(answers, "GET", "repos/none/alerts")

    assert (4, True) == (table["count"], info["read_only"])
    assert (403, 404) == (change.status, missing.status)


def test_the_kernel_tells_of_a_new_run(repo: Repo) -> None:
    """
    A run that is recorded while the cell is open is told as a tick that names it.
    """
    heard: Queue[Any] = Queue()
    with _answering(repo) as answers:
        answers.follow(heard.put)
        first = heard.get(timeout=WAIT_S)
        _record(repo, 4)
        (added,) = {run.hash for run in repo.iter_runs()} - {run.hash for run in list(repo.iter_runs())[1:]}
        deadline_s = time.monotonic() + WAIT_S
        tick = heard.get(timeout=WAIT_S)
        while added not in (tick["changed"] or ()) and time.monotonic() < deadline_s:
            tick = heard.get(timeout=WAIT_S)

    assert 4 == first["total"]
    assert 5 == tick["total"]


def test_a_frame_draws_what_the_kernel_answers(repo: Repo) -> None:
    """
    In a browser without a network the frame shows the metrics page with its groups, and asks nobody but the kernel.
    """
    path = browser_path()
    if path is None or not (STATIC / "cell" / "cell.js").exists():
        pytest.skip("no Chromium, or the pages are not built: make ui")
    address = page_address("metrics", {"q": QUERY, "color": "hparams.lr"})
    faults: list[str] = []
    with _answering(repo) as answers, sync_api.sync_playwright() as playwright:

        def ask_kernel(message: dict[str, Any]) -> dict[str, object]:
            heard: Queue[Answer] = Queue()
            answers.ask(message["method"], message["path"], message["body"], heard.put).result(WAIT_S)
            answer = heard.get(timeout=WAIT_S)
            content = base64.b64encode(answer.content).decode()
            return {"status": answer.status, "type": answer.content_type, "content": content}

        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGS, timeout=180_000)
        context = browser.new_context(viewport=VIEWPORT, offline=True)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.expose_function("askKernel", ask_kernel)
        page.set_content(BRIDGE)
        page.evaluate("text => { document.querySelector('iframe').srcdoc = text; }", page_text(address))
        frame = page.frame_locator("iframe")
        frame.locator(".card [data-scales]").first.wait_for(timeout=WAIT_S * 1000)
        entries = frame.get_by_role("group", name="Groups, the best first").locator(".entry")
        sync_api.expect(entries).to_have_count(2, timeout=WAIT_S * 1000)
        frame.get_by_role("link", name="Runs", exact=True).click()
        sync_api.expect(frame.locator(".grid .row")).to_have_count(4, timeout=WAIT_S * 1000)
        browser.close()

    assert [] == faults


def test_a_still_picture_has_the_curves_and_no_script(repo: Repo) -> None:
    """
    The picture that a saved notebook keeps is an SVG with a line for each run, and the name of the metric.
    """
    picture = still_picture(repo, QUERY)

    assert picture.startswith("<svg xmlns=")
    assert ">loss</text>" in picture
    assert 4 == picture.count("stroke-width:1.5")
    assert "<script" not in picture
    assert "no metric that matches" in still_picture(repo, "metric.name == 'gone'")


def test_what_can_not_be_shown_is_refused_with_what_can(repo: Repo) -> None:
    """
    An unknown page, setting or kind of chart is refused before anything is opened.
    """
    with pytest.raises(UsageError, match=r"no page 'charts'; there are: metrics, runs"):
        notebook.page(repo, "charts")
    with pytest.raises(UsageError, match=r"no setting 'colour'; there are: color, dash"):
        repo.show(colour="run.hparams.lr")
    with pytest.raises(UsageError, match=r"no chart 'pie'; there are: line, scatter, bar, box, violin, heat"):
        notebook.chart(repo, "pie")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _jupyter(folder: Path) -> Iterator[str]:
    port = _free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    source = str(Path(__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline_s = time.monotonic() + WAIT_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline_s, "JupyterLab did not start."
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/lab/tree/live.ipynb"
    finally:
        server.terminate()
        server.wait()


def test_a_real_notebook_shows_live_charts_and_keeps_a_picture(repo: Repo, tmp_path: Path) -> None:
    """
    JupyterLab draws `repo.show(...)` below its cell; the saved file has a picture of it.
    """
    pytest.importorskip("jupyterlab")
    pytest.importorskip("anywidget")
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium on this machine")
    source = f"from aim import Repo\nRepo({str(tmp_path)!r}).show({QUERY!r}, color='run.hparams.lr')"
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "a",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    folder = tmp_path / "notebooks"
    folder.mkdir()
    file = folder / "live.ipynb"
    file.write_text(
        json.dumps({"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
    )
    with _jupyter(folder) as address, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGS, timeout=180_000)
        page = browser.new_page(viewport=VIEWPORT)
        page.set_default_timeout(WAIT_S * 1000)
        page.goto(address)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        page.locator(".jp-Cell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        page.frame_locator("iframe[title=Aim]").locator(".card [data-scales]").first.wait_for()
        page.keyboard.press("Control+s")
        deadline_s = time.monotonic() + WAIT_S
        while not (outputs := json.loads(file.read_text())["cells"][0]["outputs"]):
            assert time.monotonic() < deadline_s
            page.wait_for_timeout(200)
        browser.close()

    assert outputs[0]["data"]["image/svg+xml"]
