"""
A folder of event files that grows: what came since the last look, as neutral events.

    look   ->   every file whose size changed is read on from its last whole record   ->   (folder, event) ...

Nothing but sizes is watched, because network mounts tell nothing else. New files and folders are seen at the next look.
A file that became shorter is another file: it is read from its start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from aim.convert.events import Event
from aim.convert.tensorboard.frames import FrameReader
from aim.convert.tensorboard.importer import FILE_NAME, FileReading, RunReading, begun, opened
from aim.convert.tensorboard.reading import EventReader


class _GrowingFile:
    """One event file, and where its reading stands."""

    def __init__(self, path: Path, folder: RunReading, *, is_first: bool, offset: int) -> None:
        self.path = path
        self.offset = offset
        self.folder = folder
        self._events = EventReader(folder.memory)
        self._reading = FileReading(path, is_first=is_first)
        self._size_bytes = -1

    def look(self) -> Iterator[Event]:
        """Go through the events that were written since the last look, if the file's size changed."""
        size_bytes = self.path.stat().st_size
        if size_bytes == self._size_bytes:
            return
        if size_bytes < self.offset:
            self.offset = 0
        with opened(self.path) as stream:
            frames = FrameReader(stream, self.offset)
            for batch in frames.batches():
                for item in self._events.items(batch):
                    yield from self.folder.taken(item, self._reading)
            self.offset = frames.offset
        self._size_bytes = size_bytes


class LogFolder:
    """
    The event files in *root* and below.

    Attributes:
        offsets: how far each file was read, by its path from *root*; hand it in again to go on there.
    """

    def __init__(self, root: Path, offsets: Mapping[str, int] | None = None) -> None:
        self.root = root
        self.offsets: dict[str, int] = dict(offsets or {})
        self._files: dict[Path, _GrowingFile] = {}
        self._folders: dict[Path, RunReading] = {}

    def look(self) -> Iterator[tuple[Path, Event]]:
        """
        Go through what was written since the last look: events, each with its folder. A file that can't be read now is
        tried again at the next look.
        """
        for path in self._paths():
            file = self._files.get(path) or self._new_file(path)
            name = path.relative_to(self.root).as_posix()
            try:
                for event in file.look():
                    yield path.parent, event
            except OSError:
                continue
            finally:
                self.offsets[name] = file.offset

    def _paths(self) -> list[Path]:
        paths = []
        for folder, folders, names in os.walk(self.root):
            folders.sort()
            paths += sorted((Path(folder, name) for name in names if FILE_NAME.fullmatch(name)), key=begun)
        return paths

    def _new_file(self, path: Path) -> _GrowingFile:
        is_first = path.parent not in self._folders
        folder = self._folders.setdefault(path.parent, RunReading())
        offset = self.offsets.get(path.relative_to(self.root).as_posix(), 0)
        file = self._files[path] = _GrowingFile(path, folder, is_first=is_first, offset=offset)
        return file
