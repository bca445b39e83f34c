"""
Who seals: the process that a closing run starts, and whoever goes through all runs.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aim import Run
from aim.engine import sealing
from aim.engine.repository import Repository


def closed_run(root: Path, points: int = 10) -> Path:
    """Record and close a run; give its folder."""
    with Run(repo=root, system_tracking_interval=None, capture_terminal_logs=False) as run:
        for step in range(points):
            run.track(step / 2, name="loss")
    return root / ".aim" / "runs" / run.hash


def wait_for_sealers() -> None:
    """Wait until the processes that were started have ended."""
    for child in tuple(sealing._children):
        os.waitpid(child, 0)
        sealing._children.remove(child)


def test_a_closed_run_is_sealed_by_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `close` starts a process that seals; the run reads the same before and after.
    """
    wait_for_sealers()
    monkeypatch.setenv("AIM_SEAL_ON_CLOSE", "1")
    folder = closed_run(tmp_path)
    wait_for_sealers()

    assert [".events.jsonl", ".points.parquet"] == sorted(path.name[8:] for path in folder.iterdir())
    metric = Run(folder.name, repo=tmp_path, read_only=True).get_metric("loss")
    assert metric is not None
    assert [step / 2 for step in range(10)] == metric.values.tolist()


def test_one_process_at_a_time_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    While a sealer of this process runs, no other is started.
    """
    wait_for_sealers()
    monkeypatch.setenv("AIM_SEAL_ON_CLOSE", "1")
    for _ in range(5):
        closed_run(tmp_path)

    assert len(sealing._children) <= 1
    wait_for_sealers()


@pytest.mark.parametrize("setting", [("AIM_SEAL_ON_CLOSE", "0")])
def test_it_can_be_turned_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, str]) -> None:
    """
    With `AIM_SEAL_ON_CLOSE=0` no process is started, and the journal stays.
    """
    wait_for_sealers()
    monkeypatch.setenv(*setting)
    folder = closed_run(tmp_path)

    assert [] == sealing._children
    assert [".events.jsonl", ".points-0000"] == sorted(path.name[8:] for path in folder.iterdir())


def test_a_run_without_points_needs_no_sealer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where nothing was tracked nothing is started.
    """
    wait_for_sealers()
    monkeypatch.setenv("AIM_SEAL_ON_CLOSE", "1")
    closed_run(tmp_path, points=0)

    assert [] == sealing._children


def test_all_ended_runs_are_sealed_and_open_ones_left(tmp_path: Path) -> None:
    """
    `seal_all` seals what has ended, tells of each run, and does nothing the second time.
    """
    ended = [closed_run(tmp_path) for _ in range(2)]
    with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(1.0, name="loss")
        folders = [*ended, tmp_path / ".aim" / "runs" / run.hash, tmp_path / "gone"]
        reported: list[tuple[Path, int]] = []

        assert 2 == sealing.seal_all(folders, lambda folder, count: reported.append((folder, count)))
        assert [(ended[0], 1), (ended[1], 1), (folders[2], 0)] == reported
        assert 0 == sealing.seal_all(folders)
    assert 3 == len(Repository(tmp_path).run_hashes())


def test_a_run_that_can_not_be_sealed_does_not_keep_others_from_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A run that can't be read is left and said; those before and after it are sealed.
    """
    folders = sorted(closed_run(tmp_path) for _ in range(3))
    (unreadable,) = folders[1].glob("*.events.jsonl")
    unreadable.unlink()
    unreadable.mkdir()

    assert 2 == sealing.seal_all(folders)
    said = f"1 run could not be sealed. The first one: [Errno 21] Is a directory: '{unreadable}'"
    assert said == caplog.messages[-1]


def test_any_failure_with_one_run_leaves_the_others_to_be_sealed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A run whose folder has a name that no path can have is left and named; those before and after it are sealed.
    """
    folders = sorted(closed_run(tmp_path) for _ in range(2))
    impossible = folders[0].with_name("\0")

    assert 2 == sealing.seal_all([folders[0], impossible, folders[1]])
    assert "1 run could not be sealed. The first one: " in caplog.messages[-1]
    assert "embedded null byte" in caplog.messages[-1]


def test_extreme_steps_are_sealed(tmp_path: Path) -> None:
    """
    A run with the steps -2^57, 1 ... 325 is sealed, and reads the same.
    """
    steps = [-(2**57), *range(1, 326)]
    with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
        for step in steps:
            run.track(1.0, name="loss", step=step)

    assert 1 == sealing.seal_all([tmp_path / ".aim" / "runs" / run.hash])
    metric = Run(run.hash, repo=tmp_path, read_only=True).get_metric("loss")
    assert metric is not None
    assert steps == metric.values.indices_list()
