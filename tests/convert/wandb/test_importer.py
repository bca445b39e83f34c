"""
Folders of Weights & Biases become runs with the same numbers, media, config and end.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from aim.convert.report import LOSSES, OK, Report
from aim.core.kinds import RECORDS_NAME
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
    times,
    values,
)

OFFLINE, ENDED, DAMAGED, OLD = (DATA / name for name in ("wandb", "wandb-ended", "wandb-damaged", "wandb-0.13"))


NAMES_3D = ("points", "classes", "colors", "mesh", "scene")


@pytest.fixture(name="offline", scope="module")
def _offline(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Report]:
    """
    Three runs of the offline mode, imported with their files.
    """
    root = tmp_path_factory.mktemp("offline")
    return Repository(root, create=True), import_source(OFFLINE, root, artifacts="copy")


@pytest.fixture(name="ended", scope="module")
def _ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Report]:
    """
    Runs that ended in several ways, one of them in three folders.
    """
    root = tmp_path_factory.mktemp("ended")
    return Repository(root, create=True), import_source(ENDED, root)


def plain(values_by_step: dict[int, Any]) -> dict[int, str]:
    """Return numbers as texts; the file does not tell 1.0 from 1, nor True from 1."""
    return {step: repr(float(value)) for step, value in values_by_step.items()}


@pytest.mark.parametrize("key", ["base0001", "failed01"])
def test_every_value_of_the_history_is_there(offline: tuple[Repository, Report], key: str) -> None:
    """
    Each metric has its values at the steps of the history, nested ones under joined names.
    """
    repository, report = offline
    run_hash = runs_by_title(repository, report)[key]
    for metric in expected_runs(OFFLINE)[key]["metrics"]:
        expected = plain(last_values(metric["logged"]))
        assert expected == plain(values(repository, run_hash, metric["name"])), metric["name"]


def test_dicts_of_old_versions_are_metrics_too(tmp_path: Path) -> None:
    """
    Until 0.18 a logged dict was written as one value; its numbers, images and texts have joined names, as today.
    """
    report = import_source(OLD, tmp_path)
    repository = Repository(tmp_path)
    run_hash = hash_of_only(repository)

    assert {0: 0.0, 1: 0.25, 2: 0.5} == values(repository, run_hash, "val.acc")
    assert {0: 0, 1: 2, 2: 4} == values(repository, run_hash, "val.top.5")
    assert [(2, 2)] == [(image["width"], image["height"]) for image in objects(repository, run_hash, "val.image")[7]]
    assert ["good"] == [text["text"] for text in objects(repository, run_hash, "val.note")[7]]
    imported = repository.run(run_hash).params()["imported"]
    assert ("0.13.11", "/proj/old00001") == (imported["tool_version"], imported["id"])
    assert (9, 2) == (report.points, report.objects)


def test_points_have_the_time_of_their_row(offline: tuple[Repository, Report]) -> None:
    """
    A point has the `_timestamp` of its row, and the run is created before its first point, when it began.
    """
    repository, report = offline
    run_hash = runs_by_title(repository, report)["base0001"]
    moments = times(repository, run_hash, "train/loss")

    assert 1795973947.98875 == pytest.approx(moments[0], abs=1e-4)
    assert repository.readers.state(run_hash).created_at_s < moments[0]


def test_a_run_is_described_as_it_was(offline: tuple[Repository, Report]) -> None:
    """
    Name, project, tags, notes, group, the config as it was changed last, and the summary come over.
    """
    repository, report = offline
    run_hash = runs_by_title(repository, report)["base0001"]
    state, params = repository.readers.state(run_hash), repository.run(run_hash).params()

    assert ("baseline ✓", "proj", "a *note*") == (state.name, state.experiment, state.properties["notes"])
    assert ["good", "ünï"] == sorted(state.tags)
    expected = expected_runs(OFFLINE)["base0001"]["params"]
    assert expected == {key: params[key] for key in expected}
    assert ("g1", "train") == (params["wandb"]["group"], params["wandb"]["job_type"])
    assert {"step_metric": "epoch"} == params["wandb"]["define_metric"]["val/*"]
    assert 0.5 == params["wandb"]["summary"]["best"]


def test_terminal_alerts_and_system_metrics_are_there(offline: tuple[Repository, Report]) -> None:
    """
    Lines of the terminal are joined at newlines, alerts are log records, system metrics have their prefix.
    """
    repository, report = offline
    run_hash = runs_by_title(repository, report)["base0001"]

    assert "hello terminal" == objects(repository, run_hash, "logs")[0][0]["text"]
    assert "title: text of alert" == objects(repository, run_hash, RECORDS_NAME)[0][0]["message"]
    assert len(values(repository, run_hash, "__system__cpu")) > 10
    assert "hello" == objects(repository, run_hash, "str_metric")[1001][0]["text"]


def test_media_keep_their_bytes(offline: tuple[Repository, Report]) -> None:
    """
    Images, lists of images, boxes and masks, sound, histograms, tables, HTML as text, figures.
    """
    repository, report = offline
    run_hash = runs_by_title(repository, report)["media001"]

    def read(name: str, step: int) -> list[dict[str, Any]]:
        return objects(repository, run_hash, name)[step]

    assert ("cap 0", b"\x89PNG") == (read("img", 0)[0]["caption"], read("img", 0)[0]["bytes"][:4])
    assert 2 == len(read("imgs", 2))
    boxed = read("boxes", 3)[0]
    assert ("cat", 0.5) == (boxed["boxes"][0]["label"], boxed["boxes"][0]["score"])
    assert [0.8, 0.6] == pytest.approx(boxed["boxes"][0]["box"][:2])
    assert ["m"] == [mask["name"] for mask in boxed["masks"]]
    assert ("beep", 8000) == (read("snd", 4)[0]["caption"], read("snd", 4)[0]["rate"])
    assert [1, 4, 5] == read("hist", 5)[0]["weights"]
    assert (2, ["q", "n", "pic"]) == (
        read("tab", 6)[0]["row_count"],
        [each["name"] for each in read("tab", 6)[0]["columns"]],
    )
    assert "<b>hi</b>" in read("html", 7)[0]["text"]
    assert b"scatter" in read("fig", 8)[0]["bytes"]


def test_files_are_copied_when_asked_for(offline: tuple[Repository, Report]) -> None:
    """
    Files of the run's folder become artifacts; one that lies elsewhere is named in the report.
    """
    repository, report = offline
    state = repository.readers.state(runs_by_title(repository, report)["base0001"])

    assert ["output.log", "requirements.txt"] == sorted(state.artifacts)
    assert any("conf.txt" in reason for reason in report.reasons)
    assert OK == report.exit_code


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("resume02", "finished"),
        ("failed02", "failed"),
        ("exit01", "failed"),
        ("launcher01", "finished"),
        ("orphan01", "finished"),
    ],
)
def test_runs_end_as_their_exit_record_says(ended: tuple[Repository, Report], key: str, status: str) -> None:
    """
    Exit code 0 is finished, another one failed; the points are there in each case.
    """
    repository, report = ended
    run_hash = runs_by_title(repository, report)[key]

    assert status == repository.readers.state(run_hash).status()[0]
    for metric in expected_runs(ENDED)[key]["metrics"]:
        assert plain(last_values(metric["logged"])) == plain(values(repository, run_hash, metric["name"]))


def test_a_run_without_an_exit_record_was_lost(offline: tuple[Repository, Report]) -> None:
    """
    A killed run is lost, and not finished.
    """
    repository, report = offline

    assert "lost" == repository.readers.state(runs_by_title(repository, report)["failed01"]).status()[0]


def test_folders_of_one_id_are_one_run(ended: tuple[Repository, Report]) -> None:
    """
    Three folders of one id are one run with the config of all, and a later folder wins a step.
    """
    repository, report = ended
    run = next(run for run in report.runs if run.title == "resume02")
    params = repository.run(run.run_hash).params()

    assert expected_runs(ENDED)["resume02"]["params"] == {key: params[key] for key in ("lr", "late", "opt")}
    assert 5 == run.counts.merged


def test_damage_hides_only_its_record(tmp_path: Path) -> None:
    """
    Of a file with a flipped bit and a cut only these two records are missing, and both are named.
    """
    report = import_source(DAMAGED / "flipped", tmp_path)
    repository = Repository(tmp_path)
    expected = expected_runs(DAMAGED)["flipped"]

    assert LOSSES == report.exit_code
    assert [begin for begin, _ in expected["damage"]] == [damage.offset for damage in report.damage]
    for metric in expected["metrics"]:
        read = values(repository, report.runs[0].run_hash, metric["name"])
        assert plain(last_values(metric["logged"])) == plain(read)


def test_objects_in_three_dimensions_are_points_and_meshes(tmp_path: Path) -> None:
    """
    Points keep their colours, or one for each class; a mesh keeps its bytes; what a scene has besides points is named.
    """
    report = import_source(DATA / "wandb-object3d", tmp_path)
    repository = Repository(tmp_path)
    run_hash = hash_of_only(repository)
    kinds = {name: objects(repository, run_hash, name)[step][0] for step, name in enumerate(NAMES_3D)}

    assert ["ply", "ply", "ply", "obj", "ply"] == [kinds[name]["format"] for name in NAMES_3D]
    assert [3, 3, 3, None, 3] == [kinds[name].get("point_count") for name in NAMES_3D]
    assert [False, True, True, False] == [b"uchar red" in kinds[name]["bytes"] for name in NAMES_3D if name != "mesh"]
    assert b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n" == kinds["mesh"]["bytes"]
    assert ["scene at step 4: object3D-file: the boxes of a scene are left out"] == list(report.counts().refused)


def test_a_missing_media_file_leaves_a_text(tmp_path: Path) -> None:
    """
    A point whose file is gone becomes a text that names it, and is counted.
    """
    source = tmp_path / "wandb"
    shutil.copytree(OFFLINE / "wandb", source, symlinks=True)
    for path in source.rglob("snd_*.wav"):
        path.unlink()
    report = import_source(source, tmp_path / "repo")
    repository = Repository(tmp_path / "repo")

    assert LOSSES == report.exit_code
    assert "media/audio/snd_" in objects(repository, runs_by_title(repository, report)["media001"], "snd")[4][0]["text"]


def test_the_folder_stays_as_it_is(tmp_path: Path) -> None:
    """
    Importing changes no file of the source, and a second import nothing in the repository.
    """
    source = tmp_path / "wandb"
    shutil.copytree(OFFLINE / "wandb", source, symlinks=True)
    before = fingerprint(source)
    import_source(source, tmp_path / "repo")
    imported = fingerprint(tmp_path / "repo")
    again = import_source(source, tmp_path / "repo")

    assert before == fingerprint(source)
    assert ["unchanged"] * 3 == [run.state for run in again.runs]
    assert imported == fingerprint(tmp_path / "repo")


def test_files_of_a_resumed_run_are_those_of_its_last_folder(tmp_path: Path) -> None:
    """
    With `--artifacts copy` a run of several folders has each file once, the last folder's; the others are counted.
    """
    report = import_source(ENDED, tmp_path, artifacts="copy")
    state = Repository(tmp_path).readers.state(runs_by_title(Repository(tmp_path), report)["resume02"])

    assert {"imported"} == {run.state for run in report.runs}
    assert "requirements.txt" in state.artifacts
    assert report.reasons["files that a later folder of the run has under the same name"] > 0
