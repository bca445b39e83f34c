"""
Folders of SwanLab become runs with the same numbers, media, config and end.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from aim.convert.report import LOSSES, Report
from aim.engine.repository import Repository
from tests.convert.sources import (
    DATA,
    expected_runs,
    hash_of_only,
    import_source,
    objects,
    runs_by_title,
    times,
    values,
)

SOURCE = DATA / "swanlab"
FIRST, FAILED, KILLED = "xlt5oiq5", "xjuoy4jp", "hnvoazn0"


@pytest.fixture(name="imported", scope="module")
def _imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Report]:
    """
    All runs of the source, imported with their files.
    """
    root = tmp_path_factory.mktemp("target")
    return Repository(root, create=True), import_source(SOURCE, root, artifacts="copy")


def folder_of(run_id: str) -> Path:
    """Return the folder of a run."""
    (folder,) = SOURCE.glob(f"run-*-{run_id}")
    return folder


def copied(run_id: str, parent: Path) -> Path:
    """Copy the folder of a run; return the copy."""
    return Path(shutil.copytree(folder_of(run_id), parent / folder_of(run_id).name))


@pytest.mark.parametrize("key", list(expected_runs(SOURCE)))
def test_a_run_is_described_as_it_was(imported: tuple[Repository, Report], key: str) -> None:
    """
    Name, project, description, tags, config and status come over.
    """
    repository, report = imported
    run_hash = runs_by_title(repository, report)[key]
    state, params = repository.readers.state(run_hash), repository.run(run_hash).params()
    expected = expected_runs(SOURCE)[key]
    params.pop("imported")
    params.get("swanlab", {}).pop("error", None)

    assert (expected["name"], expected["project"]) == (state.name, state.experiment)
    assert (expected["description"], expected["tags"]) == (state.properties.get("description"), list(state.tags))
    assert expected["params"] == params
    assert expected["status"] == state.status()[0]


def test_times_are_those_of_the_records(imported: tuple[Repository, Report]) -> None:
    """
    A point has the time at which it was logged, and the run the times of its start and its end.
    """
    repository, report = imported
    run_hash = runs_by_title(repository, report)[FAILED]
    state = repository.readers.state(run_hash)
    ended_at_s = state.status()[1]
    moments = times(repository, run_hash, "loss")

    assert ended_at_s is not None
    assert state.created_at_s < moments[3] < moments[1] < moments[2**40] < ended_at_s
    assert 1796003632 == pytest.approx(state.created_at_s, abs=5)


def test_a_failed_run_says_why(imported: tuple[Repository, Report]) -> None:
    """
    The exception that ended a run is its error, and the traceback a param.
    """
    repository, report = imported
    run_hash = runs_by_title(repository, report)[FAILED]

    assert "RuntimeError: boom" == repository.readers.state(run_hash).error()
    assert "raise RuntimeError" in repository.run(run_hash).params()["swanlab"]["error"]


def test_media_keep_their_bytes(imported: tuple[Repository, Report]) -> None:
    """
    Images, lists of images, sounds and texts, with captions.
    """
    repository, report = imported
    titles = runs_by_title(repository, report)

    def read(key: str, name: str, step: int) -> list[dict[str, Any]]:
        return objects(repository, titles[key], name)[step]

    (image,) = read(FIRST, "img", 30)
    (png,) = (folder_of(FIRST) / "media" / "image").iterdir()
    assert ("cap", png.read_bytes()) == (image["caption"], image["bytes"])
    assert "hello" == read(FIRST, "txt", 30)[0]["text"]
    assert ["c0", "c1"] == [item["caption"] for item in read(FAILED, "imgs", 4)]
    assert ("beep", 8000) == (read(FAILED, "snd", 4)[0]["caption"], read(FAILED, "snd", 4)[0]["rate"])
    assert ["ca: a", "b"] == [item["text"] for item in read(FAILED, "texts", 4)]


def test_terminal_and_system_metrics_are_there(imported: tuple[Repository, Report]) -> None:
    """
    Lines of the terminal are log lines; metrics of the machine have their prefix.
    """
    repository, report = imported
    titles = runs_by_title(repository, report)
    lines = [item["text"] for items in objects(repository, titles[FIRST], "logs").values() for item in items]

    assert "hello terminal" in lines
    assert 1 == len(values(repository, titles[KILLED], "__system__cpu.pct"))


def test_what_is_not_imported_is_counted(imported: tuple[Repository, Report]) -> None:
    """
    Charts and files elsewhere are named; the cut at the end of the killed run is the only damage.
    """
    _, report = imported

    assert {"charts of ECharts", "file 'exp/conf.txt': it is not in the run's folder"} <= set(report.reasons)
    assert ["cut inside a record; everything before it is here (7 bytes)"] == [each.reason for each in report.damage]


def test_files_are_copied_when_asked_for(imported: tuple[Repository, Report]) -> None:
    """
    Files below `files/` become artifacts, without the config, which is params.
    """
    repository, report = imported
    state = repository.readers.state(runs_by_title(repository, report)[FIRST])

    assert ["requirements.txt", "swanlab-metadata.json"] == sorted(state.artifacts)


def test_a_flipped_bit_loses_one_record(tmp_path: Path) -> None:
    """
    A record whose checksum is wrong is named with its offset, and every other point is there.
    """
    folder = copied(FIRST, tmp_path / "source")
    (file,) = folder.glob("*.swanlab")
    content = bytearray(file.read_bytes())
    content[content.index(b"val/acc", 1500) + 3] ^= 4
    file.write_bytes(content)
    report = import_source(folder, tmp_path / "repo")
    repository = Repository(tmp_path / "repo")
    run_hash = hash_of_only(repository)

    assert LOSSES == report.exit_code
    assert 1 == len(report.damage)
    assert (20, 3) == (len(values(repository, run_hash, "loss")), len(values(repository, run_hash, "val/acc")))


def test_a_changed_or_missing_media_file_is_refused(tmp_path: Path) -> None:
    """
    An image that is not the one that was logged does not come over, nor does a text that is gone; the report says so.
    """
    folder = copied(FIRST, tmp_path / "source")
    (png,) = (folder / "media" / "image").iterdir()
    png.write_bytes(png.read_bytes() + b"x")
    shutil.rmtree(folder / "media" / "text")
    report = import_source(folder, tmp_path / "repo")
    repository = Repository(tmp_path / "repo")

    assert {} == objects(repository, hash_of_only(repository), "img")
    assert LOSSES == report.exit_code
    assert any("its checksum differs" in reason for reason in report.reasons)
    assert any("txt at step 30" in reason for reason in report.reasons)


def test_an_empty_file_is_a_lost_run(tmp_path: Path) -> None:
    """
    A run that was killed before anything was written is there, as lost, with its config.
    """
    folder = copied(FIRST, tmp_path / "source")
    (file,) = folder.glob("*.swanlab")
    file.write_bytes(b"")
    import_source(folder, tmp_path / "repo")
    repository = Repository(tmp_path / "repo")
    run_hash = hash_of_only(repository)

    assert "lost" == repository.readers.state(run_hash).status()[0]
    assert 0.1 == repository.run(run_hash).params()["lr"]


def test_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    """
    A file whose header has a later version is not read, and the report names both versions.
    """
    folder = copied(FIRST, tmp_path / "source")
    (file,) = folder.glob("*.swanlab")
    content = bytearray(file.read_bytes())
    content[6] = 3
    file.write_bytes(content)
    report = import_source(folder, tmp_path / "repo")

    assert ["refused"] == [run.state for run in report.runs]
    assert "format 3 of SwanLab" in str(report.runs[0].reason)
