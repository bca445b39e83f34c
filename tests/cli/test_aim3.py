"""
Scripts of Aim 3 that call the command line: each command exists, and the script goes on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from aim import Repo, Run

SOURCE = Path(__file__).parents[2] / "src"


def aim(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m aim` with *words* in *folder*, without input."""
    return subprocess.run(
        [sys.executable, "-m", "aim", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def record(folder: Path, value: float = 0.5) -> Run:
    """Record a run, and end it."""
    with Run(repo=folder, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(value, name="loss")
    return run


KILLED = """
import os, signal, sys
from aim import Run
run = Run(repo=sys.argv[1], system_tracking_interval=None, capture_terminal_logs=False)
run.track(0.5, name="loss")
print(run.hash, flush=True)
if len(sys.argv) > 2:
    sys.stdin.read()
else:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_python_m_aim_is_aim(tmp_path: Path) -> None:
    """
    `python -m aim` does what `aim` does.
    """
    assert ("Aim v4.0.0rc1\n", 0) == ((done := aim(tmp_path, "version")).stdout, done.returncode)


def test_runs_are_listed_in_a_pipe_as_scripts_parse_them(tmp_path: Path) -> None:
    """
    In a pipe: hashes with tabs between them, newest first, then the total; also for no runs, with exit code 0.
    """
    aim(tmp_path, "init")
    empty = aim(tmp_path, "runs", "ls")
    assert ("\nTotal 0 runs.\n", "", 0) == (empty.stdout, empty.stderr, empty.returncode)
    first = record(tmp_path)
    assert f"{first.hash}\nTotal 1 runs.\n" == aim(tmp_path, "runs", "ls").stdout
    second = record(tmp_path)

    for words in ((), ("--plain",), ("metric.name == 'loss'",)):
        assert f"{second.hash}\t{first.hash}\nTotal 2 runs.\n" == aim(tmp_path, "runs", "ls", *words).stdout
    assert (0, "\nTotal 0 runs.\n") == ((done := aim(tmp_path, "runs", "ls", "--corrupted")).returncode, done.stdout)
    assert 1 == aim(tmp_path, "runs", "ls", "metric.name == 'acc'").returncode
    assert '{"name": "Run: ' in aim(tmp_path, "runs", "ls", "--columns", "name").stdout


def test_a_run_whose_process_was_killed_is_closed(tmp_path: Path) -> None:
    """
    `close` says that the process ended and seals its points; for an ended run it says so.
    """
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert -signal.SIGKILL == killed.returncode
    run_hash = killed.stdout.strip()
    done = aim(tmp_path, "runs", "close", "-y", run_hash[:8])

    assert 0 == done.returncode, done.stderr
    assert f"{run_hash}: its process ended without closing it; it last wrote at" in done.stderr
    assert "Nothing was locked. Sealed the points of 1 writer.\n" in done.stderr
    assert 1 == len(list((tmp_path / ".aim" / "runs" / run_hash).glob("*.points.parquet")))
    run = record(tmp_path)
    assert f"{run.hash}: ended at" in aim(tmp_path, "runs", "close", run.hash).stderr
    assert 1 == aim(tmp_path, "runs", "close", "nothing").returncode


def test_a_run_that_is_being_recorded_is_not_closed(tmp_path: Path) -> None:
    """
    `close` names the process that records and changes nothing; `mv` refuses the run; `cp` says that it is partial.
    """
    live = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with live:
        assert live.stdout is not None
        run_hash = live.stdout.readline().strip()
        Repo(str(tmp_path / "there"), init=True)
        closed = aim(tmp_path, "runs", "close", "*", "-y")
        moved = aim(tmp_path, "runs", "mv", "--destination", "there", run_hash)
        copied = aim(tmp_path, "runs", "cp", "--destination", "there", run_hash)
        live.kill()

    assert 0 == closed.returncode
    assert f"{run_hash}: is being recorded by process {live.pid} on " in closed.stderr
    assert (1, True) == (moved.returncode, "is still recording, so it is not moved" in moved.stderr)
    assert (0, True) == (copied.returncode, f"{run_hash}: still recording; the copy has" in copied.stderr)
    assert [run_hash] == Repo(str(tmp_path)).list_all_runs() == Repo(str(tmp_path / "there")).list_all_runs()


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "update-metrics", "-y"),
        ("storage", "upgrade", "3.11+", "abc", "-y"),
        ("storage", "--repo", ".", "upgrade", "3.11+"),
        ("storage", "restore", "abc", "-y"),
    ],
)
def test_commands_that_do_nothing_say_why_and_succeed(tmp_path: Path, words: tuple[str, ...]) -> None:
    """
    Commands that change files of earlier versions of Aim 3 say why there is nothing to do.
    """
    aim(tmp_path, "init")
    done = aim(tmp_path, *words)

    assert (0, "") == (done.returncode, done.stdout), done.stderr
    assert done.stderr.startswith("Nothing to do: ")


def test_the_catalogue_is_rebuilt(tmp_path: Path) -> None:
    """
    `storage reindex` reads all runs again.
    """
    record(tmp_path)
    record(tmp_path)

    assert "Read 2 runs again.\n" == aim(tmp_path, "storage", "reindex", "-y").stderr


def test_a_repository_is_uploaded_as_a_zip(tmp_path: Path) -> None:
    """
    `runs upload` stores a ZIP at an address and prints where; unpacked, it is the repository again.
    """
    run = record(tmp_path, 0.25)
    done = aim(tmp_path, "runs", "upload", f"file://{tmp_path}/bucket")
    (packed,) = (tmp_path / "bucket").iterdir()

    assert f"file://{tmp_path}/bucket/{packed.name}\n" == done.stdout
    assert done.stderr.startswith("Uploaded 1 run in ")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "unpacked")
    again = Repo(str(tmp_path / "unpacked")).get_run(run.hash)
    assert again is not None
    assert [0.25] == again.get_metric("loss").values.tolist()
    assert 2 == aim(tmp_path, "runs", "upload", "nowhere://bucket").returncode
