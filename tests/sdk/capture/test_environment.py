"""
The environment: what is recorded of packages, git, the command line and variables; what is kept secret.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Repo, Run
from aim.sdk.capture import environment
from aim.sdk.capture.environment import DIFF_BYTES_MAX, EnvironmentRecorder, git_info, variables
from aim.sdk.capture.pace import Pace

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *command: str) -> str:
    """Run git in *folder*, with nothing of the user's settings."""
    settings = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *settings, *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """
    A checkout with one commit.
    """
    git(tmp_path, "init", "-q", "-b", "trunk")
    (tmp_path / "train.py").write_text("lr = 0.1\n")
    git(tmp_path, "add", "train.py")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


def test_a_run_records_where_it_ran(tmp_path: Path) -> None:
    """
    With `log_system_params` a run has a param with all that Aim 3 records, under its names, and more.
    """
    program = "from aim import Run\nRun(repo='.', log_system_params=True, system_tracking_interval=None)"
    subprocess.run([sys.executable, "-c", program, "--lr", "0.1"], cwd=tmp_path, check=True, timeout=60)
    (run,) = Repo(tmp_path).iter_runs()
    found = run["__system_params"]

    assert {"packages", "env_variables", "git_info", "executable", "arguments", "hardware", "python"} <= set(found)
    assert np.__version__ == found["packages"]["numpy"]
    assert (["-c", "--lr", "0.1"], sys.executable) == (found["arguments"], found["executable"])
    assert found["hardware"]["memory_bytes"] > 1e8


def test_by_default_nothing_is_recorded(repo: Repo) -> None:
    """
    Without `log_system_params` there is no such param.
    """
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.flush()

    assert "__system_params" not in run


def test_flush_waits_for_it(repo: Repo) -> None:
    """
    After `flush()` the environment is there to be read.
    """
    run = Run(repo=repo, log_system_params=True, system_tracking_interval=None, capture_terminal_logs=False)
    run.flush()

    assert run["__system_params", "python", "implementation"] == sys.implementation.name.replace("cpython", "CPython")
    run.close()


@pytest.mark.parametrize(
    "name",
    ["API_KEY", "aws_secret_access_key", "GITHUB_TOKEN", "PGPASSWORD", "SSH_AUTH_SOCK", "MYSQL_PASSWD", "SENTRY_DSN"],
)
def test_a_variable_whose_name_speaks_of_a_secret_is_left_out(name: str) -> None:
    """
    The words of Aim 3 (secret, key, token, password) and some more keep a variable out, in any case.
    """
    assert {} == variables({name: "x"})


@pytest.mark.parametrize(
    "value",
    ["ghp_" + "a1" * 18, "AKIA" + "A1B2" * 4, "sk-" + "a" * 40, "hf_" + "b" * 30, "use eyJ0eXAiOiJKV1.eyJzdWIiOiIx.s"],
)
def test_a_value_that_looks_like_a_key_is_left_out(value: str) -> None:
    """
    A well-known form of key is not recorded, whatever its variable is called.
    """
    assert {} == variables({"NOTE": value})


def test_long_values_are_cut_and_odd_ones_made_sound() -> None:
    """
    A variable of any length or bytes can be stored.
    """
    found = variables({"LONG": "x" * 10_000, "ODD": "caf\udce9"})

    assert (4096, "caf?") == (len(found["LONG"]), found["ODD"])


@needs_git
def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    """
    Branch, origin and commit are recorded, without a password that stands in the origin.
    """
    git(checkout, "remote", "add", "origin", "https://ada:secret@example.org/repo.git")
    info = git_info(checkout)

    assert "2" == info["commit"].pop("timestamp")[0]
    assert {
        "branch": "trunk",
        "remote_origin_url": "https://***@example.org/repo.git",
        "commit": {"hash": git(checkout, "rev-parse", "HEAD"), "author": "Ada <ada@example.org>"},
        "is_dirty": False,
    } == info


