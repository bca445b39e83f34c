"""
Points of runs that one writer has sealed, read without the lines: the same as with them, whatever happened since.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from aim.engine.repository import Repository
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.points import Points
from aim.storage.reading.reader import RunReader
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from tests.storage.catalogue_histories import History, catalogue_of

KEY = ("loss", '{"subset":"val"}')


def settle(repository: Repository) -> None:
    """Make all folders old enough that their times count."""
    for number, folder in enumerate(sorted((repository.files / "runs").iterdir())):
        os.utime(folder, (1e9 + number + 0.5, 1e9 + number + 0.5))


def seal_all(repository: Repository) -> None:
    """Seal all writers that have ended."""
    for folder in (repository.files / "runs").iterdir():
        state = RunLog(folder).refresh()
        for writer in state.writers.values():
            if writer.end is not None:
                seal.seal_writer(folder, writer.id, state)


def trusting(repository: Repository, catalogue: Catalogue, run_hash: str) -> RunReader | None:
    """Return a reader that trusts what the catalogue knows; None when it knows of no sole writer."""
    sole = catalogue.sole_writer(run_hash)
    if sole is None:
        return None
    reader = open_run(repository.files / "runs" / run_hash)
    reader.use_sole_writer(*sole)
    return reader


def plain(points: Points | None) -> object:
    """Return points so that equal ones are equal, NaN too."""
    if points is None:
        return None
    arrays = (points.steps, points.values, points.times_us, points.epochs)
    return points.kind, points.writer_ids, [(array.dtype.str, repr(array.tolist())) for array in arrays]


def usual(repository: Repository) -> Writer:
    """Record one run and end it; give its writer."""
    writer = repository.new_run()
    for step in range(50):
        writer.sequence("loss", {"subset": "val"}).track(step / 2, step=step)
        writer.sequence("loss").track(step, step=step)
    writer.close()
    return writer


def recorded(repository: Repository) -> str:
    """Record and seal one run; give its hash."""
    writer = usual(repository)
    seal_all(repository)
    settle(repository)
    return writer.run_hash


@pytest.mark.parametrize("seed", range(8))
def test_trusted_points_are_those_of_the_lines(seed: int, tmp_path: Path) -> None:
    """
    After any history, and after what happens to runs later, a reader that trusts reads what one does that asks.
    """
    history = History(tmp_path / "work", random.Random(seed))
    repository = history.repository
    for _ in range(80):
        history.step()
    for writer in (usual(repository), usual(repository), usual(repository)):
        history.writers[writer.run_hash] = [writer]
    history.close()
    seal_all(repository)
    settle(repository)
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()
    trusted = 0
    for round_number in range(3):
        for folder in (repository.files / "runs").iterdir():
            reader = trusting(repository, catalogue, folder.name)
            if reader is None:
                continue
            trusted += round_number == 0
            asking = open_run(folder)
            for key in [*asking.sequences(), ("none", "{}")]:
                assert plain(asking.points(key)) == plain(reader.points(key))
        for _ in range(15):
            history.step()
    history.close()

    assert trusted > 0


def test_the_lines_are_not_read(tmp_path: Path) -> None:
    """
    With the time of the folder as it was, points come from the sealed file alone, also in another process later.
    """
    repository = Repository(tmp_path / "work", create=True)
    run_hash = recorded(repository)
    folder = repository.files / "runs" / run_hash
    first = catalogue_of(repository, tmp_path / "cache")
    first.refresh()
    first.close()
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()
    lines = next(folder.glob("*.events.jsonl"))
    stat = folder.stat()
    lines.write_bytes(b"")
    reader = trusting(repository, catalogue, run_hash)
    assert reader is not None
    points = reader.points(KEY)

    assert stat.st_mtime_ns == folder.stat().st_mtime_ns
    assert points is not None
    assert [step / 2 for step in range(50)] == points.values.tolist()


def test_an_edit_ends_the_trust(tmp_path: Path) -> None:
    """
    What somebody deletes of a run after the catalogue saw it is not shown.
    """
    repository = Repository(tmp_path / "work", create=True)
    run_hash = recorded(repository)
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()
    reader = trusting(repository, catalogue, run_hash)
    assert reader is not None
    before = reader.points(KEY)
    repository.edit(run_hash, {"drop": [{"name": "loss", "context": {"subset": "val"}}]}, by="test")
    after = reader.points(KEY)

    assert before is not None
    assert after is not None
    assert (50, 0) == (len(before), len(after))


def test_a_run_that_was_rewound_or_has_two_writers_is_not_trusted(tmp_path: Path) -> None:
    """
    Where one file does not tell which points are shown, the catalogue knows of no sole writer.
    """
    repository = Repository(tmp_path / "work", create=True)
    rewound, resumed, edited = (recorded(repository) for _ in range(3))
    repository.edit(rewound, {"drop": [{"name": "loss", "context": {}}]}, by="test")
    repository.resume_run(resumed).close()
    repository.edit(edited, {"tags": {"add": ["best"], "remove": []}}, by="test")
    settle(repository)
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()

    assert [None, None] == [catalogue.sole_writer(rewound), catalogue.sole_writer(resumed)]
    assert catalogue.sole_writer(edited) is not None


def test_a_damaged_file_is_left_to_the_reader(tmp_path: Path) -> None:
    """
    A sealed file that was damaged after the catalogue saw it shows what there is of it.
    """
    repository = Repository(tmp_path / "work", create=True)
    run_hash = recorded(repository)
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()
    path = next((repository.files / "runs" / run_hash).glob("*.parquet"))
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    reader = trusting(repository, catalogue, run_hash)
    assert reader is not None

    assert plain(open_run(path.parent).points(KEY)) == plain(reader.points(KEY))
    assert {} == reader.points_of_sole_writer([KEY])
