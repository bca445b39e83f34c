"""
An import: sources in, runs of a repository and a report out.

    for each source, for each run:
        files as they were at the last import?   ->  unchanged, nothing is read
        else: read  ->  intake  ->  finish       ->  the run is there, whole, in place of the one before
        read it back and compare                 ->  verified

A run that is interrupted is not there; the next call of the same command makes it. A run whose source has grown or
changed is imported again as a whole: what others did to it here stays (storage/care/importing.py).
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fnmatch
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aim.__about__ import __version__
from aim.convert import fingerprints
from aim.convert.detecting import recognised
from aim.convert.errors import DamagedSource, DiskFull, ExperimentNotFound, SourceBeingWritten, TargetInsideSource
from aim.convert.events import RunFound
from aim.convert.files import is_below
from aim.convert.formats import ImportOptions, Source, SourceRun
from aim.convert.intake import Intake
from aim.convert.names import FULL
from aim.convert.report import IMPORTED, REFUSED, UNCHANGED, Report, RunReport, SourceReport
from aim.core.addresses import folder_of_address
from aim.core.errors import AimError
from aim.engine import importing
from aim.engine.opening import repository_exists
from aim.engine.repository import Repository

if TYPE_CHECKING:
    from aim.storage.care.importing import RunImport

HASH_CHARACTERS = 24
READS_MAX = 3  # of a run that is being written
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class ImportProgress:
    """What is told while an import runs; each method does nothing here."""

    def begin(self, source: Source, runs: Sequence[SourceRun]) -> None:
        """Begin with a source."""

    def read(self, size_bytes: int, points: int) -> None:
        """Some of a run was read: how many bytes about, and how many points."""

    def ended(self, source: Source, run: RunReport) -> None:
        """A run is done."""


def import_(
    source: str | os.PathLike[str],
    repo: str | os.PathLike[str] = ".",
    *,
    format: str | None = None,
    options: ImportOptions | None = None,
    dry_run: bool = False,
    on_progress: Callable[[RunReport], None] | None = None,
) -> Report:
    """
    Import the runs of another tracker.

    Args:
        source: a folder or file; its formats are recognised.
        repo: the folder that contains `.aim`, made if there is none.
        format: read only this one, such as `wandb`.
        options: see `ImportOptions`.
        dry_run: read everything, write nothing.
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
    return import_sources(recognised(source, format), repo, chosen, dry_run=dry_run, progress=_Calling(on_progress))


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
    root = folder_of_address(repo)
    for source in sources:
        if is_below(root, source.path):
            raise TargetInsideSource(source.path, str(root))
    with ExitStack() as stack:
        if dry_run:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aim-import-")))
            target = importing.scratch_repository(scratch)
            earlier = Repository(root) if repository_exists(root) else target
        else:
            target = earlier = Repository(root, create=True)
        stack.enter_context(importing.exclusive(target))
        for source in sources:
            _SourceImport(source, target, earlier, options, progress or ImportProgress(), report).run()
    return report


