"""
All of a repository in one ZIP: `.aim/FORMAT`, `.aim/runs/<hash>/...`; unpacked anywhere, it is a repository.

A live run is taken as it is at the moment. A journal that is sealed while it is packed goes in as the sealed file:
what vanishes is looked for once more under its new name, and of a run in both forms readers take either.
"""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from aim.storage.store import Store

PACKED = frozenset((".parquet", ".zip"))  # these are packed by themselves
LEFT_OUT = frozenset(("changes", "trash"))  # a stamp of a time, and what was deleted
LOOKS = 3
CHUNK_BYTES = 1 << 20
OLDEST_S = 315_532_800.0  # ZIP knows no time before 1980


def write_archive(store: Store, target: Path, progress: Callable[[str], None] | None = None) -> int:
    """
    Write the archive of a repository to the file *target*; give how many runs it has.

    Args:
        progress: told of each run.

    Raises:
        OSError: a file can't be read, or *target* not written.

    Cost: 30 ms a megabyte of journals and lines; sealed points and objects are copied. Memory: a megabyte.
    """
    hashes = sorted(store.run_hashes())
    with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        for name in sorted(os.listdir(store.path)):
            if name not in LEFT_OUT and name != "runs" and not name.startswith("."):
                _add(archive, store.path, store.path / name)
        for run_hash in hashes:
            _add(archive, store.path, store.runs / run_hash)
            if progress is not None:
                progress(run_hash)
    return len(hashes)


def _add(archive: zipfile.ZipFile, root: Path, path: Path) -> None:
    there = set(archive.namelist())
    for _ in range(LOOKS):
        vanished = False
        for file in _files(path):
            name = f"{root.name}/{file.relative_to(root).as_posix()}"
            if name in there:
                continue
            try:
                source = open(file, "rb")  # noqa: SIM115 - only its opening may fail so
            except FileNotFoundError:
                vanished = True
                continue
            with source:
                about = zipfile.ZipInfo(name, _moment(os.fstat(source.fileno()).st_mtime))
                about.external_attr = 0o644 << 16
                about.compress_type = zipfile.ZIP_STORED if file.suffix in PACKED else zipfile.ZIP_DEFLATED
                with archive.open(about, "w", force_zip64=True) as entry:
                    shutil.copyfileobj(source, entry, CHUNK_BYTES)
            there.add(name)
        if not vanished:
            return


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, below, names in os.walk(path):
        below.sort()
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder, name)


def _moment(seconds: float) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second, *_ = time.gmtime(max(seconds, OLDEST_S))
    return year, month, day, hour, minute, second
