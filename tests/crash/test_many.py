"""
Many processes and threads at once: a new repository, one run, one sequence. No lock, no error, nothing lost.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aim.core.errors import RunClosed
from aim.core.statuses import FINISHED
from aim.storage.forms.records import scan
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.crash.history import Picture
from tests.crash.history import found as found_facts

ROOT = Path(__file__).resolve().parents[2]
PROCESS_COUNT = 64
RANK_COUNT = 16
THREAD_COUNT = 16
POINT_COUNT = 1000

RECORD = """
import sys
from pathlib import Path
from aim.storage.store import Store
from aim.storage.recording.writer import Writer

path, run_hash, first, count = Path(sys.argv[1]), sys.argv[2] or None, int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
sys.stdin.read(1)
folder = Store(path, create=True).create_run(run_hash)
writer = Writer(folder, folder.name)
loss = writer.sequence("loss", {"of": "all"})
for step in range(first, first + count):
    loss.track(step * 1.1, step)
writer.lines.set_param((f"rank{first}",), first)
writer.close()
"""


def record_at_once(path: Path, run_hashes: list[str], firsts: list[int]) -> None:
    """Let processes record, which all wait until the last of them is ready."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RECORD, str(path), run_hash, str(first), str(POINT_COUNT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for run_hash, first in zip(run_hashes, firsts, strict=True)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"g")
        process.stdin.flush()
    errors = [process.communicate(timeout=120)[1].decode() for process in processes]
    assert [(0, "")] * len(processes) == [
        (process.returncode, said) for process, said in zip(processes, errors, strict=True)
    ]


def test_64_processes_create_runs_in_a_new_repository_at_once(tmp_path: Path) -> None:
    """
    64 processes make one repository and a run each, at the same moment: no error, and all points are there.
    """
    record_at_once(tmp_path / ".aim", [""] * PROCESS_COUNT, [0] * PROCESS_COUNT)

    store = Store(tmp_path / ".aim")
    hashes = store.run_hashes()
    assert PROCESS_COUNT == len(hashes)
    for run_hash in hashes:
        reader = open_run(store.run_folder(run_hash))
        points = reader.points(("loss", '{"of":"all"}'))
        assert points is not None
        assert list(range(POINT_COUNT)) == points.steps.tolist()
        assert [step * 1.1 for step in range(POINT_COUNT)] == points.values.tolist()
        assert FINISHED == reader.state().status()[0]


def test_16_ranks_record_into_one_run_at_once(tmp_path: Path) -> None:
    """
    16 processes that chose the same hash are one run: the union of all they recorded.
    """
    firsts = [rank * POINT_COUNT for rank in range(RANK_COUNT)]
    record_at_once(tmp_path / ".aim", ["job-7"] * RANK_COUNT, firsts)

    reader = open_run(tmp_path / ".aim" / "runs" / "job-7")
    points = reader.points(("loss", '{"of":"all"}'))
    assert points is not None
    assert list(range(RANK_COUNT * POINT_COUNT)) == points.steps.tolist()
    assert [step * 1.1 for step in range(RANK_COUNT * POINT_COUNT)] == points.values.tolist()
    assert {f"rank{first}": first for first in firsts} == reader.params()
    assert RANK_COUNT == len(reader.state().writers)
    assert FINISHED == reader.state().status()[0]


@pytest.fixture(name="busy_threads")
def _busy_threads() -> Iterator[None]:
    """
    Threads change over as often as they can.
    """
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval_s)


def in_threads(work: Callable[[int], None]) -> None:
    """Run *work* with the numbers of 16 threads, all begun at once; what one raises fails the test."""
    gate = threading.Barrier(THREAD_COUNT)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        gate.wait()
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREAD_COUNT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == errors


def new_writer(path: Path) -> Writer:
    """Begin a run."""
    return Writer(Store(path / ".aim", create=True).create_run("run"), "run")


@pytest.mark.usefixtures("busy_threads")
def test_16_threads_that_share_a_sequence_get_every_step_once(tmp_path: Path) -> None:
    """
    Automatic steps of one sequence tracked by 16 threads are 0, 1, 2 ...: none twice, none missing; no value is lost.
    """
    writer = new_writer(tmp_path)
    loss = writer.sequence("loss")

    def work(thread: int) -> None:
        for count in range(POINT_COUNT):
            loss.track(thread + count / 1e4)

    in_threads(work)
    writer.close()

    found = scan(writer.files.folder, writer.id).records
    assert list(range(THREAD_COUNT * POINT_COUNT)) == sorted(found["step"].tolist())
    expected = sorted(thread + count / 1e4 for thread in range(THREAD_COUNT) for count in range(POINT_COUNT))
    assert expected == sorted(found["value"].tolist())
    assert set(found["sequence"].tolist()) == {1}


