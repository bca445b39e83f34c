"""
The catalogue's file: what is damaged is thrown away, and the catalogue made again.
"""

from __future__ import annotations

import contextlib
import random
import warnings
from pathlib import Path

import pytest

from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.catalogue.snapshot import DamagedSnapshot
from tests.storage.catalogue_histories import History, catalogue_of, contents, rebuilt

FLIPS = 150


@pytest.mark.parametrize("seed", range(3))
def test_the_file_is_made_again_wherever_it_is_damaged(seed: int, tmp_path: Path) -> None:
    """
    With any byte of the file changed the catalogue still says what the runs say.
    """
    chance = random.Random(seed)
    history = History(tmp_path / "work", chance)
    for _ in range(60):
        history.step()
    history.close()
    expected = rebuilt(history.repository, tmp_path / "cache")
    path = snapshot.newest(tmp_path / "cache")
    assert path is not None
    whole = path.read_bytes()
    for _ in range(FLIPS):
        target = tmp_path / "flipped" / path.name
        target.parent.mkdir(exist_ok=True)
        byte_offset = chance.randrange(len(whole)) if chance.random() < 0.5 else _somewhere_used(whole, chance)
        target.write_bytes(
            whole[:byte_offset] + bytes([whole[byte_offset] ^ (1 << chance.randrange(8))]) + whole[byte_offset + 1 :]
        )
        catalogue = catalogue_of(history.repository, target.parent)

        assert expected == _patient(catalogue), f"byte {byte_offset}"
        catalogue.close()
        for left in target.parent.iterdir():
            left.unlink()


def _somewhere_used(content: bytes, chance: random.Random) -> int:
    for _ in range(1000):
        byte_offset = chance.randrange(len(content))
        if content[byte_offset]:
            return byte_offset
    return 0


def _patient(catalogue: Catalogue) -> dict[str, object]:
    # as engine.scan asks: damage found while a column is read leads to a new catalogue
    for _ in range(2):
        catalogue.refresh()
        try:
            return contents(catalogue)
        except DamagedSnapshot:
            catalogue.rebuild()
    catalogue.refresh()
    return contents(catalogue)


def test_a_damaged_schema_leaves_no_open_connection(tmp_path: Path) -> None:
    """
    What SQLite says of a damaged schema may be no UTF-8; the file counts as damaged, and is closed (3.13 warns if not).
    """
    with snapshot.SnapshotWriter(tmp_path) as writer:
        path = writer.finish({})
    whole = path.read_bytes()
    start = whole.lower().index(b"create table")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for offset in range(start - 100, start + 200):
            path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x80]) + whole[offset + 1 :])
            with contextlib.suppress(DamagedSnapshot):
                snapshot.Snapshot(path).close()

    assert [] == [str(warning.message) for warning in said]
