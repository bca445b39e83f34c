"""
Names: of a repository's files, of writers and of runs. Specified in docs/formats/repository.md.
"""

from __future__ import annotations

import os
from pathlib import Path

from aim.core.errors import UsageError
from aim.core.patterns import pattern

TRASH_FOLDER = "trash"  # beside `runs`: deleted runs lie there until they are removed
FORMAT_NUMBER = 1
FORMAT_TEXT = '{"format": 1}\n'
RUN_HASH = pattern(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
WRITER_FILE = pattern(r"([0-9a-f]{8})\.(events\.jsonl|points-(\d{4,})|points\.parquet|blobs-(\d{4,})\.zip)")
WRITER_ID = pattern(r"[0-9a-f]{8}")
COMPLETE_FILE = pattern(r"([0-9a-f]{8})\.complete")
SHA256 = pattern(r"[0-9a-f]{64}")
EDIT_FILE = pattern(r"edit-(\d{16,})-([0-9a-f]{8})\.json")


def new_run_hash(hash_length: int = 24) -> str:
    """Draw the hash of a new run: *hash_length* hex digits, 32 at most."""
    return os.urandom(-(-hash_length // 2)).hex()[:hash_length]


def new_writer_id() -> str:
    """Draw the id of a new writer: 8 hex digits."""
    return os.urandom(4).hex()


def check_run_hash(run_hash: str) -> str:
    """Return *run_hash* if it can name a run, else raise `UsageError`."""
    if isinstance(run_hash, str) and RUN_HASH.fullmatch(run_hash):
        return run_hash
    raise UsageError(
        f"{run_hash!r} can't name a run: use 1 to 64 letters, digits, '.', '_' or '-', and no dot at the beginning."
    )


def events_file(folder: Path, writer: str) -> Path:
    """Name a writer's event file."""
    return folder / f"{writer}.events.jsonl"


def segment_file(folder: Path, writer: str, number: int) -> Path:
    """Name a writer's journal segment."""
    return folder / f"{writer}.points-{number:04d}"


def sealed_file(folder: Path, writer: str) -> Path:
    """Name a writer's sealed points."""
    return folder / f"{writer}.points.parquet"


def blob_file(folder: Path, writer: str, number: int) -> Path:
    """Name a writer's blob file."""
    return folder / f"{writer}.blobs-{number:04d}.zip"


def complete_file(folder: Path, writer: str) -> Path:
    """Name the empty file that says of a shipped writer: it records no more, and all of it is here."""
    return folder / f"{writer}.complete"


def blob_files(folder: Path, writer: str) -> list[tuple[int, Path]]:
    """Return number and path of each blob file of a writer, ascending; files of other names are not among them."""
    names = (WRITER_FILE.fullmatch(path.name) for path in folder.glob(f"{writer}.blobs-*.zip"))
    return sorted((int(name[4]), folder / name[0]) for name in names if name)


def edit_file(folder: Path, at_us: int) -> Path:
    """Name a new edit."""
    return folder / f"edit-{at_us:016d}-{os.urandom(4).hex()}.json"
