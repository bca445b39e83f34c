"""
Checkpoints as artifacts: files that the framework removes at once are stored all the same.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from aim.core.errors import UsageError
from aim.sdk.adapters.session.checkpoints import Checkpoints
from aim.sdk.adapters.session.options import NameOptions, SessionOptions
from aim.sdk.adapters.session.run_session import RunSession
from tests.adapters.conftest import runs_of


def session_of(repo: Path) -> RunSession:
    """Return a session without capture."""
    return RunSession("aim.example", SessionOptions(repo, None, None, False, False), NameOptions())


def test_a_checkpoint_is_stored_though_it_is_removed(repo: Path, tmp_path: Path) -> None:
    """
    Files and folders are stored under their names, with a param that says of which step they are.
    """
    session = session_of(repo)
    checkpoints = Checkpoints(session, "all")
    for step in range(3):
        folder = tmp_path / f"checkpoint-{step}"
        (folder / "deep").mkdir(parents=True)
        (folder / "deep/model.bin").write_text(f"weights {step}")
        checkpoints.save(folder, step=step, score=None)
        shutil.rmtree(folder)
    (tmp_path / "last.ckpt").write_text("last")
    checkpoints.save(tmp_path / "last.ckpt", name="final.ckpt", step=3, monitor="val_loss", score=0.5)
    (tmp_path / "last.ckpt").unlink()
    session.close()
    (run,) = runs_of(repo)
    artifact = run.artifacts["checkpoints/final.ckpt"]

    assert [*(f"checkpoints/checkpoint-{step}/deep/model.bin" for step in range(3)), "checkpoints/final.ckpt"] == list(
        run.artifacts
    )
    assert hashlib.sha256(b"last").hexdigest() == artifact.sha256
    assert {"step": 1, "path": str(tmp_path / "checkpoint-1")} == run["checkpoints", "checkpoint-1"]
    assert (3, 0.5, "val_loss") == tuple(run["checkpoints", "final.ckpt", key] for key in ("step", "score", "monitor"))
    assert [] == [path.name for path in tmp_path.iterdir() if path.name.startswith(".aim")]


def test_a_reference_is_a_path_and_a_digest(repo: Path, tmp_path: Path) -> None:
    """
    `log_model="reference"` copies nothing.
    """
    (tmp_path / "model.bin").write_text("weights")
    session = session_of(repo)
    checkpoints = Checkpoints(session, "reference")
    checkpoints.save(tmp_path / "model.bin", step=1)
    session.close()
    (run,) = runs_of(repo)

    assert {} == run.artifacts
    assert {
        "path": str(tmp_path / "model.bin"),
        "step": 1,
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    } == run["checkpoints", "model.bin"]


def test_a_checkpoint_that_is_not_there_ends_nothing(repo: Path, tmp_path: Path) -> None:
    """
    A path that does not exist is one warning; the training goes on.
    """
    session = session_of(repo)
    Checkpoints(session, True).save(tmp_path / "missing.ckpt", step=1)
    session.close()

    assert {f"checkpoint {tmp_path / 'missing.ckpt'}": 1} == session.failures.counts


@pytest.mark.parametrize(
    ("log_model", "each", "last"),
    [(False, False, False), (None, False, False), (True, False, True), ("end", False, True), ("all", True, False),
     ("checkpoint", True, False), ("reference", True, False)],
)  # fmt: skip
def test_log_model_says_which_checkpoints_are_stored(log_model: bool | str, each: bool, last: bool) -> None:
    """
    True means the best and the last one, "all" each.
    """
    checkpoints = Checkpoints(session_of(Path()), log_model)

    assert (each, last) == (checkpoints.takes_each, checkpoints.takes_last)


@pytest.mark.parametrize("log_model", ["best", 3, ["all"]])
def test_another_log_model_is_an_error(log_model: object) -> None:
    """
    What is none of the modes is refused where it stands.
    """
    with pytest.raises(UsageError, match="log_model"):
        Checkpoints(session_of(Path()), log_model)  # type: ignore[arg-type]
