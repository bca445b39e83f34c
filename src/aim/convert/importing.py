"""
An import: sources in, runs of a repository and a report out.

    for each source: `SourceImport`, run by run (source_import.py)

A run that is interrupted is not there; the next call of the same command makes it. A run whose source has grown or
changed is imported again as a whole: what others did to it here stays (storage/care/importing.py).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from aim.convert.detecting import recognised
from aim.convert.errors import TargetInsideSource
from aim.convert.files import is_below
from aim.convert.formats import ImportOptions, Source
from aim.convert.report import Report, RunReport
from aim.convert.source_import import ImportProgress, SourceImport
from aim.core.addresses import folder_of_address, is_server
from aim.engine import importing
from aim.engine.importing import ImportTarget
from aim.engine.opening import repository_exists


def import_(
    source: str | os.PathLike[str],
    repo: str | os.PathLike[str] = ".",
    *,
    format: str | None = None,
    options: ImportOptions | None = None,
    dry_run: bool = False,
    jobs: int = 1,
    on_progress: Callable[[RunReport], None] | None = None,
) -> Report:
    """
    Import the runs of another tracker.

    Args:
        source: a folder or file; its formats are recognised.
        repo: the folder that contains `.aim`, made if there is none; or a project of a server over a cluster, such as
            `aim://host:53800/vision`.
        format: read only this one, such as `wandb`.
        options: see `ImportOptions`.
        dry_run: read everything, write nothing.
        jobs: so many processes read and write runs at the same time; they start the calling script anew, as those of
            the module `multiprocessing` do.
        on_progress: is called with each run that is done.

    Raises:
        SourceNotFound, SourceNotRecognised, NeedsExtra, TargetInsideSource: nothing was written.
        ExperimentNotFound: no run of a source is of the experiment that the options ask for.
        DamagedSource: in strict mode; the runs before are imported.
        DiskFull: the runs before are imported.

    >>> report = import_("tests/data/imports/tb-torch/lenet", repo=tempfile.mkdtemp())
    >>> report.points > 0, report.exit_code
    (True, 0)
    """

    chosen = options or ImportOptions()
    return import_sources(
        recognised(source, format), repo, chosen, dry_run=dry_run, jobs=jobs, progress=_Calling(on_progress)
    )


class _Calling(ImportProgress):
    """Calls a function with each run that is done."""

    def __init__(self, call: Callable[[RunReport], None] | None) -> None:
        self._call = call

    def ended(self, source: Source, run: RunReport) -> None:
        """A run is done."""
        if self._call is not None:
            self._call(run)


def import_sources(
    sources: Sequence[Source],
    repo: str | os.PathLike[str],
    options: ImportOptions,
    *,
    dry_run: bool = False,
    jobs: int = 1,
    progress: ImportProgress | None = None,
    report: Report | None = None,
) -> Report:
    """
    Import recognised sources; see `import_`.

    Args:
        report: filled while the import runs, so that an interrupted one has what was done.
    """
    report = report or Report()
    report.is_dry_run = dry_run
    for source in sources:
        if not is_server(repo) and is_below(folder_of_address(repo), source.path):
            raise TargetInsideSource(source.path, str(folder_of_address(repo)))
    with ExitStack() as stack:
        if dry_run:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aim-import-")))
            target: ImportTarget = importing.scratch_repository(scratch)
            is_there = is_server(repo) or repository_exists(folder_of_address(repo))
            earlier = importing.import_target(repo) if is_there else target
        else:
            target = earlier = importing.import_target(repo)
        stack.enter_context(importing.exclusive(target))
        for source in sources:
            SourceImport(source, target, earlier, options, report, progress).run(jobs)
    return report
