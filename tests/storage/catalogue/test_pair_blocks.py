"""
Pairs in the catalogue's file: the same after they were written and read, alone in a block or with others.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from aim.engine.repository import Repository
from aim.storage.catalogue import pair_blocks, snapshot
from aim.storage.catalogue.snapshot import Snapshot
from tests.storage.catalogue_histories import History, catalogue_of, contents


@pytest.mark.parametrize("limits", [(0, 1), (1, 3), (2, 4), (1024, 5)])
@pytest.mark.parametrize("seed", range(3))
def test_blocks_of_any_size_hold_the_same(
    limits: tuple[int, int], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    However pairs are spread over blocks, a catalogue that is loaded says what the one that was saved said, and goes on.
    """
    monkeypatch.setattr(pair_blocks, "SHARED_ROWS_MAX", limits[0])
    monkeypatch.setattr(pair_blocks, "BLOCK_ROWS", limits[1])
    chance = random.Random(seed)
    history = History(tmp_path / "work", chance)
    for number in range(4):
        for _ in range(30):
            history.step()
        saved = catalogue_of(history.repository, tmp_path / "cache")
        saved.refresh()
        saved.save()
        loaded = catalogue_of(history.repository, tmp_path / "cache")
        loaded.refresh()
        fresh = catalogue_of(history.repository, tmp_path / f"fresh-{number}")
        fresh.refresh()

        assert contents(fresh) == contents(loaded) == contents(saved)
    history.close()


def test_many_pairs_of_few_runs_share_arrays(tmp_path: Path) -> None:
    """
    A metric for each of 300 layers makes one block, whose arrays are read once.
    """
    repository = Repository(tmp_path / "work", create=True)
    writer = repository.new_run()
    for layer in range(300):
        writer.sequence("grad", {"layer": layer}).track(layer / 2)
    writer.close()
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()
    catalogue.save()
    path = snapshot.newest(tmp_path / "cache")
    assert path is not None
    last_values = {key: load("last").tolist() for key, _, load, _ in pair_blocks.read(Snapshot(path))}

    assert 1 == len(Snapshot(path).directory["blocks"])
    assert {("grad", f'{{"layer":{layer}}}', "metric"): [layer / 2] for layer in range(300)} == last_values
