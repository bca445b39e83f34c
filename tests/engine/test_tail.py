"""
States of a repository by number, and what changed between two of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.repository import Repository
from aim.engine.tail import Watch, running_count


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository of the runs a and b.
    """
    repository = Repository(tmp_path, create=True)
    for run_hash in ("a", "b"):
        repository.new_run(run_hash).close()
    return repository


def test_each_change_makes_another_state(repository: Repository, tmp_path: Path) -> None:
    """
    New, changed and deleted runs are told since any earlier state, and nothing when nothing changed.
    """
    watch = Watch(LiveCatalogue(repository.readers, cache=tmp_path / "cache"))
    first = watch.look()
    assert first == watch.look()
    repository.edit("a", {"property": {"name": "x"}}, by="test")
    second = watch.look()
    writer = repository.new_run("c")
    repository.delete_run("b")
    third = watch.look()

    assert (["a"], []) == _changes(watch, first)[0:2] or {"a", "c"} == set(_changes(watch, first)[0] or [])
    assert ({"c"}, ["b"]) == (set(_changes(watch, second)[0] or []), _changes(watch, second)[1])
    assert ([], []) == _changes(watch, third)
    writer.close()


def _changes(watch: Watch, cursor: str) -> tuple[list[str] | None, list[str]]:
    since = watch.since(cursor)
    return since.changed, since.removed


@pytest.mark.parametrize("cursor", [None, "", "x", "deadbeef.1", ".", "deadbeef.", "deadbeef.-1"])
def test_a_state_of_another_start_is_unknown(repository: Repository, tmp_path: Path, cursor: str | None) -> None:
    """
    Since a state that this process did not name, anything may have changed.
    """
    watch = Watch(LiveCatalogue(repository.readers, cache=tmp_path / "cache"))
    watch.look()

    assert None is watch.since(cursor).changed
    assert None is watch.since(f"{watch.cursor}0").changed


def test_a_change_that_a_query_finds_is_told_too(repository: Repository, tmp_path: Path) -> None:
    """
    Whoever asks the catalogue first, the change has a number.
    """
    catalogue = LiveCatalogue(repository.readers, cache=tmp_path / "cache")
    watch = Watch(catalogue)
    before = watch.look()
    repository.edit("a", {"property": {"name": "x"}}, by="test")
    catalogue.ask(running_count)

    assert ["a"] == watch.since(before).changed


def test_running_runs_are_counted(repository: Repository, tmp_path: Path) -> None:
    """
    A run that records is counted until it ends.
    """
    catalogue = LiveCatalogue(repository.readers, cache=tmp_path / "cache")
    writer = repository.new_run("c")
    assert 1 == catalogue.ask(running_count)
    writer.close()
    assert 0 == catalogue.ask(running_count)


def test_a_state_is_named_when_its_changes_were_heard(repository: Repository, tmp_path: Path) -> None:
    """
    Who asks for the name of the state while a refresh has found changes, and not told them yet, is told them since.
    """
    catalogue = LiveCatalogue(repository.readers, cache=tmp_path / "cache")
    names: list[str] = []
    catalogue.listen(lambda _: names.append(watch.cursor))
    watch = Watch(catalogue)
    watch.look()
    repository.edit("a", {"property": {"name": "x"}}, by="test")
    watch.look()

    assert ["a"] == watch.since(names[-1]).changed
