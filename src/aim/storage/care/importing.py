"""
A run that another program recorded, written into the repository as a whole.

    points, objects, lines ...   ->   write: .import-<hash>-<random>/   ->   finish: rename into runs/<hash>

The run is written by writers that have ended (ended_writer.py), into a scratch folder. One rename makes the run: a
process that is killed before leaves the run as it was. In the folder lies a note, `import.json`: where the run came
from, which writers the import made, and whatever the caller wants to read again.

A run that was imported before is *replaced*: the new folder takes over what others did to the run since (their edits,
their writers, their artifacts), and takes its name. The two renames of that are not one: between them the old folder is
`.replaced-<hash>-<random>`. If the process is killed there, the next import of the run puts it back first, and so takes
over what it holds.

Points wait in memory until there are `PART_POINTS`; then they are written as one writer, and the next ones go to
another. So memory does not grow with the run. The ids of the writers grow in the order of recording, because the later
id counts where two points of a step have the same time.

A run whose source grows may *grow* (`ImportFollowers`): a writer of its own records what comes, and the note says
before which process that is. What that writer recorded is of the import too: it is left out when the run is replaced.

Times are those of the source. A time that is not known is NaN, and is stored as 0 (docs/formats/sealed.md).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from aim.__about__ import __version__
from aim.core import clock, kinds, params
from aim.core.errors import RunExists, RunNotFound
from aim.core.values import Stored
from aim.storage.care.ended_writer import EndedWriter, int_rows, next_moment
from aim.storage.disk import changes, layout
from aim.storage.disk.digests import DigestedParts
from aim.storage.disk.files import Disk
from aim.storage.forms.artifact_records import FILES_FOLDER, ArtifactRecord
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from aim.storage.store import Store

NOTE_NAME = "import.json"
FOLLOWERS, FOLLOWED = "followers", "followed"  # of the note
PART_POINTS = 1 << 20  # 32 MiB in memory, and about 100 MiB while they are written
PARTS_MAX = 1 << 12  # of the low digits of a writer's id
SCRATCH_PREFIX = ".import-"
REPLACED_PREFIX = ".replaced-"


class RunImport:
    """
    One run being imported into *store*.

    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp(), ".aim"), create=True)
    >>> run = RunImport(store, "3df703c1b2a94c5d8e6f7a80", created_at_s=1.7e9)
    >>> run.points("loss", {}, np.array([0, 1]), np.array([0.5, 0.25]), np.array([1.7e9, 1.7e9 + 1]))
    >>> run.write(ended_at_s=1.7e9 + 2)
    >>> run.finish({"from": "doctest"})
    >>> read_note(store, run.run_hash)["from"]
    'doctest'
    """

    def __init__(self, store: Store, run_hash: str, *, created_at_s: float | None = None) -> None:
        self.run_hash = layout.check_run_hash(run_hash)
        self._store = store
        self._disk: Disk = store.disk
        self._scratch = store.path / f"{SCRATCH_PREFIX}{run_hash}-{os.urandom(4).hex()}"
        self._disk.make_folder(self._scratch)
        self._parts = WriterParts(self._scratch, run_hash, created_at_s, self._disk)
        self._tree: dict[Any, Any] = {}

    @property
    def created_at_s(self) -> float | None:
        """When the run began, in Unix seconds; None: at its first point. It can be set until the first point."""
        return self._parts.created_at_s

    @created_at_s.setter
    def created_at_s(self, moment_s: float) -> None:
        self._parts.created_at_s = moment_s

    # what the run is

    def params(self, tree: Mapping[Any, Any]) -> None:
        """Set params, by their first keys; what can't be stored is stored as text."""
        self._tree.update(tree)

    def properties(self, **properties: object) -> None:
        """Set name, description, experiment, archived ..."""
        self._parts.lines.append({"property": properties})

    def tags(self, names: Sequence[str]) -> None:
        """Add tags."""
        if names:
            self._parts.lines.append({"tags": {"add": list(names), "remove": []}})

    def rewind(self, step: int, at_s: float) -> None:
        """Hide the points with a later step than *step* and an earlier time than *at_s*, as `Run.rewind` does."""
        self._parts.lines.append({"rewind": step, "at": at_s})

    # points

    def points(
        self,
        name: str,
        context: Mapping[str, Any],
        steps: IntArray,
        values: npt.NDArray[Any],
        times_s: FloatArray | float = math.nan,
        epochs: FloatArray | float = math.nan,
    ) -> None:
        """
        Add points of a metric, in the order in which they were recorded.

        Args:
            steps: shape (n,), int64, in any order.
            values: shape (n,): float64, int64, or object: Python ints and floats.
            times_s: shape (n,), or one for all; in Unix seconds; NaN: not known.
            epochs: shape (n,), or one for all; NaN: none.

        Raises:
            OSError: the disk refuses.

        Cost: 0.4 us a point.
        """
        all_times_s = np.broadcast_to(np.asarray(times_s, np.float64), steps.shape)
        all_epochs = np.broadcast_to(np.asarray(epochs, np.float64), steps.shape)
        for start in range(0, len(steps), PART_POINTS):
            rows = slice(start, start + PART_POINTS)
            self._add(name, context, steps[rows], values[rows], all_times_s[rows], all_epochs[rows])

    def _add(
        self,
        name: str,
        context: Mapping[str, Any],
        steps: IntArray,
        values: npt.NDArray[Any],
        times_s: FloatArray,
        epochs: FloatArray,
    ) -> None:
        writer = self._parts.writer_for(times_s)
        is_int = np.full(len(steps), values.dtype.kind in "iu")
        if values.dtype == object:
            is_int = int_rows(values.tolist())
        if not bool(is_int.all()):
            rows = ~is_int
            number = writer.declare(name, context, "float", writer.lines[-1]["at"])
            writer.add(number, steps[rows], values[rows].astype(np.float64), times_s[rows], epochs[rows])
        if bool(is_int.any()):
            number = writer.declare(name, context, "int", writer.lines[-1]["at"])
            writer.add_ints(number, steps[is_int], values[is_int].astype(np.int64), times_s[is_int], epochs[is_int])

    def objects(
        self,
        name: str,
        context: Mapping[str, Any],
        steps: Sequence[int],
        items: Sequence[Stored],
        *,
        times_s: FloatArray | float = math.nan,
        epoch: float = math.nan,
        is_list: bool = False,
    ) -> None:
        """
        Add the objects of one step: one, or with *is_list* a list of several. Of objects without data, such as lines of
        a log, each may have a step and a time of its own.

        Raises:
            OSError: the disk refuses.
            UntrackableValue: the objects are over 2 GiB together.
        """
        kind = kinds.list_of(items[0].kind) if is_list else items[0].kind
        all_times_s = np.broadcast_to(np.asarray(times_s, np.float64), (len(steps),))
        writer = self._parts.writer_for(all_times_s)
        position = writer.append_objects(name, steps, items, kind)
        number = writer.declare(name, context, kind, writer.lines[-1]["at"])
        writer.add(number, np.array(steps, np.int64), float(position), all_times_s, epoch)

    def artifact(self, name: str, content: BinaryIO, *, at_s: float) -> None:
        """Keep a file with the run, under a name with parts such as `model/best.pt`. Raises OSError."""
        path = self._scratch / FILES_FOLDER / name
        self._disk.make_folder(path.parent)
        descriptor = self._disk.create(path)
        parts = DigestedParts(content)
        try:
            for part in parts:
                self._disk.write(descriptor, part)
            self._disk.sync(descriptor)
        finally:
            os.close(descriptor)
        sha256, size_bytes = parts.digest()
        self._parts.lines.append({"artifact": ArtifactRecord(name, None, size_bytes, sha256, at_s).event()})

    def refer(self, name: str, uri: str, *, size_bytes: int = 0, sha256: str = "") -> None:
        """Say that a file of the run is at *uri*; it is not copied."""
        self._parts.lines.append({"artifact": ArtifactRecord(name, uri, size_bytes, sha256, 0.0).event()})

    # the end

    def write(self, *, status: str = "finished", ended_at_s: float | None = None, error: str | None = None) -> None:
        """
        Write what is left; the run is whole then, and not yet in the repository.

        Args:
            status: `finished`, `failed` or `lost`.
            ended_at_s: in Unix seconds; None: at the last point.

        Raises:
            OSError: the disk refuses.
        """
        if self._tree:
            self._parts.lines.insert(0, {"set": [], "value": params.encode(self._tree, strict=False)})
        self._parts.end(status, ended_at_s, error)

    def reader(self) -> RunReader:
        """Return what reads the run back after `write`, before it is in the repository."""
        return open_run(self._scratch)

    def finish(self, note: Mapping[str, Any]) -> None:
        """
        Put the written run into the repository, in place of one that was imported before under its hash.

        Args:
            note: the JSON that `read_note` returns later; `writers` is added to it.

        Raises:
            RunExists: there is a run of that hash that was not imported.
            OSError: the disk refuses; the run is as it was before.
        """
        content = json.dumps({**note, "writers": self._parts.written}, ensure_ascii=False, indent=1) + "\n"
        self._disk.write_new(self._scratch / NOTE_NAME, content.encode("utf-8", "replace"))
        folder = self._store.runs / self.run_hash
        self._bring_back(folder)
        if self._store.has_run(self.run_hash):
            self._replace(folder)
        else:
            self._disk.sync_folder(self._scratch)
            self._disk.rename(self._scratch, folder)
        self._disk.sync_folder(self._store.runs)
        changes.touch(folder, self._disk)

    def _replace(self, folder: Path) -> None:
        before = read_note(self._store, self.run_hash)
        if before is None:
            raise RunExists(f"Run {self.run_hash!r} is in '{self._store.path.parent}', and was not imported.")
        replaced = {str(writer) for writer in before.get("writers", ())}
        replaced |= _writers_of_followers(folder, noted_processes(before, with_ended=True))
        _take_over(folder, self._scratch, replaced, self._disk)
        self._disk.sync_folder(self._scratch)
        doomed = self._store.path / f"{REPLACED_PREFIX}{self.run_hash}-{os.urandom(4).hex()}"
        self._disk.rename(folder, doomed)
        try:
            self._disk.rename(self._scratch, folder)
        except OSError:
            self._disk.rename(doomed, folder)
            raise
        self._disk.remove_folder(doomed)

    def _bring_back(self, folder: Path) -> None:
        """Take back what an import has moved away that was killed before it had replaced it."""
        for replaced in self._store.path.glob(f"{REPLACED_PREFIX}{self.run_hash}-*"):
            if self._store.has_run(self.run_hash):
                self._disk.remove_folder(replaced)
            else:
                self._disk.rename(replaced, folder)

    def abandon(self) -> None:
        """Throw away what was written; after `finish` nothing happens."""
        self._parts.abandon()
        self._disk.remove_folder(self._scratch)


