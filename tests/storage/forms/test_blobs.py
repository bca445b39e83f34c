"""
Blob files: ZIP files that any tool opens, and that survive damage entry by entry.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from aim.core.errors import DamagedFile, RunClosed, UntrackableValue
from aim.core.values import Stored
from aim.storage.disk.files import Disk
from aim.storage.forms import blobs
from aim.storage.forms.blobs import BlobFile

WRITER = "0a1b2c3d"


def picture(number: int) -> Stored:
    """Return an object whose bytes follow from its number."""
    return Stored("test.picture", {"caption": f"größe {number}"}, bytes([number % 256]) * (100 + number), "png")


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    """
    The file of ten points: eight pictures, a list of two, an object without bytes.
    """
    file = BlobFile(tmp_path, WRITER)
    for number in range(8):
        file.append("loss/a b", (number,), [picture(number)], "test.picture")
    file.append("größe", (8,), [picture(8), picture(9)], "list(test.picture)")
    file.append("", (-9,), [Stored("test.text", {"text": "\ud800"})], "test.text")
    file.close()
    return tmp_path / f"{WRITER}.blobs-0000.zip"


def test_what_was_appended_is_read_back_by_its_place(tmp_path: Path) -> None:
    """
    A record has the kind, the fields and the places of the bytes, also before the file is closed.
    """
    file = BlobFile(tmp_path, WRITER)
    positions = [
        file.append("pictures", (step,), [picture(step), picture(step + 1)], "list(test.picture)") for step in (3, 4)
    ]
    path = tmp_path / f"{WRITER}.blobs-0000.zip"

    for step, where in zip((3, 4), positions, strict=True):
        number, offset = blobs.split_position(where)
        record = blobs.read_record(path, offset)
        assert (0, "list(test.picture)") == (number, record["kind"])
        assert [picture(step), picture(step + 1)] == [
            blobs.read_item(path, record["kind"], item) for item in record["items"]
        ]
    file.close()


def test_any_tool_opens_the_file(path: Path) -> None:
    """
    Python's own reader and `unzip` find every entry and check every CRC; names are safe paths below one folder.
    """
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert picture(3).data == archive.read("loss_a_b/3-6.png")
        assert {zipfile.ZIP_STORED} == {info.compress_type for info in archive.infolist()}
        assert all(
            abs(time.time() - time.mktime((*info.date_time, 0, 0, 0))) < 2 * 86400 for info in archive.infolist()
        )
    assert names == list(blobs.entry_names(path))
    assert 8 * 2 + 3 + 1 == len(names) == len(set(names))
    assert all(name.count("/") == 1 and not name.startswith(("/", ".")) for name in names)
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tqq", str(path)], check=True, capture_output=True)


def test_the_directory_follows_from_the_entries_alone(path: Path) -> None:
    """
    A file that lost its directory gets the same one again, as often as it is asked for.
    """
    whole = path.read_bytes()
    entries, end = blobs.walk(path)
    assert whole == whole[:end] + blobs.directory(entries, end)
    for content in (whole[:end], whole, whole[:end] + b"PK\x03\x04 cut", whole + b"\0" * 100):
        path.write_bytes(content)
        blobs.append_directory(path)
        assert whole == path.read_bytes()


@pytest.mark.parametrize("size_part", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short_keeps_its_whole_entries(path: Path, size_part: float) -> None:
    """
    After a kill, the entries before the cut are found by walking.
    """
    entries, end = blobs.walk(path)
    size = round(end * size_part)
    path.write_bytes(path.read_bytes()[:size])

    assert [entry for entry in entries if entry.end <= size] == blobs.walk(path)[0]


def test_any_flipped_byte_hides_one_entry_at_most(path: Path) -> None:
    """
    For every byte: the walk loses at most the entry that it is in, and whoever reads that one is told of damage.
    """
    good = path.read_bytes()
    entries, end = blobs.walk(path)
    for byte_offset in range(0, end, 3):
        content = bytearray(good)
        content[byte_offset] ^= 0x04
        path.write_bytes(content)
        entries_left, _ = blobs.walk(path)
        hit = next(entry for entry in entries if entry.offset <= byte_offset < entry.end)
        assert [entry.offset for entry in entries if entry != hit] == [
            entry.offset for entry in entries_left if entry.offset != hit.offset
        ]
        assert all(entry.is_data_intact for entry in entries_left if entry.offset != hit.offset)
        with pytest.raises(DamagedFile, match=f"byte {hit.offset:,}"):
            blobs.read_data(path, hit.offset)


@pytest.mark.parametrize("offset", [1, 7, 10**6, 2**39])
def test_what_is_no_entry_is_damage(path: Path, offset: int) -> None:
    """
    A place that no entry begins at is an error of ours, however far off.
    """
    with pytest.raises(DamagedFile, match="aim fsck"):
        blobs.read_data(path, offset)


def test_what_is_no_record_is_damage(path: Path) -> None:
    """
    The bytes of an object are no record of one.
    """
    with pytest.raises(DamagedFile, match="not the record of an object"):
        blobs.read_record(path, 0)


def test_a_new_file_is_begun_when_one_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Beyond its size or its count of entries a file is ended, with its directory, and the next one begun.
    """
    monkeypatch.setattr(blobs, "ROLL_BYTES", 2000)
    monkeypatch.setattr(blobs, "ROLL_ENTRIES", 20)
    file = BlobFile(tmp_path, WRITER)
    positions = [file.append("p", (step,), [picture(step)], "test.picture") for step in range(30)]
    many = file.append("p", (99,), [picture(step) for step in range(20)], "list(test.picture)")
    file.close()

    numbers = [blobs.split_position(where)[0] for where in positions]
    assert numbers == sorted(numbers)
    assert file.file_count - 1 == blobs.split_position(many)[0] == numbers[-1] + 1
    for where, step in zip(positions, range(30), strict=True):
        number, offset = blobs.split_position(where)
        path = tmp_path / f"{WRITER}.blobs-{number:04d}.zip"
        (item,) = blobs.read_record(path, offset)["items"]
        assert picture(step) == blobs.read_item(path, "test.picture", item)
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None


