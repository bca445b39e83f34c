"""
The files that belong to a run: which are listed, and which are sent.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from aim.core.errors import NotFound
from aim.engine.artifacts import RunFile, artifacts_of, find_artifact
from aim.storage.forms.artifact_records import ArtifactRecord

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """
    The folder for artifacts of a run, with two files and what is not listed.
    """
    folder = tmp_path / "runs" / "example" / "files"
    (folder / "deep").mkdir(parents=True)
    (folder / "model.pt").write_bytes(CONTENT)
    (folder / "deep" / "notes.txt").write_bytes(b"notes")
    (folder / ".hidden").write_bytes(b"hidden")
    (folder / "link").symlink_to(folder / "model.pt")
    (folder / "deep" / "out").symlink_to(tmp_path)
    return folder


def record(name: str, uri: str | None = None, content: bytes = CONTENT) -> ArtifactRecord:
    """Return what is recorded of an artifact."""
    return ArtifactRecord(name, uri, len(content), hashlib.sha256(content).hexdigest(), 1.0)


def content_of(file: RunFile) -> bytes:
    """Return what is sent of a file."""
    with file.open() as opened:
        return opened.read()


def test_the_files_of_the_folder_are_listed_by_name(folder: Path) -> None:
    """
    Files in folders have slashes in their names; hidden ones and links are left out.
    """
    notes, model = artifacts_of(folder, {"model.pt": record("model.pt")})

    assert ["deep/notes.txt", "model.pt"] == [notes.name, model.name]
    assert (5, None, True) == (notes.size_bytes, notes.sha256, notes.is_own)
    assert (7, SHA256, True) == (model.size_bytes, model.sha256, model.is_own)
    assert (folder / "model.pt").as_uri() == model.uri
    assert [b"notes", CONTENT] == [content_of(notes), content_of(model)]


def test_a_file_that_was_changed_by_hand_has_no_digest(folder: Path) -> None:
    """
    What is recorded of a file of another size, or of one elsewhere, is not said of the file in the folder.
    """
    other_size = record("model.pt", content=CONTENT + b"!")
    (file,) = [file for file in artifacts_of(folder, {"model.pt": other_size}) if file.name == "model.pt"]

    assert (None, 7, CONTENT) == (file.sha256, file.size_bytes, content_of(file))


def test_a_recorded_file_that_is_not_there_is_listed_and_not_sent(folder: Path) -> None:
    """
    Its place in the folder is its address.
    """
    file = find_artifact(folder, {"gone.bin": record("gone.bin")}, "gone.bin")

    assert (SHA256, None, (folder / "gone.bin").as_uri()) == (file.sha256, file.path, file.uri)
    with pytest.raises(NotFound, match="The artifact 'gone.bin' is not here, but in file:"):
        file.open()


def test_a_file_elsewhere_on_the_disk_is_sent_when_it_is_what_was_recorded(folder: Path, tmp_path: Path) -> None:
    """
    Its content decides, of the same size too; a link in its place is not followed.
    """
    outside = tmp_path / "elsewhere.pt"
    outside.write_bytes(CONTENT)
    records = {"far": record("far", outside.as_uri())}
    file = find_artifact(folder, records, "far")

    assert (CONTENT, False) == (content_of(file), file.is_own)
    outside.write_bytes(b"changed")
    with pytest.raises(NotFound, match="is not what was logged as 'far': it has changed since"):
        file.open()
    outside.unlink()
    with pytest.raises(NotFound, match="can't be read: No such file"):
        file.open()
    outside.symlink_to(folder / "model.pt")
    with pytest.raises(NotFound, match="can't be read"):
        file.open()
    assert None is find_artifact(folder, records, "far").path


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/model.pt",
        "https://example.org/model.pt",
        "file://otherhost/model.pt",
        "file:///no/such/file",
        "file:///a%00b",
        "model.pt",
    ],
)
def test_what_is_not_on_this_machine_is_named_only(folder: Path, uri: str) -> None:
    """
    An object store is not asked, nor another host.
    """
    file = find_artifact(folder, {"far": record("far", uri)}, "far")

    assert (uri, None, 7) == (file.uri, file.path, file.size_bytes)
    with pytest.raises(NotFound, match="is not here"):
        file.open()


def test_a_file_of_another_size_is_not_read(folder: Path, tmp_path: Path) -> None:
    """
    Its size shows that it is another one; a folder is no file either.
    """
    outside = tmp_path / "elsewhere.pt"
    outside.write_bytes(CONTENT + b"!")

    assert None is find_artifact(folder, {"far": record("far", outside.as_uri())}, "far").path
    assert None is find_artifact(folder, {"far": record("far", tmp_path.as_uri())}, "far").path
    localhost = outside.as_uri().replace("file://", "file://localhost")
    recorded = record("far", localhost, CONTENT + b"!")
    assert outside == find_artifact(folder, {"far": recorded}, "far").path


def test_a_pipe_in_the_place_of_a_file_is_refused(folder: Path) -> None:
    """
    Opening it does not wait for somebody who writes.
    """
    file = find_artifact(folder, {}, "model.pt")
    (folder / "model.pt").unlink()
    os.mkfifo(folder / "model.pt")

    with pytest.raises(NotFound, match="The artifact 'model.pt' is no file"):
        file.open()


def test_a_folder_that_is_a_link_has_no_files(folder: Path, tmp_path: Path) -> None:
    """
    Whoever can write into a run can't have files of other folders sent.
    """
    other = tmp_path / "runs" / "other"
    other.mkdir()
    (other / "files").symlink_to(folder)
    (tmp_path / "runs" / "third").symlink_to(tmp_path)

    assert [] == artifacts_of(other / "files", {})
    assert [] == artifacts_of(tmp_path / "runs" / "third" / "files", {})
    assert [] == artifacts_of(tmp_path / "runs" / "none" / "files", {})


@pytest.mark.parametrize("name", ["../model.pt", "/model.pt", "link", ".hidden", "deep", "deep/out/runs", ""])
def test_a_name_that_no_file_has_is_refused(folder: Path, name: str) -> None:
    """
    Names are compared as they are listed, so none leads out of the folder.
    """
    with pytest.raises(NotFound) as caught:
        find_artifact(folder, {}, name)

    assert f"The run has no artifact {name!r}." == str(caught.value)
