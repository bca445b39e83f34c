"""
The importer of SwanLab: all folders of one run id are one run, in the order in which they were begun.

Of a step that two folders have, the later folder's value counts, and the earlier one stays in the history. The last
folder's finish record says how the run ended; without one it was lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aim.convert.errors import SourceIsNewer
from aim.convert.events import Ended, Event, LeftOut, ParamValue, Refused, RunFound, TagName
from aim.convert.files import run_files
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.convert.swanlab.messages import MAGIC
from aim.convert.swanlab.reading import FolderReading, start_of
from aim.convert.timestamps import seconds
from aim.convert.yaml_files import read_yaml, yaml_package

RUN_FILE = re.compile(r"run-(.+)\.swanlab")
PURPOSE = "Reading SwanLab's config.yaml"
CONFIG, METADATA = "config.yaml", "swanlab-metadata.json"
DESCRIBED = ("group", "job_type", "workspace")  # of the start record; they become params


class SwanlabFolder(NamedTuple):
    """One folder of a run; *start* is the record that describes the run, where there is one."""

    path: Path
    file: Path
    start: Mapping[str, Any]

    @property
    def files(self) -> Path:
        """Where config and saved files are."""
        return self.path / "files"

    @property
    def run_id(self) -> str:
        """The id of the run."""
        match = RUN_FILE.fullmatch(self.file.name)
        return str(self.start.get("id") or (match[1] if match else self.path.name))


class SwanlabImporter(Importer):
    """The importer of SwanLab's folders."""

    name = "swanlab"
    title = "SwanLab"
    looked_for = "folders with a file run-*.swanlab"
    owns_below = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder* is the folder of one run."""
        return any(RUN_FILE.fullmatch(name) for name in files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs; the record of each that says its project is read. Raises NeedsExtra."""
        by_id: dict[tuple[str, str], list[SwanlabFolder]] = {}
        for path in source.folders:
            yaml_package(PURPOSE)
            for file in sorted(path.iterdir()):
                if RUN_FILE.fullmatch(file.name):
                    folder = SwanlabFolder(path, file, start_of(file) or {})
                    by_id.setdefault((folder.start.get("project", ""), folder.run_id), []).append(folder)
        for (project, run_id), folders in sorted(by_id.items()):
            folders.sort(key=lambda folder: (seconds(folder.start.get("started_at")) or 0.0, folder.path.name))
            files = tuple(path for folder in folders for path in (folder.file, *_beside(folder)))
            yield SourceRun(f"{project}/{run_id}", run_id, files, project or None, locator=tuple(folders))

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read the folders of one run. Raises SourceIsNewer, OSError."""
        folders: tuple[SwanlabFolder, ...] = run.locator
        saved: dict[str, None] = {}
        yield from _described(folders)
        for folder in folders:
            _check_version(folder.file)
            reading = FolderReading(folder.path, folder.file)
            yield from reading.events()
            yield from _config(folder)
            saved.update(reading.saved)
        yield from _artifacts(folders, saved)
        yield from _ended(reading.ended)


def _check_version(file: Path) -> None:
    with open(file, "rb") as stream:
        head = stream.read(len(MAGIC))
    if len(head) == len(MAGIC) and head[:-1] == MAGIC[:-1] and head[-1] > MAGIC[-1]:
        raise SourceIsNewer(file, "SwanLab", str(head[-1]), str(MAGIC[-1]))


def _beside(folder: SwanlabFolder) -> list[Path]:
    parts = (folder.files, folder.path / "media")
    return sorted(path for part in parts for path in part.rglob("*") if path.is_file())


def _described(folders: Sequence[SwanlabFolder]) -> Iterator[Event]:
    first = next((folder for folder in folders if folder.start), folders[0])
    start = first.start
    yield RunFound(
        start.get("name") or first.run_id,
        start.get("project"),
        description=start.get("description") or None,
        created_at_s=seconds(start.get("started_at")),
        tool_version=_tool_version(first),
    )
    if not start:
        yield LeftOut("run without a record: its program was killed before it wrote one")
    yield from (TagName(tag) for tag in start.get("tags", ()))
    yield from (ParamValue(("swanlab", key), start[key]) for key in DESCRIBED if start.get(key))


def _tool_version(folder: SwanlabFolder) -> str | None:
    try:
        document = json.loads((folder.files / METADATA).read_text(encoding="utf-8"))
        version = document["swanlab"]["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return str(version)


def _config(folder: SwanlabFolder) -> Iterator[Event]:
    path = folder.files / CONFIG
    if not path.is_file():
        return
    content = read_yaml(path, PURPOSE)
    if content is None:
        if path.stat().st_size:
            yield Refused(f"{CONFIG}: it can't be read")
        return
    for key, entry in content.items():
        if isinstance(entry, Mapping) and "value" in entry:
            yield ParamValue((str(key),), entry["value"])
        else:
            yield Refused(f"{CONFIG}: {key!r} has no value")


def _artifacts(folders: Sequence[SwanlabFolder], saved: Iterable[str]) -> Iterator[Event]:
    yield from run_files([folder.files for folder in folders], lambda path: path.as_posix() != CONFIG)
    for name in saved:
        if not any((folder.files / name).is_file() for folder in folders):
            yield LeftOut(f"file {name!r}: it is not in the run's folder")


def _ended(ended: Ended) -> Iterator[Event]:
    """Go through the end of a run; of a traceback the last line is its error, the whole is a param."""
    lines = (ended.error or "").splitlines()
    if len(lines) > 1:
        yield ParamValue(("swanlab", "error"), ended.error)
    yield Ended(ended.status, ended.at_s, lines[-1] if lines else None)