def hash_of(format_name: str, run_id: str) -> str:
    """
    Return the hash of a run of another tracker: always the same for the same run.

    >>> hash_of("wandb", "ada/digits/base0001")
    '602f9dfdd5f842836f679976'
    """
    digest = hashlib.blake2b(f"{format_name}\0{run_id}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:HASH_CHARACTERS]


class _SourceImport:
    """The runs of one source on their way into the repository *target*; *earlier* has those of earlier imports."""

    def __init__(
        self,
        source: Source,
        target: Repository,
        earlier: Repository,
        options: ImportOptions,
        progress: ImportProgress,
        report: Report,
    ) -> None:
        self._source = source
        self._target = target
        self._earlier = earlier
        self._options = options
        self._progress = progress
        self._report = SourceReport(source.format, source.importer.title, str(source.path))
        report.sources.append(self._report)

    def run(self) -> None:
        """Import the runs one after the other. Raises ExperimentNotFound, DiskFull; DamagedSource in strict mode."""
        runs = self._runs()
        self._progress.begin(self._source, runs)
        for run in runs:
            done = self._one(run)
            if done is not None:
                self._report.runs.append(done)
                self._progress.ended(self._source, done)

    def _runs(self) -> list[SourceRun]:
        runs = list(self._source.importer.runs(self._source, self._options))
        experiment = self._options.experiment
        if experiment is None:
            return runs
        chosen = [run for run in runs if experiment in (run.experiment, run.experiment_id)]
        if not chosen:
            raise ExperimentNotFound(self._source.path, experiment, {run.experiment or "" for run in runs})
        return chosen

    def _one(self, run: SourceRun) -> RunReport | None:
        run_hash = run.run_hash or hash_of(self._source.format, run.run_id)
        stamp = {**fingerprints.of_files(run.files), **({"stamp": run.stamp} if run.stamp else {})}
        meaning = {"reading": self._source.importer.version, **self._options.meaning()}
        note = importing.note_of(self._earlier, run_hash)
        if note is not None and (note.get("files"), note.get("meaning")) == (stamp, meaning):
            return RunReport(run.title, run_hash, UNCHANGED)
        if note is None and self._earlier.has_run(run_hash):
            reason = "there is a run of its hash, which was not imported"
            return RunReport(run.title, run_hash, REFUSED, reason)
        for _ in range(READS_MAX - 1):
            with contextlib.suppress(SourceBeingWritten):
                return self._attempt(run, run_hash, {"files": stamp, "meaning": meaning})
        try:
            return self._attempt(run, run_hash, {"files": stamp, "meaning": meaning})
        except SourceBeingWritten as error:
            return RunReport(run.title, run_hash, REFUSED, str(error))

    def _attempt(self, run: SourceRun, run_hash: str, note: dict[str, Any]) -> RunReport | None:
        target = importing.begin(self._target, run_hash)
        try:
            return self._read(run, run_hash, target, note)
        except (DamagedSource, SourceBeingWritten):
            raise
        except (AimError, OSError) as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise DiskFull(self._target.address, error.errno) from error
            return RunReport(run.title, run_hash, REFUSED, str(error))
        finally:
            target.abandon()

    def _read(self, run: SourceRun, run_hash: str, target: RunImport, note: dict[str, Any]) -> RunReport | None:
        keeps_names = self._source.importer.keeps_names
        options = dataclasses.replace(self._options, naming=FULL) if keeps_names else self._options
        intake = Intake(target, options, self._source.path)
        for event in self._source.importer.read(self._source, run, self._options):
            intake.take(event)
            if isinstance(event, RunFound) and not self._is_asked_for(run, event):
                return None
        described = intake.description.run
        if described is None:  # nothing in its files can be read: what there was is counted
            self._report.beside.add(intake.counts)
            return None
        origin = {
            "from": self._source.format,
            "tool_version": described.tool_version,
            "id": run.run_id,
            "source": str(self._source.path),
            "at": time.time(),
            "parent": None if described.parent is None else hash_of(self._source.format, described.parent),
            "url": described.url,
        }
        intake.finish(origin, run.experiment)
        ended = intake.description.ended
        target.write(status=ended.status, ended_at_s=ended.at_s, error=ended.error)
        report = RunReport(run.title, run_hash, IMPORTED, counts=intake.counts)
        report.renamed = [(*old, *new) for old, new in intake.names.renamed.items()]
        _verify(report, target, intake)
        if report.is_verified:
            target.finish({"format": 1, "aim": __version__, **origin, **note, "report": report.to_json()})
            _name_tags(self._target, intake)
        else:
            report.state, report.reason = REFUSED, "what was read back differs from the source; nothing of it is kept"
        return report

    def _is_asked_for(self, run: SourceRun, described: RunFound) -> bool:
        only, since_s = self._options.only, self._options.since_s
        names = (run.title, described.name or "")
        if only and not any(fnmatch.fnmatchcase(name, pattern) for pattern in only for name in names):
            return False
        return since_s is None or described.created_at_s is None or described.created_at_s >= since_s


def _verify(report: RunReport, target: RunImport, intake: Intake) -> None:
    """Read the run back, compare it with what was fed in, and count the points that were logged again."""
    sums = importing.checksums(target)
    report.is_verified = sums == intake.sums
    if report.is_verified:
        report.counts.merged = importing.superseded_count(target, sums)
        report.counts.points -= report.counts.merged


def _name_tags(repository: Repository, intake: Intake) -> None:
    described = [tag for tag in intake.description.tags.values() if tag.color or tag.description]
    if described:
        tags = repository.tags(by="import")
        for tag in described:
            tags.put(tag.name, color=tag.color, description=tag.description)
