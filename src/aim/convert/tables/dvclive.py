"""
The importer of DVCLive's folders: a table for each metric, and what lies beside them.

    plots/metrics/<name>.tsv     the metric <name>: a step, a value, and a time where the program asked for it
    params.yaml                  params
    metrics.json                 last values; those of no series are the params `dvclive.summary`
    plots/images/                images: <name>/<step>.png at its step, others at step 0
    plots/ otherwise             artifacts
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aim.convert.events import ArtifactFile, Ended, Event, ObjectStep, ParamValue, RunFound, SourceDamage
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.media import ImageFile
from aim.convert.tables.importer import TableReading
from aim.convert.yaml_files import read_yaml

METRICS, IMAGES = Path("plots", "metrics"), Path("plots", "images")
PARAMS, SUMMARY = "params.yaml", "metrics.json"
IMAGE_BYTES_MAX = 1 << 30


class DvcLiveImporter(Importer):
    """The importer of DVCLive's folders."""

    name = "dvclive"
    title = "DVCLive"
    looked_for = "folders with plots/metrics/*.tsv"
    owns_below = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder* is one of DVCLive."""
        return "plots" in folders and next((folder / METRICS).rglob("*.tsv"), None) is not None

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the folders."""
        for folder in source.folders:
            relative = folder.relative_to(source.path).as_posix() if folder != source.path else folder.name
            files = tuple(sorted(path for path in folder.rglob("*") if path.is_file()))
            yield SourceRun(relative, relative, files, source.path.name, locator=folder)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a folder."""
        folder: Path = run.locator
        yield RunFound(run.title)
        params = read_yaml(folder / PARAMS, "Reading DVCLive's params") if (folder / PARAMS).is_file() else None
        for name, value in (params or {}).items():
            yield ParamValue((str(name),), value)
        names = set()
        for path in sorted((folder / METRICS).rglob("*.tsv")):
            name = path.relative_to(folder / METRICS).with_suffix("").as_posix()
            names.add(name)
            yield from TableReading(options, None, metric=name).read(path)
        yield from _summary(folder / SUMMARY, names)
        yield from _beside(folder)
        yield Ended("finished")


def _summary(path: Path, names: set[str]) -> Iterator[Event]:
    try:
        summary = json.loads(path.read_bytes()) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        yield SourceDamage(str(path), None, "this is no JSON")
        return
    for parts, value in _leaves(summary if isinstance(summary, dict) else {}):
        if "/".join(parts) not in names and parts != ("step",):
            yield ParamValue(("dvclive", "summary", *parts), value)


def _leaves(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, str(name)))
        else:
            yield (*above, str(name)), value


def _beside(folder: Path) -> Iterator[Event]:
    for path in sorted((folder / "plots").rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or METRICS in relative.parents:
            continue
        if IMAGES in relative.parents and path.stat().st_size <= IMAGE_BYTES_MAX:
            inside = relative.relative_to(IMAGES)
            is_stepped = len(inside.parts) > 1 and inside.stem.isdecimal()
            name = inside.parent.as_posix() if is_stepped else inside.with_suffix("").as_posix()
            yield ObjectStep(name, {}, int(inside.stem) if is_stepped else 0, [ImageFile(path.read_bytes())])
        else:
            yield ArtifactFile(relative.as_posix(), path=path)
