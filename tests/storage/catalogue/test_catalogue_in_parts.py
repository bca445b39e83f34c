"""
A catalogue that is made in parts: whole between two parts, and in the end as one that was made at once.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from aim.engine.repository import Repository
from aim.storage.catalogue import catalogue_update
from tests.storage.catalogue_histories import History, catalogue_of, contents


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Parts of two runs, packed after every fourth.
    """
    monkeypatch.setattr(catalogue_update, "BATCH_RUNS", 2)
    monkeypatch.setattr(catalogue_update, "PACK_RUNS", 4)


def recorded(repository: Repository, runs: int) -> list[str]:
    """Record *runs* that have ended; give their hashes, the newest first."""
    hashes: list[str] = []
    for number in range(runs):
        writer = repository.new_run()
        writer.lines.set_param(("number",), number)
        writer.sequence("loss").track(number)
        writer.close()
        hashes.insert(0, writer.run_hash)
        moment_s = 1e9 + 0.5 + number  # long ago: what is young is read again
        os.utime(repository.files / "runs" / writer.run_hash, (moment_s, moment_s))
    return hashes


def test_the_newest_runs_are_there_first(tmp_path: Path) -> None:
    """
    Each refresh that may take no time reads one part, the newest runs first, and says how many are left.
    """
    repository = Repository(tmp_path / "work", create=True)
    hashes = recorded(repository, 7)
    catalogue = catalogue_of(repository, tmp_path / "cache")
    calls: list[tuple[int, int]] = []
    seen = []
    for _ in range(4):
        changes = catalogue.refresh(within_s=0.0, progress=lambda done, total: calls.append((done, total)))
        seen.append((len(changes.changed), changes.unread_count, catalogue.unread_count, set(catalogue.table.hashes())))

    assert [(2, 5, 5, set(hashes[:2])), (2, 3, 3, set(hashes[:4])), (2, 1, 1, set(hashes[:6]))] == seen[:3]
    assert (1, 0, 0, set(hashes)) == seen[3]
    assert [(2, 7), (4, 7), (6, 7), (7, 7)] == calls


def test_a_reading_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    """
    What an interrupt leaves unread is read by the next refresh.
    """
    repository = Repository(tmp_path / "work", create=True)
    hashes = recorded(repository, 7)
    catalogue = catalogue_of(repository, tmp_path / "cache")

    def interrupt(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalogue.refresh(progress=interrupt)
    catalogue.refresh()

    assert set(hashes) == set(catalogue.table.hashes())


@pytest.mark.parametrize("seed", range(12))
def test_parts_make_the_same_catalogue(seed: int, tmp_path: Path) -> None:
    """
    However it is made, and whatever happens to the runs meanwhile, the catalogue equals one that is made at once.
    """
    chance = random.Random(seed)
    history = History(tmp_path / "work", chance)
    for _ in range(60):
        history.step()
    followed = catalogue_of(history.repository, tmp_path / "cache")
    for number in range(60):
        history.step()
        if chance.random() < 0.7:
            followed.refresh(full=chance.random() < 0.1, within_s=0.0)
        if chance.random() < 0.05:
            followed.save()
        if number % 20 == 19:
            followed.refresh()
            fresh = catalogue_of(history.repository, tmp_path / f"fresh-{number}")
            fresh.refresh()

            assert contents(fresh) == contents(followed)
    history.close()
    followed.refresh()
    loaded = catalogue_of(history.repository, tmp_path / "cache")
    loaded.refresh()

    assert contents(followed) == contents(loaded)


def test_what_is_recorded_before_the_file_is_written_is_told(tmp_path: Path) -> None:
    """
    A run that records while others are read, so that writing the file finds its points, is among those that changed.
    """
    repository = Repository(tmp_path / "work", create=True)
    catalogue = catalogue_of(repository, tmp_path / "cache")
    writer = repository.new_run("live")
    loss = writer.sequence("loss")
    loss.track(0.0)
    catalogue.refresh()
    recorded(repository, 5)
    version = catalogue.version
    changes = catalogue.refresh(progress=lambda *_: loss.track(1.0))

    assert "live" in changes.changed
    assert version < catalogue.version
    assert [] == catalogue.refresh().changed
    writer.close()
