"""
The ways in which a process ends, each by a real process; and a disk that does not answer when a run is closed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from aim.core.statuses import FAILED, FINISHED, LOST, RUNNING
from aim.engine.sealing import seal_run
from aim.storage.care.check import check_run
from aim.storage.disk.files import Disk
from aim.storage.forms.state import RunState
from aim.storage.reading.folder_source import open_run
from aim.storage.recording import background
from aim.storage.recording.writer import Writer
from aim.storage.store import Store

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60

BEGIN = """
import os, sys, signal, threading
from pathlib import Path
from aim.storage.store import Store
from aim.storage.recording.writer import Writer

def begin(name="run"):
    return Writer(Store(Path(sys.argv[1]), create=True).create_run(name), name)

writer = begin()
loss = writer.sequence("loss")
for step in range(100):
    loss.track(step * 1.1)
"""


def run(path: Path, end: str) -> tuple[int, str]:
    """Run a training that ends with *end*; give its exit code and what it said."""
    code = BEGIN + textwrap.dedent(end)
    process = subprocess.run(
        [sys.executable, "-c", code, str(path / ".aim")],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        # from 3.12 on Python warns of any fork beside a thread, and ours is one
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore::DeprecationWarning"},
    )
    return process.returncode, process.stderr


def state_of(path: Path, name: str = "run", points: int = 100) -> RunState:
    """Return the state of a run, of which all points must be there."""
    reader = open_run(path / ".aim" / "runs" / name)
    found = reader.points(("loss", "{}"))
    assert found is not None
    assert [step * 1.1 for step in range(points)] == found.values.tolist()
    return reader.state()


@pytest.mark.parametrize(
    ("end", "code", "status", "error", "said"),
    [
        ("", 0, FINISHED, None, ""),
        ("writer.close()", 0, FINISHED, None, ""),
        ("sys.exit(0)", 0, FINISHED, None, ""),
        ("sys.exit(1)", 1, FAILED, "SystemExit(1)", ""),
        ("sys.exit('no data')", 1, FAILED, "SystemExit(1)", "no data"),
        ("sys.exit(None)", 0, FINISHED, None, ""),
        ("exit(4)", 4, FAILED, "SystemExit(4)", ""),
        ("quit(4)", 4, FAILED, "SystemExit(4)", ""),
        ("raise SystemExit(0)", 0, FINISHED, None, ""),
        ("raise SystemExit", 0, FINISHED, None, ""),
        ("try:\n    sys.exit(3)\nexcept SystemExit:\n    pass", 0, FINISHED, None, ""),
        ("t = threading.Thread(target=sys.exit, args=(3,))\nt.start()\nt.join()", 0, FINISHED, None, ""),
        ("import argparse\nargparse.ArgumentParser().parse_args(['--no'])", 2, FAILED, "SystemExit(2)", "usage"),
        ("def main():\n    raise ValueError\ntry:\n    main()\nexcept Exception:\n    sys.exit(1)", 1, FAILED,
         "SystemExit(1)", ""),
        ("raise ValueError('x')", 1, FAILED, "ValueError", "ValueError: x"),
        ("raise KeyboardInterrupt", -signal.SIGINT, FAILED, "KeyboardInterrupt", "KeyboardInterrupt"),
        ("os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT, FAILED, "KeyboardInterrupt", "KeyboardInterrupt"),
        ("sys.excepthook = lambda *_: None\nraise OSError('x')", 1, FAILED, "OSError", ""),
        ("os._exit(3)", 3, LOST, None, ""),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, LOST, None, ""),
        ("os.abort()", -signal.SIGABRT, LOST, None, ""),
        ("signal.signal(15, lambda *_: sys.exit(9))\nos.kill(os.getpid(), 15)", 9, FAILED, "SystemExit(9)", ""),
        ("try:\n    raise ValueError\nexcept ValueError:\n    pass", 0, FINISHED, None, ""),
        ("del writer, loss\nimport gc\ngc.collect()", 0, FINISHED, None, ""),
        ("writer.close('MyError')", 0, FAILED, "MyError", ""),
        ("def inner():\n    local = writer\n    raise MemoryError\ninner()", 1, FAILED, "MemoryError", "MemoryError"),
    ],
)  # fmt: skip
def test_each_end_of_a_process_ends_its_run(
    tmp_path: Path, end: str, code: int, status: str, error: str | None, said: str
) -> None:
    """
    However a training ends, no point is lost, and the run says how it ended.
    """
    found_code, errors = run(tmp_path, end)

    assert code == found_code
    assert said in errors
    assert bool(said) == bool(errors)
    state = state_of(tmp_path)
    assert (status, error) == (state.status()[0], state.error())
    assert [] == state.damage


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "on_exit"), reason="the C library has no on_exit")
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("raise SystemExit(3)", 3),
        ("def main():\n    raise SystemExit(main.__name__ and 7)\nmain()", 7),
        ("raise SystemExit(main())", 5),
        ("raise SystemExit('no data')", 1),
        ("import runpy\nclass Left(SystemExit): pass\nraise Left(2)", 2),
        ("os.chdir('/')\nraise SystemExit(3)", 3),
    ],
)
def test_a_code_that_is_raised_by_name_is_told_after_the_end(tmp_path: Path, end: str, code: int) -> None:
    """
    A program that leaves by `raise SystemExit(n)` has failed: the C library tells the code when Python has ended.
    """
    main = "def main():\n    return 5\n"
    assert code == run(tmp_path, main + end)[0]

    failed = (FAILED, f"SystemExit({code})")
    until_s = time.monotonic() + DEADLINE_S
    while (seen := end_of(tmp_path)) != failed and time.monotonic() < until_s:
        time.sleep(0.05)
    assert failed == seen
    assert [] == state_of(tmp_path).damage
    assert seal_run(tmp_path / ".aim" / "runs" / "run") == 1
    assert failed == end_of(tmp_path)
    assert [] == check_run(tmp_path / ".aim" / "runs" / "run")


def end_of(path: Path) -> tuple[str, str | None]:
    """Return the status and the error of the only run."""
    state = state_of(path)
    return state.status()[0], state.error()


def test_a_daemon_thread_that_tracks_does_not_hold_the_end_up(tmp_path: Path) -> None:
    """
    While a daemon thread tracks as fast as it can, the process ends, its run is finished and without damage.
    """
    code, _ = run(
        tmp_path,
        """
        other = writer.sequence("other")
        def work():
            while True:
                other.track(1.5)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while other.next_step() < 1000:
            pass
        """,
    )

    assert 0 == code
    assert FINISHED == state_of(tmp_path).status()[0]
    points = open_run(tmp_path / ".aim" / "runs" / "run").points(("other", "{}"))
    assert points is not None
    assert list(range(len(points))) == points.steps.tolist()
    assert len(points) >= 1000


def test_what_comes_after_the_end_of_the_process_is_left_out_and_said_once(tmp_path: Path) -> None:
    """
    Threads that go on and `__del__` raise nothing and hold nothing up: one line says that
    it was too late.
    """
    code, said = run(
        tmp_path,
        """
        import atexit, time
        from aim.storage.recording import background
        def go_on():
            count = 0
            while True:
                loss.track(0.5, count % 100)
                writer.sequence(f"new {count}").track(1.0)
                writer.lines.set_param(("count",), count)
                count += 1
        class Left:
            def __del__(self):
                loss.track(0.5)
                loss.track([])
                writer.sequence("late").track(1)
                writer.lines.set_property(name="late")
        sys.modules["left"] = Left()
        atexit.unregister(background._end_of_process)
        atexit.register(time.sleep, 0.2)  # the other thread has its turn, after the end of the runs
        atexit.register(background._end_of_process)
        threading.Thread(target=go_on, daemon=True).start()
        while not writer.sequences._handles.get(("new 3", "{}")):
            pass
        """,
    )

    assert (0, 1) == (code, len(said.splitlines())), said
    assert "has ended with the process; what threads and __del__ record now is left out" in said
    assert FINISHED == open_run(tmp_path / ".aim" / "runs" / "run").state().status()[0]


def test_recording_after_close_is_a_mistake_while_the_process_goes_on(tmp_path: Path) -> None:
    """
    What comes after `close`, while the process goes on, is refused.
    """
    code, said = run(
        tmp_path,
        """
        from aim.core.errors import RunClosed
        writer.close()
        def set_name():
            writer.lines.set_property(name="x")
        for call in (lambda: loss.track(0.5), lambda: writer.sequence("late"), set_name):
            try:
                call()
            except RunClosed:
                sys.stderr.write("refused ")
        """,
    )

    assert (0, "refused refused refused ") == (code, said)


def test_a_thread_that_is_waited_for_tracks_to_its_end(tmp_path: Path) -> None:
    """
    A thread that is no daemon tracks on after the main thread has ended; the run ends after it.
    """
    code, errors = run(
        tmp_path,
        """
        def work():
            threading.main_thread().join()
            for step in range(100, 200):
                loss.track(step * 1.1)
        threading.Thread(target=work).start()
        """,
    )

    assert (0, "") == (code, errors)
    assert FINISHED == state_of(tmp_path, points=200).status()[0]


ENDS_OF_CHILDREN = {"good": None, "bad": None, "left": 0, "failed": 3, "raised": 4, "raised-0": 0}
"""Names of runs, and the codes with which the children that record them leave."""


@pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
def test_a_child_of_multiprocessing_ends_its_writer(tmp_path: Path, how: str) -> None:
    """
    A multiprocessing child, which skips atexit, ends what it recorded itself, and says how it ended.
    """
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys
            from pathlib import Path
            from aim.storage.store import Store
            from aim.storage.recording.writer import Writer

            def begin(name):
                return Writer(Store(Path(sys.argv[1]), create=True).create_run(name), name)

            def work(name, end):
                loss = begin(name).sequence("loss")
                for step in range(100):
                    loss.track(step * 1.1)
                sys.stderr = open("/dev/null", "w")
                if name == "bad":
                    raise LookupError
                if name.startswith("raised"):
                    raise SystemExit(end)
                if end is not None:
                    sys.exit(end)

            ENDS = ENDS_OF_CHILDREN

            if __name__ == "__main__":
                context = multiprocessing.get_context(sys.argv[2])
                for name, end in ENDS:
                    child = context.Process(target=work, args=(name, end))
                    child.start()
                    child.join()
            """
        ).replace("ENDS_OF_CHILDREN", repr(list(ENDS_OF_CHILDREN.items())))
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(script), str(tmp_path / ".aim"), how]
    subprocess.run(command, check=True, timeout=DEADLINE_S, env=environment)

    ends = {name: state_of(tmp_path, name) for name in ENDS_OF_CHILDREN}
    assert {
        "good": (FINISHED, None),
        "bad": (FAILED, "LookupError"),
        "left": (FINISHED, None),
        "failed": (FAILED, "SystemExit(3)"),
        "raised": (FAILED, "SystemExit(4)"),
        "raised-0": (FINISHED, None),
    } == {name: (state.status()[0], state.error()) for name, state in ends.items()}


