"""
The care for the files of a repository in a folder: check, repair, seal, pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from aim.core.words import counted
from aim.engine import sealing
from aim.engine.repository import Repository
from aim.storage.forms.state import Damage


def check(repository: Repository) -> Iterator[tuple[str, list[Damage]]]:
    """Go through the repository's own files (as "") and all runs, with the damage of each."""
    return repository.backend.files.check()


def check_run(repository: Repository, run_hash: str) -> list[Damage]:
    """Return the damage of one run. Raises RunNotFound."""
    return repository.backend.files.check_run(run_hash)


def repair(repository: Repository, run_hash: str, target_root: Path) -> str:
    """
    Write a mended copy of a run into the repository in *target_root*, made if there is none; return a report for
    people.

    Raises:
        RunExists: the target has a run of that hash.
    """
    target = Repository(target_root, create=True)
    report = repository.backend.files.repair_run(run_hash, target.backend.files)
    parts = [f"Kept {counted(report.points_kept, 'point')}"]
    if report.points_suspect:
        parts.append(f"{report.points_suspect:,} of them from pages that fail their CRC")
    losses = {"point": report.points_lost, "event line": report.lines_lost, "object": report.blobs_lost}
    parts += [f"lost {counted(count, noun)}" for noun, count in losses.items() if count]
    return "; ".join(parts) + "." + "".join(f"\n{note}" for note in report.notes)


def repair_format(repository: Repository) -> bool:
    """Write the repository's file FORMAT anew if it is damaged; return whether it was."""
    return repository.backend.files.repair_format()


def seal(repository: Repository, run_hashes: Iterable[str], progress: Callable[[], None] | None = None) -> int:
    """
    Seal the ended writers of runs, and return how many; *progress* is called after each run.

    A run that can't be read or written is left as it is; a warning says how many were, and names the first.
    """
    folders = (repository.backend.files.run_folder(run_hash) for run_hash in run_hashes)
    return sealing.seal_all(folders, None if progress is None else lambda _folder, _sealed: progress())


def write_archive(repository: Repository, target: Path, progress: Callable[[str], None] | None = None) -> int:
    """Write all runs into the ZIP file *target*; return how many they are. *progress* is called with each run."""
    return repository.backend.files.write_archive(target, progress)
