"""
A repository as one ZIP.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import pytest

from aim.storage.care.archive import write_archive
from aim.storage.recording.writer import Writer
from aim.storage.store import Store


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """
    A repository of two runs, one of which records, with something deleted and something half done.
    """
    store = Store(tmp_path / "here" / ".aim", create=True)
    for name in ("ended", "live"):
        writer = Writer(store.create_run(name), name)
        writer.sequence("loss").track(0.5)
        if name == "ended":
            writer.close()
    (store.path / "trash" / "gone.0").mkdir(parents=True)
    (store.path / "trash" / "gone.0" / "edit").write_text("x")
    (store.runs / "ended" / ".scratch").write_text("x")
    (store.path / "views").mkdir()
    (store.path / "views" / "a.json").write_text("{}")
    return store


def test_an_archive_has_all_that_a_copy_would(store: Store, tmp_path: Path) -> None:
    """
    Runs, live ones too, and documents are in it; the trash, stamps and scratch files are not.
    """
    told: list[str] = []
    assert 2 == write_archive(store, tmp_path / "all.zip", told.append)

    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "unpacked")
    assert ["ended", "live"] == told
    assert len(names) == len(set(names))
    assert [] == [name for name in names if "trash" in name or "scratch" in name or "changes" in name]
    for name in names:
        assert (store.path.parent / name).read_bytes() == (tmp_path / "unpacked" / name).read_bytes()
    assert {"ended", "live"} == set(Store(tmp_path / "unpacked" / ".aim").run_hashes())
    assert ".aim/views/a.json" in names


def test_a_journal_that_is_sealed_meanwhile_is_packed_as_the_sealed_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A file that goes while its run is packed is looked for once more under the name that it has got.
    """
    (journal,) = (store.runs / "ended").glob("*.points-0000")
    sealed = journal.with_name(journal.name.replace("-0000", ".parquet"))
    content = journal.read_bytes()

    def open_while_sealing(path: Path, mode: str) -> IO[Any]:
        if path == journal and journal.exists():
            journal.rename(sealed)
        return open(path, mode)

    monkeypatch.setattr("aim.storage.care.archive.open", open_while_sealing, raising=False)
    write_archive(store, tmp_path / "all.zip")

    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = [name for name in archive.namelist() if "/ended/" in name]
        assert content == archive.read(f".aim/runs/ended/{sealed.name}")
    assert 2 == len(names)


def test_a_file_that_can_not_be_read_does_not_end_the_archive(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    What nobody can read is left out and named; all other files of all runs are packed.
    """
    archive = tmp_path / "all.zip"
    write_archive(store, archive)
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
    run_folder = next(store.runs.iterdir())
    loop = run_folder / "loop"
    loop.symlink_to(loop)
    write_archive(store, archive)

    with zipfile.ZipFile(archive) as packed:
        assert names == packed.namelist()
    assert [True] == [f"{loop} can't be read" in said for said in caplog.messages if str(store.path) in said]


def test_the_files_of_an_archive_may_be_read_by_all(store: Store, tmp_path: Path) -> None:
    """
    Each entry is a file that its owner may write and others may read, wherever it is unpacked.
    """
    write_archive(store, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        modes = {entry.external_attr >> 16 & 0o777 for entry in archive.infolist() if not entry.is_dir()}

    assert {0o644} == modes