@pytest.mark.usefixtures("busy_threads")
def test_automatic_steps_are_never_given_twice_while_others_jump_ahead(tmp_path: Path) -> None:
    """
    While some threads give steps that jump ahead, no automatic step is given to two values, ints or floats.
    """
    writer = new_writer(tmp_path)
    loss = writer.sequence("loss")

    def work(thread: int) -> None:
        for count in range(POINT_COUNT):
            if thread % 4 == 0 and count % 5 == 0:
                loss.track(-1.0, step=count * 40 + thread)
            elif thread % 4 == 1:
                loss.track(thread * POINT_COUNT + count)
            else:
                loss.track(float(thread * POINT_COUNT + count))

    in_threads(work)
    writer.close()

    found = scan(writer.files.folder, writer.id).records
    assert THREAD_COUNT * POINT_COUNT == len(found)
    automatic = found[found["value"] >= 0]["step"].tolist()
    assert len(automatic) == len(set(automatic))


@pytest.mark.usefixtures("busy_threads")
def test_16_threads_that_declare_the_same_sequences_get_the_same_ones(tmp_path: Path) -> None:
    """
    Sequences that many threads begin at the same moment are announced once, objects and exact integers included.
    """
    writer = new_writer(tmp_path)

    def work(thread: int) -> None:
        for count in range(20):
            writer.sequence(f"s{count}", {"a": 1, "b": 2}).track(0.5, thread)
            writer.sequence(f"n{count}", {"b": 2.0, "a": True}).track(2**60 + thread, thread)
            writer.sequence(f"o{count}").track(Picture(bytes([thread]) * 100), thread)
            writer.lines.set_param((f"p{thread}", count), count)

    in_threads(work)
    writer.close()

    facts = found_facts(writer.files.folder)
    for count in range(20):
        assert dict.fromkeys(range(THREAD_COUNT), (0.5, 0.0)) == _without_epochs(facts.points[f"s{count}"])
        assert {step: (2**60 + step, 0.0) for step in range(THREAD_COUNT)} == _without_epochs(facts.points[f"n{count}"])
        pictures = {step: (bytes([step]) * 100, 0.0) for step in range(THREAD_COUNT)}
        assert pictures == _without_epochs(facts.points[f"o{count}"])
    assert {f"p{thread}": {count: count for count in range(20)} for thread in range(THREAD_COUNT)} == facts.params
    assert 60 == len(RunLog(writer.files.folder).refresh().sequences_by_number)


def _without_epochs(points: dict[int, tuple[object, float]]) -> dict[int, tuple[object, float]]:
    return {step: (value, 0.0) for step, (value, _) in points.items()}


@pytest.mark.usefixtures("busy_threads")
def test_what_was_tracked_while_the_run_was_closed_is_there_or_refused(tmp_path: Path) -> None:
    """
    Threads that track while the run is closed each get `RunClosed` at last, and lose no point that was not refused.
    """
    writer = new_writer(tmp_path)
    loss = writer.sequence("loss")
    counts = [0] * THREAD_COUNT
    refused: list[int] = []

    def work(thread: int) -> None:
        if thread == 0:
            while min(counts[1:]) < 100:
                pass
            writer.close()
            return
        try:
            while True:
                loss.track(float(thread))
                counts[thread] += 1
        except RunClosed:
            refused.append(thread)

    in_threads(work)

    values = scan(writer.files.folder, writer.id).records["value"].tolist()
    assert list(range(1, THREAD_COUNT)) == sorted(refused)
    assert counts == [values.count(thread) for thread in range(THREAD_COUNT)]
    assert [] == scan(writer.files.folder, writer.id).damage


@pytest.mark.usefixtures("busy_threads")
def test_close_from_many_threads_returns_when_the_run_has_ended(tmp_path: Path) -> None:
    """
    Whoever calls `close()`, first or not, finds the end on the disk when it returns.
    """
    writer = new_writer(tmp_path)
    writer.sequence("loss").track(0.5)
    ends: list[str] = []

    def work(thread: int) -> None:
        writer.close()
        ends.append(RunLog(writer.files.folder).refresh().status()[0])

    in_threads(work)

    assert [FINISHED] * THREAD_COUNT == ends
    assert 1 == writer.lines.log.path.read_bytes().count(b'"end"')
