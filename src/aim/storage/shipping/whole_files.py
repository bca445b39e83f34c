"""
Files that get their name when all of their bytes are there: sealed points, edits and artifacts.

Their parts gather in a scratch file, named after the name and the SHA-256 of the whole, so any process of the server
can go on with it, and a repeated part changes nothing. Two files of equal bytes have two scratch files. The thread that
syncs gives a file its name when the digest is right.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from aim.storage.disk import layout
from aim.storage.disk.digests import digest_of
from aim.storage.disk.files import Disk
from aim.storage.forms.artifact_records import FILES_FOLDER
from aim.storage.shipping.frames import ARTIFACT, EDIT, SEALED, WHOLE_FILES, Frame, MalformedRequest, Request
from aim.storage.shipping.received_files import ReceivedFiles

NAME_CHARS_MAX = 1024
SCRATCH = ".ship-"
SCRATCH_AGE_S = 86_400.0


class Arrival(NamedTuple):
    """
    A file of which all bytes are there: it is to be checked, and to get its name.

    Attributes:
        shipper: who has sent the last part.
    """

    scratch: Path
    target: Path
    sha256: str
    replaces: bool
    shipper: str


def frames_by_writer(request: Request) -> dict[int, list[Frame]]:
    """
    Return the frames of a request by the index of their writer, in their order.

    Raises:
        MalformedRequest: a whole file has a name that its kind does not have (see `check_name`).
    """
    by_writer: dict[int, list[Frame]] = {}
    for frame in request.frames:
        by_writer.setdefault(frame.writer, []).append(frame)
        if frame.kind in WHOLE_FILES:
            check_name(frame.kind, request.files[frame.file]["name"], request.writers[frame.writer]["writer"])
    return by_writer


def check_name(kind: int, name: str, writer: str) -> None:
    """Raise MalformedRequest unless a file of *kind* may have that name in the folder of a run."""
    if kind == SEALED:
        is_fine = name == f"{writer}.points.parquet"
    elif kind == EDIT:
        is_fine = layout.EDIT_FILE.fullmatch(name) is not None
    else:
        parts = PurePosixPath(name).parts
        is_clean = "/".join(parts) == name and not {"..", "."} & set(parts) and "\\" not in name and "\0" not in name
        is_fine = is_clean and len(parts) > 1 and parts[0] == FILES_FOLDER and len(name) <= NAME_CHARS_MAX
    if not is_fine:
        raise MalformedRequest(f"{name[:100]!r} can't be the name of a file of kind {kind} in a run.")


class WholeFiles:
    """Gathers the parts of whole files."""

    def __init__(self, files: ReceivedFiles, disk: Disk) -> None:
        self._files = files
        self._disk = disk
        self._arrivals: list[Arrival] = []

    def put(self, folder: Path, frame: Frame, label: Mapping[str, Any], shipper: str) -> int:
        """
        Add a part of a file; return how many bytes of it are there now.

        Args:
            label: `name`, `bytes` and `sha256` of the whole.

        Raises:
            OSError: the disk refuses.
        """
        target, size_bytes, sha256 = folder / label["name"], int(label["bytes"]), str(label["sha256"])
        is_artifact = frame.kind == ARTIFACT
        if frame.offset == 0 and _is_there(target, sha256 if is_artifact else None, size_bytes):
            return size_bytes
        scratch = self._files.opened(folder / scratch_name(label["name"], sha256))
        present_bytes = scratch.size_bytes()
        if frame.offset > present_bytes:
            return present_bytes
        self._files.write(scratch, frame.data, frame.offset)
        present_bytes = max(present_bytes, frame.offset + len(frame.data))
        if present_bytes >= size_bytes:
            self._arrivals.append(Arrival(scratch.path, target, sha256, is_artifact, shipper))
        return min(present_bytes, size_bytes)

    def publish_arrivals(self) -> set[str]:
        """
        Give their names to the files whose last part came since the last call; return the shippers of those whose
        digest was wrong, and that were removed. Raises OSError.
        """
        with self._files.lock:
            arrivals, self._arrivals = self._arrivals, []
        return {arrival.shipper for arrival in dict.fromkeys(arrivals) if not self._publish(arrival)}

    def sweep(self, folder: Path) -> None:
        """Remove parts of files of which nothing has come for a day: other files took their names. Raises OSError."""
        for scratch in folder.glob(f"{SCRATCH}*"):
            if time.time() - scratch.stat().st_mtime > SCRATCH_AGE_S:
                self._disk.unlink(scratch)

    def _publish(self, arrival: Arrival) -> bool:
        """Give a file its name; return False, and remove it, when its digest is wrong. Raises OSError."""
        try:
            digest = digest_of(arrival.scratch).sha256
        except FileNotFoundError:  # published by another process, or the run was deleted
            sha256 = arrival.sha256 if arrival.replaces else None
            return _is_there(arrival.target, sha256) or not arrival.scratch.parent.is_dir()
        if digest != arrival.sha256:
            self._disk.unlink(arrival.scratch)
            return False
        self._disk.make_folder(arrival.target.parent)
        if arrival.replaces:
            self._disk.rename(arrival.scratch, arrival.target)
        else:
            try:
                self._disk.link(arrival.scratch, arrival.target)
            except FileExistsError:  # sealed here meanwhile: that one stays
                pass
            self._disk.unlink(arrival.scratch)
        self._disk.sync_folder(arrival.target.parent)
        return True


def scratch_name(name: str, sha256: str) -> str:
    """
    Return the name of the file in which the parts of a whole file gather.

    >>> scratch_name("files/best.pt", 64 * "0"), scratch_name("files/last.pt", 64 * "0")
    ('.ship-5956ccca-000000000000000000000000', '.ship-f7bd78ed-000000000000000000000000')
    """
    return f"{SCRATCH}{blake2b(name.encode(), digest_size=4).hexdigest()}-{sha256[:24]}"


def _is_there(path: Path, sha256: str | None, size_bytes: int | None = None) -> bool:
    """Return whether there is a file at *path*, of that digest and size if they are given."""
    try:
        if sha256 is None:
            return path.exists()
        return size_bytes in (None, path.stat().st_size) and digest_of(path).sha256 == sha256
    except OSError:
        return False
