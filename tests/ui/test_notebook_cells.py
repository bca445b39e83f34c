"""
A page in a cell of a notebook: in a real browser without a network, and in a real JupyterLab.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
from playwright import sync_api

from aim import Object3D, Repo, Run
from aim.notebook.cell import page_text
from aim.notebook.kernel_answers import SOLID_SCRIPT, Answer
from aim.notebook.showing import page_address
from tests.notebook.asking import QUERY, WAIT_S, answering, repo_of_runs
from tests.ports import own_port
from tests.ui.conftest import VIEWPORT
from tests.ui.test_objects3d import INK

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
    return repo_of_runs(tmp_path)


def test_a_frame_draws_what_the_kernel_answers(browser: sync_api.Browser, repo: Repo) -> None:
    """
    In a browser without a network the frame shows the metrics page with its groups, and asks nobody but the kernel.
    """
    with framed(browser, repo, page_address("metrics", {"q": QUERY, "color": "hparams.lr"})) as frame:
        frame.locator(".card [data-scales]").first.wait_for(timeout=WAIT_S * 1000)
        entries = frame.get_by_role("group", name="Groups, the best first").locator(".entry")
        sync_api.expect(entries).to_have_count(2, timeout=WAIT_S * 1000)
        frame.get_by_role("link", name="Runs", exact=True).click()
        sync_api.expect(frame.locator(".grid .row")).to_have_count(4, timeout=WAIT_S * 1000)


def test_a_frame_turns_3d_objects(browser: sync_api.Browser, repo: Repo) -> None:
    """
    What draws them comes from the kernel, once, when the first one is to be drawn.
    """
    with Run(repo=repo, name="shapes", system_tracking_interval=None, capture_terminal_logs=False) as run:
        for name in ("scan", "other scan"):
            run.track(Object3D(np.random.default_rng(0).normal(size=(300, 3))), name=name, step=0)
    asked: list[str] = []
    with framed(browser, repo, page_address("media", {"type": "objects3d"}), asked) as frame:
        views = frame.get_by_role("application")
        sync_api.expect(views.locator("canvas[data-drawn]")).to_have_count(2, timeout=WAIT_S * 1000)
        assert views.locator("canvas").first.evaluate(INK) > 100
    assert asked.count(SOLID_SCRIPT) == 1


@contextmanager
def framed(
    browser: sync_api.Browser, repo: Repo, address: str, asked: list[str] | None = None
) -> Iterator[sync_api.FrameLocator]:
    """
    The frame of a cell in a browser without a network. It may have no fault; *asked* gets the paths of its requests.
    """
    faults: list[str] = []
    with answering(repo) as answers:

        def ask_kernel(message: dict[str, Any]) -> dict[str, object]:
            heard: Queue[Answer] = Queue()
            if asked is not None:
                asked.append(message["path"])
            answers.ask(message["method"], message["path"], message["body"], heard.put).result(WAIT_S)
            answer = heard.get(timeout=WAIT_S)
            content = base64.b64encode(answer.content).decode()
            return {"status": answer.status, "type": answer.content_type, "content": content}

        context = browser.new_context(viewport=VIEWPORT, offline=True)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.expose_function("askKernel", ask_kernel)
        page.set_content(BRIDGE)
        page.evaluate("text => { document.querySelector('iframe').srcdoc = text; }", page_text(address))
        yield page.frame_locator("iframe")
        context.close()

    assert [] == faults


@contextmanager
def _jupyter(folder: Path) -> Iterator[str]:
    port = own_port()
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
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=WAIT_S).close()
                break
            except OSError:
                assert time.monotonic() < deadline_s, "JupyterLab did not start."
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/lab/tree/live.ipynb"
    finally:
        server.terminate()
        server.wait()


def test_a_real_notebook_shows_live_charts_and_keeps_a_picture(
    browser: sync_api.Browser, repo: Repo, tmp_path: Path
) -> None:
    """
    JupyterLab draws `repo.show(...)` below its cell; the saved file has a picture of it.
    """
    pytest.importorskip("jupyterlab")
    pytest.importorskip("anywidget")
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
    with _jupyter(folder) as address:
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
        page.close()

    assert outputs[0]["data"]["image/svg+xml"]
