"""
Is everything as it was written? The door to `storage.check` and `storage.repair`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from aim.engine.repository import Repository
from aim.storage import check as storage_check
from aim.storage import repair as storage_repair
from aim.storage.state import Damage


def check(
    repository: Repository, run_hashes: Iterable[str], *, whole: bool = True
) -> Iterator[tuple[str, list[Damage]]]:
    """
    Go through runs and what is damaged in each; an undamaged run has an empty list.

    Args:
        whole: judge the repository's own files too.
    """
    if whole:
        yield "repository", storage_check.check_format(repository.store)
    for run_hash in run_hashes:
        yield run_hash, storage_check.check_run(repository.store.run_folder(run_hash))


def repair(repository: Repository, run_hash: str, target_root: Path) -> str:
    """
    Write a mended copy of a run into the repository in *target_root*, made if it is not there; give a report for people.

    Raises:
        RunExists: the target has a run of that hash.
    """
    target = Repository(target_root, create=True)
    report = storage_repair.repair_run(repository.store.run_folder(run_hash), target.store.runs / run_hash)
    return str(report)
