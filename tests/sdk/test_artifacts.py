"""
Artifacts: files of a run, stored whole, hashed, once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from aim import Repo, Run
from aim.core.errors import ReadOnly
from aim.engine.artifacts import artifacts_of
from aim.sdk.artifacts import NoArtifact, clean_name
from aim.storage.artifacts.registry import register, store_of
from aim.storage.artifacts.stores import ArtifactStore, FolderStore, ObjectStore, UnknownStore
from aim.storage.disk.digests import DigestedParts, FileDigest


@pytest.fixture(name="model")
def _model(tmp_path: Path) -> Path:
    """
    A file to log.
    """
    path = tmp_path / "weights.bin"
    path.write_bytes(os.urandom(300_000))
    return path


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """
    A folder of three files to log, two of them equal.
    """
    folder = tmp_path / "checkpoints"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"a" * 1000)
    (folder / "b.bin").write_bytes(b"b" * 1000)
    (folder / "deep" / "a.bin").write_bytes(b"a" * 1000)
    return folder


def stored_at(run: Run) -> Path:
    """Return the run's own folder of files."""
    return Path(run.repo.path, "runs", run.hash, "files")


def test_a_file_is_kept_in_the_runs_folder_by_default(run: Run, model: Path, tmp_path: Path) -> None:
    """
    Without an address an artifact is copied into `files/` of the run; it can be downloaded again.
    """
    run.log_artifact(model, block=True)
    run.log_artifact(str(model), name="models/best.bin")
    run.flush()

    assert run.artifacts_uri is None
    assert ["models/best.bin", "weights.bin"] == list(run.artifacts)
    artifact = run.artifacts["models/best.bin"]
    assert (300_000, hashlib.sha256(model.read_bytes()).hexdigest()) == (artifact.size_bytes, artifact.sha256)
    copy = artifact.download(tmp_path / "new" / "folder")
    assert str(tmp_path / "new" / "folder" / "best.bin") == copy
    assert model.read_bytes() == Path(copy).read_bytes()


def test_a_folder_is_kept_with_the_names_below_it(run: Run, folder: Path) -> None:
    """
    The files of a folder are named after it, or as asked for, with their paths below it.
    """
    run.log_artifacts(folder, block=True)
    run.log_artifacts(folder, "epoch-1", block=True)

    names = ["a.bin", "b.bin", "deep/a.bin"]
    assert [*(f"checkpoints/{name}" for name in names), *(f"epoch-1/{name}" for name in names)] == list(run.artifacts)


def test_the_server_lists_the_same_files(run: Run, folder: Path) -> None:
    """
    What the browser is shown of the run's folder has the names that were logged.
    """
    run.log_artifacts(folder, block=True)

    assert list(run.artifacts) == [one.name for one in artifacts_of(Path(run.repo.path, "runs", run.hash, "files"), {})]


def test_equal_files_are_stored_once(run: Run, folder: Path) -> None:
    """
    Files of equal content are one file with several names on the disk.
    """
    run.log_artifact(folder / "a.bin", block=True)
    run.log_artifact(folder / "deep" / "a.bin", "other.bin", block=True)

    first, second = (stored_at(run) / name for name in ("a.bin", "other.bin"))
    assert first.stat().st_ino == second.stat().st_ino


def test_changing_one_of_two_equal_files_leaves_the_other(run: Run, folder: Path) -> None:
    """
    A new content under one of the names does not show under the other.
    """
    run.log_artifact(folder / "a.bin", "one", block=True)
    run.log_artifact(folder / "a.bin", "two", block=True)
    run.log_artifact(folder / "b.bin", "one", block=True)

    assert (b"b" * 1000, b"a" * 1000) == tuple((stored_at(run) / name).read_bytes() for name in ("one", "two"))
    assert run.artifacts["one"].sha256 != run.artifacts["two"].sha256


def test_what_is_stored_is_not_stored_again(run: Run, folder: Path) -> None:
    """
    Logging the same once more touches nothing; a changed or missing file is stored again.
    """
    run.log_artifacts(folder, block=True)
    before = {path: path.stat().st_mtime_ns for path in stored_at(run).rglob("*.bin")}
    (folder / "b.bin").write_bytes(b"new")
    (stored_at(run) / "checkpoints" / "deep" / "a.bin").unlink()
    run.log_artifacts(folder, block=True)

    changed = {path.name for path, time_ns in before.items() if path.stat().st_mtime_ns != time_ns}
    assert {"b.bin"} == changed - {"a.bin"}
    assert b"new" == (stored_at(run) / "checkpoints" / "b.bin").read_bytes()
    assert (stored_at(run) / "checkpoints" / "deep" / "a.bin").exists()


