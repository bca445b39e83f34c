"""
How the run of an adapter begins: a new one, or one that is resumed by its hash.

    run_hash=                    that run, which has to exist
    AIM_RUN_HASH                 that run, which the first process makes
    ranks="all", without both    rank 0 makes one, and tells the others by AIM_RUN_HASH, or by a broadcast
    otherwise                    a new run
"""

from __future__ import annotations

import functools
import os

from aim.core.errors import RunNotFound
from aim.sdk import run_services
from aim.sdk.adapters.session import ranks
from aim.sdk.adapters.session.options import SessionOptions
from aim.sdk.run import Run
from aim.storage.disk.layout import new_run_hash

_published: set[str] = set()  # hashes that this process put into the environment, for its workers only


def launcher_hash() -> str | None:
    """Return the hash that a launcher set for this process, or None."""
    run_hash = os.environ.get(ranks.HASH_VARIABLE) or None
    return None if run_hash in _published else run_hash


def published_hash(options: SessionOptions, rank: int) -> str | None:
    """
    Choose the hash of a run that several processes share, and set AIM_RUN_HASH for workers that this process starts.

    Returns:
        The hash; None where it is told in another way, or where each run has one process.
    """
    is_told = options.run is not None or options.run_hash is not None or launcher_hash() is not None
    if options.ranks != "all" or is_told or rank != 0 or ranks.distributed() is not None:
        return None
    run_hash = os.environ[ranks.HASH_VARIABLE] = new_run_hash()
    _published.add(run_hash)
    return run_hash


def retract_hash(run_hash: str) -> None:
    """Take back the hash that this process set for its workers: what it starts from now on is another training."""
    if run_hash in _published and os.environ.get(ranks.HASH_VARIABLE) == run_hash:
        del os.environ[ranks.HASH_VARIABLE]


def begun(options: SessionOptions, run_hash: str | None, rank: int) -> tuple[Run, bool]:
    """
    Return the run of this process, and whether it had been there before.

    Args:
        run_hash: of the run, as far as it is decided.

    Raises:
        RunNotFound: the run that is to be resumed does not exist.
    """
    told_hash = launcher_hash() if run_hash is None else None
    may_create = told_hash is not None or options.ranks == "all"
    run_hash = run_hash or told_hash
    if options.ranks == "all":
        run_hash = ranks.broadcast_hash(run_hash or (new_run_hash() if rank == 0 else None))
    run, is_resumed = _opened(options, run_hash, may_create, rank)
    if rank == 0:
        _describe(run, options)
    if options.ranks == "all" and options.system_tracking_interval is not None:
        writer = run._recording.ready_writer()
        run_services.start_resources(writer, options.system_tracking_interval, {"rank": rank})
    return run, is_resumed


def _opened(options: SessionOptions, run_hash: str | None, may_create: bool, rank: int) -> tuple[Run, bool]:
    opened = functools.partial(
        Run,
        repo=options.repo,
        experiment=options.experiment,
        system_tracking_interval=None if options.ranks == "all" else options.system_tracking_interval,
        log_system_params=options.log_system_params and rank == 0,
        capture_terminal_logs=options.capture_terminal_logs,
    )
    try:
        return opened(run_hash), run_hash is not None
    except RunNotFound:
        if not may_create or run_hash is None:
            raise
    return opened(run_hash, create=True), False


def _describe(run: Run, options: SessionOptions) -> None:
    if options.run_name is not None:
        run.name = options.run_name
    if options.description is not None:
        run.description = options.description
    tags = set(run.tags) if options.tags else set()
    for tag in options.tags:
        if tag not in tags:
            run.add_tag(tag)


def elsewhere(options: SessionOptions, run_hash: str) -> SessionOptions:
    """
    Return *options* for another process, which attaches to the run by its hash.

    The process that began the run records system metrics and captured output.
    """
    repo = options.repo if options.run is None else options.run.repo
    return SessionOptions(
        getattr(repo, "path", repo), None, None, False, False,
        run_hash=run_hash, ranks=options.ranks, rewind_on_resume=options.rewind_on_resume,
    )  # fmt: skip