def test_a_forked_child_is_a_writer_of_its_own(tmp_path: Path) -> None:
    """
    After a fork both go on, the child in files of its own, from the step where the parent was.
    """
    code, errors = run(
        tmp_path,
        """
        child = os.fork()
        if child == 0:
            for step in range(100, 150):
                loss.track(step * 1.1)
            writer.sequence("child").track(1.5)
            writer.lines.set_param(("child",), True)
            writer.close()
            os._exit(0)
        os.waitpid(child, 0)
        writer.sequence("parent").track(2.5)
        """,
    )

    assert (0, "") == (code, errors)
    state = state_of(tmp_path, points=150)
    assert {"loss", "child", "parent"} == {name for name, _ in state.sequences}
    assert [FINISHED] * 2 == [writer.end and writer.end["state"] for writer in state.writers.values()]
    assert [] == state.damage


def test_a_forked_child_that_records_nothing_leaves_nothing(tmp_path: Path) -> None:
    """
    A child that does not record, as a data loader, makes no file and ends nobody's run, even by the normal way.
    """
    code, errors = run(
        tmp_path,
        """
        child = os.fork()
        if child == 0:
            sys.exit(0)
        os.waitpid(child, 0)
        loss.track(100 * 1.1)
        """,
    )

    assert (0, "") == (code, errors)
    state = state_of(tmp_path, points=101)
    assert FINISHED == state.status()[0]
    assert 1 == len(state.writers)