class WriterParts:
    """
    The writers of one imported run, one after the other, in the scratch folder *folder*.

    Attributes:
        created_at_s: when the run began; None: at its first point.
        lines: what the next writer that ends says besides, with `at` where the time matters.
        written: the ids of those that have ended.
    """

    def __init__(self, folder: Path, run_hash: str, created_at_s: float | None, disk: Disk) -> None:
        self.created_at_s = created_at_s
        self.lines: list[dict[str, Any]] = []
        self.written: list[str] = []
        self._folder = folder
        self._run_hash = run_hash
        self._disk = disk
        self._first_id = int.from_bytes(os.urandom(4), "big") // PARTS_MAX * PARTS_MAX
        self._writer: EndedWriter | None = None
        self._latest_s = -math.inf

    def writer_for(self, times_s: FloatArray) -> EndedWriter:
        """Return the writer for points of these times; a new one when the one before is full."""
        finite = times_s[np.isfinite(times_s)]
        if len(finite):
            self._latest_s = max(self._latest_s, float(finite.max()))
            if self.created_at_s is None:
                self.created_at_s = float(finite.min())
        if self._writer is not None and self._writer.point_count >= PART_POINTS:
            self.end("finished", None, None)
        if self._writer is None:
            self._writer = self._new_writer()
        return self._writer

    def _new_writer(self) -> EndedWriter:
        if len(self.written) >= PARTS_MAX:
            raise RunExists(f"Run {self._run_hash!r} has over {PARTS_MAX * PART_POINTS:,} points. Import parts of it.")
        writer_id = f"{self._first_id + len(self.written):08x}"
        absent = dict.fromkeys(("host", "pid", "boot", "process", "pids", "python", "command"))
        begin = {"format": layout.FORMAT_NUMBER, **absent, "aim": __version__}
        begun_at_s = 0.0 if self.created_at_s is None else self.created_at_s
        return EndedWriter(
            self._folder, writer_id, begin, run_hash=self._run_hash, begun_at_s=begun_at_s, disk=self._disk
        )

    def end(self, state: str, ended_at_s: float | None, error: str | None) -> None:
        """Write the writer at hand, with an end at *ended_at_s*; None: at the last point."""
        writer = self._writer or self._new_writer()
        self._writer = None
        lines, self.lines = self.lines, []
        lines.sort(key=lambda line: line.get("at", -math.inf))
        for line in lines:
            at_s = line.pop("at", None)
            writer.say(line, writer.lines[-1]["at"] if at_s is None else at_s)
        latest_s = self._latest_s if math.isfinite(self._latest_s) else 0.0
        moment_s = latest_s if ended_at_s is None else ended_at_s
        writer.write(state=state, error=error, ended_at_s=max(moment_s, next_moment(writer.lines[-1]["at"])))
        self.written.append(writer.id)

    def abandon(self) -> None:
        """Close the file of the writer at hand."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None


def read_note(store: Store, run_hash: str) -> dict[str, Any] | None:
    """Return what `RunImport.finish` was told of a run; None: it was not imported, or is not there."""
    try:
        note = json.loads((store.runs / run_hash / NOTE_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


class ImportFollowers:
    """
    The processes that record into an imported run what its source still gets, as the note of the run says.
    """

    def __init__(self, store: Store, run_hash: str) -> None:
        self._store = store
        self._run_hash = run_hash

    def processes(self, *, with_ended: bool = False) -> list[clock.Process]:
        """Return those that are noted; *with_ended*: and those that ended properly."""
        return noted_processes(read_note(self._store, self._run_hash) or {}, with_ended=with_ended)

    def begin(self) -> None:
        """
        Add this process; before it records the first of it.

        Raises:
            RunNotFound: the run is not there, or was not imported.
            OSError: the disk refuses.
        """
        note = read_note(self._store, self._run_hash)
        if note is None:
            raise RunNotFound(f"Run {self._run_hash!r} is not there, or was not imported.")
        self._change({**note, FOLLOWERS: [*note.get(FOLLOWERS, ()), list(clock.this_process())]})

    def end(self) -> None:
        """Note that this process records no more. Raises OSError: the disk refuses."""
        note = read_note(self._store, self._run_hash)
        if note is not None:
            own = list(clock.this_process())
            living = [process for process in note.get(FOLLOWERS, ()) if process != own]
            self._change({**note, FOLLOWERS: living, FOLLOWED: [*note.get(FOLLOWED, ()), own]})

    def _change(self, note: Mapping[str, Any]) -> None:
        folder, disk = self._store.run_folder(self._run_hash), self._store.disk
        scratch = folder / f".{NOTE_NAME}-{os.urandom(4).hex()}"
        content = json.dumps(note, ensure_ascii=False, indent=1) + "\n"
        disk.write_new(scratch, content.encode("utf-8", "replace"))
        disk.rename(scratch, folder / NOTE_NAME)


def noted_processes(note: Mapping[str, Any], *, with_ended: bool = False) -> list[clock.Process]:
    """Return the processes that a note names as followers; *with_ended*: and those that ended properly."""
    noted = [*note.get(FOLLOWERS, ()), *(note.get(FOLLOWED, ()) if with_ended else ())]
    return [
        clock.Process(*each) for each in noted if isinstance(each, list) and len(each) == len(clock.Process._fields)
    ]


def _writers_of_followers(folder: Path, processes: Sequence[clock.Process]) -> set[str]:
    if not processes:
        return set()
    writers = RunLog(folder).refresh().writers.values()
    return {writer.id for writer in writers if writer.process() in processes}


def _take_over(folder: Path, scratch: Path, replaced: set[str], disk: Disk) -> None:
    """Link into *scratch* what others did to the run in *folder*: all but the files of the *replaced* writers."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        match = layout.WRITER_FILE.fullmatch(path.name)
        is_replaced = match is not None and match[1] in replaced
        if not path.is_file() or is_replaced or path.name.startswith(".") or relative == Path(NOTE_NAME):
            continue
        disk.make_folder((scratch / relative).parent)
        with contextlib.suppress(FileExistsError):  # an artifact that came again
            disk.link(path, scratch / relative)