class Flaky(Disk):
    """A disk that writes half and refuses, when told."""

    refuses = False

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write half and refuse."""
        if self.refuses:
            super().write_at(descriptor, data[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write_at(descriptor, data, offset)


def test_a_refused_object_leaves_nothing(tmp_path: Path) -> None:
    """
    What the disk refuses half-way is overwritten by the next object or cut off at the end.
    """
    disk = Flaky()
    file = BlobFile(tmp_path, WRITER, disk)
    file.append("p", (0,), [picture(0)], "test.picture")
    disk.refuses = True
    with pytest.raises(OSError, match="No space"):
        file.append("p", (1,), [Stored("test.picture", {}, b"x" * 100_000)], "test.picture")
    with pytest.raises(OSError, match="No space"):
        file.probe()
    disk.refuses = False
    file.probe()
    file.append("p", (2,), [picture(2)], "test.picture")
    file.close()

    path = tmp_path / f"{WRITER}.blobs-0000.zip"
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert ["p/0-0.png", "p/0-1.json", "p/2-2.png", "p/2-3.json"] == archive.namelist()
        assert archive.testzip() is None
    assert path.stat().st_size < 10_000


def test_nothing_is_appended_after_the_end(tmp_path: Path) -> None:
    """
    An object that comes when the run is closed is refused, and no file is begun for it.
    """
    file = BlobFile(tmp_path, WRITER)
    file.close()
    with pytest.raises(RunClosed):
        file.append("p", (0,), [picture(0)], "test.picture")

    assert [] == list(tmp_path.iterdir())


def test_an_append_within_an_append_is_refused(tmp_path: Path) -> None:
    """
    A signal handler that tracks an object amid the writing of another is told that the file is busy; nothing is mixed.
    """
    refused: list[OSError] = []

    class Interrupted(Disk):
        def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
            super().write_at(descriptor, data, offset)
            if not refused:
                refused.append(OSError())
                with pytest.raises(OSError, match="when a signal came"):
                    file.append("handler", (1,), [picture(1)], "test.picture")

    file = BlobFile(tmp_path, WRITER, Interrupted())
    file.append("p", (0,), [picture(0)], "test.picture")
    file.close()

    assert ["p/0-0.png", "p/0-1.json"] == list(blobs.entry_names(tmp_path / f"{WRITER}.blobs-0000.zip"))


def test_objects_that_no_zip_can_hold_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A point beyond the limit says so; the clock of a machine without one does not matter.
    """
    monkeypatch.setattr(blobs, "POINT_BYTES_MAX", 150)
    file = BlobFile(tmp_path, WRITER)
    with pytest.raises(UntrackableValue, match="over 2 GiB. Keep them as files"):
        file.append("p", (0,), [picture(0), picture(0)], "list(test.picture)")
    for moment_s in (0.0, -1e9, 1e10):
        monkeypatch.setattr(time, "time", lambda moment_s=moment_s: moment_s)
        file.append("p", (0,), [picture(0)], "test.picture")
    file.close()

    with zipfile.ZipFile(tmp_path / f"{WRITER}.blobs-0000.zip") as archive:
        assert {1980, 2107} == {info.date_time[0] for info in archive.infolist()}


def test_several_points_may_share_a_record(tmp_path: Path) -> None:
    """
    Of a record of several steps each point gets its own item.
    """
    file = BlobFile(tmp_path, WRITER)
    items = [Stored("test.text", {"text": str(step)}) for step in range(3)]
    _, offset = blobs.split_position(file.append("t", range(10, 13), items, "test.text"))
    file.close()
    path = tmp_path / f"{WRITER}.blobs-0000.zip"

    assert [{"text": str(step)} for step in range(3)] == [
        blobs.read_record(path, offset, 10 + step)["items"][0] for step in range(3)
    ]
    with pytest.raises(DamagedFile):
        blobs.read_record(path, offset, 13)


class InterruptedDisk(Disk):
    """A disk that a signal hits right after it has made a file, once."""

    is_hit = False

    def create(self, path: Path) -> int:
        """Make a file; the first time the caller does not hear of it."""
        descriptor = super().create(path)
        if not self.is_hit:
            self.is_hit = True
            os.close(descriptor)
            raise KeyboardInterrupt
        return descriptor


def test_a_file_that_an_interrupted_call_made_is_used_by_the_next(tmp_path: Path) -> None:
    """
    After a KeyboardInterrupt right after a blob file was made, the next object goes into that very file.
    """
    file = BlobFile(tmp_path, WRITER, InterruptedDisk())
    with pytest.raises(KeyboardInterrupt):
        file.append("pictures", (0,), [picture(0)], "test.picture")

    where = file.append("pictures", (0,), [picture(0)], "test.picture")
    file.close()

    number, offset = blobs.split_position(where)
    assert [tmp_path / f"{WRITER}.blobs-0000.zip"] == list(tmp_path.iterdir())
    assert (0, "test.picture") == (number, blobs.read_record(tmp_path / f"{WRITER}.blobs-0000.zip", offset)["kind"])
    assert 1 == file.file_count
