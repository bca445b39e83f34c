"""
What an importer is, and which there are.

    Importer   one format: recognises its folders, lists their runs, reads a run as neutral events
    Source     where a format was recognised
    SourceRun  one run of a source: its id there, and the files whose size and time tell whether it changed

An importer of another package is an entry point of the group `aim.importers`: an object with the members of `Importer`,
from which it may inherit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from aim.convert.events import Event
from aim.convert.names import CONTEXT, Rule
from aim.core.errors import UsageError

ENTRY_POINTS = "aim.importers"
OWN: dict[str, str] = {
    "aim3": "aim.convert.aim3.importer:Aim3Importer",
    "wandb": "aim.convert.wandb.importer:WandbImporter",
    "tensorboard": "aim.convert.tensorboard.importer:TensorBoardImporter",
    "mlflow": "aim.convert.mlflow.importer:MlflowImporter",
    "trackio": "aim.convert.trackio.importer:TrackioImporter",
    "clearml": "aim.convert.clearml.importer:ClearmlImporter",
    "neptune": "aim.convert.neptune.importer:NeptuneImporter",
    "neptune-scale": "aim.convert.neptune.scale_importer:NeptuneScaleImporter",
    "neptune-export": "aim.convert.neptune.export_importer:NeptuneExportImporter",
    "swanlab": "aim.convert.swanlab.importer:SwanlabImporter",
    "comet": "aim.convert.comet.importer:CometImporter",
    "dvclive": "aim.convert.tables.dvclive:DvcLiveImporter",
    "lightning-csv": "aim.convert.tables.importer:CsvLoggerImporter",
    "aim": "aim.convert.aim_export.importer:AimExportImporter",
    "table": "aim.convert.tables.importer:TableImporter",
}
"""Our importers by the name of their format, in the order in which they are tried."""


@dataclass(frozen=True)
class ImportOptions:
    """
    How runs are imported.

    Attributes:
        into: the experiment; None: the source's.
        naming: `context` or `full` (names.py).
        rules: of `--map`.
        skip: kinds of records that are left out: images, audio, video, texts, histograms, figures, tables, logs,
            system, artifacts.
        only: patterns such as `lr-*`; a run is imported if one matches its title or its name.
        experiment: leave out the runs of other experiments; its exact name in the source, or its id there.
        since_s: leave out runs that were created before, in Unix seconds.
        artifacts: `copy` files into the repository, `link` to where they are, or `none`.
        is_strict: stop at the first damage.
        choices: options of single formats, by name, such as `keep_steps`.
    """

    into: str | None = None
    naming: str = CONTEXT
    rules: Sequence[Rule] = ()
    skip: frozenset[str] = frozenset()
    only: Sequence[str] = ()
    experiment: str | None = None
    since_s: float | None = None
    artifacts: str = "none"
    is_strict: bool = False
    choices: Mapping[str, Any] = field(default_factory=dict)

    def meaning(self) -> dict[str, Any]:
        """Return what changes the imported run, as JSON: with another meaning a run is imported again."""
        rules = [[rule.pattern, rule.name, dict(rule.context), rule.is_skipped] for rule in self.rules]
        return {
            "into": self.into,
            "naming": self.naming,
            "rules": rules,
            "skip": sorted(self.skip),
            "artifacts": self.artifacts,
            "choices": {key: value for key, value in sorted(self.choices.items()) if value is not None},
        }


@dataclass(frozen=True)
class SourceRun:
    """
    One run of a source.

    Attributes:
        run_id: its id in the source; the hash here is made of it, so it has to be the same at each import.
        title: for people: its path in the source, or its name.
        files: the files that hold it. As long as their sizes and times are the same, it is not read again.
        experiment: of the source, where `RunFound` does not say another.
        experiment_id: of the source; empty where experiments have names only.
        run_hash: the hash here; None: made of format and id.
        locator: what the importer needs to read it.
        stamp: of what else says whether the run changed, such as its row in a database.
    """

    run_id: str
    title: str
    files: tuple[Path, ...]
    experiment: str | None = None
    experiment_id: str = ""
    run_hash: str | None = None
    locator: Any = None
    stamp: str = ""


@dataclass(frozen=True)
class Source:
    """
    A format at a path.

    Attributes:
        folders: where it was recognised, at *path* or below.
        address: of a service that is read instead, without secrets; then *path* is a scratch folder for its files.
    """

    importer: Importer
    path: Path
    folders: tuple[Path, ...] = ()
    address: str = ""

    def files(self) -> list[Path]:
        """Return the source itself, where it is a file, or what lies in its folders; in the order of their paths."""
        if self.path.is_file():
            return [self.path]
        return sorted(path for folder in self.folders for path in folder.iterdir())

    @property
    def root(self) -> Path:
        """The folder that files of the source lie in."""
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def label(self) -> str:
        """What reports and runs say of where it is."""
        return self.address or str(self.path)

    @property
    def format(self) -> str:
        """The name of the format."""
        return self.importer.name

    @property
    def runs(self) -> int:
        """How many runs there are; each is looked at, not read."""
        return sum(1 for _ in self.importer.runs(self, ImportOptions()))


class Following(Protocol):
    """The reading of one run whose files grow."""

    def look(self, run: SourceRun) -> Iterator[Event]:
        """
        Go through the events that came since the last look, those of the first look with all that is there. What
        describes the run may come again.

        Args:
            run: as it is listed now.

        Raises:
            CannotGrow: the files changed in another way.
            OSError: a file can't be read.
        """


class Importer(Protocol):
    """
    One format; ours inherit from this.

    Attributes:
        name: as for `--from`.
        title: for people.
        looked_for: what it is recognised by, as words after "looked for".
        version: of the reading; with another one unchanged runs are imported again.
        owns_below: whether nothing else is looked for below a folder that it recognises.
        is_asked_for: whether it is recognised only where the source itself is such a file, or by `--from`.
        keeps_names: whether its names stay as they are, because the source has contexts of its own.
        is_parallel: whether several processes may read runs of one source at the same time.
    """

    name: str
    title: str
    looked_for: str
    version: int = 1
    owns_below: bool = False
    is_asked_for: bool = False
    keeps_names: bool = False
    is_parallel: bool = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder*, which has these names in it, holds runs of the format."""

    def runs(self, source: Source, options: ImportOptions) -> Iterable[SourceRun]:
        """List the runs of a source, without reading them. Raises AimError: the source can't be read."""

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run. Damage is an event; memory does not grow with the run. Raises AimError: it can't be read."""

    def following(self, options: ImportOptions) -> Following | None:
        """Return what reads a run that grows, a look at a time; None: such a run is read as a whole each time."""
        return None


def importer(name: str) -> Importer:
    """
    Return the importer of a format.

    Raises:
        UsageError: there is none.

    >>> importer("tensorboard").title
    'TensorBoard'
    """
    if name in OWN:
        return _loaded(OWN[name])
    for point in entry_points(group=ENTRY_POINTS):
        if point.name == name:
            others: Importer = point.load()
            return others
    raise UsageError(f"There is no importer named {name!r}. There are: {', '.join(names())}.")


def names() -> list[str]:
    """Return the names of all formats: ours in the order in which they are tried, then those of other packages."""
    return [*OWN, *sorted(point.name for point in entry_points(group=ENTRY_POINTS) if point.name not in OWN)]


def all_importers() -> list[Importer]:
    """Return the importers of all formats."""
    return [importer(name) for name in names()]


def _loaded(address: str) -> Importer:
    module, _, class_name = address.partition(":")
    made: Importer = getattr(import_module(module), class_name)()
    return made
