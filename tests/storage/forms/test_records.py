"""
The journal read back as arrays.
"""

from __future__ import annotations

import math
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.storage.forms import journal, records
from aim.storage.forms.journal import PAGE_BYTES, RECORD, VOID
from aim.storage.recording import background
from aim.storage.recording.writer import Writer
from tests.storage.writing import DEADLINE_S

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(name="writer")
def _writer(tmp_path: Path) -> Writer:
    """
    A writer of 500 points, two segments, which has ended.
    """
    writer = Writer(tmp_path, "run")
    for step in range(500):
        writer.sequence("loss").track(step * 1.1, step, 0.1)
    writer.close()
    return writer


def overwrite(path: Path, offset: int, data: bytes) -> None:
    """Change bytes of a file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def test_records_come_in_the_order_of_recording(writer: Writer) -> None:
    """
    All segments of a writer are one array, with the numbers of its files and without damage.
    """
    journal_scan = records.scan(writer.files.folder, writer.id)

    assert [0, 1] == journal_scan.segments
    assert [] == journal_scan.damage
    assert [step * 1.1 for step in range(500)] == journal_scan.records["value"].tolist()
    assert list(range(500)) == journal_scan.records["step"].tolist()
    assert {1} == set(journal_scan.records["sequence"].tolist())
    assert 500 == records.slots_used(writer.files.folder, writer.id, [0, 1])


def test_a_writer_without_points_has_none(tmp_path: Path) -> None:
    """
    No segment is no record and no damage.
    """
    journal_scan = records.scan(tmp_path, "0a1b2c3d")

    assert (0, [], []) == (len(journal_scan.records), journal_scan.segments, journal_scan.damage)


def test_holes_and_void_slots_are_left_out(writer: Writer) -> None:
    """
    An empty slot, also in the midst, and the slot of a refused value are no records; what follows is read.
    """
    path = writer.files.folder / f"{writer.id}.points-0000"
    overwrite(path, PAGE_BYTES, bytes(32))
    overwrite(path, PAGE_BYTES + 32, RECORD.pack(0.0, 0, 1.0, math.nan, VOID))
    journal_scan = records.scan(writer.files.folder, writer.id, verify=False)

    assert list(range(2, 500)) == journal_scan.records["step"].tolist()


@pytest.mark.parametrize("name", ["points-0000~", "points-0001.bak", "points-x", "points-", "points.parquet.tmp"])
def test_files_of_others_are_left_alone(writer: Writer, name: str) -> None:
    """
    What an editor or a backup leaves beside the segments is no segment.
    """
    (writer.files.folder / f"{writer.id}.{name}").write_bytes(b"x")

    assert [0, 1] == records.segment_numbers(writer.files.folder, writer.id)
    assert 500 == len(records.scan(writer.files.folder, writer.id).records)


def test_every_flipped_byte_of_a_checked_page_is_named(writer: Writer) -> None:
    """
    For every byte of a checked page, the header's included: damage is named with its page, and the other points stay.
    """
    path = writer.files.folder / f"{writer.id}.points-0000"
    good = path.read_bytes()
    byte_offsets = [*range(76), *range(PAGE_BYTES, 2 * PAGE_BYTES, 7), 2 * PAGE_BYTES - 1, len(good) - 1]
    for byte_offset in byte_offsets:
        if 64 <= byte_offset < 76:
            page = (byte_offset - 64) // 4 + 1
        else:
            page = byte_offset // PAGE_BYTES
        content = bytearray(good)
        content[byte_offset] ^= 0x10
        damage = records.check_segment(path.name, bytes(content))
        assert [f"byte {page * PAGE_BYTES:,}"] == [item.location for item in damage]
        assert {path.name} == {item.file for item in damage}


@pytest.mark.parametrize("size", [1, 63, 64, 4095, 4096, 5000, 8192, 12288, 16383])
def test_a_truncated_segment_is_named_and_read_as_far_as_it_goes(writer: Writer, size: int) -> None:
    """
    A segment that was cut short at any place gives its whole records, and says that it is short.
    """
    path = writer.files.folder / f"{writer.id}.points-0000"
    path.write_bytes(path.read_bytes()[:size])
    journal_scan = records.scan(writer.files.folder, writer.id)

    whole = max(0, size - PAGE_BYTES) // 32
    assert [*range(whole), *range(384, 500)] == journal_scan.records["step"].tolist()
    assert journal_scan.damage
    assert f"byte {size:,}" in {item.location for item in journal_scan.damage}


@pytest.mark.parametrize("size", [0, 4096, 16384])
def test_a_segment_of_zeros_is_no_damage(tmp_path: Path, size: int) -> None:
    """
    A process killed while it made a segment leaves zeros: nothing was recorded there, and nothing is wrong.
    """
    (tmp_path / "0a1b2c3d.points-0000").write_bytes(bytes(size))
    journal_scan = records.scan(tmp_path, "0a1b2c3d")

    assert (0, []) == (len(journal_scan.records), journal_scan.damage)


def test_damaged_times_are_numbers_all_the_same() -> None:
    """
    Times that make no sense read as 0, without a warning.
    """
    moments = [1795380918.5, math.nan, math.inf, -math.inf, 1e300, -1e300, 9.3e12, 0.0000014]
    rows = np.zeros(len(moments), records.RECORD_DTYPE)
    rows["time"] = moments

    assert [1795380918500000, 0, 0, 0, 0, 0, 0, 1] == records.time_us(rows).tolist()


@given(st.lists(st.floats(width=32, allow_nan=False) | st.just(math.nan), max_size=20))
def test_epochs_are_the_shortest_decimals_that_give_them(epochs: list[float]) -> None:
    """
    Each epoch reads as the shortest decimal that rounds to its f32, as numpy prints it, whatever stands beside it.
    """
    array = np.array(epochs, np.float32)
    decimals = records.shortest_epochs(array)

    assert np.array_equal(array, decimals.astype(np.float32), equal_nan=True)
    assert [float(str(epoch)) for epoch in array if not math.isnan(epoch)] == [
        value for value in decimals.tolist() if not math.isnan(value)
    ]


def test_a_record_that_is_being_stored_counts_as_empty(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A slot that changes between two readings is left out; the rest, the header and its CRCs stay.
    """
    path = writer.files.folder / f"{writer.id}.points-0000"

    class Twice:
        """A file whose second reading finds one record and one CRC changed."""

        def __init__(self, *_: object) -> None:
            self.content = path.read_bytes()

        def __enter__(self) -> Twice:
            return self

        def __exit__(self, *_: object) -> None:
            return

        def seek(self, offset: int) -> None:
            self.offset = offset

        def read(self) -> bytes:
            content = self.content
            changed = bytearray(content)
            changed[PAGE_BYTES + 5] ^= 0xFF
            changed[70] ^= 0xFF
            self.content = bytes(changed)
            return content[self.offset :]

    monkeypatch.setattr("builtins.open", lambda *arguments: Twice(*arguments))
    whole = records.read_live_segment(path)
    part = records.read_live_segment(path, PAGE_BYTES)
    monkeypatch.undo()

    good = path.read_bytes()
    assert good[:PAGE_BYTES] + bytes(32) + good[PAGE_BYTES + 32 :] == whole
    assert bytes(32) + good[PAGE_BYTES + 32 :] == part


