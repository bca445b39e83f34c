"""
Sealed files that are written a row group after the other: long sequences, and the memory that sealing takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from aim.storage.disk import layout
from aim.storage.forms import records
from aim.storage.forms.records import Records
from aim.storage.forms.run_log import RunLog
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal, writing
from aim.storage.sealing.declarations import SequenceDeclaration
from aim.storage.sealing.file_end import BLOCK, block_offset
from aim.storage.sealing.footer import JournalOrigin
from aim.storage.sealing.sealed import Sealed
from aim.storage.sealing.sorted_points import PointsInMemory, PointsOnDisk
from aim.storage.sealing.span import sealed_span
from aim.storage.sealing.verify import verify

LONG, SHORT = 2500, 30
DECLARED = {
    number: SequenceDeclaration(name, {}, "float") for number, name in enumerate(("before", "long", "odd", "behind"), 1)
}


@pytest.fixture(name="table")
def _table() -> Records:
    """
    A short sequence, two long ones, of which one has no even steps, and a short one; recorded in turn.
    """
    counts = {1: SHORT, 2: LONG, 3: LONG, 4: SHORT}
    table = np.zeros(sum(counts.values()), records.RECORD_DTYPE)
    chance = np.random.default_rng(3)
    table["sequence"] = chance.permutation(np.repeat(list(counts), list(counts.values())))
    for number, count in counts.items():
        table["step"][table["sequence"] == number] = np.arange(count) ** (2 if number == 3 else 1)
    table["value"] = chance.random(len(table))
    table["time"] = 1795380918 + np.arange(len(table)) / 1000
    return table


@pytest.fixture(name="path")
def _path(table: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Their sealed file, of row groups of 1,000 rows at most.
    """
    monkeypatch.setattr(writing, "GROUP_ROWS_MAX", 1000)
    path = tmp_path / "0badcafe.points.parquet"
    path.write_bytes(seal.encode(table, DECLARED, JournalOrigin("run", "0badcafe", 1, len(table), 7)))
    return path


def test_a_long_sequence_has_row_groups_of_its_own(path: Path) -> None:
    """
    No row group has more rows than the limit, and other programs read all of them.
    """
    file = pq.ParquetFile(path)
    rows = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]

    assert [30, 1000, 1000, 500, 1000, 1000, 500, 30] == rows
    assert [0, 1, 4, 7] == [sequence.group for sequence in Sealed.open(path).sequences]


def test_a_long_sequence_is_read_as_one(table: Records, path: Path) -> None:
    """
    Its points are those that were recorded, also when one column is asked for alone.
    """
    file = Sealed.open(path)
    for number in DECLARED:
        expected = table[table["sequence"] == number]
        columns = file.columns(number)
        assert expected["step"].tolist() == columns.steps.tolist()
        assert expected["value"].tolist() == columns.values.tolist()
        assert expected["value"].tolist() == file.steps_values(number)[1].tolist()

    assert [] == file.damage + verify(path)


def test_a_long_sequence_survives_the_loss_of_footer_and_index(table: Records, path: Path) -> None:
    """
    From its pages alone a long sequence is put together again.
    """
    content = path.read_bytes()
    path.write_bytes(content[: block_offset(content) - BLOCK.size])
    file = Sealed.open(path)
    expected = table[table["sequence"] == 3]

    assert [SHORT, LONG, LONG, SHORT] == [sequence.row_count for sequence in file.sequences]
    assert expected["value"].tolist() == file.columns(3).values.tolist()


def test_a_damaged_page_of_a_later_row_group_hides_its_own_points(table: Records, path: Path) -> None:
    """
    The points of the other row groups stay where they are.
    """
    content = bytearray(path.read_bytes())
    (page,) = [page for page in Sealed.open(path).index if (page.group, page.column, page.kind) == (2, 5, 0)]
    content[page.offset] ^= 1
    path.write_bytes(content)
    columns = Sealed.open(path).columns(2)

    assert [*range(1000), *range(2000, LONG)] == columns.steps.tolist()
    assert table["value"][table["sequence"] == 2][2000:].tolist() == columns.values[1000:].tolist()


