"""
The intake: neutral events in, one run of the repository out, every record counted.

Each event has one method. What an event can't become is counted under a reason, and hides nothing else. Params and
texts wait in memory, points and objects go to the `RunImport`, which bounds what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aim.convert import media
from aim.convert.description import RunDescription
from aim.convert.errors import DamagedSource
from aim.convert.events import (
    ArtifactFile,
    Event,
    LeftOut,
    LogLines,
    ObjectStep,
    ParamValue,
    PointBatch,
    Refused,
    Renumbered,
    Rewound,
    RunFound,
    SourceDamage,
)
from aim.convert.files import COPY, LINK, NONE, WITHOUT_COPY, take_artifact
from aim.convert.formats import ImportOptions
from aim.convert.names import Names
from aim.convert.report import Counts
from aim.core import contexts
from aim.core.errors import UntrackableValue
from aim.core.kinds import LINES_NAME
from aim.engine.importing import PointSum, point_sum

if TYPE_CHECKING:
    from aim.engine.growing import RunGrowth
    from aim.storage.care.importing import RunImport

SKIP_NAMES = {
    media.ImageFile: "images",
    media.SoundFile: "audio",
    media.VideoFile: "video",
    media.PlainText: "texts",
    media.HistogramBins: "histograms",
    media.TableRows: "tables",
    media.FigureJson: "figures",
}
SKIPPABLE = frozenset({*SKIP_NAMES.values(), "logs", "system", "artifacts"})
BY_RULE = "of series that a rule of --map leaves out"
LINES_A_RECORD = 256


class Intake:
    """
    Takes the events of one run.

    Attributes:
        counts: of what was taken.
        description: name, params, tags ...
        names: of the series.
        sums: of what was fed in, by name and text of the context: to compare with what is read back.

    Args:
        root: artifacts have to lie below it.
    """

    def __init__(self, target: RunImport | RunGrowth, options: ImportOptions, root: Path) -> None:
        self.counts = Counts()
        self.description = RunDescription()
        self.names = Names(options.naming, list(options.rules))
        self.sums: dict[tuple[str, str], PointSum] = {}
        self._target = target
        self._options = options
        self._root = root
        self._line_count = 0
        self._take: dict[type, Callable[[Any], None]] = {
            **self.description.take,
            RunFound: self._take_run,
            PointBatch: self._take_points,
            ObjectStep: self._take_objects,
            LogLines: self._take_lines,
            ArtifactFile: self._take_artifact,
            Rewound: lambda event: self._target.rewind(event.step, event.at_s),
            Renumbered: lambda event: self.counts.renumbered.update({event.reason: event.record_count}),
            LeftOut: lambda event: self.counts.left_out.update({event.reason: event.record_count}),
            Refused: self._take_refused,
            SourceDamage: self._take_damage,
        }

    def take(self, event: Event) -> None:
        """
        Take one event.

        Raises:
            DamagedSource: in strict mode, something can't be read or stored.
            OSError: the disk refuses.
        """
        if isinstance(event, ParamValue) and not event.path:
            event = Refused("param without a name")
        self._take[type(event)](event)

    def finish(self, target: RunImport, origin: Mapping[str, Any], experiment: str | None) -> None:
        """Pass on what waited: params, tags and notes, with *origin* as the param `imported`."""
        run = self.description.run or RunFound()
        experiment = self._options.into or run.experiment or experiment
        self.description.write(target, self.counts, origin, experiment)
        self.counts.apart = list(self.names.apart)

    def redirect(self, target: RunGrowth) -> None:
        """Let what comes from now on go into *target*, the same run as it grows; the counts begin anew."""
        self._target = target
        self.counts = Counts()
        self.sums = {}

    def _take_run(self, event: RunFound) -> None:
        self.description.take[RunFound](event)
        if event.created_at_s is not None:  # now: the first writer of the run begins at this time
            self._target.created_at_s = event.created_at_s

    def _take_points(self, event: PointBatch) -> None:
        if event.is_system and "system" in self._options.skip:
            self._skip("system", len(event.steps))
            return
        series = self.names.series(event.name, event.context)
        if series.is_skipped:
            self.counts.left_out[BY_RULE] += len(event.steps)
            return
        self._target.points(series.name, series.context, event.steps, event.values, event.times_s, event.epochs)
        self._sum(series.name, series.context, point_sum(event.steps, event.values))
        if event.is_system:
            self.counts.system_points += len(event.steps)
        else:
            self.counts.points += len(event.steps)

    def _take_objects(self, event: ObjectStep) -> None:
        kind = SKIP_NAMES.get(type(event.items[0])) if event.items else None
        if kind in self._options.skip:
            self._skip(str(kind), len(event.items))
            return
        series = self.names.series(event.name, event.context)
        if series.is_skipped:
            self.counts.left_out[BY_RULE] += len(event.items)
            return
        items = []
        for item in event.items:
            try:
                items.append(media.stored(item))
            except UntrackableValue as error:
                self._take_refused(Refused(f"{event.name} at step {event.step}: {error}"))
        if items:
            self._target.objects(
                series.name,
                series.context,
                [event.step],
                items,
                times_s=event.time_s,
                epoch=event.epoch,
                is_list=event.is_list,
            )
            self._sum(series.name, series.context, point_sum(np.array([event.step], np.int64), None))
            self.counts.objects += len(items)

    def _take_lines(self, event: LogLines) -> None:
        if "logs" in self._options.skip:
            self._skip("logs", len(event.texts))
            return
        for start in range(0, len(event.texts), LINES_A_RECORD):
            texts = event.texts[start : start + LINES_A_RECORD]
            times_s = np.asarray(event.times_s[start : start + LINES_A_RECORD], np.float64)
            steps = range(self._line_count, self._line_count + len(texts))
            items = [media.stored(media.LogLineText(text)) for text in texts]
            self._target.objects(LINES_NAME, {}, steps, items, times_s=times_s)
            self._sum(LINES_NAME, {}, point_sum(np.array(steps, np.int64), None))
            self._line_count += len(texts)
            self.counts.log_lines += len(texts)

    def _sum(self, name: str, context: Mapping[str, Any], added: PointSum) -> None:
        key = (name, contexts.text(dict(context)))
        self.sums[key] = self.sums.get(key, PointSum()) + added

    def _take_artifact(self, event: ArtifactFile) -> None:
        how = self._options.artifacts if event.path is not None else LINK  # an address costs nothing
        if how == NONE or "artifacts" in self._options.skip:
            self.counts.left_out[WITHOUT_COPY] += 1
            return
        problem = take_artifact(event, self._target, self._root, is_copied=how == COPY)
        if problem is None:
            self.counts.files += 1
        else:
            self._take_refused(Refused(problem))

    def _skip(self, kind: str, count: int) -> None:
        self.counts.left_out[f"{kind} (--skip)"] += count

    def _take_refused(self, event: Refused) -> None:
        if self._options.is_strict:
            raise DamagedSource(str(self._root), None, event.reason)
        self.counts.refused[event.reason] += event.record_count

    def _take_damage(self, event: SourceDamage) -> None:
        if self._options.is_strict:
            raise DamagedSource(event.path, event.offset, event.reason)
        self.counts.damage.append(event)
