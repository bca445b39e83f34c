"""
Small objects of blob files, joined: a run with ten thousand pictures that came one at a time has some objects then.

    parts of a file, side by side   ->   one object with all of their bytes   ->   its row in `parts`
                                    ->   the objects of the small ones go   ->   then their rows

A part is removed only when the row of a larger one that contains it is there. So whatever is interrupted, and whoever
joins at the same time, the parts that no other one contains stay, and these are all bytes of the file. A reader that
has listed parts before lists them again when one is gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from aim.storage.cluster import rows
from aim.storage.cluster.cluster_files import Part, PartsFile, blob_parts
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import SEALED_FILE
from aim.storage.cluster.cluster_trash import remove_rows
from aim.storage.cluster.database import Database
from aim.storage.cluster.object_store import part_key

PARTS_MIN = 64  # of a file, before they are joined
SMALL_BYTES = 1 << 20  # on average
JOINED_BYTES_MAX = 64 << 20  # of an object: it is in memory once
FILES_AT_ONCE = 100


class JoinedFile(NamedTuple):
    """A blob file of a run of *project*."""

    project: ClusterProject
    rid: bytes
    writer: int
    file: int

    def parts(self) -> list[Part]:
        """Return its parts, sorted. Raises ClusterUnavailable."""
        return blob_parts(self.project, self.rid, self.writer, self.file)


def join_parts(database: Database, project_of: Callable[[str], ClusterProject], until_s: float) -> bool:
    """
    Join the parts of blob files of all projects whose runs have ended; begin with no file after the moment *until_s* of
    the monotonic clock. Return whether all were looked at.

    Raises:
        ClusterUnavailable, ObjectsUnavailable: the rest is joined the next time.

    Cost: one statement, which reads all parts; each byte of a file is read and written once.
    """
    files = database.rows(
        "SELECT hex(parts.rid), writer, file, any(facts.project) "
        f"FROM {database.table('parts')} AS parts GLOBAL INNER JOIN "
        f"(SELECT DISTINCT project, rid FROM {database.table('facts')}) AS facts ON parts.rid = facts.rid "
        f"WHERE file < {SEALED_FILE} GROUP BY parts.rid, writer, file "
        f"HAVING uniqExact(start, bytes) >= {PARTS_MIN} AND avg(bytes) < {SMALL_BYTES} "
        f"ORDER BY rand() LIMIT {FILES_AT_ONCE}"  # so that files whose objects are gone do not keep others waiting
    )
    joined_count = 0
    for rid, writer, number, project in files:
        if time.monotonic() > until_s:
            return False
        joined_count += join_file(JoinedFile(project_of(str(project)), bytes.fromhex(rid), int(writer), int(number)))
    return len(files) < FILES_AT_ONCE or not joined_count


def join_file(file: JoinedFile) -> bool:
    """
    Join the parts of one file, and remove those that larger ones contain. It may be interrupted, and done again. Return
    whether there were such parts.

    Raises:
        ClusterUnavailable, ObjectsUnavailable.
    """
    parts = file.parts()
    for start, size_bytes in joined_spans(parts):
        key = part_key(file.rid, file.writer, file.file, start, size_bytes)
        content = _bytes(file, parts, start, size_bytes)
        if len(content) < size_bytes:  # an object is gone: that is for a check to say
            return False
        file.project.objects.put(key, content)
        row = rows.part_row(file.rid, file.writer, file.file, start, size_bytes, key)
        file.project.database.insert("parts", rows.PART_COLUMNS, row)
    contained = list(contained_parts(file.parts()))
    if not contained:
        return False
    file.project.objects.delete(key for _, _, key in contained)  # before the rows: what is left is found again
    listed = ", ".join(f"({start:d}, {size_bytes:d})" for start, size_bytes, _ in contained)
    of_them = f" AND writer = {file.writer:d} AND file = {file.file:d} AND (start, bytes) IN ({listed})"
    remove_rows(file.project, ("parts",), file.rid, of_them)
    return True


def _bytes(file: JoinedFile, parts: list[Part], start: int, size_bytes: int) -> bytes:
    opened = PartsFile(file.project.objects, parts, file.parts)
    opened.seek(start)
    content = bytearray(size_bytes)
    try:
        count = opened.readinto(content)
    except FileNotFoundError:
        return b""
    return bytes(content[:count])


def joined_spans(parts: Iterable[Part]) -> Iterator[tuple[int, int]]:
    """
    Go through where the objects begin that parts are to be joined to, and how many bytes they have.

    >>> list(joined_spans([(0, 10, "a"), (5, 10, "b"), (15, 5, "c"), (30, 5, "d"), (40, JOINED_BYTES_MAX, "e")]))
    [(0, 20)]
    """
    start = end = count = 0
    for offset, size_bytes, _ in sorted(parts):
        if offset > end or offset + size_bytes - start > JOINED_BYTES_MAX:
            if count > 1:
                yield start, end - start
            start = end = max(offset, end)
            count = 0
        if offset + size_bytes > end:
            end, count = offset + size_bytes, count + 1
    if count > 1:
        yield start, end - start


def contained_parts(parts: Iterable[Part]) -> Iterator[Part]:
    """
    Go through the parts that a larger one contains.

    >>> list(contained_parts([(0, 10, "a"), (0, 20, "ab"), (10, 10, "b"), (15, 10, "c")]))
    [(0, 10, 'a'), (10, 10, 'b')]
    """
    end = -1
    for start, size_bytes, key in sorted(set(parts), key=lambda part: (part[0], -part[1])):
        if start + size_bytes <= end:
            yield start, size_bytes, key
        end = max(end, start + size_bytes)
