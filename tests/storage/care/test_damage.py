"""
Every byte changed, every length cut: what is not damaged stays visible, `fsck` names the file, `repair` mends a copy.

The damaged unit, which alone may be lost:

    events     the line; of a declaration the name, and integers beyond 2^53, which are lines: other points are kept as
               `(unknown <n>)`
    segments   one record of 32 bytes; nothing for the header page
    sealed     one page of one column; nothing for page headers, index, block and footer
    blobs      one entry
    edits      the edit

`EVERY_BYTE=1` goes through every byte and every length; without it a sample that has every kind of place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from aim.storage.care.check import check_run
from aim.storage.care.repair import repair_run
from aim.storage.disk.files import Disk
from aim.storage.forms import blobs, events
from aim.storage.sealing.sealed import Sealed
from tests.storage.recorded import RUN, PointKey, contents, copied, points, record, seal_all, spread

EVERY_BYTE = bool(os.environ.get("EVERY_BYTE"))
Points = dict[PointKey, tuple[object, ...]]


@pytest.fixture(name="journaled", scope="module")
def _journaled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    An ended run whose points are in the journal.
    """
    folder = tmp_path_factory.mktemp("journaled") / RUN
    record(folder)
    return folder


@pytest.fixture(name="sealed", scope="module")
def _sealed(journaled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The same run, sealed.
    """
    folder = copied(journaled, tmp_path_factory.mktemp("sealed") / RUN)
    seal_all(folder)
    return folder


class Hasty(Disk):
    """A disk that does not wait: no test here cuts the power."""

    def sync(self, descriptor: int) -> None:
        """Do nothing."""

    def sync_folder(self, path: Path) -> None:
        """Do nothing."""


def flips(content: bytes, every: int, dense: Sequence[range] = ()) -> Iterator[tuple[int, bytes]]:
    """Return *content* with one byte changed: one bit of it, or all."""
    for count, offset in enumerate(spread(len(content), 1 if EVERY_BYTE else every, dense=dense)):
        changed = content[offset] ^ (0xFF if count % 3 == 0 else 1 << count % 8)
        yield offset, content[:offset] + bytes([changed]) + content[offset + 1 :]


def cuts(content: bytes, every: int) -> Iterator[tuple[int, bytes]]:
    """Return *content* cut short."""
    for size in spread(len(content), 1 if EVERY_BYTE else every):
        yield size, content[:size]


def one(folder: Path, pattern: str, place: int = 0) -> Path:
    """Return the largest file that fits, or the one after it; of two the one whose writer said more."""

    def size(path: Path) -> tuple[int, int]:
        log = folder / f"{path.name[:8]}.events.jsonl"
        return path.stat().st_size, log.stat().st_size if log.exists() else 0

    return sorted(folder.glob(pattern), key=size, reverse=True)[place]


def named(folder: Path) -> set[str]:
    """Return the files that `check_run` names."""
    return {damage.file for damage in check_run(folder)}


def mended(folder: Path, target: Path) -> Points:
    """Repair, see that the copy is clean, and give its points."""
    repair_run(folder, target, disk=Hasty())
    assert [] == check_run(target)
    return points(target)


def without_names(found: Points) -> set[tuple[int, object]]:
    """Return step and time of all points: what a lost declaration does not change."""
    return {(key[2], value[1]) for key, value in found.items()}


# events and edits


def test_a_changed_byte_of_an_event_file_hides_its_line_only(journaled: Path, tmp_path: Path) -> None:
    """
    Whatever byte of an event line is changed, every point stays, but for one that the line itself holds.
    """
    folder = copied(journaled, tmp_path / "a" / RUN)
    before = points(folder)
    path = one(folder, "*.events.jsonl")
    content = path.read_bytes()
    exact = {key for key, value in before.items() if value[0] == 2**60 + 1}
    for count, (offset, changed) in enumerate(flips(content, 11)):
        path.write_bytes(changed)
        found = points(folder)
        lost = without_names(before) - without_names(found)

        assert lost <= {(key[2], before[key][1]) for key in exact}, offset
        assert named(folder) >= {path.name}, offset
        if count % 8 == 0:
            again = mended(folder, tmp_path / f"m{offset}" / RUN)
            assert without_names(found) <= without_names(again), offset
    path.write_bytes(content)


def test_a_shortened_event_file_hides_what_was_cut_off_only(journaled: Path, tmp_path: Path) -> None:
    """
    Of an event file that was cut, the whole lines count, and all points stay; `fsck` names what lost its declaration.
    """
    folder = copied(journaled, tmp_path / "a" / RUN)
    before = points(folder)
    path = one(folder, "*.events.jsonl")
    content = path.read_bytes()
    exact_at = content.rindex(b"\n", 0, content.index(b'"point":')) + 1
    for size, short in cuts(content, 29):
        path.write_bytes(short)
        found = points(folder)
        lost = without_names(before) - without_names(found)

        assert len(lost) <= (1 if size <= content.index(b"\n", exact_at) else 0), size
        lines = events.parse(short)
        assert events.parse(content).events[: len(lines.events)] == lines.events, size
    path.write_bytes(content)


def test_a_sealed_writer_knows_how_long_its_event_file_was(sealed: Path, tmp_path: Path) -> None:
    """
    An event file that lost lines after its points were sealed is named, even when it was cut between two lines.
    """
    folder = copied(sealed, tmp_path / "a" / RUN)
    path = one(folder, "*.events.jsonl")
    content = path.read_bytes()
    for size, short in cuts(content, 37):
        path.write_bytes(short)

        assert path.name in named(folder), size
        assert len(points(folder)) >= len(points(sealed)) - 1, size


def test_a_changed_edit_is_named_and_left_out(journaled: Path, tmp_path: Path) -> None:
    """
    An edit with a changed byte or a missing end is named, hides nothing else, and is left out of the mended copy.
    """
    folder = copied(journaled, tmp_path / "a" / RUN)
    path = one(folder, "edit-*.json")
    content = path.read_bytes()
    before = points(folder)
    for offset, changed in (*flips(content, 5), *cuts(content, 9)):
        path.write_bytes(changed)

        assert {path.name} == named(folder), offset
        assert before == points(folder), offset
    assert before == mended(folder, tmp_path / "m" / RUN)


# segments


def test_a_changed_byte_of_a_segment_changes_one_record_at_most(journaled: Path, tmp_path: Path) -> None:
    """
    Whatever byte of a segment is changed, `fsck` names it, and all points but the one that has the byte are as before.
    """
    folder = copied(journaled, tmp_path / "a" / RUN)
    before = points(folder)
    path = one(folder, "*.points-0000")
    content = path.read_bytes()
    for count, (offset, changed) in enumerate(flips(content, 131, dense=[range(0, 80, 1), range(4096, 4192)])):
        path.write_bytes(changed)
        found = points(folder)
        different = {key for key in before if found.get(key) != before[key]}

        assert len(different) <= (0 if offset < 4096 else 2), offset  # itself, and one whose step it took
        assert len(set(found) - set(before)) <= 1, offset
        assert {path.name} <= named(folder), offset
        if count % 16 == 0:
            again = mended(folder, tmp_path / f"m{offset}" / RUN)
            assert len([key for key in before if again.get(key) != before[key]]) <= 2, offset
    path.write_bytes(content)


def test_a_shortened_segment_keeps_what_is_before_the_cut(journaled: Path, tmp_path: Path) -> None:
    """
    All points before the cut stay, those of other segments too; the file is named and the copy has what is left.
    """
    folder = copied(journaled, tmp_path / "a" / RUN)
    before = points(folder)
    path = one(folder, "*.points-0000")
    content = path.read_bytes()
    for count, (size, short) in enumerate(cuts(content, 997)):
        path.write_bytes(short)
        whole = max(0, len(short) - 4096) // 32
        found = points(folder)
        missing = [key for key in before if key not in found]

        assert len(missing) <= max(0, (len(content) - 4096) // 32 - whole), size
        assert {path.name} == named(folder), size
        if count % 4 == 0:
            again = mended(folder, tmp_path / f"m{size}" / RUN)
            assert {key: value[0] for key, value in found.items()} == {key: value[0] for key, value in again.items()}, (
                size
            )
    path.unlink()
    assert {path.name} == named(folder)


# sealed files


def test_a_changed_byte_of_a_sealed_file_hides_one_page_at_most(sealed: Path, tmp_path: Path) -> None:
    """
    Whatever byte of a sealed file is changed, `fsck` names it; only the rows of a page whose body has the byte may go.
    """
    folder = copied(sealed, tmp_path / "a" / RUN)
    before = points(folder)
    path = one(folder, "*.points.parquet")
    content = path.read_bytes()
    index = Sealed.open(path).index
    for count, (offset, changed) in enumerate(flips(content, 9)):
        path.write_bytes(changed)
        found = points(folder)
        hit = [page for page in index if page.offset <= offset < page.end]
        missing = [key for key in before if found.get(key, (None,))[0] != before[key][0]]

        assert len(missing) <= (hit[0].rows if hit and hit[0].column in (3, 5) else 0), offset
        assert not hit or hit[0].column != 6 or all(found[key][1] == before[key][1] for key in before), offset
        assert {path.name} <= named(folder), offset
        if count % 24 == 0:
            assert len(found) == len(mended(folder, tmp_path / f"m{offset}" / RUN)), offset
    path.write_bytes(content)


def test_a_shortened_sealed_file_keeps_the_pages_before_the_cut(sealed: Path, tmp_path: Path) -> None:
    """
    A row is visible as long as its sequence number, step and value lie before the cut.
    """
    folder = copied(sealed, tmp_path / "a" / RUN)
    before = points(folder)
    path = one(folder, "*.points.parquet")
    content = path.read_bytes()
    needed = max(page.end for page in Sealed.open(path).index if page.column <= 5)
    others = {key for key in before if key not in _only(sealed, path)}
    for count, (size, short) in enumerate(cuts(content, 53)):
        path.write_bytes(short)
        found = points(folder)

        if size >= needed:
            assert {key: value[0] for key, value in before.items()} == {key: value[0] for key, value in found.items()}
        assert others <= set(found), size
        assert {path.name} <= named(folder), size
        if count % 8 == 0:
            assert set(found) == set(mended(folder, tmp_path / f"m{size}" / RUN)), size


def _only(folder: Path, path: Path) -> set[PointKey]:
    """Return the points that no other file has."""
    other = one(folder, "*.points.parquet", 1)
    steps = set(Sealed.open(other).columns(1).steps.tolist())
    return {key for key in points(folder) if not (key[0] == "loss" and key[2] in steps)}


# blobs


def test_a_changed_byte_of_a_blob_file_hides_one_entry(journaled: Path, tmp_path: Path) -> None:
    """
    Whatever byte of a blob file is changed, `fsck` names the file, and at most one point's objects are not as before.
    """
    folder = copied(journaled, tmp_path / "a" / RUN)
    before = points(folder)
    path = one(folder, "*.zip")
    content = path.read_bytes()
    directory_at = blobs.walk(path)[1]
    for count, (offset, changed) in enumerate(flips(content, 13)):
        path.write_bytes(changed)
        found = points(folder)
        different = [key for key in before if found[key] != before[key]]

        assert len(different) <= (1 if offset < directory_at else 0), offset
        assert {path.name} == named(folder), offset
        if count % 16 == 0:
            again = mended(folder, tmp_path / f"m{offset}" / RUN)
            assert {key for key in before if key not in different} <= set(again), offset
            assert [] == [key for key in again if key not in different and again[key] != before[key]], offset
    path.write_bytes(content)


def test_a_shortened_blob_file_keeps_the_entries_before_the_cut(journaled: Path, tmp_path: Path) -> None:
    """
    The objects whose entries lie before the cut are as before.
    """
    folder = copied(journaled, tmp_path / "a" / RUN)
    before = points(folder)
    path = one(folder, "*.zip")
    content = path.read_bytes()
    record_ends = [entry.end for entry in blobs.walk(path)[0] if entry.name.endswith(".json")]
    for count, (size, short) in enumerate(cuts(content, 101)):
        path.write_bytes(short)
        found = points(folder)
        different = [key for key in before if found[key] != before[key]]

        assert len(different) == len([end for end in record_ends if end > size]), size
        assert {path.name} == named(folder), size
        if count % 8 == 0:
            again = mended(folder, tmp_path / f"m{size}" / RUN)
            assert {key for key in before if key not in different} == set(again), size


# the whole


def test_reading_and_mending_leave_the_original_as_it_is(sealed: Path, tmp_path: Path) -> None:
    """
    Neither reading, checking nor repairing changes a byte of the run.
    """
    before = contents(sealed)
    points(sealed)
    check_run(sealed)
    repair_run(sealed, tmp_path / RUN)

    assert before == contents(sealed)
