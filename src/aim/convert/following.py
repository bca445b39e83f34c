"""
Following sources that grow: look once a second, and record what came since the last look.

    a run's files changed for the first time   ->   it is imported as a whole; its reading stays where it ended
    they changed again                         ->   only what is new is read, and recorded (engine/growing.py)
    they changed otherwise, or a restart       ->   it is imported as a whole again, in place of the one before
    quiet for a minute, or the end             ->   imported as a whole once more, compared, and sealed

So a point is visible some two seconds after it was written, however long the run is. The cursor is the reading itself,
in memory: a follower that is killed leaves a run of which the note says that it was followed, and the next import
makes the run anew from its source. Nothing is lost, nothing comes twice, and the end is the same as one import.

A format without `following` is imported as a whole each time; then the pause before the next time is some times as
long as the last import of that run took.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aim.convert.events import ArtifactFile, BytesRead
from aim.convert.formats import Following, ImportOptions, Source, SourceRun
from aim.convert.intake import Intake
from aim.convert.report import IMPORTED, UNCHANGED, Report, RunReport
from aim.convert.source_import import SourceImport, Stamp, stamp_of
from aim.core.addresses import folder_of_address
from aim.core.errors import AimError, RunBusy
from aim.engine import importing
from aim.engine.growing import RunGrowth
from aim.engine.repository import Repository

LOOK_S = 1.0
PAUSES = 5.0  # before a run is imported as a whole again, times what that took: it takes a sixth of one core
QUIET_S = 60.0


class _FollowedRun:
    """
    One run of a source.

    Attributes:
        stamp: of its files at the last look.
        looked_s: when it was imported or grew last.
        whole_s: how long the last import of the whole run took.
        is_settled: whether it is here as one import makes it.
    """

    def __init__(self, stamp: Stamp) -> None:
        self.stamp = stamp
        self.looked_s = time.monotonic()
        self.whole_s = 0.0
        self.is_settled = True
        self._following: Following | None = None
        self._intake: Intake | None = None
        self._growth: RunGrowth | None = None

    def take_whole(self, source_import: SourceImport, run: SourceRun, following: Following | None) -> RunReport | None:
        """Import the run as a whole."""
        self.end()
        self.stamp = stamp_of(run)
        begun_s = time.monotonic()
        source_import.intake = None
        done = source_import.take(run, following)
        self.looked_s = time.monotonic()
        self.whole_s = self.looked_s - begun_s
        self.is_settled = True
        self._intake = source_import.intake
        self._following = following if self._intake is not None else None
        return done

    @property
    def can_grow(self) -> bool:
        """Whether only what is new has to be read."""
        return self._following is not None and self._intake is not None

    def is_due(self) -> bool:
        """Whether it may be imported as a whole again."""
        return time.monotonic() >= self.looked_s + PAUSES * self.whole_s

    def is_quiet(self) -> bool:
        """Whether nothing has come for so long that the whole run may be imported once more."""
        return not self.is_settled and time.monotonic() >= self.looked_s + max(QUIET_S, 4 * PAUSES * self.whole_s)

    def grow(self, source_import: SourceImport, run: SourceRun) -> RunReport:
        """
        Record what is new.

        Raises:
            AimError, OSError: that can't be; the run has to be imported as a whole.
        """
        assert self._intake is not None
        assert self._following is not None
        self.stamp = stamp_of(run)
        self.is_settled = False
        growth = self._growth
        if growth is None:
            growth = self._growth = source_import.growth(run)
        self._intake.redirect(growth)
        for event in self._following.look(run):
            if not isinstance(event, (ArtifactFile, BytesRead)):  # files come when the whole run does
                self._intake.take(event)
        changed = self._intake.description.grow(growth)
        self.looked_s = time.monotonic()
        report = RunReport(run.title, growth.run_hash, IMPORTED, counts=self._intake.counts)
        report.counts.params = changed
        return report

    def end(self) -> None:
        """End the recording of what is new."""
        growth, self._growth = self._growth, None
        self._following = self._intake = None
        if growth is not None:
            growth.close()


class Follower:
    """
    Follows sources into the repository in the folder *repo*.

    Args:
        tell: is called with the report of each look that found something new.
    """

    def __init__(
        self,
        recognise: Callable[[], Sequence[Source]],
        repo: str | os.PathLike[str],
        options: ImportOptions,
        tell: Callable[[Report], None],
    ) -> None:
        self._recognise = recognise
        self._repository = Repository(folder_of_address(repo), create=True)
        self._options = options
        self._tell = tell
        self._runs: dict[tuple[Path, str], _FollowedRun] = {}

    def look(self, *, is_last: bool = False) -> bool:
        """
        Look once, and return whether something had changed.

        Args:
            is_last: import all that grew as a whole.

        Raises:
            AimError: as `import_sources`; but another import into the repository is waited for.
        """
        report = Report()
        try:
            with importing.exclusive(self._repository):
                for source in self._recognise():
                    source_import = SourceImport(source, self._repository, self._repository, self._options, report)
                    for run in source_import.runs():
                        self._add(source_import, self._look_at(source, source_import, run, is_last=is_last))
        except RunBusy:
            return False
        has_changed = any(run.state != UNCHANGED for run in report.runs)
        if has_changed:
            self._tell(report)
        return has_changed

    def _add(self, source_import: SourceImport, done: RunReport | None) -> None:
        if done is not None:
            source_import.report.runs.append(done)

    def _look_at(
        self, source: Source, source_import: SourceImport, run: SourceRun, *, is_last: bool
    ) -> RunReport | None:
        key = (source.path, source_import.hash_of(run))
        followed = self._runs.get(key)
        if followed is None:
            followed = self._runs[key] = _FollowedRun(stamp_of(run))
            return followed.take_whole(source_import, run, source.importer.following(self._options))
        following = None if is_last else source.importer.following(self._options)
        if followed.is_quiet() or (is_last and not followed.is_settled):
            followed.take_whole(source_import, run, following)  # its points were told of already
            return None
        if stamp_of(run) == followed.stamp or not (followed.can_grow or followed.is_due() or is_last):
            return None
        if followed.can_grow:
            try:
                return followed.grow(source_import, run)
            except (AimError, OSError):  # such as a restart of the program
                pass
        return followed.take_whole(source_import, run, following)

    def end(self) -> None:
        """End what is recorded at the moment; the next import makes these runs anew."""
        for followed in self._runs.values():
            followed.end()


def follow_changes(
    recognise: Callable[[], Sequence[Source]],
    repo: str | os.PathLike[str],
    options: ImportOptions,
    tell: Callable[[Report], None],
    idle_s: float | None = None,
) -> None:
    """
    Record what changes, again and again.

    Args:
        recognise: returns the sources as they are now: new files and folders are among them.
        tell: is called with the report of each look that found something new.
        idle_s: end when nothing has changed for so long; None: never.

    Raises:
        AimError: as `import_sources`.
    """
    follower = Follower(recognise, repo, options, tell)
    try:
        changed_s = time.monotonic()
        while idle_s is None or time.monotonic() - changed_s < idle_s:
            if follower.look():
                changed_s = time.monotonic()
            time.sleep(LOOK_S if idle_s is None else min(idle_s, LOOK_S))
        follower.look(is_last=True)
    finally:
        follower.end()
