"""
Where a run is: what `Run(repo=...)` may name, and the run in it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import ReadOnly, RunNotFound, WrongType
from aim.engine.repository import Repository
from aim.sdk.objects.text import Text
from aim.sdk.repo import Repo
from aim.sdk.run_source import RunSource, opened, restore


@pytest.mark.parametrize("form", [str, Path, lambda path: path.as_uri(), lambda path: str(path / ".aim")])
def test_a_folder_is_named_in_several_ways(tmp_path: Path, form: Any) -> None:
    """
    A path, an address, or the folder `.aim` in it name one repository, which is made when there is none.
    """
    door, repo = opened(form(tmp_path / "work"), read_only=False)

    assert ({}, None) == (dict.fromkeys(door.run_hashes()), repo)
    assert (tmp_path / "work" / ".aim").is_dir()
    assert Repository(tmp_path / "work").address == door.address


def test_without_a_folder_it_is_the_nearest_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A repository above the current folder is found; without one the current folder becomes one.
    """
    Repository(tmp_path / "work", create=True)
    (tmp_path / "work" / "deep").mkdir()
    (tmp_path / "other").mkdir()
    for folder, root in (("work/deep", "work"), ("other", "other")):
        monkeypatch.chdir(tmp_path / folder)
        door, _ = opened(None, read_only=False)
        assert Repository(tmp_path / root).address == door.address


def test_a_repo_lends_its_door(tmp_path: Path) -> None:
    """
    The `Repo` itself is returned beside it; one that is open for reading only takes no run.
    """
    repo = Repo(str(tmp_path / "work"), init=True)
    read_only = Repo(str(tmp_path / "work"), read_only=True)

    assert (repo.door, repo) == opened(repo, read_only=False)
    assert (read_only.door, read_only) == opened(read_only, read_only=True)
    with pytest.raises(ReadOnly, match="is open for reading only: it can't take a run"):
        opened(read_only, read_only=False)


@pytest.mark.parametrize("repo", [3, [], object()])
def test_anything_else_is_a_wrong_type(repo: Any) -> None:
    """
    The message has the type that was given.
    """
    with pytest.raises(WrongType, match=f"not a {type(repo).__name__}"):
        opened(repo, read_only=False)


def test_a_run_is_read_when_what_was_tracked_is_written(tmp_path: Path) -> None:
    """
    Points wait for the objects that this process has tracked; the state does not.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    writer.lines.set_param(("hparams",), {"lr": 0.1})
    writer.close()
    settled: list[str] = []
    source = RunSource(repository, "example", lambda: settled.append("settled"))

    assert ("finished", 0.1) == (source.state().status()[0], source.param(("hparams", "lr")))
    assert [] == settled
    assert "example" == source.settled().run_hash
    assert ["settled"] == settled
    assert repository.files / "runs" / "example" / "files" == source.artifact_folder()


def test_a_run_that_is_not_there_or_was_deleted_is_refused(tmp_path: Path) -> None:
    """
    The message says which repository had it.
    """
    repository = Repository(tmp_path, create=True)
    repository.new_run("example").close()
    sources = [RunSource(repository, run_hash, os.getpid) for run_hash in ("gone", "example", "example")]
    assert "example" == sources[1].state().run_hash
    repository.delete_run("example")

    for source in sources:
        for ask in (source.state, lambda source=source: source.param(("lr",))):
            with pytest.raises(RunNotFound, match=f"Run {source.run_hash} was deleted from repository '{tmp_path}'"):
                ask()


def test_objects_of_params_are_made_again() -> None:
    """
    Plain values are decoded, objects are of their class.
    """
    assert [{1: 2}, "a"] == [
        restore("int", {"value": {"$dict": [[1, 2]]}}, bytes), restore("str", {"value": "a"}, bytes)
    ]  # fmt: skip
    text = restore("aim.text", {"text": "words"}, bytes)
    assert isinstance(text, Text)
    assert "words" == text.data
