"""
Is everything as it was written? The door to `storage.check` and `storage.repair`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aim.core.words import counted
from aim.engine.repository import Repository
from aim.storage.care import check as storage_check
from aim.storage.care import repair as storage_repair
from aim.storage.forms.state import Damage


def check(repository: Repository) -> Iterator[tuple[str, list[Damage]]]:
    """Go through the repository's own files and all runs, by name, with what is damaged in each."""
    return storage_check.check_store(repository.store)


def check_run(repository: Repository, run_hash: str) -> list[Damage]:
    """Name what is damaged in one run. Raises RunNotFound."""
    return storage_check.check_run(repository.store.run_folder(run_hash))


def repair(repository: Repository, run_hash: str, target_root: Path) -> str:
    """
    Write a mended copy of a run into the repository in *target_root*, made if it is not there; give a report for
    people.

    Raises:
        RunExists: the target has a run of that hash.
    """
    target = Repository(target_root, create=True)
    report = storage_repair.repair_run(repository.store.run_folder(run_hash), target.store.runs / run_hash)
    parts = [f"Kept {counted(report.points_kept, 'point')}"]
    if report.points_suspect:
        parts.append(f"{report.points_suspect:,} of them from pages that fail their CRC")
    lost = {"point": report.points_lost, "event line": report.lines_lost, "object": report.blobs_lost}
    parts += [f"lost {counted(count, what)}" for what, count in lost.items() if count]
    return "; ".join(parts) + "." + "".join(f"\n{note}" for note in report.notes)