def test_logging_goes_on_where_another_process_ended(repo: Repo, run: Run, folder: Path) -> None:
    """
    A resumed run knows what is stored already.
    """
    run.log_artifacts(folder, block=True)
    run.close()
    path = stored_at(run) / "checkpoints" / "a.bin"
    before_ns = path.stat().st_mtime_ns
    resumed = Run(run.hash, repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    resumed.log_artifacts(folder, block=True)

    assert before_ns == path.stat().st_mtime_ns
    assert 3 == len(resumed.artifacts)
    resumed.close()


@pytest.mark.parametrize("address", [None, "memory:///changing"])
def test_a_file_that_changes_while_it_is_stored_has_the_digest_of_what_is_stored(
    run: Run, model: Path, tmp_path: Path, address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It can be downloaded, which compares the digests; logging the file again stores its new content.
    """
    whole = model.read_bytes()
    given = DigestedParts.__iter__

    def changing(parts: DigestedParts) -> Iterator[bytes]:
        for part in given(parts):
            model.unlink()
            model.write_bytes(b"new" + whole)
            yield part

    if address is not None:
        run.set_artifacts_uri(address)
    with monkeypatch.context() as changes:
        changes.setattr(DigestedParts, "__iter__", changing)
        run.log_artifact(model, block=True)
    first = Path(run.artifacts["weights.bin"].download(tmp_path / "first")).read_bytes()
    run.log_artifact(model, block=True)
    second = Path(run.artifacts["weights.bin"].download(tmp_path / "second")).read_bytes()

    assert [True, True] == [first == whole, second == b"new" + whole]


@pytest.mark.parametrize("as_uri", [True, False])
def test_an_address_says_where_artifacts_go(run: Run, model: Path, tmp_path: Path, as_uri: bool) -> None:
    """
    Below an address each run has a folder of its own; an address may be a path.
    """
    base = tmp_path / "my models"
    run.set_artifacts_uri(base.as_uri() if as_uri else str(base))
    run.log_artifact(model, block=True)

    assert f"{base.as_uri()}/{run.hash}" == run.artifacts_uri
    assert f"{run.artifacts_uri}/weights.bin" == run.artifacts["weights.bin"].uri
    assert model.read_bytes() == (base / run.hash / "weights.bin").read_bytes()
    assert model.read_bytes() == Path(run.artifacts["weights.bin"].download(tmp_path / "copy")).read_bytes()


def test_an_object_store_keeps_artifacts(run: Run, model: Path, tmp_path: Path) -> None:
    """
    Through obstore a file goes to an object store, and comes back; a second time it is not sent.
    """
    pytest.importorskip("obstore")
    run.set_artifacts_uri("memory:///models")
    run.log_artifact(model, "deep/weights.bin", block=True)
    run.log_artifact(model, "deep/weights.bin", block=True)

    assert f"memory:///models/{run.hash}/deep/weights.bin" == run.artifacts["deep/weights.bin"].uri
    store = store_of("memory:///models")
    assert isinstance(store, ObjectStore)
    assert 300_000 == store.size_bytes(f"{run.hash}/deep/weights.bin")
    store.get(f"{run.hash}/deep/weights.bin", tmp_path / "copy")
    assert model.read_bytes() == (tmp_path / "copy").read_bytes()
    store.delete(f"{run.hash}/deep/weights.bin")
    store.delete(f"{run.hash}/deep/weights.bin")
    assert store.size_bytes(f"{run.hash}/deep/weights.bin") is None


def test_a_store_of_ones_own_is_a_class_with_four_methods(run: Run, model: Path, tmp_path: Path) -> None:
    """
    `register` makes a scheme known.
    """
    made: list[str] = []

    def make(uri: str) -> ArtifactStore:
        made.append(uri)
        return FolderStore(tmp_path / "vault")

    register("vault", make)
    run.set_artifacts_uri("vault://secret")
    run.log_artifact(model, block=True)

    assert ["vault://secret"] == made
    assert (tmp_path / "vault" / run.hash / "weights.bin").exists()


def test_an_unknown_address_is_refused_at_once(run: Run) -> None:
    """
    An address that no store understands is a ValueError that names those that are known.
    """
    with pytest.raises(ValueError, match="s3://") as caught:
        run.set_artifacts_uri("ftp://host/models")
    assert isinstance(caught.value, UnknownStore)


def test_what_is_no_file_is_refused_at_once(run: Run, tmp_path: Path) -> None:
    """
    A missing file, a folder in place of a file, and a file in place of a folder are ValueErrors, and as in Aim 3
    what is not there is a FileNotFoundError too.
    """
    (tmp_path / "file").write_text("x")
    with pytest.raises(NoArtifact, match="log_artifacts"):
        run.log_artifact(tmp_path)
    with pytest.raises(ValueError, match="no file"):
        run.log_artifact(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match="no file"):
        run.log_artifact(tmp_path / "gone")
    with pytest.raises(ValueError, match="no folder"):
        run.log_artifacts(tmp_path / "file")


@pytest.mark.parametrize("name", ["../out", "a/../../b", "/etc/passwd", "", "..", "C:/x", "a\\..\\..\\b", "a\0b"])
def test_a_name_cannot_lead_out(name: str) -> None:
    """
    Whatever leads out of the run's artifacts is no name.
    """
    with pytest.raises(NoArtifact):
        clean_name(name)


@given(st.text(min_size=1, max_size=40))
def test_a_name_is_refused_or_stays_within(name: str) -> None:
    """
    A cleaned name joined to a folder names something below that folder, and is its own clean form.
    """
    try:
        clean = clean_name(name)
    except NoArtifact:
        return

    assert clean == clean_name(clean)
    assert os.path.normpath(f"/folder/{clean}").startswith("/folder/")


def test_a_failing_store_is_said_and_block_raises(
    run: Run, model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    When a store refuses there is an error in the log, the artifact is not listed, and `block=True` raises it.
    """
    (tmp_path / "wall").write_text("a file where a folder is needed")
    run.set_artifacts_uri(str(tmp_path / "wall"))
    run.log_artifact(model)
    run.flush()
    with pytest.raises(OSError, match="wall"):
        run.log_artifact(model, block=True)

    assert {} == run.artifacts
    assert 2 == len([record for record in caplog.records if record.levelno == logging.ERROR])


def test_a_changed_artifact_is_not_given_out(run: Run, model: Path, tmp_path: Path) -> None:
    """
    A download is checked by its hash: what was changed in the store is an error, and no file is left.
    """
    run.log_artifact(model, block=True)
    (stored_at(run) / "weights.bin").write_bytes(b"other")

    with pytest.raises(NoArtifact, match="changed"):
        run.artifacts["weights.bin"].download(tmp_path / "copy")
    assert not (tmp_path / "copy" / "weights.bin").exists()


def test_a_reading_run_logs_no_artifacts(repo: Repo, run: Run, model: Path) -> None:
    """
    A run that is open for reading lists artifacts and refuses to log one.
    """
    run.log_artifact(model, block=True)
    reading = repo.get_run(run.hash)

    assert ["weights.bin"] == list(reading.artifacts)
    with pytest.raises(ReadOnly):
        reading.log_artifact(model)


def test_the_caller_does_not_wait_for_the_store(run: Run, model: Path) -> None:
    """
    `log_artifact` returns before the file is stored; `flush` waits for it.
    """
    may_store = threading.Event()

    class Slow(FolderStore):
        def put(self, source: Path, path: str) -> FileDigest:
            """Wait for the test."""
            may_store.wait(60)
            return super().put(source, path)

    register("slow", lambda uri: Slow(stored_at(run)))
    run.set_artifacts_uri("slow://store")
    run.log_artifact(model)
    assert {} == run.artifacts
    may_store.set()
    run.flush()

    assert ["weights.bin"] == list(run.artifacts)


def test_the_end_of_the_process_waits_for_artifacts(tmp_path: Path, folder: Path) -> None:
    """
    A process that ends right after logging has stored everything.
    """
    program = (
        "from aim import Run\nrun = Run(repo='repo', system_tracking_interval=None)\nrun.log_artifacts('checkpoints')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    (run,) = Repo(tmp_path / "repo").iter_runs()

    assert 3 == len(run.artifacts)


def test_an_address_that_the_library_refuses_is_an_unknown_store() -> None:
    """
    obstore's own error becomes ours, in one line.
    """
    with pytest.raises(UnknownStore, match="memory://cats: artifacts can't be kept there"):
        store_of("memory://cats")
