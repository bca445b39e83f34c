"""
Runs of Neptune: what they are besides their numbers, in the two newer forms.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from aim.convert.report import IMPORTED, LOSSES, REFUSED, Report
from aim.engine.repository import Repository
from tests.convert.sources import DATA, expected_runs, import_source, objects, times, values

Imported = tuple[Repository, Report, dict[str, dict[str, Any]]]
FIRST = {"neptune-scale": "run-1", "neptune-export": "RUN-1"}


@pytest.fixture(name="imported", scope="module", params=sorted(FIRST))
def _imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Imported]:
    """
    The name of a source, and its first run, report and description.
    """
    root = tmp_path_factory.mktemp(request.param)
    report = import_source(DATA / request.param, root, artifacts="copy")
    return request.param, (Repository(root), report, expected_runs(DATA / request.param))


def first_run(imported: tuple[str, Imported]) -> tuple[Repository, str, dict[str, Any]]:
    """Return the repository, the hash of the first run, and what its program did."""
    name, (repository, report, runs) = imported
    (run_hash,) = [run.run_hash for run in report.runs if run.title.endswith(FIRST[name])]
    return repository, run_hash, runs[FIRST[name]]


def test_attributes_are_params_with_their_types(imported: tuple[str, Imported]) -> None:
    """
    Integers beyond a double, negative and false values, texts and times are what the program gave.
    """
    repository, run_hash, run = first_run(imported)
    params = repository.run(run_hash).params()["hparams"]
    given = run["params"].get("hparams") or {
        name.removeprefix("hparams/"): value for name, value in run["params"].items()
    }

    assert {name: value for name, value in params.items() if name != "opt"} == {
        name: value for name, value in given.items() if name != "opt"
    }
    assert given.get("opt") == params.get("opt")


def test_names_tags_and_projects_come_over(imported: tuple[str, Imported]) -> None:
    """
    A tag that was taken off again is none; tags of groups are tags.
    """
    repository, run_hash, run = first_run(imported)
    state = repository.readers.state(run_hash)

    assert ("exp one", "ws/proj") == (state.name, state.experiment)
    assert [*run["tags"], *run.get("group_tags", ())] == list(state.tags)
    assert "finished" == state.status()[0]


def test_series_of_texts_histograms_and_files_are_objects(imported: tuple[str, Imported]) -> None:
    """
    Each object is at its step, with its bytes, edges and counts.
    """
    repository, run_hash, run = first_run(imported)
    (histogram,) = [item for item in run["objects"] if item["kind"] == "distribution"]

    assert "a line ✓" == objects(repository, run_hash, "notes")[1][0]["text"]
    drawn = objects(repository, run_hash, "h")[2][0]
    assert list(map(float, histogram["bins"])) == drawn["edges"]
    assert b"\x89PNG" == objects(repository, run_hash, "pics")[3][0]["bytes"][:4]


def test_times_are_those_of_the_source(imported: tuple[str, Imported]) -> None:
    """
    A point has the time that the program gave it.
    """
    repository, run_hash, run = first_run(imported)
    logged = run["metrics"][0]["logged"]

    assert {entry["step"]: float(entry["time"]) for entry in logged} == times(repository, run_hash, "train/loss")


def test_files_come_along_and_those_outside_are_named(imported: tuple[str, Imported]) -> None:
    """
    A file below the source is an artifact; one that lies elsewhere is reported, not taken.
    """
    _, (_, report, _) = imported
    repository, run_hash, run = first_run(imported)
    artifacts = {Path(name).stem for name in repository.readers.state(run_hash).artifacts}

    assert {Path(name).stem for name in run["files"]} == artifacts
    assert any("outside of the source" in reason for reason in report.counts().refused)


def test_an_export_that_was_not_finished_is_refused(tmp_path: Path) -> None:
    """
    A run without part 0 is named, and the others come over.
    """
    report = import_source(DATA / "neptune-export", tmp_path)
    states = {run.title.rpartition("/")[2]: run.state for run in report.runs}

    assert {"RUN-1": IMPORTED, "RUN-2": IMPORTED, "RUN-3": REFUSED} == states
    assert LOSSES == report.exit_code
    assert "no part 0" in report.text()


def test_metrics_of_the_machine_are_system_metrics(tmp_path: Path) -> None:
    """
    What Neptune has below `monitoring/` is told apart from the metrics of the training.
    """
    report = import_source(DATA / "neptune-export", tmp_path)
    repository = Repository(tmp_path)

    assert {0: 12.5} == values(repository, report.runs[0].run_hash, "__system__cpu")
    assert report.counts().system_points


def test_a_damaged_export_is_named(tmp_path: Path) -> None:
    """
    A time beyond the year 9999, or a column whose name is no UTF-8, is damage of its part.
    """
    source = tmp_path / "source"
    shutil.copytree(DATA / "neptune-export", source)
    beyond, unnamed = sorted(source.rglob("RUN-*_part_0.parquet"))
    table = pyarrow.parquet.read_table(beyond)
    place = table.schema.get_field_index("datetime_value")
    times_ms = pyarrow.array([2**53] * table.num_rows, pyarrow.timestamp("ms", tz="UTC"))
    pyarrow.parquet.write_table(table.set_column(place, "datetime_value", times_ms), beyond)
    unnamed.write_bytes(unnamed.read_bytes().replace(b"float_value", b"float_v\xe1lue"))
    report = import_source(source, tmp_path / "target")

    assert LOSSES == report.exit_code
    assert [str(beyond), str(unnamed)] == [path for path, _, _ in report.damage]
