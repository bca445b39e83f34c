"""
A mended copy has all that is whole, and no damage.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from aim.core.errors import RunExists
from aim.storage.care.check import check_run
from aim.storage.care.repair import repair_run
from aim.storage.disk import layout
from aim.storage.forms import blobs, edits, events, journal
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.writer import Writer
from aim.storage.sealing.sealed import Sealed
from tests.storage.recorded import PICTURE_BYTES, RUN, contents, points, record, seal_all


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """
    An ended run whose points are in the journal.
    """
    folder = tmp_path / "runs" / RUN
    record(folder)
    return folder


@pytest.fixture(name="target")
def _target(tmp_path: Path) -> Path:
    """
    Where the copy goes.
    """
    (tmp_path / "mended").mkdir()
    return tmp_path / "mended" / RUN


def of_first(folder: Path, pattern: str) -> Path:
    """Return the one such file of the writer that recorded objects."""
    (archive,) = folder.glob("*.zip")
    (found,) = folder.glob(f"{archive.name[:8]}.{pattern}")
    return found


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def test_the_copy_of_a_rewound_run_is_rewound(tmp_path: Path, target: Path) -> None:
    """
    Rewinds, deletions and where a run came from are in the copy, and so is what they hide.
    """
    folder = tmp_path / "runs" / RUN
    folder.mkdir(parents=True)
    writer = Writer(folder, RUN)
    writer.lines.log.append({"forked_from": {"run": "parent", "step": 3}})
    for value in range(10):
        writer.sequence("loss").track(float(value))
    rewind = writer.sequences.rewind(5)
    writer.close()
    entry = {"name": "loss", "context": {}, "steps": [2]}
    edits.write(folder, {"delete": [entry]}, by="test", seen_at_s=writer.lines.log.at_s)
    repair_run(folder, target)
    shown = [open_run(target, before=before).points(("loss", "{}")) for before in (None, rewind)]

    assert RunLog(folder).refresh().forked_from == RunLog(target).refresh().forked_from
    assert [[0, 1, 3, 4, 5], [0, 1, 3, 4, 5, 6, 7, 8, 9]] == [
        points.steps.tolist() for points in shown if points is not None
    ]
    assert [] == check_run(target)


@pytest.mark.parametrize("is_sealed", [False, True])
def test_the_copy_of_a_whole_run_has_the_same_content(folder: Path, target: Path, is_sealed: bool) -> None:
    """
    Points, objects, params, properties, tags and status of a whole run are the same in the copy.
    """
    if is_sealed:
        seal_all(folder)
    report = repair_run(folder, target)
    state, copy = RunLog(folder).refresh(), RunLog(target).refresh()

    assert points(folder) == points(target)
    assert (state.tree, state.properties, state.tags) == (copy.tree, copy.properties, copy.tags)
    assert (state.status(), state.created_at_s) == (copy.status(), copy.created_at_s)
    assert (454, 0, 0, 0, 0, []) == (
        report.points_kept,
        report.points_lost,
        report.points_suspect,
        report.lines_lost,
        report.blobs_lost,
        report.notes,
    )
    assert [] == check_run(target)


def test_an_existing_target_is_refused(folder: Path, target: Path) -> None:
    """
    A repair never writes over something.
    """
    target.mkdir()

    with pytest.raises(RunExists, match="exists"):
        repair_run(folder, target)


def test_a_refused_disk_leaves_no_half_copy(folder: Path, target: Path) -> None:
    """
    When the copy can't be written there is none, and the original is as it was.
    """
    from tests.storage.sealing.test_seal import Crash, Falling

    before = contents(folder)
    with pytest.raises(Crash):
        repair_run(folder, target, disk=Falling(4))

    assert [] == list(target.parent.iterdir())
    assert before == contents(folder)


def test_files_that_are_not_aims_are_copied(folder: Path, target: Path) -> None:
    """
    Artifacts and notes go along; scratch files do not.
    """
    (folder / "files").mkdir()
    (folder / "files" / "model.bin").write_bytes(b"weights")
    (folder / "notes.txt").write_text("mine")
    (folder / ".scratch").write_text("half")
    repair_run(folder, target)

    assert b"weights" == (target / "files" / "model.bin").read_bytes()
    assert "mine" == (target / "notes.txt").read_text()
    assert not (target / ".scratch").exists()


def test_points_of_a_damaged_page_are_kept_and_counted_as_suspect(folder: Path, target: Path) -> None:
    """
    Of 128 points in a page that fails its CRC one is wrong, so all are kept.
    """
    flip(of_first(folder, "points-0000"), 4096 * 2 + 5)
    report = repair_run(folder, target)

    assert (454, 0, 128) == (report.points_kept, report.points_lost, report.points_suspect)
    assert [] == check_run(target)


def test_a_number_made_up_by_damage_is_dropped(folder: Path, target: Path) -> None:
    """
    A damaged sequence number that nobody declared has no points in the copy.
    """
    flip(of_first(folder, "points-0000"), 4096 * 2 + 30)
    report = repair_run(folder, target)

    assert (453, 1) == (report.points_kept, report.points_lost)
    assert not [key for key in points(target) if key[0].startswith("(unknown")]


def test_a_lost_declaration_is_made_anew_from_the_sealed_file(folder: Path, target: Path) -> None:
    """
    A damaged `sequence` line costs nothing when the points are sealed: the file knows name, context and kind.
    """
    seal_all(folder)
    before = points(folder)
    path = of_first(folder, "events.jsonl")
    flip(path, path.read_bytes().index(b'"pictures"') + 3)
    report = repair_run(folder, target)

    assert before == points(target)
    assert (1, 1) == (report.lines_lost, len(report.notes))


def test_a_lost_declaration_leaves_points_under_a_number(folder: Path, target: Path) -> None:
    """
    When nothing else knows the name, the points are kept as `(unknown <n>)`.
    """
    path = of_first(folder, "events.jsonl")
    flip(path, path.read_bytes().index(b'"count"') + 3)
    repair_run(folder, target)
    unknown = {key[2]: value[0] for key, value in points(target).items() if key[0] == "(unknown 2)"}

    assert {**{step: float(step * 7) for step in range(0, 300, 3)}, 300: 2**60 + 1} == unknown
    assert [] == check_run(target)


def test_a_lost_first_line_is_made_anew(folder: Path, target: Path) -> None:
    """
    A writer whose begin is damaged has one in the copy, a little earlier than its next line.
    """
    path = of_first(folder, "events.jsonl")
    flip(path, 30)
    report = repair_run(folder, target)
    begin, following, *_ = events.read(of_first(target, "events.jsonl")).events

    assert (RUN, path.name[:8]) == (begin["begin"]["run"], begin["begin"]["writer"])
    assert begin["at"] < following["at"]
    assert (1, points(folder)) == (report.lines_lost, points(target))


def test_a_missing_event_file_is_made_anew(folder: Path, target: Path) -> None:
    """
    Points without an event file get their declarations back from the sealed file.
    """
    before = {key: value for key, value in points(folder).items() if value[0] != 2**60 + 1}
    seal_all(folder)
    of_first(folder, "events.jsonl").unlink()
    repair_run(folder, target)

    assert before == points(target)
    assert [] == check_run(target)


def test_objects_get_their_new_places(folder: Path, target: Path) -> None:
    """
    A damaged entry is left out; all others move, and are found at their new places.
    """
    before = points(folder)
    path = of_first(folder, "blobs-0000.zip")
    picture = next(entry for entry in blobs.walk(path)[0] if entry.name.startswith("one/0"))
    flip(path, picture.data_offset + 9)
    report = repair_run(folder, target)
    after = points(target)

    assert (1, 1) == (report.blobs_lost, report.points_lost)
    assert {("one", "{}", 0)} == set(before) - set(after)
    assert after == {key: value for key, value in before.items() if key in after}
    with zipfile.ZipFile(of_first(target, "blobs-0000.zip")) as archive:
        assert None is archive.testzip()


def test_a_list_keeps_its_other_objects(folder: Path, target: Path) -> None:
    """
    Of a list of two images of which one is damaged, the other stays.
    """
    path = of_first(folder, "blobs-0000.zip")
    picture = next(entry for entry in blobs.walk(path)[0] if entry.name.startswith("pictures/0"))
    flip(path, picture.data_offset + 9)
    report = repair_run(folder, target)

    assert (("b0", PICTURE_BYTES + b"b0"),) == points(target)[("pictures", '{"subset":"val"}', 0)][0]
    assert ["pictures/0-2.json: kept 1 of 2 objects"] == report.notes


def test_a_mended_copy_can_be_mended(folder: Path, target: Path, tmp_path: Path) -> None:
    """
    Repairing a copy changes nothing.
    """
    repair_run(folder, target)
    repair_run(target, tmp_path / "again" / RUN)

    assert contents(target) == contents(tmp_path / "again" / RUN)


def test_the_journal_is_taken_where_the_sealed_file_is_damaged(folder: Path, target: Path) -> None:
    """
    With both forms there, damage in the sealed one costs nothing.
    """
    before = points(folder)
    journal = {name: data for name, data in contents(folder).items() if ".points-" in name}
    seal_all(folder)
    for name, data in journal.items():
        (folder / name).write_bytes(data)
    path = of_first(folder, "points.parquet")
    flip(path, next(page.offset for page in Sealed.open(path).index if page.column == 5))
    repair_run(folder, target)

    assert before == points(target)


def test_a_live_run_is_copied_as_it_is_now(tmp_path: Path, target: Path) -> None:
    """
    The copy of a run that is recording has the points so far, and the run goes on.
    """
    folder = tmp_path / "runs" / RUN
    folder.mkdir(parents=True)
    writer = Writer(folder, RUN)
    for step in range(10):
        writer.sequence("loss", None).track(0.5, step=step)
    report = repair_run(folder, target)
    writer.sequence("loss", None).track(0.5, step=10)
    writer.close()

    assert 10 == report.points_kept == len(points(target))
    assert 11 == len(points(folder))
    assert [] == check_run(target)
    assert layout.events_file(target, writer.id).exists()


def test_a_step_made_extreme_by_damage_is_kept_and_the_run_mended(folder: Path, target: Path) -> None:
    """
    One changed byte makes a step 2^62 larger; the copy has all points, and they are whole.
    """
    flip(of_first(folder, "points-0000"), journal.PAGE_BYTES + 15)
    report = repair_run(folder, target)

    assert [] == check_run(target)
    assert 0 == report.points_lost
    assert len(points(folder)) == len(points(target))


def test_files_of_other_names_beside_the_blob_files_are_copied_as_they_are(folder: Path, target: Path) -> None:
    """
    A copy `<writer>.blobs-old.zip` that somebody made is not Aim's.
    """
    (path,) = list(folder.glob("*.blobs-0000.zip"))[:1]
    old = path.name.replace("0000", "old")
    (folder / old).write_bytes(b"a copy")
    repair_run(folder, target)

    assert b"a copy" == (target / old).read_bytes()
