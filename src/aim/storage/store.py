"""
The repository folder: create, find, list, delete and copy runs. Specified in docs/formats/repository.md.

Everything here is some atomic renames and links, so any number of processes may do it at once.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import time
from pathlib import Path

from aim.core.addresses import has_scheme
from aim.core.errors import OldRepository, RepoNotFound, RunExists, RunNotFound, UnsupportedFormat, UsageError
from aim.core.logs import log
from aim.core.words import counted
from aim.storage.disk import changes, layout
from aim.storage.disk.files import DISK, SCRATCH_AGE_S, Disk
from aim.storage.forms import tombstones

FOLDER_NAME = ".aim"
FOLDER_NAME_VARIABLE = "__AIM_REPO_NAME__"
SIBLING = ".aim4-import"
"""The folder beside a repository of Aim 3 that holds this version's: imported runs, and those recorded since."""
COPY_ATTEMPTS = 3
NOT_THERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))  # other errors say nothing of a run
RUNS_ASKED = 20
BEGIN_FORMAT = re.compile(rb'"begin":\{"format":(\d{1,9})')

_warned: set[str] = set()


def folder_name() -> str:
    """
    Return the name of a repository's folder: `.aim`, or the value of `__AIM_REPO_NAME__`.

    Raises:
        UsageError: the variable holds an address.
    """
    name = os.environ.get(FOLDER_NAME_VARIABLE) or FOLDER_NAME
    if has_scheme(name):
        raise UsageError(
            f"{FOLDER_NAME_VARIABLE} is {name!r}; it has to be the name of a folder, such as {FOLDER_NAME}."
        )
    return name


def is_repository(path: Path) -> bool:
    """Return whether *path* is a repository's folder (the `.aim` itself)."""
    return os.path.isfile(path / "FORMAT")  # `Path.is_file` raises for a name that is too long


def is_old_repository(path: Path) -> bool:
    """Return whether *path* is the `.aim` of a repository of Aim 3."""
    return not is_repository(path) and (
        os.path.exists(path / "run_metadata.sqlite") or os.path.exists(path / "VERSION")
    )


def old_repository_text(path: Path) -> str:
    """Return the two sentences that are said wherever a repository of Aim 3 is met: what it is, and what to do."""
    try:
        version = f"format {(path / 'VERSION').read_text(errors='replace').strip()[:20]}"
    except OSError:
        version = "no format named"
    try:
        count = len(os.listdir(path / "meta" / "chunks"))
    except OSError:
        count = 0
    return (
        f"{path} was written by Aim 3 ({version}, {counted(count, 'run')}), and this version leaves it as it is. "
        f"Copy its runs by `aim storage --repo {path.parent} upgrade 3to4` into {path.parent / SIBLING}, where this "
        "version records and reads."
    )


def find_root(start: Path) -> Path | None:
    """
    Return the nearest ancestor of *start*, or itself, that holds a repository of this version or of Aim 3; None when
    none does.
    """
    name = folder_name()
    for candidate in (start, *start.parents):
        if is_repository(candidate / name) or is_old_repository(candidate / name):
            return candidate
    return None