@needs_git
def test_changes_are_recorded_as_a_diff(checkout: Path) -> None:
    """
    What differs from the commit, staged or not, is there as a diff that git can apply; new files are named.
    """
    (checkout / "train.py").write_text("lr = 0.2\n")
    (checkout / "new.py").write_text("secret")
    info = git_info(checkout / ".")

    assert info["is_dirty"]
    assert [" M train.py", "?? new.py"] == info["changed_files"]
    assert "-lr = 0.1\n+lr = 0.2\n" in info["diff"]
    assert "secret" not in info["diff"]
    git(checkout, "checkout", "-q", "train.py")
    subprocess.run(["git", "apply"], input=info["diff"], cwd=checkout, text=True, check=True)
    assert "lr = 0.2\n" == (checkout / "train.py").read_text()


@needs_git
def test_a_huge_diff_is_cut(checkout: Path) -> None:
    """
    Of a diff the first 256 KiB are kept, and that it is cut is said.
    """
    (checkout / "train.py").write_text("x = 1\n" * 200_000)
    info = git_info(checkout)

    assert (True, DIFF_BYTES_MAX) == (info["diff_is_cut"], len(info["diff"]))


@needs_git
def test_outside_a_checkout_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A folder without git, a checkout without a commit, and a machine without git give an empty dict.
    """
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert {} == git_info(tmp_path)
    git(tmp_path, "init", "-q")
    assert {} == git_info(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {} == git_info(tmp_path)
    assert {} == git_info(tmp_path / "gone")


def test_a_failure_is_said_and_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """
    What goes wrong while collecting is one warning.
    """

    def broken() -> dict[str, Any]:
        raise OSError("no such thing")

    recorder = EnvironmentRecorder(lambda found: None, broken)
    recorder.start()
    recorder.stop(30.0)

    assert "no such thing" in caplog.text


def test_the_end_of_a_run_waits_only_so_long(caplog: pytest.LogCaptureFixture) -> None:
    """
    A collection that hangs is given up with a warning.
    """
    is_over = threading.Event()

    def slow() -> dict[str, Any]:
        is_over.wait()
        return {}

    recorder = EnvironmentRecorder(lambda found: None, slow)
    recorder.start()
    recorder.stop(0.0)
    is_over.set()

    assert "not collected before the end" in caplog.text


def test_every_installed_package_is_named() -> None:
    """
    Packages are found by the standard library, in the order of their names.
    """
    found = environment.packages()

    assert {"numpy", "pytest", "psutil"} <= set(found)
    assert sorted(found, key=str.lower) == list(found)


def test_packages_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Between two rests the metadata of one package are read, so that a step of the training waits for no more than that.
    """
    reads: list[str] = []
    read_text = metadata.PathDistribution.read_text

    def counted(distribution: metadata.PathDistribution, name: str) -> str | None:
        reads.append(name)
        return read_text(distribution, name)

    class CountingPace(Pace):
        def rest(self) -> None:
            counts.append(len(reads))
            reads.clear()

    counts: list[int] = []
    monkeypatch.setattr(metadata.PathDistribution, "read_text", counted)
    found = environment.packages(CountingPace())

    assert len(counts) >= len(found)
    assert max(counts) <= len(environment.METADATA_FILES)


def test_metadata_are_read_as_the_standard_library_reads_them() -> None:
    """
    Names and versions are those that `importlib.metadata` gives.
    """
    expected: dict[str, str] = {}
    for distribution in metadata.distributions():
        expected.setdefault(distribution.metadata["Name"], distribution.version)

    assert expected == environment.packages()


def test_who_waits_hurries_the_collection() -> None:
    """
    `flush()` and the end of a run end the rests between the pieces.
    """
    recorded: list[dict[str, Any]] = []
    recorder = EnvironmentRecorder(recorded.append)
    recorder.start()
    recorder.record_pending(wait=True)

    assert environment.packages() == recorded[0]["packages"]


def test_without_another_thread_the_environment_is_collected_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A process that may have no more threads collects its environment before its training begins.
    """

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    recorded: list[dict[str, object]] = []
    recorder = EnvironmentRecorder(recorded.append, lambda: {"python": "3"})
    recorder.start()
    recorder.stop(0.0)

    assert [{"python": "3"}] == recorded