READER_TESTED = """
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from aim.storage.recording.writer import Writer
writer = Writer(Path(sys.argv[1]), "run")
loss = writer.sequence("loss")
print(writer.id, flush=True)
count = 0
while count < 400_000:
    loss.track((count + 1) * 1.1, count)
    count += 1
writer.close()
"""


def test_a_reader_beside_a_writer_sees_whole_records_only(tmp_path: Path) -> None:
    """
    While another process records at full speed, no reading has a torn record, and none goes back: what comes during
    the reading may be seen or not.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", READER_TESTED, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None
    writer = process.stdout.readline().decode().strip()
    seen = readings = 0
    while seen < 400_000:
        ended = process.poll() is not None
        records_read = records.scan(tmp_path, writer, verify=False).records
        assert np.array_equal((records_read["step"] + 1) * 1.1, records_read["value"])
        assert np.all(np.diff(records_read["step"]) > 0)
        assert np.array_equal(np.arange(seen), records_read["step"][:seen])  # what was there stays
        gaps = np.flatnonzero(records_read["step"] != np.arange(len(records_read)))
        seen, readings = int(gaps[0]) if len(gaps) else len(records_read), readings + 1
        assert not ended or seen == 400_000
    assert 0 == process.wait(DEADLINE_S)
    process.stdout.close()
    assert [] == records.scan(tmp_path, writer).damage
    assert readings > 1


def test_a_header_of_another_size_is_named(writer: Writer) -> None:
    """
    A header that checks and speaks of another size than the file's is damage: the file was cut or joined.
    """
    path = writer.files.folder / f"{writer.id}.points-0000"
    head = journal.header(65536, 0, writer.id, "run")
    content = head + path.read_bytes()[64:]

    damage = records.check_segment(path.name, content)
    assert ["the file has 16,384 of 65,536 bytes"] == [item.problem for item in damage]
    assert struct.unpack_from("<I", content, 8) == (65536,)
    background.unregister(writer)


@pytest.mark.parametrize("read", [records.read_live_segment, records.read_ended_segment])
@pytest.mark.parametrize("offset", [0, PAGE_BYTES, 2 * PAGE_BYTES, 1 << 20])
def test_a_segment_is_read_from_a_page_on(writer: Writer, read: Callable[..., bytes], offset: int) -> None:
    """
    Both ways of reading begin at the page that is asked; after the end there is nothing.
    """
    path = writer.files.folder / f"{writer.id}.points-0000"

    assert path.read_bytes()[offset:] == read(path, offset)


@given(st.sets(st.integers(1, 63), max_size=20), st.integers(1, 64), st.booleans())
def test_the_tail_of_a_segment_ends_with_its_first_empty_page(filled: set[int], first: int, is_short: bool) -> None:
    """
    Whichever pages have records: all of them up to a page without any, and `has_hole` says whether there are more.
    """
    page_count = 64 - is_short
    with tempfile.NamedTemporaryFile() as file:
        os.truncate(file.name, 64 * PAGE_BYTES - (100 if is_short else 0))
        for page in filled - {page_count}:
            os.pwrite(file.fileno(), b"\1" * 32, page * PAGE_BYTES + 64)
        whole = records.read_live_segment(file.name, first * PAGE_BYTES)
        tail = records.read_live_tail(file.name, first * PAGE_BYTES)
    empty = next((page for page in range(first, page_count) if page not in filled), page_count)

    assert whole[: len(tail)] == tail
    expected = len(whole) if empty >= page_count else (empty + 1 - first) * PAGE_BYTES
    assert expected == len(tail)
    assert any(page > empty for page in filled - {page_count}) == records.has_hole(whole)


def test_reading_leaves_no_file_open(writer: Writer) -> None:
    """
    Each read releases its descriptor.
    """
    path = writer.files.folder / f"{writer.id}.points-0000"
    count = len(list(Path("/proc/self/fd").iterdir()))
    records.read_ended_segment(path)
    records.read_live_segment(path)
    records.read_live_tail(path, PAGE_BYTES)

    assert len(list(Path("/proc/self/fd").iterdir())) <= count  # fewer where garbage of other tests went meanwhile


@pytest.mark.parametrize(("filled", "expected"), [([], 0), ([0], 1), ([2], 3), ([0, 5], 6)])
def test_slots_count_up_to_the_last_filled_one(filled: list[int], expected: int) -> None:
    """
    Holes before the last record count, empty slots after it do not.
    """
    slots = np.zeros(8, records.RECORD_DTYPE)
    slots["sequence"][filled] = 1

    assert expected == records.used_count(slots)


@pytest.mark.parametrize(("size", "count"), [(0, 0), (PAGE_BYTES, 0), (PAGE_BYTES + 31, 0), (PAGE_BYTES + 64, 2)])
def test_slots_begin_after_the_header_page(size: int, count: int) -> None:
    """
    A file that was cut off has its whole slots.
    """
    assert count == len(records.slots_of(bytes(size)))
