"""
Event files of torch and tensorflow become runs with the same numbers, times and bytes.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from aim.convert.report import LOSSES, OK, Report
from aim.engine.repository import Repository
from tests.convert.sources import (
    DATA,
    expected_runs,
    fingerprint,
    hash_of_only,
    import_source,
    last_values,
    objects,
    runs_by_title,
    same,
    times,
    values,
)

TORCH, TENSORFLOW, DAMAGED = DATA / "tb-torch", DATA / "tb-tf", DATA / "tb-damaged"


@pytest.fixture(name="torch", scope="module")
def _torch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Report]:
    """
    What torch wrote, in a repository of its own.
    """
    root = tmp_path_factory.mktemp("torch")
    report = import_source(TORCH, root)
    return Repository(root), report


@pytest.fixture(name="tensorflow", scope="module")
def _tensorflow(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Report]:
    """
    What tensorflow wrote, in a repository of its own.
    """
    root = tmp_path_factory.mktemp("tensorflow")
    report = import_source(TENSORFLOW, root)
    return Repository(root), report


@pytest.mark.parametrize("key", ["lenet/v1", "restarted"])
def test_every_scalar_of_torch_is_there_to_the_bit(torch: tuple[Repository, Report], key: str) -> None:
    """
    Each metric has the last value that was logged at each step, NaN and infinity too.
    """
    repository, report = torch
    run_hash = runs_by_title(repository, report)[key]
    for metric in expected_runs(TORCH)[key]["metrics"]:
        assert same(last_values(metric["logged"]), values(repository, run_hash, metric["name"])), metric["name"]


def test_each_point_keeps_its_time(torch: tuple[Repository, Report]) -> None:
    """
    The time of a point is that of its record, not that of the import.
    """
    repository, report = torch
    logged = expected_runs(TORCH)["lenet/v1"]["metrics"][0]["logged"]

    imported = times(repository, runs_by_title(repository, report)["lenet/v1"], "loss/train")

    assert {entry["step"]: entry["time"] for entry in logged} == imported


def test_folders_of_add_scalars_are_series_of_their_parent(torch: tuple[Repository, Report]) -> None:
    """
    The folders that `add_scalars` makes become the context `series` of the run above them.
    """
    repository, report = torch
    run_hash = runs_by_title(repository, report)["lenet/v1"]

    assert {3: 1.0} == values(repository, run_hash, "pair", {"series": "a"})
    assert {3: 2.0} == values(repository, run_hash, "pair", {"series": "b"})


def test_folders_of_tensorboardx_are_series_of_their_run(tmp_path: Path) -> None:
    """
    Its `add_scalars` makes a folder for each part of the tag and one for the name: all is one run.
    """
    import_source(DATA / "tb-tensorboardx", tmp_path)
    repository = Repository(tmp_path)
    run_hash = hash_of_only(repository)

    assert {0: 1.0, 1: 0.5, 2: 0.25} == values(repository, run_hash, "lr")
    assert {0: 0.0, 1: 0.5, 2: 1.0} == values(repository, run_hash, "acc", {"series": "train"})
    assert {0: 0.0, 1: 0.25, 2: 0.5} == values(repository, run_hash, "acc", {"series": "val"})
    assert {0: 1.0, 1: 0.75, 2: 0.5} == values(repository, run_hash, "loss/all", {"series": "train"})
    assert {"bs": 4, "name": "x"} == repository.run(run_hash).params()["hparams"]


def test_hyperparameters_are_params_of_the_run_above(torch: tuple[Repository, Report]) -> None:
    """
    The folder that `add_hparams` makes becomes params of the run above it, and whole numbers are ints again.
    """
    repository, report = torch
    run = repository.run(runs_by_title(repository, report)["lenet/v1"])

    assert {"bsize": 32, "lr": 0.1, "nesterov": True, "opt": "sgd"} == run.param(("hparams",))
    assert "tensorboard" == run.param(("imported", "from"))


def test_hyperparameters_stay_apart_when_asked_for(tmp_path: Path) -> None:
    """
    With --no-merge-hparams the folder of hyperparameters is a run of its own.
    """
    report = import_source(TORCH / "lenet", tmp_path, choices={"merge_hparams": False})

    assert ["v1", "v1/hp"] == [run.title for run in report.runs]


def test_a_restart_takes_the_run_back(torch: tuple[Repository, Report]) -> None:
    """
    What came after the step of a restart is hidden, and stays in the history of the run.
    """
    repository, report = torch
    run = next(run for run in report.runs if run.title == "restarted")

    assert 11 == repository.readers.state(run.run_hash).rewinds[0].step
    assert run.counts.merged > 0


def test_images_and_sound_keep_their_bytes(torch: tuple[Repository, Report]) -> None:
    """
    Objects are there with the bytes that were written: PNG for images, WAV for sound.
    """
    repository, report = torch
    run_hash = runs_by_title(repository, report)["media"]
    images, sounds = objects(repository, run_hash, "img"), objects(repository, run_hash, "beep")

    assert [0, 1] == list(images)
    assert images[0][0]["bytes"].startswith(b"\x89PNG")
    assert (8, 6) == (images[0][0]["width"], images[0][0]["height"])
    assert (8000, 0.1) == (sounds[0][0]["rate"], sounds[0][0]["duration_s"])


def test_histograms_keep_edges_and_counts(torch: tuple[Repository, Report]) -> None:
    """
    A histogram has the limits of the record as its edges, and its counts.
    """
    repository, report = torch
    run_hash = runs_by_title(repository, report)["media"]
    raw = objects(repository, run_hash, "raw")[0][0]

    assert [1, 4, 5] == raw["weights"]
    assert [1.0, 2.0, 3.0] == raw.get("edges", [0.0, 1.0, 2.0, 3.0])[-3:]
    assert 10 == sum(objects(repository, run_hash, "weights")[0][0]["weights"])


def test_a_pr_curve_is_a_figure_and_a_table(torch: tuple[Repository, Report]) -> None:
    """
    A PR curve becomes a figure, and its raw numbers a table.
    """
    repository, report = torch
    run_hash = runs_by_title(repository, report)["media"]

    assert b'"recall"' in objects(repository, run_hash, "pr")[0][0]["bytes"]
    assert 11 == objects(repository, run_hash, "pr (values)")[0][0]["row_count"]


def test_what_is_never_imported_is_counted(torch: tuple[Repository, Report]) -> None:
    """
    Graphs, meshes and layouts are counted by kind, and an empty file is named.
    """
    _, report = torch
    reasons = " ".join(report.reasons)

    assert all(kind in reasons for kind in ("graph", "mesh", "custom_scalars", "empty event file"))
    assert ["not an event file"] == [damage.reason.partition(":")[0] for damage in report.damage]


@pytest.mark.parametrize("key", ["v2/train", "v2/validation", "v2/dtypes"])
def test_every_scalar_of_tensorflow_has_its_value_and_type(tensorflow: tuple[Repository, Report], key: str) -> None:
    """
    Scalars of all types are there: halves and bfloat16 widened, 64-bit ints exact, booleans as 0 and 1.
    """
    repository, report = tensorflow
    run_hash = runs_by_title(repository, report)[key]
    for metric in expected_runs(TENSORFLOW)[key]["metrics"]:
        expected = {
            step: int(value) if isinstance(value, bool) else value
            for step, value in last_values(metric["logged"]).items()
        }
        assert same(expected, values(repository, run_hash, metric["name"])), metric["name"]


def test_objects_of_tensorflow_are_there(tensorflow: tuple[Repository, Report]) -> None:
    """
    Images of one step are a list, texts of two dimensions a table, histograms keep their buckets.
    """
    repository, report = tensorflow
    run_hash = runs_by_title(repository, report)["v2/train"]

    assert 2 == len(objects(repository, run_hash, "img")[1])
    assert "one" == objects(repository, run_hash, "txt")[0][0]["text"]
    assert 2 == objects(repository, run_hash, "txts")[0][0]["row_count"]
    assert (5, 10) == (len(objects(repository, run_hash, "h")[0][0]["weights"]), _total(repository, run_hash, "h"))
    assert 2 == _total(repository, run_hash, "h_const")
    assert {"drop": True, "lr": 0.1, "opt": "adam", "units": 16} == repository.run(run_hash).param(("hparams",))


def _total(repository: Repository, run_hash: str, name: str) -> float:
    return float(sum(objects(repository, run_hash, name)[0][0]["weights"]))


@pytest.mark.parametrize("key", ["length_flipped", "inserted", "cut_in_crc", "header_only", "not_protobuf"])
def test_damage_hides_only_itself(tmp_path: Path, key: str) -> None:
    """
    Of a damaged file everything but the damaged record comes over, and the offset is named.
    """
    expected = expected_runs(DAMAGED)[key]
    report = import_source(DAMAGED / key, tmp_path)
    repository = Repository(tmp_path)
    run_hash = report.runs[0].run_hash

    for metric in expected.get("metrics", []):
        assert same(last_values(metric["logged"]), values(repository, run_hash, metric["name"])), metric["name"]
    is_whole = key in ("cut_in_crc", "header_only")
    assert (OK if is_whole else LOSSES) == report.exit_code
    assert ([] if is_whole else [expected["damage_at"]]) == [damage.offset for damage in report.damage]


def test_a_source_is_never_changed(tmp_path: Path) -> None:
    """
    Each file of a source keeps its bytes and its time, and no file is added.
    """
    source = tmp_path / "source"
    shutil.copytree(TORCH, source)
    before = fingerprint(source)
    import_source(source, tmp_path / "repo")

    assert before == fingerprint(source)


def test_twice_is_once(tmp_path: Path) -> None:
    """
    The second import of an unchanged source changes no byte of the repository.
    """
    first = import_source(TENSORFLOW, tmp_path)
    before = fingerprint(tmp_path)
    second = import_source(TENSORFLOW, tmp_path)

    assert ["unchanged"] * len(first.runs) == [run.state for run in second.runs]
    assert before == fingerprint(tmp_path)


def test_a_source_that_grew_adds_only_what_is_new(tmp_path: Path) -> None:
    """
    After more was logged the run has the new points once, and what was done to it here stays.
    """
    source = tmp_path / "logs"
    source.mkdir()
    content = next((TORCH / "lenet" / "v1").glob("*tfevents*")).read_bytes()
    path = source / "events.out.tfevents.1.box.1.0"
    path.write_bytes(content[:750])
    run_hash = import_source(source, tmp_path / "repo").runs[0].run_hash
    repository = Repository(tmp_path / "repo")
    repository.edit(run_hash, {"tags": {"add": ["good"], "remove": []}}, by="test")
    path.write_bytes(content)
    again = import_source(source, tmp_path / "repo")

    assert ["imported"] == [run.state for run in again.runs]
    logged = expected_runs(TORCH)["lenet/v1"]["metrics"][0]["logged"]
    assert same(last_values(logged), values(repository, run_hash, "loss/train"))
    assert ["good"] == list(repository.readers.state(run_hash).tags)
    assert 1 == len(list((tmp_path / "repo" / ".aim" / "runs" / run_hash).glob("*.events.jsonl")))


def test_times_that_are_no_numbers_are_not_now(tmp_path: Path) -> None:
    """
    The run begins and ends when its records say.
    """
    report = import_source(TENSORFLOW / "v2" / "validation", tmp_path)
    state = Repository(tmp_path).readers.state(report.runs[0].run_hash)

    assert math.isclose(1795980453, state.created_at_s, abs_tol=100)
    assert "finished" == state.status()[0]
