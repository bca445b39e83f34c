"""
A ZIP with everything of some runs: unpacked, it is a repository, and other programs read its tables and media.

    <name>/.aim/FORMAT, .aim/runs/<hash>/...   the folders of the runs, as they are
    <name>/runs.jsonl, points.parquet          what is in them, as tables
    <name>/media/<hash>/<n>-<step>.<format>    images, audio, video, figures and 3D objects as plain files
    <name>/media/index.json                    run, name, context, step and caption of each

A run that is still recording is copied as it is at that moment. Entries over 4 GiB and more than 65,535 entries are
ZIP64. Memory: one object; disk: a copy of the largest run, and of the table of points, while the file is written.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

from aim.convert.exporting.table_files import json_text, write_points_parquet
from aim.core.errors import RunNotFound
from aim.engine.artifacts import artifacts_of
from aim.engine.repository import Repository
from aim.storage.store import folder_name

if TYPE_CHECKING:
    from aim.convert.exporting.export_report import ExportReport
    from aim.convert.exporting.exported_run import ExportedObject, ExportedRun, ExportedRuns

STORED_SUFFIXES = frozenset({".zip", ".png", ".jpg", ".webp", ".gif", ".mp3", ".mp4", ".parquet"})
EXTENSIONS = {"jpeg": "jpg", "raw_json": "json", "tiff": "tif"}


def write_archive(runs: ExportedRuns, path: Path, report: ExportReport) -> None:
    """Write everything of *runs* to the ZIP *path*."""
    top = path.name.removeprefix(".").split(".")[0] or "runs"
    if not runs.has_all_sequences:
        report.note("An archive has whole runs: sequences that the query does not match are in it, too.")
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False) as archive,
        TemporaryDirectory(dir=path.parent, prefix=".aim-export-") as scratch,
    ):
        records: list[str] = []
        index: list[dict[str, Any]] = []
        snapshot = Repository(Path(scratch), create=True)
        _add_file(archive, Path(scratch) / folder_name() / "FORMAT", f"{top}/{folder_name()}/FORMAT")
        for run in runs:
            try:
                _add_run_folder(runs, run, snapshot, archive, f"{top}/{folder_name()}/runs/{run.run_hash}", report)
            except RunNotFound:
                report.leave_out("a run that was deleted meanwhile")
                continue
            records.append(json_text(run.record))
            for item in run.objects():
                report.objects += 1
                _add_medium(archive, top, run, item, index)
            report.points += sum(len(points) for _, points in run.curves())
            report.runs += 1
        archive.writestr(f"{top}/runs.jsonl", "".join(record + "\n" for record in records).encode("utf-8", "replace"))
        archive.writestr(f"{top}/media/index.json", json.dumps(index, indent=1))
        points = Path(scratch) / "points.parquet"
        write_points_parquet(runs, points)
        _add_file(archive, points, f"{top}/points.parquet")


def _add_run_folder(
    runs: ExportedRuns,
    run: ExportedRun,
    snapshot: Repository,
    archive: zipfile.ZipFile,
    prefix: str,
    report: ExportReport,
) -> None:
    runs.door.copy_run(run.run_hash, snapshot)
    folder = snapshot.files / "runs" / run.run_hash
    try:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                _add_file(archive, file, f"{prefix}/{file.relative_to(folder).as_posix()}")
        files = artifacts_of(snapshot.run(run.run_hash).artifact_folder(), run.state.artifacts)
        report.files += sum(file.is_own and file.is_here for file in files)
        elsewhere = sum(not file.is_own for file in files)
        report.leave_out("an artifact that is elsewhere: its address is in the archive, its bytes are not", elsewhere)
    finally:
        snapshot.delete_run(run.run_hash)


def _add_file(archive: zipfile.ZipFile, file: Path, name: str) -> None:
    method = zipfile.ZIP_STORED if file.suffix in STORED_SUFFIXES else zipfile.ZIP_DEFLATED
    archive.write(file, name, method)


def _add_medium(
    archive: zipfile.ZipFile, top: str, run: ExportedRun, item: ExportedObject, index: list[dict[str, Any]]
) -> None:
    if item.data is None:
        return
    name = str(item.fields.get("format") or ("zip" if item.kind == "aim.table" else "bin")).lower()
    path = f"media/{run.run_hash}/{len(index):06}-{item.step}.{EXTENSIONS.get(name, name)}"
    with _entry(archive, f"{top}/{path}") as entry:
        entry.write(item.data)
    index.append(
        {
            "file": path,
            "run": run.run_hash,
            "name": item.sequence.name,
            "context": item.sequence.context,
            "step": item.step,
            "index": item.index,
            "kind": item.kind,
            "caption": item.fields.get("caption"),
        }
    )


@contextmanager
def _entry(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    with archive.open(zipfile.ZipInfo(name), "w") as entry:
        yield entry
