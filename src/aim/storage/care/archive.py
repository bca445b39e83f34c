"""
All of a repository in one ZIP: `.aim/FORMAT`, `.aim/runs/<hash>/...`; unpacked anywhere, it is a repository.

A live run is packed as it is at the moment. When a journal is sealed meanwhile and its segments are gone, the folder is
listed again and the sealed file is packed. If both forms of a journal get in, readers use either. A file that the disk
refuses to read is left out from there on, with a warning, and everything else is packed.
"""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from aim.storage.disk import unreadable
from aim.storage.store import Store

COMPRESSED_SUFFIXES = frozenset((".parquet", ".zip"))
LEFT_OUT = frozenset(("changes", "trash"))  # stamps of changes, and deleted runs
LOOKS_MAX = 3
FORMAT = "FORMAT"
CHUNK_BYTES = 1 << 20
TIME_MIN_S = 315_532_800.0  # ZIP has no time before 1980


def write_archive(
    store: Store,
    target: Path | BinaryIO,
    progress: Callable[[str], None] | None = None,
    *,
    run_hashes: Iterable[str] | None = None,
) -> int:
    """
    Write the archive of a repository to the file *target*; return how many runs it has.

    Args:
        run_hashes: only these runs, and nothing else but `FORMAT`; None: everything.
        progress: is called with the hash of each run that was packed.

    Raises:
        OSError: *target* can't be written.

    Cost: 30 ms a megabyte of journals and lines; sealed points and objects are copied. Memory: a megabyte.
    """
    is_whole = run_hashes is None
    hashes = sorted(store.run_hashes() if run_hashes is None else run_hashes)
    with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        for name in sorted(os.listdir(store.path)):
            if name == FORMAT or (is_whole and name not in LEFT_OUT and name != "runs" and not name.startswith(".")):
                _add(archive, store.path, store.path / name)
        for run_hash in hashes:
            _add(archive, store.path, store.runs / run_hash)
            if progress is not None:
                progress(run_hash)
    return len(hashes)


def _add(archive: zipfile.ZipFile, root: Path, path: Path) -> None:
    packed_names = set(archive.namelist())
    for _ in range(LOOKS_MAX):
        is_incomplete = False
        for file in _files(path):
            name = f"{root.name}/{file.relative_to(root).as_posix()}"
            if name in packed_names:
                continue
            try:
                source = open(file, "rb")  # noqa: SIM115 - only its opening may fail so
            except FileNotFoundError:
                is_incomplete = True
                continue
            except OSError as error:
                unreadable.note(file, error)
                packed_names.add(name)
                continue
            with source:
                header = zipfile.ZipInfo(name, _zip_time(os.fstat(source.fileno()).st_mtime))
                header.external_attr = 0o644 << 16
                is_compressed = file.suffix in COMPRESSED_SUFFIXES
                header.compress_type = zipfile.ZIP_STORED if is_compressed else zipfile.ZIP_DEFLATED
                with archive.open(header, "w", force_zip64=True) as entry:
                    while chunk := _chunk(source, file):
                        entry.write(chunk)
            packed_names.add(name)
        if not is_incomplete:
            return


def _chunk(source: BinaryIO, file: Path) -> bytes:
    try:
        return source.read(CHUNK_BYTES)
    except OSError as error:  # what was read until here is packed; the CRCs of its form tell what is missing
        unreadable.note(file, error)
        return b""


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, below, names in os.walk(path):
        below.sort()
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder, name)


def _zip_time(seconds: float) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second, *_ = time.gmtime(max(seconds, TIME_MIN_S))
    return year, month, day, hour, minute, second
