"""
Repositories of Aim 3.10 and 3.29 come over with the same hashes, params, points and objects.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from aim.convert.report import OK, UNCHANGED, Report
from aim.core.errors import OldRepository
from aim.engine.repository import Repository
from aim.sdk.errors import RepoIntegrityError
from aim.sdk.repo import Repo
from tests.convert.sources import (
    DATA,
    expected_runs,
    fingerprint,
    import_source,
    last_values,
    number,
    objects,
    same,
    values,
)

VERSIONS = ("aim-3.29.1", "aim-3.10.3")


@pytest.fixture(name="imported", scope="module", params=VERSIONS)
def _imported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Repository, Report, str]:
    """
    A repository of one version of Aim 3, imported.
    """
    root = tmp_path_factory.mktemp(request.param)
    report = import_source(DATA / request.param, root)
    return Repository(root), report, request.param


def kinds(version: str) -> dict[str, dict[str, Any]]:
    """Return the expected runs of a version, by their kind."""
    return {run["kind"]: run for run in expected_runs(DATA / version).values()}


def param(value: Any) -> Any:
    """Return a param of expected.json: `int:1` is an int key, some texts are numbers."""
    if isinstance(value, dict):
        return {int(key[4:]) if key.startswith("int:") else key: param(below) for key, below in value.items()}
    if isinstance(value, list):
        return [param(below) for below in value]
    return number(value)


def test_all_runs_keep_their_hashes(imported: tuple[Repository, Report, str]) -> None:
    """
    Each run is there under the hash that it had, and nothing was lost.
    """
    repository, report, version = imported

    assert sorted(expected_runs(DATA / version)) == repository.run_hashes()
    assert OK == report.exit_code
    assert 82 == report.points


def test_every_point_is_there_to_the_bit(imported: tuple[Repository, Report, str]) -> None:
    """
    Each metric has its last value at each step, with NaN, negative and huge steps.
    """
    repository, _, version = imported
    for run_hash, run in expected_runs(DATA / version).items():
        for metric in run["metrics"]:
            read = values(repository, run_hash, metric["name"], metric["context"])
            assert same(last_values(metric["logged"]), read), (run["kind"], metric["name"])


def test_epochs_and_times_are_there(imported: tuple[Repository, Report, str]) -> None:
    """
    Points have the epochs that were given, and the times at which they were tracked.
    """
    repository, _, version = imported
    run = kinds(version)["baseline"]
    points = repository.run(run["key"]).points(("loss", '{"subset":"train"}'))

    assert points is not None
    assert {entry["step"]: float(entry["epoch"]) for entry in run["metrics"][0]["logged"]} == dict(
        zip(points.steps.tolist(), points.epochs.tolist())
    )
    assert bool((points.times_us > 1_700_000_000_000_000).all())


def test_params_are_what_they_were(imported: tuple[Repository, Report, str]) -> None:
    """
    Params keep their types and keys: ints as keys, an empty key, large ints, NaN.
    """
    repository, _, version = imported
    run = kinds(version)["baseline"]
    params = repository.run(run["key"]).params()

    expected = param(run["params"])
    assert math.isnan(params["hparams"].pop("nan"))
    assert math.isnan(expected["hparams"].pop("nan"))
    assert expected == {key: params[key] for key in expected}


def test_runs_are_described_as_before(imported: tuple[Repository, Report, str]) -> None:
    """
    Names, descriptions, experiments, tags, notes, archived runs and how runs ended come over.
    """
    repository, _, version = imported
    baseline, archived, killed = (kinds(version)[kind]["key"] for kind in ("baseline", "archived-empty", "killed"))
    state = repository.readers.state(baseline)

    assert ("baseline é ✓", "mnist", "first try\nsecond line") == (
        state.name,
        state.experiment,
        state.properties["description"],
    )
    assert ["good", "ünï"] == sorted(state.tags)
    assert "a *note*" == state.properties["notes"]
    assert "finished" == state.status()[0]
    assert repository.readers.state(archived).properties["archived"] is True
    assert "lost" == repository.readers.state(killed).status()[0]


def test_objects_keep_their_bytes(imported: tuple[Repository, Report, str]) -> None:
    """
    Images, lists of images, texts, audio, distributions and figures come over; images and audio with their bytes.
    """
    repository, _, version = imported
    run_hash = kinds(version)["objects"]["key"]

    images = objects(repository, run_hash, "img", {"subset": "val"})
    assert ["cap 0", "cap 1", "cap 2"] == [images[step][0]["caption"] for step in range(3)]
    assert images[0][0]["bytes"].startswith(b"\x89PNG")
    assert 2 == len(objects(repository, run_hash, "imgs")[0])
    assert "text 1 — ✓" == objects(repository, run_hash, "txt")[1][0]["text"]
    assert (1644, 8000) == (
        len(objects(repository, run_hash, "snd")[0][0]["bytes"]),
        objects(repository, run_hash, "snd")[0][0]["rate"],
    )
    distribution = objects(repository, run_hash, "dist")[0][0]
    assert ([1, 2, 3, 4], [0.0, 3.0]) == (distribution["weights"], distribution["range"])
    assert b"scatter" in objects(repository, run_hash, "fig")[0][0]["bytes"]
    run = Repo(repository.address).get_run(run_hash)
    assert run is not None
    assert (8, 6) == run["cover"].size


def test_the_same_repository_twice_is_once(imported: tuple[Repository, Report, str]) -> None:
    """
    A second import opens no run, and changes no byte of the new repository.
    """
    repository, report, version = imported
    before = fingerprint(Path(repository.address) / ".aim" / "runs")
    again = import_source(DATA / version, Path(repository.address))

    assert [UNCHANGED] * len(report.runs) == [run.state for run in again.runs]
    assert before
    assert before == fingerprint(Path(repository.address) / ".aim" / "runs")


def test_the_old_repository_is_not_changed(tmp_path: Path) -> None:
    """
    No file of the old repository changes, and none is added, not even by RocksDB.
    """
    old = tmp_path / "old"
    shutil.copytree(DATA / VERSIONS[0], old)
    before = fingerprint(old)
    import_source(old, tmp_path / "new")

    assert before == fingerprint(old)


def test_a_damaged_chunk_hides_only_itself(tmp_path: Path) -> None:
    """
    When RocksDB refuses one chunk it is named, and all other runs come over.
    """
    old = tmp_path / "old"
    shutil.copytree(DATA / VERSIONS[0], old)
    run_hash = kinds(VERSIONS[0])["baseline"]["key"]
    (old / ".aim" / "seqs" / "chunks" / run_hash / "CURRENT").write_bytes(b"nonsense")
    report = import_source(old, tmp_path / "new")

    assert 6 == len(Repository(tmp_path / "new").run_hashes())
    assert [run_hash] == [Path(damage.path).name for damage in report.damage]


def test_a_damaged_database_is_named_once(tmp_path: Path) -> None:
    """
    Without its names and tags every run comes over, and the report says once why they are missing.
    """
    old = tmp_path / "old"
    shutil.copytree(DATA / VERSIONS[0], old)
    (old / ".aim" / "run_metadata.sqlite").write_bytes(b"SQLite format 3\0" + b"nonsense" * 900)
    report = import_source(old, tmp_path / "new")

    assert 6 == len(Repository(tmp_path / "new").run_hashes())
    (damage,) = report.damage
    assert ("run_metadata.sqlite", None) == (Path(damage.path).name, damage.offset)
    assert "Names, experiments, tags and notes" in damage.reason


def test_an_old_repository_says_how_to_bring_it(tmp_path: Path) -> None:
    """
    Opening a repository of Aim 3 is an error that names the command which brings its runs.
    """
    shutil.copytree(DATA / VERSIONS[0], tmp_path / "old")

    with pytest.raises(RepoIntegrityError, match="written by Aim 3 \\(format 1.3, 6 runs\\)") as error:
        Repo(str(tmp_path / "old"))
    assert isinstance(error.value, OldRepository)
    assert "3to4" in str(error.value)


def test_a_file_that_another_reader_left_in_a_chunk_stays_as_it_is(tmp_path: Path) -> None:
    """
    RocksDB's Python package writes rocksdict-config.json where it opens a chunk. One that lies there is not written to,
    and the second import finds nothing new.
    """
    old = tmp_path / "old"
    shutil.copytree(DATA / VERSIONS[0], old)
    for chunk in (*old.glob(".aim/meta/chunks/*"), *old.glob(".aim/seqs/chunks/*")):
        (chunk / "rocksdict-config.json").write_text('{"raw_mode": true}')
    before = fingerprint(old)
    first = import_source(old, tmp_path / "new")
    second = import_source(old, tmp_path / "new")

    assert before == fingerprint(old)
    assert {UNCHANGED} == {run.state for run in second.runs}
    assert len(first.runs) == len(second.runs)
