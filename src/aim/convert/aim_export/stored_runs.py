"""
Runs of a repository of Aim 4, such as one from a ZIP, as neutral events: what they show, not their files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aim.convert.aim_export import records
from aim.convert.aim_export.records import ObjectRow
from aim.convert.events import ArtifactFile, Event, PointBatch, Refused
from aim.convert.exporting.exported_run import ExportedRun
from aim.core.reserved import SYSTEM_PREFIX
from aim.core.values import Stored
from aim.engine.opening import open_door


def read(root: Path, run_hash: str) -> Iterator[Event]:
    """Go through the events of a run of the repository in *root*."""
    lost: list[Refused] = []
    run = ExportedRun(open_door(root), run_hash, None, lambda reason: lost.append(Refused(reason)))
    yield from records.described(run.record)
    for sequence, points in run.curves():
        yield PointBatch(
            sequence.name,
            sequence.context,
            points.steps,
            points.values,
            points.times_s,
            points.epochs,
            is_system=sequence.name.startswith(SYSTEM_PREFIX),
        )
    yield from records.object_steps(_objects(run))
    for file in run.files():
        yield ArtifactFile(file.name, path=file.path) if file.path else ArtifactFile(file.name, uri=file.uri)
    yield from lost
    yield records.ended(run.record)


def _objects(run: ExportedRun) -> Iterator[ObjectRow]:
    for item in run.objects():
        yield ObjectRow(
            item.sequence.name,
            item.sequence.context,
            item.sequence.kind.startswith("list("),
            item.step,
            item.time_s,
            item.epoch,
            Stored(item.kind, item.fields, item.data, records.extension(item.kind, item.fields)),
        )