class Store:
    """
    The repository in the folder *path* (the `.aim`).

    Raises:
        RepoNotFound: there is none, and *create* is false.
        UnsupportedFormat: it was written by a newer version of Aim.
        OldRepository: it was written by Aim 3.

    A damaged FORMAT hides nothing: the folders tell what it said. A warning says so, once a process.
    """

    def __init__(self, path: Path, *, create: bool = False, disk: Disk = DISK) -> None:
        self.path = path
        self.disk = disk
        if not is_repository(path):
            if is_old_repository(path):
                raise OldRepository(old_repository_text(path))
            if not create:
                raise RepoNotFound(
                    f"Cannot find repository '{path.parent}': there is no {path.name} in it. Run `aim init` there."
                )
            self._create()
        self._check_format()
        self.runs = path / "runs"
        self._runs_prefix = f"{self.runs}{os.sep}"
        self.trash = path / layout.TRASH_FOLDER

    def _create(self) -> None:
        self.disk.make_folder(self.path / "runs")
        self.disk.publish(self.path / "FORMAT", layout.FORMAT_TEXT.encode())
        self.disk.sync_folder(self.path.parent)

    def _check_format(self) -> None:
        path = self.path / "FORMAT"
        content = path.read_bytes()
        try:
            number: int | None = int(json.loads(content)["format"])
        except (ValueError, KeyError, TypeError):
            number = None  # the folders say that it is a repository, and no version but this one had them
        if number is None or (_is_one_bit_off(content) and self._runs_are_known()):
            if str(path) not in _warned:
                _warned.add(str(path))
                log.warning("Aim: %s is damaged, and the repository is read anyway. `aim repair` mends it.", path)
            return
        if number > layout.FORMAT_NUMBER:
            raise UnsupportedFormat(
                f"{self.path} has format {number}; this version of Aim reads up to {layout.FORMAT_NUMBER}. "
                "Install a newer Aim."
            )

    def _runs_are_known(self) -> bool:
        """
        Return whether there are runs, and the newest of them are of a format that this version knows: each writer says
        its own in its first line.
        """
        runs = self.path / "runs"
        try:
            names = sorted(os.listdir(runs), key=lambda name: os.stat(runs / name).st_mtime, reverse=True)
            files = [path for name in names[:RUNS_ASKED] for path in (runs / name).glob("*.events.jsonl")]
            formats = [_format_of(path) for path in files]
        except OSError:
            return False
        numbers = [number for number in formats if number is not None]
        return bool(numbers) and max(numbers) <= layout.FORMAT_NUMBER

    def write_format(self) -> bool:
        """Write the file FORMAT anew if it is damaged; return whether it was."""
        path, content = self.path / "FORMAT", layout.FORMAT_TEXT.encode()
        if path.read_bytes() == content:
            return False
        scratch = self.path / f".FORMAT.{os.urandom(4).hex()}"
        self.disk.write_new(scratch, content)
        self.disk.rename(scratch, path)
        self.disk.sync_folder(self.path)
        return True

    def run_hashes(self) -> list[str]:
        """List the runs, in no order."""
        try:
            with os.scandir(self.runs) as entries:
                return [entry.name for entry in entries if layout.RUN_HASH.fullmatch(entry.name) and entry.is_dir()]
        except FileNotFoundError:
            return []

    def has_run(self, run_hash: object) -> bool:
        """Return whether there is a run of that hash."""
        if not isinstance(run_hash, str) or layout.RUN_HASH.fullmatch(run_hash) is None:
            return False
        try:  # of a text: a `Path` costs five times the call
            return stat.S_ISDIR(os.stat(self._runs_prefix + run_hash).st_mode)
        except OSError as error:
            if error.errno in NOT_THERE:
                return False
            raise

    def run_folder(self, run_hash: str) -> Path:
        """
        Return the folder of a run.

        Raises:
            RunNotFound: there is no such run.
        """
        if not self.has_run(run_hash):
            raise RunNotFound(
                f"Cannot find run {run_hash!r} in repository '{self.path.parent}'. `aim runs ls` lists the runs."
            )
        return self.runs / run_hash

    def create_run(self, run_hash: str | None = None, *, sync: bool = True) -> Path:
        """
        Return the folder of a new run, or of the run *run_hash*, made if it is not there.

        Args:
            sync: wait until its name is on the disk; else whoever calls has `runs` synced later.
        """
        name = layout.new_run_hash() if run_hash is None else layout.check_run_hash(run_hash)
        folder = self.runs / name
        if not folder.is_dir():
            self.disk.make_folder(folder)
            if sync:
                self.disk.sync_folder(self.runs)
        return folder

    def delete_run(self, run_hash: str) -> None:
        """
        Delete a run: its folder leaves `runs/` at once, then its files go.

        Raises:
            RunNotFound: there is no such run.
        """
        folder = self.run_folder(run_hash)
        self.disk.make_folder(self.trash)
        doomed = self.trash / f"{run_hash}.{os.urandom(4).hex()}"
        tombstones.write(self.trash, run_hash, self.disk)
        try:
            self.disk.rename(folder, doomed)
        except FileNotFoundError:
            raise RunNotFound(f"Run {run_hash!r} was deleted by somebody else meanwhile.") from None
        changes.touch(folder, self.disk)
        self.disk.remove_folder(doomed)

    def empty_trash(self) -> None:
        """Remove what a killed `delete_run` left, and what a killed copy, fork or import left an hour ago."""
        if self.trash.is_dir():
            for doomed in self.trash.iterdir():
                if doomed.name != tombstones.FILE_NAME:
                    self.disk.remove_folder(doomed)
        for scratch in self.path.iterdir():
            is_scratch = scratch.name.startswith((".copy-", ".fork-", ".import-")) and scratch.is_dir()
            if is_scratch and time.time() - scratch.stat().st_mtime > SCRATCH_AGE_S:
                self.disk.remove_folder(scratch)

    def copy_run(self, run_hash: str, target: Store) -> None:
        """
        Copy a run into another repository, under the same hash. A live run is copied as it is at the moment.

        Raises:
            RunNotFound: there is no such run here.
            RunExists: *target* has a run of that hash.
        """
        folder = self.run_folder(run_hash)
        if target.has_run(run_hash):
            raise RunExists(f"Run {run_hash!r} is in repository '{target.path.parent}' already. Delete it there first.")
        scratch = target.path / f".copy-{run_hash}-{os.urandom(4).hex()}"
        try:
            self._copy_files(folder, scratch)
            _sync_files(scratch, target.disk)  # of a run that is moved, the original is deleted next
            try:
                target.disk.rename(scratch, target.runs / run_hash)
                changes.touch(target.runs / run_hash, target.disk)
            except OSError:
                if target.has_run(run_hash):
                    raise RunExists(f"Run {run_hash!r} has come into '{target.path.parent}' meanwhile.") from None
                raise
        finally:
            target.disk.remove_folder(scratch)

    def _copy_files(self, folder: Path, scratch: Path) -> None:
        import shutil  # not before something is copied: a training only records

        for attempt in range(COPY_ATTEMPTS):
            try:
                shutil.copytree(folder, scratch, ignore=_scratch_files)
                return
            except (shutil.Error, FileNotFoundError):  # files vanish while a run is sealed: then as it is afterwards
                self.disk.remove_folder(scratch)
                if not folder.is_dir():
                    raise RunNotFound(f"Run {folder.name!r} was deleted by somebody else meanwhile.") from None
                if attempt == COPY_ATTEMPTS - 1:
                    raise


def _sync_files(folder: Path, disk: Disk) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = disk.open_existing(path)
            try:
                disk.sync(descriptor)
            finally:
                os.close(descriptor)
        else:
            disk.sync_folder(path)
    disk.sync_folder(folder)


def _scratch_files(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(".")]


def _is_one_bit_off(content: bytes) -> bool:
    r"""
    Return whether a file FORMAT differs in one bit from that of this version: 3, 5 and 9 look like newer formats.

    >>> _is_one_bit_off(b'{"format": 3}\n'), _is_one_bit_off(b'{"format": 2}\n')
    (True, False)
    """
    right = layout.FORMAT_TEXT.encode()
    bits = sum((byte ^ right_byte).bit_count() for byte, right_byte in zip(content, right))
    return len(content) == len(right) and bits == 1


def _format_of(path: Path) -> int | None:
    """Return the format that the first line of an event file names; None when it can't be read."""
    with open(path, "rb") as file:
        begin = BEGIN_FORMAT.search(file.readline())
    return None if begin is None else int(begin[1])
