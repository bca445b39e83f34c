"""
TensorBoard: each folder that holds event files is a run, but for folders that torch and tensorboardX make below it.

    <tag>_<name>/   of torch's `add_scalars`: holds the one tag  ->  the parent's series <tag> {"series": <name>}
    <tag>/<name>/   of tensorboardX's: the same; a tag with slashes is a folder for each part of it
    any name        of `add_hparams`: hyperparameters, and the metrics that belong to them  ->  the parent's params

Files of a folder are read in the order of their names, which begin with a time. A file that says that the program was
started again at a step, or that begins at a step of its tag that an earlier file went beyond, takes the run back: what
came after that step is hidden, and stays in the history. Files whose times overlap are two writers of one run.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aim.convert.bounded import BoundedStream
from aim.convert.errors import CannotGrow
from aim.convert.events import (
    BytesRead,
    Ended,
    Event,
    LeftOut,
    ObjectStep,
    ParamValue,
    PointBatch,
    Refused,
    Rewound,
    RunFound,
    SourceDamage,
)
from aim.convert.formats import Following, Importer, ImportOptions, Source, SourceRun
from aim.convert.media import Media
from aim.convert.tensorboard import summaries
from aim.convert.tensorboard.frames import FrameReader, is_event_file
from aim.convert.tensorboard.reading import (
    BadRecord,
    EventReader,
    FirstRecord,
    Item,
    OtherRecord,
    ScalarRun,
    SessionStart,
    TagMemory,
    TagValue,
)
from aim.convert.tensorboard.tensors import BadTensor

FILE_NAME = re.compile(r".*tfevents.*")
FILE_TIME = re.compile(r"tfevents\.(\d+)")
PEEK_BYTES = 1 << 20
OBJECTS = {
    "images": summaries.images,
    "audio": summaries.sounds,
    "text": summaries.texts,
    "histograms": summaries.histogram,
    "pr_curves": summaries.pr_curve,
}
TABLE_SUFFIX = " (values)"  # of the table beside a figure of a PR curve


class EventFolder(NamedTuple):
    """A folder of event files that is read into a run; *series*: the context of its scalars, or None."""

    path: Path
    files: tuple[Path, ...]
    context: dict[str, str]


class TensorBoardImporter(Importer):
    """The importer of event files."""

    name = "tensorboard"
    title = "TensorBoard"
    looked_for = "files named *tfevents*"

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether there is an event file in *folder*."""
        return any(FILE_NAME.fullmatch(name) for name in files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the folders with event files."""
        root = source.path if source.path.is_dir() else source.path.parent
        only = None if source.path.is_dir() else source.path
        below: dict[Path, list[EventFolder]] = {}
        for folder in _with_parent(source.folders, root):
            event_files = _event_files(folder) if only is None else (only,)
            if event_files:
                home, context = _home(folder, event_files, root, below, options)
                below.setdefault(home, []).append(EventFolder(folder, event_files, context))
        for home, folders in below.items():
            relative = home.relative_to(root).as_posix() if home != root else root.name
            files = tuple(path for folder in folders for path in folder.files)
            yield SourceRun(str(home.resolve()), relative, files, root.name, locator=tuple(folders))

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read the event files of one run."""
        yield from RunReading(run.title).look(run)

    def following(self, options: ImportOptions) -> Following:
        """Return what reads a run whose files grow."""
        return RunReading()


def _with_parent(folders: Sequence[Path], root: Path) -> list[Path]:
    return sorted({root if folder == root or not folder.is_dir() else folder for folder in folders})


def _event_files(folder: Path) -> tuple[Path, ...]:
    """Return the event files of a folder in the order in which they were begun."""
    with os.scandir(folder) as entries:
        paths = [Path(entry.path) for entry in entries if FILE_NAME.fullmatch(entry.name) and entry.is_file()]
    return tuple(sorted(paths, key=begun))


def begun(path: Path) -> tuple[float, str]:
    """Return what puts event files in the order in which they were begun."""
    match = FILE_TIME.search(path.name)
    return (float(match[1]) if match else math.inf, path.name)


def _home(
    folder: Path,
    files: tuple[Path, ...],
    root: Path,
    below: dict[Path, list[EventFolder]],
    options: ImportOptions,
) -> tuple[Path, dict[str, str]]:
    """Return the folder of the run that *folder* belongs to, and the context of its scalars."""
    if folder == root:
        return folder, {}
    if options.choices.get("flat"):
        return folder.parent, {"entry": folder.name}
    above = next((parent for parent in folder.parents if parent in below), None)
    if above is None:
        return folder, {}
    beginning = _peek(files)
    series = beginning.series_of(folder.relative_to(above))
    if series:
        return above, {"series": series}
    is_merged = above == folder.parent and beginning.is_hparams and options.choices.get("merge_hparams", True)
    return (above if is_merged and _has_no_runs_below(above, below[above]) else folder), {}


def _has_no_runs_below(folder: Path, read: Sequence[EventFolder]) -> bool:
    """Return whether all folders that are read into the run of *folder* are its own, or series."""
    return all(each.path == folder or each.context for each in read)


@dataclass
class _Beginning:
    """What the beginning of an event file holds: the tags, how many values, and whether hyperparameters."""

    tags: set[str]
    value_count: int = 0
    has_hparams: bool = False

    @property
    def is_hparams(self) -> bool:
        """Whether it looks like what `add_hparams` writes: hyperparameters, and one value of each metric."""
        return self.has_hparams and self.value_count <= len(self.tags)

    def series_of(self, folder: Path) -> str:
        """
        Return the name of the series, if it looks like a folder that `add_scalars` makes, else an empty text.

        Args:
            folder: relative to the run's own.
        """
        if len(self.tags) != 1 or self.has_hparams:
            return ""
        tag = next(iter(self.tags))
        if folder.parent.name:
            return folder.name if folder.parent.as_posix() == tag else ""
        stem = f"{tag.replace('/', '_')}_"
        return folder.name[len(stem) :] if folder.name.startswith(stem) else ""


def _peek(files: tuple[Path, ...]) -> _Beginning:
    with opened(files[0]) as file:
        content = io.BytesIO(file.read(PEEK_BYTES))
    beginning = _Beginning(set())
    events = EventReader(TagMemory())
    for batch in FrameReader(content).batches():
        for item in events.items(batch):
            if isinstance(item, TagValue) and item.plugin == "hparams":
                beginning.has_hparams = True
            elif isinstance(item, (ScalarRun, TagValue)):
                beginning.tags.add(item.tag)
                beginning.value_count += len(item.steps) if isinstance(item, ScalarRun) else 1
    return beginning


def opened(path: Path) -> io.BufferedIOBase:
    """Open an event file, unpacked if it ends with `.gz`. Raises OSError."""
    if path.suffix == ".gz":
        return io.BufferedReader(BoundedStream(gzip.open(path), path))
    return open(path, "rb")


@dataclass
class FileReading:
    """
    Where the reading of one file stands: how far it was read, and whether it may take the run back.

    Attributes:
        size_bytes: of the file when it was read last; -1: never.
    """

    path: Path
    is_first: bool
    restart_step: int | None = None
    is_judged: bool = False
    offset: int = 0
    size_bytes: int = -1


class EventFolderReading:
    """
    Where the reading of one folder stands.

    Attributes:
        memory: of its tags.
        last_steps: the largest step of each tag.
        files: by their paths.
    """

    def __init__(self) -> None:
        self.memory = TagMemory()
        self.last_steps: dict[str, int] = {}
        self.files: dict[Path, FileReading] = {}
        self._events: dict[Path, EventReader] = {}

    def events_of(self, path: Path) -> EventReader:
        """Return what reads the records of one file, the same one each time."""
        return self._events.setdefault(path, EventReader(self.memory))


class RunReading:
    """One run being read: what was recorded so far."""

    def __init__(self, title: str = "") -> None:
        self._title = title
        self._has_begun = False
        self._waiting: list[Event] = []
        self._first_s = math.inf
        self._last_s = -math.inf
        self._folders: dict[Path, EventFolderReading] = {}
        self._folder = EventFolderReading()
        self._context: dict[str, str] = {}

    @property
    def memory(self) -> TagMemory:
        """Of the tags of the folder that is read."""
        return self._folder.memory

    def look(self, run: SourceRun) -> Iterator[Event]:
        """Go through what came since the last look. Raises CannotGrow: a file is another one now."""
        self._title = run.title
        for folder in run.locator:
            self._context = folder.context
            self._folder = self._folders.setdefault(folder.path, EventFolderReading())
            for number, path in enumerate(folder.files):
                file = self._folder.files.setdefault(path, FileReading(path, is_first=number == 0))
                yield from self._file(file, is_newest=number == len(folder.files) - 1)
        if not self._has_begun and math.isfinite(self._first_s):  # there was no point: nothing begins without a record
            yield self._begin()
        waiting, self._waiting = self._waiting, []
        yield from waiting
        yield Ended("finished", self._last_s if math.isfinite(self._last_s) else None)

    def _begin(self) -> RunFound:
        self._has_begun = True
        return RunFound(self._title, created_at_s=self._first_s)

    def _file(self, file: FileReading, *, is_newest: bool) -> Iterator[Event]:
        try:
            size_bytes = file.path.stat().st_size
            stream = opened(file.path)
        except OSError as error:
            self._waiting.append(SourceDamage(str(file.path), None, f"can't be read: {error.strerror}"))
            return
        with stream:
            if size_bytes == file.size_bytes:
                return
            if size_bytes < file.offset or (file.offset and file.path.suffix == ".gz"):
                raise CannotGrow(file.path)
            if file.size_bytes < 0:
                self._begin_file(file, size_bytes)
            file.size_bytes = size_bytes
            frames = FrameReader(stream, file.offset)
            yield from self._records(frames, file)
        if frames.tail_bytes:
            self._waiting.append(_tail(file.path, frames, is_newest=is_newest))

    def _begin_file(self, file: FileReading, size_bytes: int) -> None:
        if not self._has_begun:
            self._waiting.append(ParamValue(("tb_log_directory",), str(file.path.parent)))
        if not size_bytes:
            self._waiting.append(LeftOut(f"empty event file {file.path}"))

    def _records(self, frames: FrameReader, file: FileReading) -> Iterator[Event]:
        events = self._folder.events_of(file.path)
        for batch in frames.batches():
            for item in events.items(batch):
                self._waiting += self.taken(item, file)
            if not self._has_begun and math.isfinite(self._first_s):
                yield self._begin()
            if self._has_begun:
                yield from self._waiting
                self._waiting = []
            yield BytesRead(frames.offset - file.offset)
            file.offset = frames.offset
        file.offset = frames.offset

    def taken(self, item: Item, file: FileReading) -> list[Event]:
        """Return the events of an item."""
        if isinstance(item, ScalarRun):
            return self._points(item.tag, item.steps, np.array(item.values), item.times_s, file)
        if isinstance(item, TagValue):
            return self._tag_value(item, file)
        if isinstance(item, FirstRecord):
            self._moment(item.time_s)
        elif isinstance(item, SessionStart):
            if self._folder.last_steps:
                file.restart_step = item.step
        elif isinstance(item, OtherRecord):
            return [LeftOut(f"{item.kind} (never imported)")]
        elif isinstance(item, BadRecord):
            return [SourceDamage(str(file.path), item.offset, item.reason)]
        return []

    def _moment(self, time_s: float) -> None:
        if math.isfinite(time_s):
            self._first_s = min(self._first_s, time_s)

    def _points(self, tag: str, steps: list[int], values: Any, times_s: list[float], file: FileReading) -> list[Event]:
        events = self._restart(tag, steps[0], min(times_s), file)
        self._moment(min(times_s))
        self._last_s = max(self._last_s, max(times_s))
        self._folder.last_steps[tag] = max(self._folder.last_steps.get(tag, steps[0]), max(steps))
        batch = PointBatch(tag, self._context, np.array(steps, np.int64), values, np.array(times_s))
        return [*events, batch]

    def _restart(self, tag: str, step: int, time_s: float, file: FileReading) -> list[Event]:
        """Return what takes the run back, if this first point of a file, or the record before it, says so."""
        if file.restart_step is None:
            if file.is_first or file.is_judged:
                return []
            file.is_judged = True
            if tag not in self._folder.last_steps or step > self._folder.last_steps[tag] or time_s <= self._last_s:
                return []
            file.restart_step = step
        restart_step, file.restart_step, file.is_judged = file.restart_step, None, True
        if time_s <= self._last_s:
            return [LeftOut("restart at a step, of which the times before and after overlap: both are shown")]
        return [Rewound(restart_step - 1, time_s)]

    def _tag_value(self, item: TagValue, file: FileReading) -> list[Event]:
        try:
            if item.plugin == "scalars":
                value = summaries.scalar(item.value)
                return self._points(item.tag, [item.step], summaries.number_array([value]), [item.time_s], file)
            if item.plugin == "hparams":
                content = item.value.get("metadata", {}).get("plugin", {}).get("content", b"")
                return [ParamValue(("hparams", key), value) for key, value in summaries.hparams(content).items()]
            objects = _objects(item)
        except BadTensor as error:
            return [Refused(f"{item.tag} at step {item.step}: {error}")]
        if objects is None:
            return [LeftOut(f"{item.plugin or 'tensor'} (never imported)")]
        self._moment(item.time_s)
        self._last_s = max(self._last_s, item.time_s)
        return self._object_steps(item, objects)

    def _object_steps(self, item: TagValue, objects: list[Media]) -> list[Event]:
        if item.plugin == "pr_curves":
            names = (item.tag, f"{item.tag}{TABLE_SUFFIX}")
            pairs = zip(names, objects)
            return [ObjectStep(name, self._context, item.step, [each], item.time_s) for name, each in pairs]
        if not objects:
            return [LeftOut(f"empty {item.plugin}")]
        is_list = len(objects) > 1
        return [ObjectStep(item.tag, self._context, item.step, objects, item.time_s, is_list=is_list)]


def _objects(item: TagValue) -> list[Media] | None:
    """Return the objects of a value; None for one of a kind that is never imported. Raises BadTensor."""
    if item.plugin in OBJECTS and "tensor" in item.value:
        return OBJECTS[item.plugin](item.value)
    return summaries.old_object(item.value) or None


def _tail(path: Path, frames: FrameReader, *, is_newest: bool) -> Event:
    if not frames.has_frames and not is_event_file(path):
        return SourceDamage(str(path), 0, "not an event file: the checksum of its first length is wrong")
    if is_newest:
        return LeftOut(f"last record of {path} at byte {frames.offset:,}, not whole: still being written, or cut off")
    return SourceDamage(str(path), frames.offset, "the file ends within a record")
