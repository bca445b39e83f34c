"""
A run that is recorded into after `close()`: it goes on, as loggers of training frameworks expect.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from aim import Repo, Run, Text
from aim.core.errors import RunNotFound


def closed_run(repo: Repo) -> Run:
    """Return a run that recorded one loss and was closed."""
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    run.track(3.0, name="loss", context={"subset": "train"})
    run.close()
    return run


def test_a_value_after_close_goes_on_in_the_same_run(repo: Repo, caplog: pytest.LogCaptureFixture) -> None:
    """
    Steps go on after the last one, in one run, with one warning; closing it again ends it again.
    """
    run = closed_run(repo)
    with caplog.at_level(logging.WARNING, "aim"):
        for value in (2.0, 1.0):
            run.track(value, name="loss", context={"subset": "train"})
    metric = run.get_metric("loss", {"subset": "train"})
    was_active = run.active
    run.close()

    assert [(0, 3.0), (1, 2.0), (2, 1.0)] == list(zip(metric.indices, metric.values.tolist()))
    assert (True, "finished") == (was_active, run.status)
    assert [run.hash] == [stored.hash for stored in repo.iter_runs()]
    assert 1 == len([record for record in caplog.records if "was closed" in record.message])


CALLS: dict[str, Callable[[Run, Path], object]] = {
    "track": lambda run, _: run.track(1.0, name="late"),
    "a dict": lambda run, _: run.track({"late": 1.0}),
    "an object": lambda run, _: run.track(Text("late"), name="late"),
    "a param": lambda run, _: run.set("late", 1),
    "a message": lambda run, _: run.log_info("late"),
    "a rewind": lambda run, _: run.rewind(0),
    "a check-in": lambda run, _: run.report_progress(),
    "an artifact": lambda run, folder: run.log_artifact(folder / "late.txt", block=True),
    "a handle": lambda run, _: run.sequence("late").track(1.0),
}


@pytest.mark.parametrize("call", CALLS)
def test_whatever_is_recorded_after_close_resumes_the_run(call: str, repo: Repo, tmp_path: Path) -> None:
    """
    Each kind of record is taken after the end, and after a second one.
    """
    (tmp_path / "late.txt").write_text("late")
    run = closed_run(repo)
    for _ in range(2):
        CALLS[call](run, tmp_path)
        assert run.active
        run.close()

    assert "finished" == run.status


def test_artifacts_go_on_after_close(repo: Repo, tmp_path: Path) -> None:
    """
    A run stores files before and after it was closed.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    for name in ("first", "second"):
        (tmp_path / name).write_text(name)
        run.log_artifact(tmp_path / name)
        run.close()

    assert ["first", "second"] == list(run.artifacts)


def test_a_failed_run_that_goes_on_can_finish(repo: Repo) -> None:
    """
    An exception that a training catches ends the run; the next value resumes it.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    with pytest.raises(ValueError), run:
        raise ValueError("a bad batch")
    was = run.status
    run.track(1.0, name="loss")
    run.close()

    assert ("failed", "finished") == (was, run.status)


def test_many_threads_resume_a_run_once(repo: Repo) -> None:
    """
    Values of several threads after `close()` are in one part of the run, and all are there.
    """
    run = closed_run(repo)
    together = threading.Barrier(8)

    def work() -> None:
        together.wait(60)
        for _ in range(50):
            run.track(1.0, name="late")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    run.close()

    assert list(range(400)) == list(run.get_metric("late").indices)
    assert 2 == len(run._state().writers)


def test_a_deleted_run_does_not_come_back(repo: Repo) -> None:
    """
    After the run was deleted nothing can be recorded into it, and the error says so.
    """
    run = closed_run(repo)
    repo.delete_run(run.hash)

    with pytest.raises(RunNotFound):
        run.track(1.0, name="loss")


def test_a_process_ends_a_run_that_was_resumed(repo: Repo, tmp_path: Path) -> None:
    """
    A run that goes on after `close()` and is not closed again finishes with its process.
    """
    program = (
        "import sys; from aim import Run; run = Run(repo=sys.argv[1], system_tracking_interval=None); "
        "run.track(1.0, name='loss'); run.close(); run.track(2.0, name='loss')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, repo.path], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    (run,) = repo.iter_runs()

    assert 0 == ended.returncode, ended.stderr
    assert ("finished", [1.0, 2.0]) == (run.status, run.get_metric("loss").values.tolist())
