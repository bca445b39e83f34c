"""
`check_run` names what is damaged, by file, and nothing else.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from aim.storage.care.check import check_run, check_store
from aim.storage.disk import layout
from aim.storage.forms import blobs, edits, events
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import Damage
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.storage.recorded import RUN, Picture, points, record, seal_all


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """
    An ended run whose points are in the journal.
    """
    folder = tmp_path / "runs" / RUN
    record(folder)
    return folder


def of_first(folder: Path, pattern: str) -> Path:
    """Return the one such file of the writer that recorded objects."""
    (archive,) = folder.glob("*.zip")
    (found,) = folder.glob(f"{archive.name[:8]}.{pattern}")
    return found


def found(folder: Path) -> list[tuple[str, str]]:
    """Return file and place of all damage."""
    return [(damage.file, damage.location) for damage in check_run(folder)]


def without_end(folder: Path) -> None:
    """Take away the last line of the writer of objects, as when it was killed."""
    path = of_first(folder, "events.jsonl")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def test_a_whole_run_has_no_damage(folder: Path) -> None:
    """
    Neither the journal nor the sealed form of a whole run is damaged.
    """
    assert [] == check_run(folder)
    seal_all(folder)
    assert [] == check_run(folder)


def test_a_live_run_has_no_damage(tmp_path: Path) -> None:
    """
    What a live writer has not finished, checked at every moment, is no damage.
    """
    folder = tmp_path / RUN
    folder.mkdir()
    writer = Writer(folder, RUN)
    for step in range(600):
        writer.sequence("loss", None).track(0.5, step=step)
        if step % 150 == 0:
            writer.sequence("picture", None).track(Picture("seven"), step=step)
            assert [] == check_run(folder)
            writer.flush()
            assert [] == check_run(folder)
    writer.close()
    assert [] == check_run(folder)


def test_what_a_kill_leaves_is_no_damage(folder: Path) -> None:
    """
    A line, an entry and a record cut short are as a kill leaves them.
    """
    without_end(folder)
    log, archive, segment = (of_first(folder, name) for name in ("events.jsonl", "blobs-0000.zip", "points-0001"))
    log.write_bytes(log.read_bytes() + b'{"crc":"12345678","at":17')
    archive.write_bytes(archive.read_bytes()[: blobs.walk(archive)[1]] + b"PK\x03\x04\x14\x00")
    content = bytearray(segment.read_bytes())
    content[64:68] = bytes(4)  # the CRC of a page that was not full
    content[4096 + 25 * 32 : 4096 + 25 * 32 + 16] = b"\x01" * 16  # a store without its last word
    segment.write_bytes(content)

    assert [] == check_run(folder)
    seal_all(folder)
    assert [] == check_run(folder)


@pytest.mark.parametrize("name", ["files", "notes.txt", ".scratch", "c0ffee00.else"])
def test_files_that_are_not_aims_are_not_judged(folder: Path, name: str) -> None:
    """
    Whatever else lies in a run's folder is no damage.
    """
    (folder / name).write_bytes(b"\xff")

    assert [] == check_run(folder)


def test_a_bad_line_is_named_by_its_place(folder: Path) -> None:
    """
    The damage tells the file and the byte where the line begins.
    """
    path = of_first(folder, "events.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"0.01", b"0.02") + b"".join(lines[2:]))

    assert [Damage(path.name, f"byte {len(lines[0]):,}", f"{len(lines[1]) - 1} bytes are no event line")] == check_run(
        folder
    )


def test_something_after_the_end_is_damage(folder: Path) -> None:
    """
    Nothing may follow a writer's last line.
    """
    path = of_first(folder, "events.jsonl")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"{")

    assert [(path.name, f"byte {size:,}")] == found(folder)


def test_a_missing_event_file_is_damage(folder: Path) -> None:
    """
    A writer's files without its event file: the file is named, and its points stay visible.
    """
    path = of_first(folder, "events.jsonl")
    path.unlink()

    assert (path.name, "byte 0") in found(folder)


@pytest.mark.parametrize("name", ["points-0000", "points-0001", "blobs-0000.zip"])
def test_a_missing_file_is_damage(folder: Path, name: str) -> None:
    """
    A segment or blob file that the end event counts has to be there.
    """
    path = of_first(folder, name)
    path.unlink()

    assert [(path.name, "byte 0")] == found(folder)


def test_segments_behind_a_missing_one_stay_visible(folder: Path) -> None:
    """
    The first segment is gone; the points of the second are shown.
    """
    path = of_first(folder, "points-0000")
    path.unlink()
    seen = points(folder)

    assert [("words", "{}", step) for step in range(3)] == [key for key in seen if key[0] == "words"]


def test_a_segment_of_another_run_is_damage(folder: Path, tmp_path: Path) -> None:
    """
    A whole segment that was copied from another run is not taken for this one's.
    """
    other = tmp_path / "runs" / "another"
    record(other)
    path = of_first(folder, "points-0000")
    shutil.copy(of_first(other, "points-0000"), path)

    assert [(path.name, "byte 0")] == found(folder)


def change(path: Path, edit: Callable[[bytearray], None]) -> None:
    """Change the bytes of a file."""
    content = bytearray(path.read_bytes())
    edit(content)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("offset", "place"),
    [
        (20, "byte 0"),  # the header
        (60, "byte 0"),  # its CRC
        (64, "byte 4,096"),  # the CRC of page 1
        (64 + 4 * 3, "byte 76"),  # the CRC of a page that is not there
        (4096 + 32 * 7, "byte 4,096"),  # a value
        (4096 * 3 + 28, "byte 12,288"),  # a sequence number
    ],
)
def test_each_place_of_a_segment_is_judged(folder: Path, offset: int, place: str) -> None:
    """
    A changed byte in header, CRCs or records is named by its page.
    """
    path = of_first(folder, "points-0000")
    change(path, lambda content: content.__setitem__(offset, content[offset] ^ 0x55))

    assert (path.name, place) in found(folder)


def test_an_empty_slot_is_empty(folder: Path) -> None:
    """
    A byte behind the last record of an ended writer is damage.
    """
    path = of_first(folder, "points-0001")
    change(path, lambda content: content.__setitem__(60_001, 1))

    assert [(path.name, "byte 60,000")] == found(folder)


def test_points_that_nobody_declared_are_damage(folder: Path) -> None:
    """
    An ended writer's points need their declarations; the event file is named.
    """
    path = of_first(folder, "events.jsonl")
    lines = [line for line in events.read(path).events if line.get("name") != "words"]
    path.write_bytes(b"".join(events.encode(line) for line in lines))

    assert [(path.name, "its end")] == found(folder)


def test_points_whose_lines_are_gone_are_damage_without_an_end_too(folder: Path) -> None:
    """
    An event file that is cut to nothing looks as if its writer had been killed at once; its points tell otherwise.
    """
    path = of_first(folder, "events.jsonl")
    path.write_bytes(b"")

    assert [(path.name, "its end")] == found(folder)


def test_lines_of_another_writer_are_damage(folder: Path, tmp_path: Path) -> None:
    """
    Each line checks, but the file belongs to another writer, or the folder to another run.
    """
    path = of_first(folder, "events.jsonl")
    (other,) = (name for name in folder.glob("*.events.jsonl") if name != path)
    lines = other.read_bytes()
    other.write_bytes(path.read_bytes())
    assert (other.name, "byte 0") in found(folder)

    other.write_bytes(lines)
    shutil.copytree(folder, tmp_path / "renamed")
    assert {path.name, other.name} <= {name for name, _ in found(tmp_path / "renamed")}


def test_a_record_that_a_point_speaks_of_has_to_be_there(folder: Path) -> None:
    """
    A record that is gone, with whole ones behind it, is named; what lacks at the end of a killed writer is a hole.
    """
    without_end(folder)
    path = of_first(folder, "blobs-0000.zip")
    entries, _ = blobs.walk(path)
    first, *_, last = [entry for entry in entries if entry.name.endswith(".json")]
    content = path.read_bytes()
    path.write_bytes(content[: last.offset + 10])
    assert [] == found(folder)

    path.write_bytes(content[: first.offset] + bytes(10) + content[first.offset + 10 :])
    assert {(path.name, f"byte {first.offset:,}")} == set(found(folder))


def test_the_directory_has_to_be_that_of_the_entries(folder: Path) -> None:
    """
    A blob file that unzip programs would read otherwise is damaged.
    """
    path = of_first(folder, "blobs-0000.zip")
    _, end = blobs.walk(path)
    change(path, lambda content: content.__setitem__(end + 20, content[end + 20] ^ 1))

    assert [(path.name, f"byte {end:,}")] == found(folder)


def test_a_sealed_file_of_another_writer_is_damage(folder: Path) -> None:
    """
    A whole sealed file under another name is not taken for that writer's.
    """
    seal_all(folder)
    ours = of_first(folder, "points.parquet")
    (other,) = (path for path in folder.glob("*.points.parquet") if path != ours)
    shutil.copy(other, ours)

    assert (ours.name, "the footer") in found(folder)


def test_a_half_written_edit_is_damage(folder: Path) -> None:
    """
    An edit that is not one whole line is named.
    """
    edits.write(folder, {"property": {"archived": False}}, by="test", seen_at_s=4.1e9)
    path = max(folder.glob("edit-*"))
    path.write_bytes(path.read_bytes()[:-1])

    assert [(path.name, "byte 0")] == found(folder)


def test_a_repository_is_judged_run_by_run(tmp_path: Path) -> None:
    """
    First the repository's own file, then each run; each file is told to the callback.
    """
    store = Store(tmp_path / ".aim", create=True)
    for name in ("one", "two"):
        record(store.runs / name)
    path = of_first(store.runs / "two", "points-0000")
    change(path, lambda content: content.__setitem__(5000, content[5000] ^ 1))
    seen: list[str] = []
    results = dict(check_store(store, seen.append))

    assert ["", "one", "two"] == list(results)
    assert [[], [], [path.name]] == [[damage.file for damage in result] for result in results.values()]
    assert path.name in seen


def test_a_changed_format_file_is_damage(tmp_path: Path) -> None:
    """
    FORMAT holds these 14 bytes and nothing else.
    """
    store = Store(tmp_path / ".aim", create=True)
    (store.path / "FORMAT").write_text(layout.FORMAT_TEXT.replace("\n", " "))

    assert [("", ["FORMAT"])] == [(name, [item.file for item in result]) for name, result in check_store(store)]


def test_what_can_not_be_read_is_named_and_the_rest_is_judged(tmp_path: Path) -> None:
    """
    Files that the system does not give are damage of their own: other files and runs are judged.
    """
    store = Store(tmp_path / ".aim", create=True)
    for name in ("one", "two"):
        record(store.runs / name)
    unreadable = max((store.runs / "one").glob("edit-*"))
    unreadable.unlink()
    unreadable.mkdir()
    broken = of_first(store.runs / "one", "events.jsonl")
    shutil.move(broken, tmp_path / "elsewhere")
    broken.symlink_to(broken.name)
    flipped = of_first(store.runs / "two", "points-0000")
    change(flipped, lambda content: content.__setitem__(5000, content[5000] ^ 1))

    results = {name: {item.file for item in damage} for name, damage in check_store(store)}
    assert {"": set(), "one": {unreadable.name, broken.name}, "two": {flipped.name}} == results


def test_a_declaration_that_makes_no_sense_hides_no_run(tmp_path: Path) -> None:
    """
    A line that names a sequence 5, with a good CRC, counts as damage of its run, and the others are judged.
    """
    store = Store(tmp_path / ".aim", create=True)
    for _ in range(2):
        folder = store.create_run()
        Writer(folder, folder.name).close()
    path = next(store.runs.glob("*/*.events.jsonl"))
    begin, *rest = path.read_bytes().splitlines(keepends=True)
    line = events.encode({"at": 1.0, "sequence": 1, "name": 5, "context": {}, "kind": "float"})
    path.write_bytes(b"".join([begin, line, *rest]))

    assert 3 == len(list(check_store(store)))
    assert {} == RunLog(path.parent).refresh().sequences
    assert 1 == len(RunLog(path.parent).refresh().damage)


def test_an_emptied_segment_of_a_killed_run_is_damage_when_points_follow(folder: Path) -> None:
    """
    Without an end, an empty segment is damage only if a later one has points.
    """
    without_end(folder)
    first, second = of_first(folder, "points-0000"), of_first(folder, "points-0001")
    content = second.read_bytes()
    second.write_bytes(b"")
    assert [] == found(folder)

    second.write_bytes(content)
    first.write_bytes(b"")
    assert [(first.name, "byte 0")] == found(folder)

    first.write_bytes(bytes(len(content)))
    assert [(first.name, "byte 0")] == found(folder)


def test_artifacts_that_are_missing_emptied_or_changed_are_damage(tmp_path: Path) -> None:
    """
    Each recorded artifact in the run's folder is read; those that other stores keep are not.
    """
    folder = tmp_path / RUN
    (folder / "files" / "sub").mkdir(parents=True)
    writer = Writer(folder, RUN)
    for name in ("changed", "emptied", "missing", "sub/whole"):
        (folder / "files" / name).write_bytes(b"hello")
        sha256 = hashlib.sha256(b"hello").hexdigest()
        writer.lines.add_artifact({"name": name, "uri": None, "size": 5, "sha256": sha256})
    writer.lines.add_artifact({"name": "elsewhere", "uri": "s3://bucket/elsewhere", "size": 5, "sha256": "2c"})
    writer.close()
    assert [] == found(folder)

    (folder / "files" / "changed").write_bytes(b"hullo")
    (folder / "files" / "emptied").write_bytes(b"")
    (folder / "files" / "missing").unlink()
    assert ["files/changed", "files/emptied", "files/missing"] == [file for file, _ in found(folder)]