def test_an_interactive_error_does_not_fail_the_run(tmp_path: Path) -> None:
    """
    An error at the prompt of an interactive session is not the end of the process, and not the run's.
    """
    process = subprocess.run(
        [sys.executable, "-i", "-c", BEGIN, str(tmp_path / ".aim")],
        input="1 / 0\nloss.track(110.00000000000001)\n",
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )

    assert "ZeroDivisionError" in process.stderr
    state = state_of(tmp_path, points=101)
    assert (FINISHED, None) == (state.status()[0], state.error())


def test_recording_imports_the_standard_library_only(tmp_path: Path) -> None:
    """
    A process that recorded everything there is to record has loaded no module but Python's own and ours.
    """
    code, errors = run(
        tmp_path,
        """
        from aim.core.values import Stored
        class Picture:
            def stored(self):
                return Stored("test.picture", {}, b"1234")
        writer.sequence("pictures", {"a": 1}).track([Picture()])
        writer.sequence("big").track(2**60)
        writer.lines.set_param(("a",), {"b": [1, 2.5, None]})
        writer.lines.change_tags(add=["x"])
        writer.flush()
        writer.close()
        loaded = {name.partition(".")[0] for name in sys.modules}
        foreign = loaded - set(sys.stdlib_module_names) - {"aim", "__main__", "sitecustomize", "usercustomize"}
        foreign = {name for name in foreign if not name.startswith(("_", "distutils"))}
        print(sorted(foreign), file=sys.stderr)
        """,
    )

    assert (0, "[]\n") == (code, errors)


