"""
Which runs are exported, and what is at the target afterwards.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aim import Repo
from aim.convert import export
from aim.core.errors import NotFound, UsageError
from tests.convert.exporting.test_table_files import rows_of


def test_a_query_about_metrics_exports_only_these(repository: Path, tmp_path: Path) -> None:
    """
    `metric.name == "loss"` exports the points of that sequence, of the runs that have it.
    """
    report = export(repository, tmp_path / "out", query='metric.name == "loss"', format="csv")

    assert {"loss"} == {row["name"] for row in rows_of(tmp_path / "out" / "points.csv")}
    assert (1, 5) == (report.runs, report.points)


def test_without_a_query_archived_runs_are_exported_too(repository: Path, tmp_path: Path) -> None:
    """
    All runs leave, archived ones too; a query leaves archived runs out as everywhere.
    """
    everything = export(repository, tmp_path / "all", format="jsonl")
    queried = export(repository, tmp_path / "some", query="run.hash != 'x'", format="jsonl")

    assert (2, 1) == (everything.runs, queried.runs)


def test_a_view_stands_for_its_query(repository: Path, tmp_path: Path) -> None:
    """
    The query of a saved view says which runs; an unknown view is an error that names those that there are.
    """
    documents = Repo(repository).door.documents
    documents.put("view", "good", None, {"name": "Good runs", "page": 'metrics?q=run.experiment+==+"digits"'})

    assert 1 == export(repository, tmp_path / "out", view="Good runs", format="csv").runs
    with pytest.raises(NotFound, match="Good runs"):
        export(repository, tmp_path / "other", view="bad", format="csv")


def test_a_target_is_replaced_only_on_demand(repository: Path, tmp_path: Path) -> None:
    """
    What is at the target stays unless `overwrite` is given; then it is replaced as a whole.
    """
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("mine")

    with pytest.raises(UsageError, match="--overwrite"):
        export(repository, target, format="csv")
    assert ["mine.txt"] == [path.name for path in target.iterdir()]

    export(repository, target, format="csv", overwrite=True)
    assert ["points.csv", "runs.csv"] == sorted(path.name for path in target.iterdir())


def test_an_export_that_fails_leaves_nothing(repository: Path, tmp_path: Path) -> None:
    """
    When an export ends in the middle there is neither a half file nor a temporary one.
    """

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(repository, tmp_path / "out.zip", on_progress=stop)

    assert [] == list(tmp_path.iterdir())


def test_the_command_prints_the_report(repository: Path, tmp_path: Path) -> None:
    """
    `aim export --json` prints the report as data; a target without a format is a wrong call.
    """
    command = [sys.executable, "-m", "aim.cli", "export", "--repo", str(repository), "--to"]
    done = subprocess.run([*command, "out", "--format", "csv", "--json"], cwd=tmp_path, capture_output=True, text=True)
    wrong = subprocess.run([*command, "other"], cwd=tmp_path, capture_output=True, text=True)

    assert (2, 8, "csv") == tuple(json.loads(done.stdout)[name] for name in ("runs", "points", "format"))
    assert 2 == wrong.returncode
    assert "--format" in wrong.stderr
