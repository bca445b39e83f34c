"""
One source on its way into a repository, run by run, by one process or by several.

    files as they were at the last import?   ->  unchanged, nothing is read
    else: read  ->  intake  ->  finish       ->  the run is there, whole, in place of the one before
    read it back and compare                 ->  verified

With several processes each makes whole runs of its own: a run is a folder that one rename puts in its place, so they
share nothing but the list of runs. A process that is killed ends the import; the runs that are done stay.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fnmatch
import hashlib
import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aim.__about__ import __version__
from aim.convert import fingerprints
from aim.convert.errors import DamagedSource, DiskFull, ExperimentNotFound, SourceBeingWritten
from aim.convert.events import BytesRead, Event, RunFound
from aim.convert.formats import Following, ImportOptions, Source, SourceRun
from aim.convert.intake import Intake
from aim.convert.names import FULL
from aim.convert.report import IMPORTED, REFUSED, UNCHANGED, Counts, Report, RunReport, SourceReport
from aim.core.errors import AimError
from aim.engine import importing
from aim.engine.growing import RunGrowth
from aim.engine.importing import ImportTarget
from aim.engine.repository import Repository

if TYPE_CHECKING:
    from aim.storage.care.importing import RunImport

HASH_CHARACTERS = 24
READS_MAX = 3  # of a run that is being written
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
Stamp = dict[str, Any]


class ImportProgress:
    """What is told while an import runs; each method does nothing here."""

    def begin(self, source: Source, runs: Sequence[SourceRun]) -> None:
        """Begin with a source."""

    def read(self, size_bytes: int) -> None:
        """So many more bytes of a run were read, about."""

    def ended(self, source: Source, run: RunReport) -> None:
        """A run is done."""


def hash_of(format_name: str, run_id: str) -> str:
    """
    Return the hash of a run of another tracker: always the same for the same run.

    >>> hash_of("wandb", "ada/digits/base0001")
    '602f9dfdd5f842836f679976'
    """
    digest = hashlib.blake2b(f"{format_name}\0{run_id}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:HASH_CHARACTERS]


class SourceImport:
    """
    The runs of one source on their way into a repository.

    Attributes:
        intake: of the run that was imported last; it can take what comes later.

    Args:
        earlier: has the runs of earlier imports: *target* itself, unless nothing is to be written.
        report: gets the report of the source.
    """

    def __init__(
        self,
        source: Source,
        target: ImportTarget,
        earlier: ImportTarget,
        options: ImportOptions,
        report: Report,
        progress: ImportProgress | None = None,
    ) -> None:
        self.intake: Intake | None = None
        self._source = source
        self._target = target
        self._earlier = earlier
        self._options = options
        self._progress = progress or ImportProgress()
        self._report = SourceReport(source.format, source.importer.title, source.label)
        report.sources.append(self._report)

    def run(self, jobs: int = 1) -> None:
        """
        Import the runs, by so many processes.

        Raises:
            ExperimentNotFound, DiskFull; DamagedSource in strict mode.
            AimError: one of several processes was killed.
        """
        runs = self.runs()
        self._progress.begin(self._source, runs)
        target, earlier = self._target, self._earlier
        may_be_parallel = jobs > 1 and len(runs) > 1 and self._source.importer.is_parallel
        if may_be_parallel and isinstance(target, Repository) and isinstance(earlier, Repository):
            imported = self._by_processes(runs, jobs, (target.files.parent, earlier.files.parent))
        else:
            imported = map(self.take, runs)
        for done in imported:
            if done is not None:
                self._report.runs.append(done)
                self._progress.ended(self._source, done)

    def _by_processes(
        self, runs: Sequence[SourceRun], jobs: int, roots: tuple[Path, Path]
    ) -> Iterator[RunReport | None]:
        pool = ProcessPoolExecutor(
            min(jobs, len(runs)),
            multiprocessing.get_context("spawn"),
            initializer=_begin_process,
            initargs=(self._source, *roots, self._options),
        )
        try:
            for done, beside in pool.map(_import_one, runs):
                self._report.beside.add(beside)
                yield done
        except BrokenProcessPool:
            raise AimError(
                "A process of the import was ended from outside, perhaps because memory ran out. The runs that are "
                "done stay; the same command goes on, and needs less memory with fewer --jobs."
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    @property
    def report(self) -> SourceReport:
        """What was done so far."""
        return self._report

    def runs(self) -> list[SourceRun]:
        """List the runs that are asked for. Raises ExperimentNotFound."""
        runs = list(self._source.importer.runs(self._source, self._options))
        experiment = self._options.experiment
        if experiment is None:
            return runs
        chosen = [run for run in runs if experiment in (run.experiment, run.experiment_id)]
        if not chosen:
            raise ExperimentNotFound(self._source.label, experiment, {run.experiment or "" for run in runs})
        return chosen

    def growth(self, run: SourceRun) -> RunGrowth:
        """Return what records what a run still gets that is here. Raises RunNotFound, DiskRefused."""
        assert isinstance(self._target, Repository), "only sources that go into a folder are followed"
        return RunGrowth(self._target, self.hash_of(run))

    def hash_of(self, run: SourceRun) -> str:
        """Return the hash of a run here."""
        return run.run_hash or hash_of(self._source.format, run.run_id)

    def take(self, run: SourceRun, following: Following | None = None) -> RunReport | None:
        """
        Import one run, unless it is here as it is; None: it is not asked for, or there is none.

        Args:
            following: reads it, so that it can be read on later; None: the importer does.
        """
        run_hash = self.hash_of(run)
        meaning = {"reading": self._source.importer.version, **self._options.meaning()}
        note = {"files": stamp_of(run), "meaning": meaning}
        earlier = importing.note_of(self._earlier, run_hash)
        if earlier is not None and (earlier.get("files"), earlier.get("meaning")) == (note["files"], meaning):
            return RunReport(run.title, run_hash, UNCHANGED)
        reason = importing.obstacle(self._earlier, run_hash)
        if reason is not None:
            return RunReport(run.title, run_hash, REFUSED, reason)
        for _ in range(READS_MAX - 1):
            with contextlib.suppress(SourceBeingWritten):
                return self._attempt(run, note, following)
        try:
            return self._attempt(run, note, following)
        except SourceBeingWritten as error:
            return RunReport(run.title, run_hash, REFUSED, str(error))

    def _attempt(self, run: SourceRun, note: dict[str, Any], following: Following | None) -> RunReport | None:
        run_hash = self.hash_of(run)
        target = importing.begin(self._target, run_hash)
        try:
            events = following.look(run) if following else self._source.importer.read(self._source, run, self._options)
            return self._read(run, target, events, note)
        except (DamagedSource, SourceBeingWritten):
            raise
        except (AimError, OSError) as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise DiskFull(self._target.address, error.errno) from error
            return RunReport(run.title, run_hash, REFUSED, str(error))
        finally:
            target.abandon()

    def _read(
        self, run: SourceRun, target: RunImport, events: Iterator[Event], note: dict[str, Any]
    ) -> RunReport | None:
        keeps_names = self._source.importer.keeps_names
        options = dataclasses.replace(self._options, naming=FULL) if keeps_names else self._options
        intake = Intake(target, options, self._source.root)
        for event in events:
            if isinstance(event, BytesRead):
                self._progress.read(event.size_bytes)
                continue
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
            "source": self._source.label,
            "at": time.time(),
            "parent": None if described.parent is None else hash_of(self._source.format, described.parent),
            "url": described.url,
        }
        intake.finish(target, origin, run.experiment)
        ended = intake.description.ended
        target.write(status=ended.status, ended_at_s=ended.at_s, error=ended.error)
        report = RunReport(run.title, target.run_hash, IMPORTED, counts=intake.counts)
        report.renamed = [(*old, *new) for old, new in intake.names.renamed.items()]
        _verify(report, target, intake)
        if report.is_verified:
            target.finish({"format": 1, "aim": __version__, **origin, **note, "report": report.to_json()})
            _name_tags(self._target, intake)
            self.intake = intake
        else:
            report.state, report.reason = REFUSED, "what was read back differs from the source; nothing of it is kept"
        return report

    def _is_asked_for(self, run: SourceRun, described: RunFound) -> bool:
        only, since_s = self._options.only, self._options.since_s
        names = (run.title, described.name or "")
        if only and not any(fnmatch.fnmatchcase(name, pattern) for pattern in only for name in names):
            return False
        return since_s is None or described.created_at_s is None or described.created_at_s >= since_s


def stamp_of(run: SourceRun) -> Stamp:
    """Return what tells whether a run of a source changed, as JSON."""
    return {**fingerprints.of_files(run.files), **({"stamp": run.stamp} if run.stamp else {})}


_of_this_process: list[SourceImport] = []


def _begin_process(source: Source, target: Path, earlier: Path, options: ImportOptions) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's: the run at hand is finished
    repository = Repository(target)
    before = repository if earlier == target else Repository(earlier)
    _of_this_process[:] = [SourceImport(source, repository, before, options, Report())]


def _import_one(run: SourceRun) -> tuple[RunReport | None, Counts]:
    source_import = _of_this_process[0]
    source_import.report.beside = Counts()
    return source_import.take(run), source_import.report.beside


def _verify(report: RunReport, target: RunImport, intake: Intake) -> None:
    """Read the run back, compare it with what was fed in, and count the points that were logged again."""
    sums = importing.checksums(target)
    report.is_verified = sums == intake.sums
    if report.is_verified:
        report.counts.merged = importing.superseded_count(target, sums)
        report.counts.points -= report.counts.merged


def _name_tags(repository: ImportTarget, intake: Intake) -> None:
    described = [tag for tag in intake.description.tags.values() if tag.color or tag.description]
    if described:
        tags = repository.tags(by="import")
        for tag in described:
            tags.put(tag.name, color=tag.color, description=tag.description)
