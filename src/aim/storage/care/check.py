"""
Checking every byte of a run, for `aim fsck`. Nothing is changed.

    file       checked against
    events     the CRC of each line; that nothing follows a writer's end; the length that the sealed file noted
    edits      the CRC of the line
    segments   header, CRC of each page, and, if the writer has ended, its counts, and that nothing else is in the file
    sealed     block, index, CRC of each page, and the footer against the columns
    blobs      CRCs of each entry, the directory against the entries, and every point's record against both
    artifacts  size and SHA-256 of the files that are kept with the run

What a live writer has not finished is no damage, and neither is what a kill or a power cut leaves: a last line without
its newline, a blob entry that was cut short and that no point refers to, holes. Files that are not Aim's are not
checked. The files of one writer are checked in writer_check.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from aim.core.shield import shielded
from aim.storage.care.writer_check import Progress, WriterCheck, WriterFiles, readable
from aim.storage.disk import layout
from aim.storage.forms import events
from aim.storage.forms.artifact_records import FILES_FOLDER
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import Damage
from aim.storage.sealing.retrying import retrying
from aim.storage.store import Store

CHUNK_BYTES = 1 << 20  # of an artifact are read at once


def check_store(store: Store, progress: Progress | None = None) -> Iterator[tuple[str, list[Damage]]]:
    """
    Check a repository, run by run: hashes with damage. The first hash is empty: the repository's own file.
    """
    text = (store.path / "FORMAT").read_bytes()
    is_whole = text == layout.FORMAT_TEXT.encode()
    yield "", [] if is_whole else [Damage("FORMAT", "byte 0", f"is not {layout.FORMAT_TEXT!r}; `aim repair` writes it")]
    for run_hash in sorted(store.run_hashes()):
        damage: list[Damage] = []
        errors: list[Exception] = []
        shielded(partial(_check_into, damage, store.runs / run_hash, progress), errors.append)
        if errors and isinstance(errors[0], FileNotFoundError):  # deleted meanwhile
            continue
        damage += [Damage(run_hash, "the run", f"can't be checked: {error!r}") for error in errors]
        yield run_hash, damage


def _check_into(damage: list[Damage], run_folder: Path, progress: Progress | None) -> None:
    with readable(run_folder.name, damage):
        damage += check_run(run_folder, progress)


def check_run(run_folder: Path, progress: Progress | None = None) -> list[Damage]:
    """
    Return all damage of the run in *run_folder*, in the order of files.

    Args:
        progress: is called with the name of each file before it is checked.

    Raises:
        FileNotFoundError: the run is not there.

    Cost: reads the whole run.
    """
    return retrying(lambda: _check(run_folder, progress or _ignore))


def _ignore(_file_name: str) -> None:
    return None


def _check(run_folder: Path, progress: Progress) -> list[Damage]:
    damage: list[Damage] = []
    writers, edit_names = _list_files(run_folder)
    for files in writers.values():
        WriterCheck(run_folder, files, damage, progress).run()
    _check_artifacts(run_folder, damage, progress)
    for name in edit_names:
        progress(name)
        with readable(name, damage):
            content = (run_folder / name).read_bytes()
            lines = events.parse(content)
            if len(lines.events) != 1 or lines.bad_spans or lines.end_offset != len(content):
                damage.append(Damage(name, "byte 0", "not a whole edit"))
    return damage


def _check_artifacts(run_folder: Path, damage: list[Damage], progress: Progress) -> None:
    """Check the artifacts that are kept with the run; those that other stores keep are not asked for."""
    try:
        artifacts = RunLog(run_folder).refresh().artifacts
    except FileNotFoundError:
        raise
    except OSError:  # lines that can't be read are named already
        return
    for name, record in sorted(artifacts.items()):
        if record.uri is not None:
            continue
        file_name = f"{FILES_FOLDER}/{name}"
        progress(file_name)
        digest, size_bytes = hashlib.sha256(), 0
        try:
            with readable(file_name, damage), open(run_folder / FILES_FOLDER / name, "rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
                    size_bytes += len(chunk)
        except (FileNotFoundError, NotADirectoryError):
            damage.append(Damage(file_name, "byte 0", "the file of an artifact is missing"))
            continue
        if size_bytes != record.size_bytes:
            problem = f"the file of an artifact has {size_bytes:,} of {record.size_bytes:,} bytes"
            damage.append(Damage(file_name, f"byte {min(size_bytes, record.size_bytes):,}", problem))
        elif digest.hexdigest() != record.sha256:
            damage.append(
                Damage(file_name, "byte 0", "the file of an artifact is not what was logged: its hash differs")
            )


def _list_files(run_folder: Path) -> tuple[dict[str, WriterFiles], list[str]]:
    writers: dict[str, WriterFiles] = {}
    edit_names = []
    for name in sorted(path.name for path in run_folder.iterdir()):
        match = layout.WRITER_FILE.fullmatch(name)
        if match:
            files = writers.setdefault(match[1], WriterFiles(match[1]))
            if match[3]:
                files.segment_numbers.append(int(match[3]))
            elif match[4]:
                files.blob_numbers.append(int(match[4]))
            elif match[2] == "events.jsonl":
                files.has_events = True
            else:
                files.has_sealed = True
        elif layout.EDIT_FILE.fullmatch(name):
            edit_names.append(name)
    return writers, edit_names
