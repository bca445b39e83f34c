"""
Addresses of another form are taken as what they are, or refused; no folder named `file:` or `s3:` is made.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aim import Repo, Run
from aim.core.errors import RepoNotFound, UsageError
from aim.sdk.repo_paths import clean_repo_path
from aim.storage.disk.caches import cache_folder


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder, where a folder of a wrong name would be seen."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def quiet(repo: str | Path) -> Run:
    """Begin a run without what records by itself."""
    return Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)


def test_a_file_address_is_its_folder_for_runs_and_repositories(tmp_path: Path) -> None:
    """
    `Run`, `Repo`, `from_path`, `exists`, `copy_runs` and `rm` take `file://` addresses.
    """
    address = f"file://{tmp_path}/runs"
    with quiet(address) as run:
        run.track(0.5, name="loss")

    assert (tmp_path / "runs" / ".aim").is_dir()
    assert Repo.exists(address)
    assert str(tmp_path / "runs") == clean_repo_path(f"{address}/.aim") == Repo.from_path(address).root_path
    assert [run.hash] == Repo(address).list_all_runs()
    assert Repo(address) == Repo(str(tmp_path / "runs"))
    other = Repo.from_path(f"file://{tmp_path}/other", init=True)
    assert (True, []) == Repo(address).copy_runs([run.hash], f"file://{tmp_path}/other")
    assert [run.hash] == other.list_all_runs()
    Repo.rm(address)
    assert not (tmp_path / "runs" / ".aim").exists()
    assert [] == os.listdir()


@pytest.mark.parametrize("address", ["s3://bucket/runs", "gs://bucket", "ssh://host/data", "file://host/data"])
@pytest.mark.parametrize(
    "use",
    [quiet, Repo, Repo.from_path, lambda address: Repo(address, init=True)],
    ids=["Run", "Repo", "from_path", "init"],
)
def test_other_addresses_are_refused_and_make_no_folder(address: str, use: Callable[[str], object]) -> None:
    """
    What names no folder of this machine is an error that says so.
    """
    with pytest.raises(UsageError, match=r"Give a folder|Did you mean|ssh -L"):
        use(address)

    assert [] == os.listdir()
    with pytest.raises(UsageError, match="Give a folder"):
        quiet(Path("s3://bucket/runs"))
    assert not Repo.exists("s3://bucket/runs")


@pytest.mark.parametrize(
    "command",
    [["init"], ["runs", "ls"], ["demo"], ["up", "--yes", "--no-open", "--port", "0"], ["fsck"], ["tags", "ls"]],
    ids=lambda command: command[0],
)
def test_the_command_line_refuses_other_addresses(command: list[str]) -> None:
    """
    `--repo s3://...` is a wrong call for each command, and makes no folder.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "aim", *command, "--repo", "s3://bucket/runs"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 2 == ended.returncode, ended.stderr
    assert "s3://bucket/runs: a repository at such an address can't be opened" in ended.stderr
    assert [] == os.listdir()


def test_the_command_line_takes_file_addresses(tmp_path: Path) -> None:
    """
    `aim init`, `aim runs ls` and the destination of `aim runs cp` take `file://` addresses.
    """
    address, other = f"file://{tmp_path}/runs", f"file://{tmp_path}/other"
    for line in (["init", "--repo", address], ["init", "--repo", other]):
        subprocess.run([sys.executable, "-m", "aim", *line], check=True, capture_output=True)
    with quiet(str(tmp_path / "runs")) as run:
        run.track(0.5, name="loss")
    copied = subprocess.run(
        [sys.executable, "-m", "aim", "runs", "--repo", address, "cp", "--destination", other, run.hash],
        check=False,
        capture_output=True,
        text=True,
    )

    assert 0 == copied.returncode, copied.stderr
    assert [run.hash] == Repo(str(tmp_path / "other")).list_all_runs()
    assert [] == os.listdir()


def test_variables_of_the_environment_hold_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `__AIM_REPO_NAME__` is the name of a folder: an address is refused, an empty value is `.aim`. `AIM_CACHE_DIR` may be
    a `file://` address.
    """
    monkeypatch.setenv("__AIM_REPO_NAME__", "file:///data/runs")
    with pytest.raises(UsageError, match="__AIM_REPO_NAME__ is 'file:///data/runs'; it has to be the name of a folder"):
        quiet(str(tmp_path))
    monkeypatch.setenv("__AIM_REPO_NAME__", "")
    with pytest.raises(RepoNotFound):
        Repo(str(tmp_path))
    quiet(str(tmp_path)).close()
    assert (tmp_path / ".aim").is_dir()
    monkeypatch.setenv("AIM_CACHE_DIR", f"file://{tmp_path}/cache")
    assert tmp_path / "cache" == cache_folder()
    monkeypatch.setenv("AIM_CACHE_DIR", "s3://bucket/cache")
    with pytest.raises(UsageError):
        cache_folder()
    assert [] == os.listdir()
