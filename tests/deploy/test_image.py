"""
The image of deploy/Dockerfile, built step by step without an engine for containers, and run.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from aim.sdk.repo import Repo
from aim.sdk.run import Run
from tests.deploy.image import Build, Stage, image_root, listed
from tests.machine import lacks
from tests.ports import own_port
from tests.remote.servers import wait_until
from tests.tidy.tree import ROOT

WAIT_S = 120
CACHE = "__pycache__"  # which the build itself leaves
SITE = "usr/local/lib/python3.13/site-packages"


@pytest.fixture(name="image", scope="module")
def _image(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """
    The image, built.
    """
    if not image_root().is_dir():
        lacks("there is no Debian to build an image in: scripts/find-image-root makes one, as root on Debian")
    return Build(ROOT, tmp_path_factory.mktemp("image")).build(ROOT / "deploy" / "Dockerfile")


@contextmanager
def container(image: Stage, port: int, printed: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run what the image runs, as its user and on another port."""
    command = [*listed(image.settings["ENTRYPOINT"]), *listed(image.settings["CMD"]), "-p", str(port)]
    with printed.open("wb") as out:
        process = subprocess.Popen(image.words(command, f"{image.user}:"), stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run_inside(process: subprocess.Popen[bytes], image: Stage, command: list[str]) -> str:
    """Run *command* beside a process of the image, as `docker exec` does, and return what it printed."""
    entering = ["nsenter", "--mount", f"--target={process.pid}", "chroot", f"--userspec={image.user}:"]
    words = [*entering, str(image.folder / "root"), "env", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", *command]
    return subprocess.run(words, capture_output=True, text=True, timeout=WAIT_S, check=True).stdout


def answers(port: int) -> bool:
    """Return whether the server says that it is well."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=WAIT_S).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="images are built on Linux")
def test_the_image_has_the_pages_and_nothing_of_its_making(image: Stage) -> None:
    """
    The wheel holds the pages. Neither it nor the sources are left in the image; what is no source was not even sent.
    """
    assert image.path(f"{SITE}/aim/server/static/index.html").is_file()
    assert [False, False] == [image.path(name).exists() for name in ("wheels", "src")]
    sent = image.folder.parent / "build" / "changes" / "src"
    assert {"LICENSE", "README.md", "hatch_build.py", "pyproject.toml", "src", "ui"} == {*os.listdir(sent)} - {CACHE}


@pytest.mark.skipif(sys.platform != "linux", reason="images are built on Linux")
def test_a_training_records_into_the_image(image: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Its user is not root, its check of health passes, a token is made inside, a run is recorded and read from outside,
    lies in the volume, and SIGTERM ends the server.
    """
    port, printed = own_port(), tmp_path / "printed"
    address = f"http://127.0.0.1:{port}/vision"
    with container(image, port, printed) as process:
        wait_until(lambda: answers(port), "the server of the image answers")
        owners = Path(f"/proc/{process.pid}/status").read_text().partition("Uid:")[2].split()[:3]
        assert ["10001"] * 3 == owners
        check = listed(image.settings["HEALTHCHECK"].partition(" CMD ")[2])
        run_inside(process, image, [word.replace("53800", str(port)) for word in check])
        made = run_inside(
            process, image, ["aim", "token", "create", "--root", "/data", "--name", "me", "--role", "admin"]
        )
        (token,) = [word for word in made.split() if word.startswith("aim_")]
        assert 401 == httpx.get(f"http://127.0.0.1:{port}/api/info", timeout=WAIT_S).status_code

        monkeypatch.setenv("AIM_TOKEN", token)
        monkeypatch.setenv("AIM_SPOOL", str(tmp_path / "spool"))
        with Run(repo=address, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run.track(0.5, name="loss", step=3)
        read = Repo(address).get_run(run.hash)
        assert read is not None
        (sequence,) = read.metrics()
        assert ([3], [0.5]) == tuple(values.tolist() for values in sequence.values.sparse_numpy())
        held = run_inside(process, image, ["ls", "/data/vision/.aim/runs"])
        assert [run.hash] == held.split()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=WAIT_S) in (0, -signal.SIGTERM)
    text = printed.read_text()
    assert '"path": "/healthz", "status": 200' in text
    assert token not in text
    shutil.rmtree(tmp_path / "spool", ignore_errors=True)