@pytest.mark.parametrize("is_shuffled", [False, True], ids=["in order", "out of order"])
def test_points_are_sorted_on_the_disk_as_in_memory(
    table: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_shuffled: bool
) -> None:
    """
    Both ways give the same rows, with several points at one step in the order of recording.
    """
    monkeypatch.setattr("aim.storage.sealing.sorted_points.MEMORY_POINTS", 100)
    monkeypatch.setattr("aim.storage.sealing.sorted_points.BATCH_POINTS", 700)
    if is_shuffled:
        table["step"] = np.random.default_rng(1).integers(0, 50, len(table))
    expected = PointsInMemory(table)
    on_disk = PointsOnDisk(tmp_path, expected.counts())
    on_disk.fill(np.array_split(table, 9))

    assert expected.counts() == on_disk.counts()
    assert expected.rows(0, len(table)).tobytes() == on_disk.rows(0, len(table)).tobytes()
    assert [] == list(tmp_path.iterdir())
    on_disk.close()


def test_a_journal_is_sealed_in_pieces_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    However long a journal is, no more of its points than a row group are in memory at once.
    """
    monkeypatch.setattr(seal, "MEMORY_POINTS", 5000)
    monkeypatch.setattr(writing, "GROUP_ROWS_MAX", 1000)
    monkeypatch.setattr("aim.storage.sealing.point_summary.PIECE_POINTS", 1000)
    monkeypatch.setattr(writing, "PIECE_POINTS", 1000)
    lengths: list[int] = []
    rows = PointsOnDisk.rows

    def counted(points: PointsOnDisk, start: int, stop: int) -> Records:
        lengths.append(stop - start)
        return rows(points, start, stop)

    monkeypatch.setattr(PointsOnDisk, "rows", counted)
    writer = Writer(tmp_path, "run")
    loss, odd = writer.sequence("loss"), writer.sequence("odd")
    for step in range(5000):
        loss.track(step * 0.5, step)
        odd.track(step * -0.5, step * step)
    writer.close()
    state = RunLog(tmp_path).refresh()

    assert seal.seal_writer(tmp_path, writer.id, state)
    assert 1000 == max(lengths)
    file = Sealed.open(layout.sealed_file(tmp_path, writer.id))
    first, second = (summary for summary in file.summaries().values() if summary is not None)
    assert (5000, 0.0, 2499.5, 1249.75, 1249.75) == (first.point_count, *first[2:4], first.mean, first.median)
    assert (4999**2, -1249.75) == (second.last_step, second.median)
    assert [] == verify(file.path)


def test_a_long_file_is_opened_by_its_end(table: Records, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where the index is longer than what is read at first, more of the end is read, and not the whole file.
    """
    monkeypatch.setattr("aim.storage.sealing.sealed.TAIL_BYTES", 512)
    lengths: list[int] = []
    pread = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        lengths.append(length)
        return pread(descriptor, length, offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", counted)
        file = Sealed.open(path)

    assert [512, 512 << 4] == lengths
    assert path.stat().st_size > 512 << 4
    assert len(table) == sum(sequence.row_count for sequence in file.sequences)


@pytest.mark.parametrize("count", [1, 7, 501, 2400, LONG, LONG + 9])
def test_the_last_points_are_read_alone(table: Records, path: Path, count: int) -> None:
    """
    They are those at the end of the whole sequence, also where row groups meet; uneven steps have to be read whole.
    """
    expected = table[table["sequence"] == 2][-count:]
    ended = sealed_span(Sealed.open(path), 2, LONG - count, LONG)

    assert ended is not None
    assert (expected["step"].tolist(), expected["value"].tolist()) == (ended[0].tolist(), ended[1].tolist())
    assert sealed_span(Sealed.open(path), 3, 0, count) is None


def test_a_damaged_page_at_the_end_has_the_sequence_read_whole(path: Path) -> None:
    """
    Which points are last is only known from all of them then.
    """
    content = bytearray(path.read_bytes())
    (page,) = [page for page in Sealed.open(path).index if (page.group, page.column, page.kind) == (3, 5, 0)]
    content[page.offset] ^= 1
    path.write_bytes(content)

    assert sealed_span(Sealed.open(path), 2, LONG - 10, LONG) is None


def test_sealing_loads_no_pandas(tmp_path: Path) -> None:
    """
    The process that seals needs pyarrow, and not what pyarrow loads to look for frames.
    """
    table = np.zeros(3, records.RECORD_DTYPE)
    table["sequence"] = 1
    np.save(tmp_path / "table.npy", table)
    program = (
        "import sys, numpy\nfrom aim.storage.sealing import seal\n"
        "from aim.storage.sealing.footer import JournalOrigin\n"
        "seal.encode(numpy.load(sys.argv[1]), {}, JournalOrigin('run', '0badcafe', 1, 3, 7))\n"
        "sys.exit('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "table.npy")], check=False)

    assert 0 == done.returncode
