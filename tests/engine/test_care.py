"""
The care for the files of a repository: what people are told of a repair, and which runs are sealed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.errors import RunExists, RunNotFound
from aim.engine import care
from aim.engine.repository import Repository
from aim.storage.disk import layout

POINTS = 300


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository with a run "example" of 300 points that has ended, and one that is empty.
    """
    repository = Repository(tmp_path / "work", create=True)
    writer = repository.new_run("example")
    for step in range(POINTS):
        writer.sequence("loss").track(step / 2, step=step)
    writer.lines.set_param(("lr",), 0.1)
    writer.close()
    repository.new_run("empty").close()
    return repository


def damage_page(repository: Repository) -> None:
    """Destroy one byte of a value in the journal of the run."""
    folder = repository.files / "runs" / "example"
    (writer,) = repository.readers.state("example").writers
    segment = layout.segment_file(folder, writer, 0)
    content = bytearray(segment.read_bytes())
    content[4096 + 5] ^= 0xFF
    segment.write_bytes(content)


def test_a_sound_repository_has_no_damage(repository: Repository) -> None:
    """
    The repository's own files come as "", then each run.
    """
    reports = dict(care.check(repository))

    assert {"": [], "example": [], "empty": []} == reports
    assert [] == care.check_run(repository, "example")
    with pytest.raises(RunNotFound):
        care.check_run(repository, "gone")


def test_damage_is_named_with_its_file(repository: Repository) -> None:
    """
    The damage of one run is that of the whole check.
    """
    damage_page(repository)
    (damage,) = care.check_run(repository, "example")

    assert damage.file.endswith("points-0000")
    assert [damage] == dict(care.check(repository))["example"]


def test_a_repair_says_what_was_kept(repository: Repository, tmp_path: Path) -> None:
    """
    The copy has all points, those of a damaged page too, which the report counts; a second copy is refused.
    """
    assert f"Kept {POINTS} points." == care.repair(repository, "example", tmp_path / "sound")
    damage_page(repository)
    report = care.repair(repository, "example", tmp_path / "mended").splitlines()[0]

    assert report.startswith(f"Kept {POINTS} points; ")
    assert "of them from pages that fail their CRC" in report
    assert {"lr": 0.1} == Repository(tmp_path / "mended").readers.state("example").tree
    with pytest.raises(RunExists):
        care.repair(repository, "example", tmp_path / "mended")


def test_a_damaged_format_is_written_anew(repository: Repository) -> None:
    """
    A sound one is left as it is.
    """
    assert False is care.repair_format(repository)
    (repository.files / "FORMAT").write_bytes(b"damaged")

    assert True is care.repair_format(repository)
    assert False is care.repair_format(repository)


def test_runs_are_sealed_and_counted(repository: Repository) -> None:
    """
    Progress is told after each run; a run whose writers are sealed already, or record, counts as none.
    """
    reported: list[int] = []
    open_writer = repository.new_run("open")
    open_writer.sequence("loss").track(1.0)

    assert 1 == care.seal(repository, ["example", "open"], lambda: reported.append(1))
    assert 2 == len(reported)
    assert 0 == care.seal(repository, ["example"])
    open_writer.close()
    assert 1 == care.seal(repository, ["open"])


def test_an_archive_has_all_runs(repository: Repository, tmp_path: Path) -> None:
    """
    Each run is told once while the archive is written.
    """
    reported: list[str] = []

    assert 2 == care.write_archive(repository, tmp_path / "all.zip", reported.append)
    assert ["empty", "example"] == sorted(reported)
