"""
Summary values that are unknown until the points are read.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np
import pytest

from aim.engine.repository import Repository
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.catalogue.point_lookups import PointLookups
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from tests.storage.recorded import Words
from tests.storage.writing import Picture


def test_the_longest_list_of_objects_is_looked_up_when_asked(repository: Repository, catalogue: Catalogue) -> None:
    """
    record_max_length is 1 for single objects, and the longest list for lists.
    """
    writer = repository.new_run()
    writer.sequence("one").track(Words("a"))
    writer.sequence("many").track([Words("a"), Words("b"), Words("c")])
    writer.sequence("many").track([Words("a")])
    writer.close()
    catalogue.refresh()
    table = catalogue.table
    lengths_of = {}
    for pair_index, pair in enumerate(table.pairs):
        lengths = table.summary(pair_index, "record_max_length")
        lengths_of[pair.name] = None if lengths is None else lengths.tolist()

    assert {"one": [1], "many": [3]} == lengths_of
    assert {"texts"} == {pair.kind for pair in table.pairs}


def test_deviations_and_medians_are_those_of_all_points(repository: Repository, catalogue: Catalogue) -> None:
    """
    std and median are right while a run records, when several writers recorded it, and when it is sealed.
    """
    tracked = [3.0, 1.0, 2.0, float("nan"), 7.0]
    writer = repository.new_run()
    for value in tracked:
        writer.sequence("loss").track(value)
        catalogue.refresh()
    live = _deviation_and_median(catalogue)
    writer.close()
    resumed = repository.resume_run(writer.run_hash)
    resumed.sequence("loss").track(11.0, step=5)
    catalogue.refresh()
    of_two_writers = _deviation_and_median(catalogue)
    resumed.close()
    folder = repository.files / "runs" / writer.run_hash
    state = RunLog(folder).refresh()
    for writer_id in state.writers:
        seal.seal_writer(folder, writer_id, state)
    catalogue.refresh(full=True)

    assert (float(np.nanstd(tracked)), 2.5) == live
    assert (
        pytest.approx((float(np.nanstd([*tracked, 11.0])), 3.0)) == of_two_writers == _deviation_and_median(catalogue)
    )


def _deviation_and_median(catalogue: Catalogue) -> tuple[float, float]:
    deviations, medians = catalogue.table.summary(0, "std"), catalogue.table.summary(0, "median")
    assert deviations is not None
    assert medians is not None
    return float(deviations[0]), float(medians[0])


def test_values_are_looked_up_for_the_rows_that_matter(repository: Repository, catalogue: Catalogue) -> None:
    """
    A median is looked up for the rows that are asked for, and once.
    """
    for number in range(3):
        writer = repository.new_run()
        writer.sequence("loss").track(float(number))
        writer.close()
    catalogue.refresh()
    table = catalogue.table
    opened: list[str] = []

    def open_reader(run_hash: str) -> RunReader:
        opened.append(run_hash)
        return repository.readers.reader(run_hash)

    table._lookups._open_reader = open_reader
    answers = [table.summary(0, "median", np.array([1])) for _ in range(2)]
    medians = [values.tolist() for values in answers if values is not None]

    assert [table.hashes()[1]] == opened
    assert ["nan", "nan"] == [repr(values[row]) for values in medians for row in (0,)]
    assert repr(medians[0]) == repr(medians[1])


# one look-up


def lookups(folder: Path) -> PointLookups:
    """Return look-ups in the run of *folder*; any other run is gone."""

    def open_reader(run_hash: str) -> RunReader:
        if run_hash != "run":
            raise FileNotFoundError(run_hash)
        return open_run(folder)

    return PointLookups(open_reader)


@pytest.fixture(name="run")
def _run(tmp_path: Path) -> Path:
    """
    A run of one metric and of lists of objects.
    """
    writer = Writer(tmp_path, "run")
    for step, value, epoch in ((3, 0.5, 1), (5, 0.25, None), (9, 4.0, 2)):
        writer.sequence("loss").track(value, step, epoch)
    for step, count in enumerate((1, 3, 2)):
        writer.sequence("pictures").track([Picture()] * count, step)
    writer.close()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "expected"), [("values", [0.5, 0.25, 4.0]), ("steps", [3, 5, 9]), ("epochs", [1.0, None, 2.0])]
)
def test_points_are_read_by_their_names(run: Path, name: str, expected: list[float | None]) -> None:
    """
    Values, steps and epochs by step; a missing epoch is none.
    """
    assert expected == lookups(run).points("run", ("loss", "{}"), name)


def test_times_are_those_of_recording(run: Path) -> None:
    """
    Timestamps are Unix seconds of this moment.
    """
    timestamps = lookups(run).points("run", ("loss", "{}"), "timestamps")

    assert 3 == len(timestamps)
    assert all(value is not None and abs(value - time.time()) < 3600 for value in timestamps)


def test_a_sequence_that_is_not_there_has_no_points(run: Path) -> None:
    """
    Its points are an empty list, and its summary values 0, also when the run is gone.
    """
    assert [] == lookups(run).points("run", ("nothing", "{}"), "values")
    for run_hash, key in (("run", ("nothing", "{}")), ("gone", ("loss", "{}"))):
        assert [0, 0] == [lookups(run).summary_value(run_hash, key, name) for name in ("std", "record_max_length")]


@pytest.mark.parametrize(
    ("sequence", "name", "expected"),
    [
        ("loss", "median", 0.5),
        ("loss", "std", statistics.pstdev([0.5, 0.25, 4.0])),
        ("loss", "mean", 4.75 / 3),
        ("pictures", "record_max_length", 3),
    ],
)
def test_a_value_is_that_of_all_points(run: Path, sequence: str, name: str, expected: float) -> None:
    """
    What a summary does not have is computed from the points, or found among the records.
    """
    assert pytest.approx(expected) == lookups(run).summary_value("run", (sequence, "{}"), name)
