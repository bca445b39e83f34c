"""
What holds for every importer: the same numbers, twice is once, and a source that stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aim.convert.report import REFUSED, UNCHANGED, Report
from aim.convert.source_import import hash_of
from aim.engine.repository import Repository
from tests.convert.sources import copied, expected_runs, fingerprint, import_source, last_values, number, same, values

SOURCES = (
    "mlflow2-file",
    "mlflow3-file",
    "mlflow3-sqlite",
    "trackio",
    "clearml",
    "neptune",
    "neptune-scale",
    "neptune-export",
    "swanlab",
    "comet",
    "dvclive",
)
RENAMED = (":monitor:", "system/", "monitoring/")


@pytest.fixture(name="folder", scope="module", params=SOURCES)
def _folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A copy of one source.
    """
    return copied(request.param, tmp_path_factory.mktemp("source"))


@pytest.fixture(name="imported", scope="module")
def _imported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """
    The root of a repository with what was imported, and the report.
    """
    root = tmp_path_factory.mktemp("target")
    return root, import_source(folder, root, artifacts="copy")


def hash_of_run(report: Report, key: str, run: dict[str, Any]) -> str:
    """Return the hash of a run of expected.json."""
    titles = {each.title: each.run_hash for each in report.runs}
    return titles.get(key) or titles.get(run.get("name", "")) or hash_of(report.sources[0].format, key)


def curve_of(logged: list[dict[str, Any]]) -> dict[int, Any]:
    """Return the points that a logged metric becomes: without steps, or with fractions, they are numbered."""
    steps = [entry["step"] for entry in logged]
    is_numbered = any(step is None or step != int(step) for step in steps) or (len(steps) > 1 and set(steps) == {0})
    if is_numbered:
        return {index: number(entry["value"]) for index, entry in enumerate(logged)}
    return last_values(logged)


def metrics_of(folder: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Go through the metrics of all runs of a source: the key of the run, the run, the metric."""
    for key, run in expected_runs(folder).items():
        for metric in run["metrics"]:
            if not metric["name"].startswith(RENAMED):
                yield key, run, metric


def test_every_number_is_there_to_the_bit(folder: Path, imported: tuple[Path, Report]) -> None:
    """
    Each metric has the last value of each step, NaN, infinities and negative zero too, and what is read back is equal.
    """
    root, report = imported
    repository = Repository(root)
    differing = [
        (key, metric["name"])
        for key, run, metric in metrics_of(folder)
        if not same(
            curve_of(metric["logged"]),
            values(repository, hash_of_run(report, key, run), metric["name"], metric.get("context")),
        )
    ]

    assert [] == differing
    assert {True} == {run.is_verified for run in report.runs if run.state != REFUSED}


def test_the_same_source_twice_is_once(folder: Path, imported: tuple[Path, Report]) -> None:
    """
    A second import opens no run, and changes no byte of the repository.
    """
    root, report = imported
    before = fingerprint(root / ".aim" / "runs")
    again = import_source(folder, root, artifacts="copy")

    states = [REFUSED if run.state == REFUSED else UNCHANGED for run in report.runs]
    assert states == [run.state for run in again.runs]
    assert before == fingerprint(root / ".aim" / "runs")


def test_a_source_stays_as_it_is(folder: Path, tmp_path: Path) -> None:
    """
    Neither bytes nor times of the source change.
    """
    before = fingerprint(folder)
    import_source(folder, tmp_path, artifacts="copy")

    assert before == fingerprint(folder)
