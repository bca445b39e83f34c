"""
A run of a server as an archive, unpacked on this machine so that it can be copied into a folder.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from aim.engine.remote.project import Project
from aim.storage.store import folder_name

PIECE_BYTES = 1 << 20


@contextmanager
def unpacked_run(project: Project, run_hash: str) -> Iterator[Path]:
    """
    Within a `with` block: the folder of a repository that has one run of the server, and no other.

    Raises:
        NotFound: there is no such run.
    """
    with tempfile.TemporaryDirectory(prefix="aim-copy-") as scratch:
        with tempfile.TemporaryFile(dir=scratch) as packed:
            with project.stream("GET", f"runs/{run_hash}/archive") as stream:
                while piece := stream.read(PIECE_BYTES):
                    packed.write(piece)
            _unpack(packed, Path(scratch))
        yield Path(scratch)


def _unpack(packed: BinaryIO, root: Path) -> None:
    # the folder of the repository may have another name at the server
    with zipfile.ZipFile(packed) as archive:
        for entry in archive.infolist():
            parts = PurePosixPath(entry.filename).parts[1:]
            if not parts or ".." in parts or entry.is_dir():
                continue
            file = Path(root, folder_name(), *parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, open(file, "wb") as target:
                shutil.copyfileobj(source, target)
