"""
Files that can't be read: each hides itself and nothing else, is named, and is there again when it can be read.

A folder in the place of a file is one that nobody can read, whoever runs the tests. What another user may not read is
tried by a process of another user.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aim import Image, Repo, Run, Text
from aim.core.errors import DamagedFile
from aim.engine.repository import Repository
from aim.storage.care.check import check_run
from aim.storage.care.repair import repair_run
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.disk import unreadable
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from tests.storage.recorded import RUN, PointKey, points, points_in_place, record, seal_all

SOURCE = Path(__file__).parents[3] / "src"
Points = dict[PointKey, tuple[object, ...]]


@pytest.fixture(name="run", params=["journal", "sealed"])
def _run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """
    An ended run of two writers, as journals and sealed.
    """
    folder = tmp_path / "runs" / RUN
    record(folder)
    if request.param == "sealed":
        seal_all(folder)
    return folder


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Let nobody read the file *path* meanwhile."""
    original = path.parent.parent.parent / f"kept-{path.name}"
    path.rename(original)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        original.rename(path)


def files(folder: Path) -> list[Path]:
    """List the files of the run."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def check_left(path: Path, whole: Points, left: Points) -> None:
    """Compare what is left without the file *path* with the whole."""
    if ".events." in path.name:  # names are in the sealed file too; else points are kept by their number
        assert len(whole) - 2 <= len(left)
    elif path.name.startswith("edit-"):
        assert whole == left
    elif "blobs" in path.name:
        assert whole.keys() == left.keys()
        assert {("damaged",)} == {left[key][0] for key in whole if whole[key] != left[key]}
    else:  # of several points at one step the other writer's counts now
        assert left.keys() < whole.keys()
        assert any(key[0] == "loss" for key in left)


def test_each_file_that_can_t_be_read_hides_itself_only(run: Path) -> None:
    """
    Without any one file nothing raises, what the others hold is as before, and afterwards all is there again.
    """
    whole: Points = dict(points(run))
    for path in files(run):
        with refused(path):
            check_left(path, whole, dict(points(run)))
            damage = RunLog(run).refresh().damage
        is_of_lines = path.name.endswith(("jsonl", "json"))
        assert ([path.name] if is_of_lines else []) == [first_run.file for first_run in damage]
        assert whole == points(run)
        assert whole.keys() == points_in_place(run).keys()


def test_an_edit_that_can_t_be_read_is_the_only_one_that_does_not_count(run: Path) -> None:
    """
    One log, asked meanwhile and afterwards: the other edit counts, and then both.
    """
    log = RunLog(run)
    first, second = sorted(run.glob("edit-*"), key=lambda path: b'"tags"' in path.read_bytes())
    with refused(first):
        meanwhile = log.refresh()
        assert ({"name": "baseline"}, ["paper"]) == (meanwhile.properties, list(meanwhile.tags))
        assert [True, 1] == [log.lacks_files, len(meanwhile.damage)]
    with refused(second):  # which was read: edits never change
        later = log.refresh()
        assert ({"name": "baseline", "archived": True}, ["paper"]) == (later.properties, list(later.tags))
    assert [False, 0] == [log.lacks_files, len(later.damage)]


def test_what_is_kept_of_a_run_does_not_lack_a_file_for_ever(run: Path, tmp_path: Path) -> None:
    """
    One reader and one catalogue, asked meanwhile and afterwards, give what can be read at the time.
    """
    whole = len(points(run))
    # a folder in the place of a segment looks like an empty one; a segment without rights is tried below
    for path in (path for path in files(run) if ".points-" not in path.name):
        catalogue = Catalogue(run.parent.parent, lambda _: open_run(run), cache=tmp_path / f"cache-{path.name}")
        reader = open_run(run)

        def asked(of: Catalogue, read: RunReader) -> tuple[set[tuple[str, str]], int]:
            of.refresh(full=True)
            found = {(pair.name, pair.kind) for pair in of.table.pairs if not pair.is_empty()}
            return found, sum(len(one) for one in read.points_of_many().values())

        with refused(path):
            left = asked(catalogue, reader)[1]
        # points whose names can't be read are not one sequence with those of the other writer
        assert left <= whole or ".events." in path.name
        names, count = asked(catalogue, reader)
        assert {("loss", "metric"), ("count", "metric"), ("pictures", "images"), ("words", "texts")} <= names, path
        assert whole == count, path
        catalogue.close()


def test_checking_names_the_file_and_judges_the_others(run: Path) -> None:
    """
    `fsck` says of each that it can't be read and what to do, and of no other file that something is wrong with it.
    """
    for path in files(run):
        with refused(path):
            damage_of_files = check_run(run)
        assert "can't be read: Is a directory; look at the file and its disk" in [
            damage.problem for damage in damage_of_files
        ]
        assert {path.name} == {damage.file for damage in damage_of_files}
    assert [] == check_run(run)


def test_repairing_leaves_the_file_out_and_says_so(run: Path, tmp_path: Path) -> None:
    """
    A mended copy has what can be read, is whole, and its report names the file.
    """
    (run / "files" / "deep").mkdir(parents=True)
    (run / "files" / "deep" / "a.bin").write_bytes(b"a")
    (run / "files" / "b.bin").write_bytes(b"b")
    for number, path in enumerate(path for path in files(run) if path.is_file()):
        target = tmp_path / f"mended-{number}" / RUN
        target.parent.mkdir()
        with refused(path):
            report = repair_run(run, target)
        assert any(note.startswith(f"{path.name} is left out: it can't be read: ") for note in report.notes), path
        assert [] == check_run(target), path
        assert b"ab" == (target / "files/deep/a.bin").read_bytes() + (target / "files/b.bin").read_bytes()
        assert len(points(target)) > 40


def test_a_writer_whose_names_can_t_be_read_is_not_sealed(tmp_path: Path) -> None:
    """
    A sealed file has the names of its sequences, so a journal waits until they can be read.
    """
    folder = tmp_path / "runs" / RUN
    _, second = record(folder)
    (events,) = folder.glob(f"{second}.events.jsonl")
    with refused(events):
        with pytest.raises(OSError, match=f"Is a directory: '{events}'"):
            seal_all(folder)
        assert [] == list(folder.glob(f"{second}.points.parquet"))
        assert 1 == len(list(folder.glob(f"{second}.points-0000")))
    seal_all(folder)
    assert 2 == len(list(folder.glob("*.points.parquet")))


def test_it_is_said_once_and_a_shortage_is_no_damage(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """
    The log names a file once; what is gone, and a process without descriptors, are no fault of the file.
    """
    denied = PermissionError(errno.EACCES, "Permission denied")
    for _ in range(2):
        unreadable.note(tmp_path / "a", denied)

    advice = "can't be read: Permission denied; get the right to read it, as by chmod"
    assert [f"Aim: {tmp_path / 'a'} {advice}. What it holds is left out."] == caplog.messages
    for number in (errno.ENOENT, errno.EMFILE, errno.ENOMEM):
        with pytest.raises(OSError, match="no fault"):
            unreadable.note(tmp_path / "a", OSError(number, "no fault"))


def test_a_disk_that_fails_in_the_middle_hides_those_points_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A sealed file that could be opened, and whose pages can't be read then, gives no points of them and no error.
    """
    folder = tmp_path / "runs" / RUN
    record(folder)
    seal_all(folder)
    monkeypatch.setattr("aim.storage.sealing.sealed.SMALL_BYTES", 0)
    whole = points(folder)
    largest = max(folder.glob("*.parquet"), key=lambda path: path.stat().st_size)
    inode, pread = largest.stat().st_ino, os.pread

    def failing(descriptor: int, size: int, offset: int) -> bytes:
        if offset == 0 or os.fstat(descriptor).st_ino != inode:  # the end of a file so small is read from its start
            return pread(descriptor, size, offset)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("aim.storage.sealing.sealed.os.pread", failing)
    assert set() < points(folder).keys() < whole.keys()


