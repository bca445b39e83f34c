"""
What the process does that learns the exit code of a training after its end; tests/crash/test_exits.py lets trainings
end so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aim.core.statuses import FAILED, FINISHED
from aim.storage.reading.folder_source import open_run
from aim.storage.recording import exit_status
from aim.storage.recording.writer import Writer

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("told", "status", "error"),
    [
        (b"\0", FINISHED, None),
        (b"", FINISHED, None),
        (b"\3", FAILED, "SystemExit(3)"),
        (b"\xff", FAILED, "SystemExit(255)"),
    ],
)
def test_a_code_other_than_0_makes_runs_fail(tmp_path: Path, told: bytes, status: str, error: str | None) -> None:
    """
    Code 0, and no code at all from a process that was killed, leave a run finished; a run that is gone harms no other.
    """
    writer = Writer(tmp_path, "run")
    writer.sequence("loss").track(0.5)
    writer.close()
    event_files = [str(tmp_path / "gone" / "0a0b0c0d.events.jsonl"), str(writer.lines.log.path)]

    subprocess.run(
        [sys.executable, "-m", "aim.storage.recording.exit_status", *event_files],
        input=told,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=True,
        timeout=60,
    )

    state = open_run(tmp_path).state()
    assert (status, error) == (state.status()[0], state.error())
    assert [] == state.damage


def test_a_writer_without_an_end_is_given_none(tmp_path: Path) -> None:
    """
    A run whose end the disk has not taken is left as it is.
    """
    writer = Writer(tmp_path, "run")
    writer.sequence("loss").track(0.5)
    before = writer.lines.log.path.read_bytes()

    exit_status.fail(writer.lines.log.path, "SystemExit(1)")

    assert before == writer.lines.log.path.read_bytes()
    writer.close()