class HangingDisk(Disk):
    """A disk whose syncs hang until it is let go."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.asked = threading.Event()

    def sync(self, descriptor: int) -> None:
        """Wait until the disk answers, then sync."""
        self.asked.set()
        assert self.answers.wait(DEADLINE_S)
        super().sync(descriptor)


def test_close_stops_waiting_for_a_disk_that_hangs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    `close()` returns after its deadline and says so; when the disk answers at last, the end is recorded.
    """
    disk = HangingDisk()
    writer = Writer(Store(tmp_path / ".aim", create=True, disk=disk).create_run("run"), "run", disk=disk)
    loss = writer.sequence("loss")
    for step in range(100):
        loss.track(step * 1.1)
    disk.answers.clear()
    begun_s = time.monotonic()
    writer.close(deadline_s=0.2)
    took_s = time.monotonic() - begun_s

    assert took_s >= 0.2
    assert ["the disk has not taken the end" in record.getMessage() for record in caplog.records] == [True]
    assert RUNNING == state_of(tmp_path).status()[0]
    disk.answers.set()
    assert background.wait_for(writer, DEADLINE_S)
    assert FINISHED == state_of(tmp_path).status()[0]


def test_all_runs_of_a_process_share_one_deadline_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    With many open runs on a disk that hangs the end of the process waits once, not once a run.
    """
    monkeypatch.setattr(background, "CLOSE_DEADLINE_S", 0.3)
    disk = HangingDisk()
    store = Store(tmp_path / ".aim", create=True, disk=disk)
    writers = [Writer(store.create_run(), "run", disk=disk) for _ in range(10)]
    for writer in writers:
        writer.sequence("loss").track(0.5)
    disk.answers.clear()
    begun_s = time.monotonic()
    background.close_all()
    took_s = time.monotonic() - begun_s

    disk.answers.set()
    assert all(background.wait_for(writer, DEADLINE_S) for writer in writers)
    assert took_s >= 0.3
    assert all(writer.closed for writer in writers)
    assert 1 == len(caplog.records)


def test_a_disk_that_hangs_holds_up_neither_tracking_nor_other_threads(tmp_path: Path) -> None:
    """
    While a sync hangs in the background, tracking goes on within the segment and into the next.
    """
    disk = HangingDisk()
    writer = Writer(Store(tmp_path / ".aim", create=True, disk=disk).create_run("run"), "run", disk=disk)
    loss = writer.sequence("loss")
    loss.track(0.0)
    disk.asked.clear()
    disk.answers.clear()
    assert disk.asked.wait(DEADLINE_S)
    for step in range(1, 5000):
        loss.track(step * 1.1)

    assert RUNNING == state_of(tmp_path, points=5000).status()[0]
    disk.answers.set()
    writer.close()
