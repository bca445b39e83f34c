"""
A ZIP that is a repository.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pyarrow.parquet

from aim import Repo
from aim.convert import export


def test_an_unpacked_archive_is_a_repository(repository: Path, tmp_path: Path) -> None:
    """
    Unpacked, it opens, and its runs have the params, points, objects and artifacts of the original.
    """
    report = export(repository, tmp_path / "runs.zip")
    zipfile.ZipFile(tmp_path / "runs.zip").extractall(tmp_path)
    original, copy = Repo(repository), Repo(tmp_path / "runs")

    assert sorted(original.list_all_runs()) == sorted(copy.list_all_runs())
    assert original.door.run("full").params() == copy.door.run("full").params()
    for name, context in (("loss", {"subset": "val"}), ("count", {})):
        steps, values = original.get_run("full").get_metric(name, context).values.sparse_numpy()
        copied_steps, copied = copy.get_run("full").get_metric(name, context).values.sparse_numpy()
        assert steps.tobytes() == copied_steps.tobytes()
        assert repr(values.tolist()) == repr(copied.tolist())
    with copy.door.artifact("full", "weights.bin") as artifact:
        assert b"weights" == artifact.read()
    assert (2, 8, 1) == (report.runs, report.points, report.files)


def test_other_programs_read_its_tables_and_media(repository: Path, tmp_path: Path) -> None:
    """
    Points are one Parquet file, and each image is a file that the index names.
    """
    export(repository, tmp_path / "runs.zip")
    archive = zipfile.ZipFile(tmp_path / "runs.zip")
    index = json.loads(archive.read("runs/media/index.json"))
    images = [entry for entry in index if entry["kind"] == "aim.image"]

    assert 8 == len(pyarrow.parquet.read_table(archive.open("runs/points.parquet")))
    assert ["black", None] == [entry["caption"] for entry in images]
    assert b"\x89PNG" == archive.read(f"runs/{images[0]['file']}")[:4]
    assert 2 == len(archive.read("runs/runs.jsonl").splitlines())
