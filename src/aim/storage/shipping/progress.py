"""
How far the files of a writer have come on their way to a server.

For each file there are two sets: what was *sent*, and what is *durable* at the server. A request that failed is taken
back from the first; when another process answers, the first becomes the second again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from aim.storage.shipping.spans import Spans

FileKey = tuple[int, str]
"""Kind of a file as in a frame, and its number, or its name in the folder of the run; of artifacts after the digest."""


class FilePart(NamedTuple):
    """
    A part of a file that is to be sent.

    Attributes:
        start, stop: bytes of the file; of slots their numbers.
    """

    key: FileKey
    start: int
    stop: int
    data: bytes


class FileProgress:
    """
    How far one file has come.

    Attributes:
        is_made: whether it was sent, be it empty.
        is_confirmed: whether it is durable that there is such a file, be it empty.
    """

    __slots__ = ("durable", "sent", "is_made", "is_confirmed")

    def __init__(self, durable: Spans | None = None) -> None:
        self.durable = durable or Spans()
        self.sent = self.durable.copy()
        self.is_made = self.is_confirmed = bool(self.durable.count)

    @property
    def is_durable(self) -> bool:
        """Whether all that was sent is durable."""
        return self.sent == self.durable and (self.is_confirmed or not self.is_made)


class WriterProgress:
    """How far all files of a writer have come."""

    def __init__(self) -> None:
        self._files: dict[FileKey, FileProgress] = {}

    def file(self, key: FileKey) -> FileProgress:
        """Return how far a file has come."""
        progress = self._files.get(key)
        if progress is None:
            progress = self._files[key] = FileProgress()
        return progress

    def keys(self, kind: int) -> list[FileKey]:
        """Return the files of a kind of which something was sent."""
        return [key for key, file in self._files.items() if key[0] == kind and (file.is_made or file.sent.count)]

    def forget(self, key: FileKey) -> None:
        """Begin a file anew: it has other bytes now."""
        self._files.pop(key, None)

    def send(self, pieces: Iterable[FilePart]) -> None:
        """Count *pieces* as sent."""
        for piece in pieces:
            file = self.file(piece.key)
            file.sent.add(piece.start, piece.stop)
            file.is_made = True

    def confirm(self, pieces: Iterable[FilePart]) -> None:
        """Count *pieces* as durable."""
        for piece in pieces:
            file = self.file(piece.key)
            file.durable.add(piece.start, piece.stop)
            file.sent.add(piece.start, piece.stop)
            file.is_made = file.is_confirmed = True

    def take_back(self, pieces: Iterable[FilePart]) -> None:
        """Count *pieces* as not sent, but for what is durable by now."""
        for piece in pieces:
            file = self.file(piece.key)
            file.sent.remove(piece.start, piece.stop)
            for start, stop in file.durable:
                file.sent.add(start, stop)
            file.is_made = file.is_made and bool(piece.stop or file.durable.count)

    def forget_unconfirmed(self) -> None:
        """Count as sent only what is durable."""
        self._files = {key: FileProgress(file.durable) for key, file in self._files.items() if file.durable.count}

    def forget_all(self) -> None:
        """Begin with everything anew."""
        self._files = {}

    def is_durable(self, *kinds: int) -> bool:
        """Return whether all that was sent of files of these kinds is durable."""
        return all(file.is_durable for key, file in self._files.items() if key[0] in kinds)

    def unconfirmed_bytes(self) -> int:
        """Return about how many bytes were sent and are not durable yet."""
        return sum(file.sent.count - file.durable.count or int(not file.is_durable) for file in self._files.values())

    def to_json(self) -> dict[str, list[list[int]]]:
        """Return what is durable, for the file of hints."""
        return {
            f"{key[0]}:{key[1]}": [[start, stop] for start, stop in file.durable] for key, file in self._files.items()
        }

    @classmethod
    def from_json(cls, hint: Mapping[str, Any]) -> WriterProgress:
        """
        Read a hint; what can't be understood is left out.

        >>> WriterProgress.from_json({"0:0": [[0, 512]], "x": 1}).file((0, "0")).sent.prefix
        512
        """
        progress = cls()
        for text, ranges in hint.items():
            kind, _, name = text.partition(":")
            if kind.isdigit() and isinstance(ranges, list):
                pairs = [tuple(pair) for pair in ranges if isinstance(pair, list) and len(pair) == 2]
                if all(type(start) is int and type(stop) is int for start, stop in pairs):
                    progress._files[int(kind), name] = FileProgress(Spans(pairs))
        return progress
