"""
The importer of what `aim export` wrote, and of other repositories of Aim 4.

A run keeps its hash: imported where it came from, it is refused, because it is there. Curves of a page in one file are
as long as the page has them.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from aim.convert.aim_export import json_lines, pages, stored_runs
from aim.convert.aim_export.json_lines import LinesRun
from aim.convert.aim_export.pages import PageFile
from aim.convert.bounded import ZIP_DAMAGE, check_size, zip_names
from aim.convert.errors import DamagedSource
from aim.convert.events import Event
from aim.convert.formats import Importer, ImportOptions, Source, SourceRun
from aim.engine.opening import repository_exists

BEGIN_BYTES = 1 << 20  # of a file of HTML, within which its blocks begin


class AimExportImporter(Importer):
    """The importer of our own exports."""

    name = "aim"
    title = "Aim export"
    looked_for = "runs.jsonl with points.jsonl, archives and pages of `aim export` (.zip, .html)"
    owns_below = True
    keeps_names = True

    def is_here(self, folder: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
        """Return whether *folder* is an export, or the one file is."""
        if json_lines.RUNS in files and json_lines.POINTS in files:
            return True
        return any(_is_archive(folder / name) or _is_page(folder / name) for name in files)

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs. Raises DamagedSource."""
        for folder in source.folders:
            yield from self._of_folder(folder) if folder.is_dir() else self._of_file(folder)

    def _of_folder(self, folder: Path) -> Iterator[SourceRun]:
        files = tuple(folder / name for name in (json_lines.RUNS, json_lines.POINTS, json_lines.OBJECTS))
        if files[0].is_file() and files[1].is_file():
            for run in json_lines.runs_of(folder):
                yield _source_run(str(run.record["hash"]), run.record.get("name"), files, run)
        for path in sorted(folder.iterdir()):
            yield from self._of_file(path)

    def _of_file(self, path: Path) -> Iterator[SourceRun]:
        if _is_page(path):
            page = pages.open_page(path)
            for run_hash, record in page.answers["pages"].items():
                yield _source_run(run_hash, record.get("name"), (path,), page)
        elif _is_archive(path):
            for run_hash in _archived_runs(path):
                yield _source_run(run_hash, None, (path,), path)

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run."""
        if isinstance(run.locator, LinesRun):
            yield from json_lines.read(run.locator)
        elif isinstance(run.locator, PageFile):
            yield from pages.read(run.locator, run.run_id)
        else:
            with tempfile.TemporaryDirectory(prefix="aim-import-") as scratch:
                root = _unpacked(run.locator, run.run_id, Path(scratch))
                yield from stored_runs.read(root, run.run_id)


def _source_run(run_hash: str, name: object, files: tuple[Path, ...], locator: object) -> SourceRun:
    return SourceRun(run_hash, str(name or run_hash), files, run_hash=run_hash, locator=locator)


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and any(name.endswith("/.aim/FORMAT") for name in zip_names(path))


def _is_page(path: Path) -> bool:
    if path.suffix.lower() not in (".html", ".htm"):
        return False
    try:
        with open(path, "rb") as file:
            return pages.MARK in file.read(BEGIN_BYTES)
    except OSError:
        return False


def _archived_runs(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        parts = [name.split("/") for name in archive.namelist()]
    return list(dict.fromkeys(part[3] for part in parts if part[1:3] == [".aim", "runs"] and len(part) > 4))


def _unpacked(path: Path, run_hash: str, scratch: Path) -> Path:
    """Unpack one run of an archive into *scratch*, and return its repository. Raises DamagedSource, TooLarge."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if _is_of_run(entry.filename, run_hash)]
            check_size(path, path.stat().st_size, sum(entry.file_size for entry in entries))
            for entry in entries:
                archive.extract(entry, scratch)  # it takes `..` and a leading slash out of names
    except ZIP_DAMAGE as error:
        raise DamagedSource(str(path), None, str(error)) from None
    roots = [folder for folder in scratch.iterdir() if repository_exists(folder)]
    if not roots:
        raise DamagedSource(str(path), None, "there is no repository in it")
    return roots[0]


def _is_of_run(name: str, run_hash: str) -> bool:
    parts = name.split("/")
    return parts[1:] == [".aim", "FORMAT"] or parts[1:4] == [".aim", "runs", run_hash]