def test_an_object_whose_file_can_t_be_read_is_named(tmp_path: Path) -> None:
    """
    The bytes of an object say which file it is, as of a damaged one.
    """
    folder = tmp_path / "runs" / RUN
    record(folder)
    (blob,) = folder.glob("*.blobs-*.zip")
    reader = open_run(folder)
    of_key = reader.points(("one", "{}"))
    assert of_key is not None
    loads: list[Callable[[], bytes]] = []
    reader.objects(of_key, 0, lambda kind, fields, load: loads.append(load))
    with refused(blob):
        with pytest.raises(DamagedFile, match="can't be read: Is a directory"):
            loads[0]()
        with pytest.raises(DamagedFile, match="can't be read: Is a directory"):
            open_run(folder).objects(of_key, 0, lambda kind, fields, load: None)


FORBIDDEN = """
import os, sys
from pathlib import Path
from aim import Repo
from aim.cli.main import aim
from aim.core.errors import DamagedFile

def look(repo):
    for run in repo.iter_runs():
        sys.stdout.write(f"{run.hash} {run.name} {sum(len(m.values) for m in run.metrics())}\\n")
    for query in (repo.query_images, repo.query_texts):
        for run in query("", 0).iter_runs():
            for sequence in run:
                try:
                    found = len(sequence.data.items_list()[0])
                except DamagedFile as error:
                    found = error
                sys.stdout.write(f"{run.run.hash} {sequence.name} {found}\\n")
    for line in repo.query_runs("run.metrics['loss'].last == 4", report_mode=0).iter_runs():
        sys.stdout.write(f"{line.run.hash} found\\n")

root, trial, what = sys.argv[1:]
look(Repo(trial))  # imports what may not be read later
aim(["repair", "a", "--repo", trial, "--to", trial + "/mended"], standalone_mode=False)
sys.stdout.write("--\\n")
chosen = list(Path(root, ".aim/runs/a").glob(what))
for path in chosen:
    os.chmod(path, 0)
is_root = os.geteuid() == 0
if is_root:
    os.seteuid(65534)
repo = Repo(root)
look(repo)
aim(["repair", "a", "--repo", root, "--to", root + "/mended"], standalone_mode=False)
sys.stdout.write("--\\n")
if is_root:
    os.seteuid(0)
for path in chosen:
    os.chmod(path, 0o644)
look(repo)
"""


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="there are no users here")
@pytest.mark.parametrize(
    ("what", "left"),
    [
        ("*.events.jsonl", "a called a 11"),  # names are lost, and with them which points are numbers
        ("*.points*", "a called a 0"),
        ("*.blobs*", "a called a 5"),
        ("edit-*", "a Run: a 5"),
    ],
)
def test_what_another_user_may_not_read_hides_itself_only(open_folder: Path, what: str, left: str) -> None:
    """
    For a user without the right to read a file of one run, the other run is whole, and `repair` ends with a copy.
    """
    import PIL.Image

    for name in ("a", "b"):
        with Run(
            name, repo=open_folder, create=True, system_tracking_interval=None, capture_terminal_logs=False
        ) as run:
            for value in range(5):
                run.track(float(value), name="loss")
                run.track(Text("words"), name="text")
            run.track(Image(PIL.Image.new("L", (4, 4))), name="image")
        Repo(str(open_folder)).get_run(name).name = f"called {name}"
    trial, cache, mended = (open_folder / name for name in ("trial", "cache", "mended"))
    shutil.copytree(open_folder / ".aim", trial / ".aim")
    for folder in (cache, mended):
        folder.mkdir()
        folder.chmod(0o777)
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, str(open_folder), str(trial), what],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    before, after, again = (part.splitlines() for part in done.stdout.split("--\n"))
    assert ["b called b 5", "b found", "b image 1", "b text 5"] == sorted(line for line in after if line[:2] == "b ")
    assert ["a called a 5", "a found", "a image 1", "a text 5"] == sorted(line for line in before if line[:2] == "a ")
    assert [line for line in before if line[:2] in ("a ", "b ")] == again
    assert left in after
    assert "is left out: it can't be read: Permission denied; get the right to read it" in "\n".join(after)
    assert ["a"] == Repository(mended).run_hashes()
