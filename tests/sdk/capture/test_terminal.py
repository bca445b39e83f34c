"""
Captured output: of Python's streams, of the whole process, of several runs; nothing lost, nothing broken.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aim import Repo, Run
from aim.core.errors import UsageError
from aim.engine.repository import Repository
from aim.ext.resource.log import LogLine, Logs
from aim.sdk.capture.terminal import StreamCapture, TerminalLog

posix = pytest.mark.skipif(os.name != "posix", reason="needs descriptors as POSIX has them")


def script(folder: Path, text: str, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run *text* as a program in *folder*."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    shown = [data.decode().replace("\r\n", "\n") for data in (done.stdout, done.stderr)]
    assert code == done.returncode, shown[1]
    return subprocess.CompletedProcess(done.args, done.returncode, *shown)


def lines_of(folder: Path) -> list[str]:
    """Return what the only run in *folder* has captured."""
    (run,) = Repo(folder).iter_runs()
    logs = run.get_terminal_logs()
    return [] if logs is None else logs.text().split("\n")


def terminal_log(run: Run, *streams: Any) -> tuple[TerminalLog, StreamCapture]:
    """Let *run* record what is written to *streams*."""
    capture = StreamCapture(lambda: streams)
    return TerminalLog(lambda: run.sequence("logs"), capture=capture), capture


def test_what_is_printed_is_a_sequence_of_lines(tmp_path: Path) -> None:
    """
    Both streams are lines in the order of writing; a progress bar is one line; the terminal shows all the same.
    """
    done = script(
        tmp_path,
        "import sys\nfrom aim import Run\nrun = Run(repo='.', system_tracking_interval=None)\n"
        "print('begin')\nprint('careful', file=sys.stderr)\n"
        "for i in range(5): print(f'\\r{i * 25}%', end='')\nprint()\nprint('end')",
    )

    assert ["begin", "careful", "100%", "end"] == lines_of(tmp_path)
    assert "begin\n\r0%\r25%\r50%\r75%\r100%\nend\n" == done.stdout
    assert "careful\n" == done.stderr


def test_a_traceback_is_captured(tmp_path: Path) -> None:
    """
    What the interpreter prints of an exception that ends the process is the end of the log.
    """
    script(
        tmp_path,
        "from aim import Run\nrun = Run(repo='.', system_tracking_interval=None)\n"
        "run.track(1.0, name='loss')\nraise ValueError('the end')",
        code=1,
    )

    assert "Traceback (most recent call last):" == lines_of(tmp_path)[0]
    assert "ValueError: the end" == lines_of(tmp_path)[-1]


@pytest.mark.parametrize(
    "program",
    [
        "def main():\n    run = Run(repo='.', system_tracking_interval=None)\n    raise ValueError('the end')\nmain()",
        "with Run(repo='.', system_tracking_interval=None) as run:\n    raise ValueError('the end')",
        "def main():\n  with Run(repo='.', system_tracking_interval=None):\n    raise ValueError('the end')\nmain()",
        "import threading\nrun = Run(repo='.', system_tracking_interval=None)\n"
        "def work(): raise ValueError('the end')\n"
        "thread = threading.Thread(target=work)\nthread.start()\nthread.join()\nraise SystemExit(1)",
    ],
    ids=["in a function", "in a with block", "in a with block in a function", "in a thread"],
)
def test_a_traceback_is_captured_wherever_the_run_was_made(tmp_path: Path, program: str) -> None:
    """
    The log holds the traceback once, whether the run is still open when the interpreter prints it or not.
    """
    done = script(tmp_path, f"from aim import Run\n{program}", code=1)
    lines = lines_of(tmp_path)

    assert 1 == sum(line.startswith("Traceback (most recent") for line in lines)
    assert ["ValueError: the end"] == [line for line in lines if line.startswith("ValueError")]
    assert 1 == done.stderr.count("ValueError: the end")


def test_the_end_of_a_with_block_by_exit_is_no_traceback(tmp_path: Path) -> None:
    """
    `sys.exit` prints none, so the log has none.
    """
    program = "import sys\nfrom aim import Run\nwith Run(repo='.', system_tracking_interval=None):\n    print('a')\n"
    script(tmp_path, f"{program}    sys.exit(3)", code=3)

    assert ["a"] == lines_of(tmp_path)


def test_each_line_is_an_object_with_data(repo: Repo) -> None:
    """
    Lines are read as Aim 3's callers read them: `.values.tolist()`, then `.data`.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    stream = io.StringIO()
    terminal, _ = terminal_log(run, stream)
    terminal.start()
    stream.write("one\ntwo\n")
    terminal.stop(1.0)

    logs = run.get_terminal_logs()
    assert isinstance(logs, Logs)
    found = logs.values.tolist()
    assert ["one", "two"] == [line.data for line in found]
    assert all(isinstance(line, LogLine) for line in found)
    assert "one\ntwo\n" == stream.getvalue()
    run.close()


def test_a_resumed_run_goes_on_with_the_numbers(tmp_path: Path) -> None:
    """
    The lines of a resumed run follow those that are there.
    """
    script(
        tmp_path,
        "from aim import Run\nfirst = Run(repo='.', system_tracking_interval=None)\nprint('a')\nprint('b')\n"
        "first.close()\nprint('not captured')\n"
        "second = Run(first.hash, repo='.', system_tracking_interval=None)\nprint('c')",
    )

    assert ["a", "b", "c"] == lines_of(tmp_path)


def test_two_runs_capture_both(repo: Repo) -> None:
    """
    Runs that are open at the same time each record what is printed meanwhile.
    """
    first, second = (Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) for _ in range(2))
    stream = io.StringIO()
    capture = StreamCapture(lambda: (stream,))
    outer = TerminalLog(lambda: first.sequence("logs"), capture=capture)
    inner = TerminalLog(lambda: second.sequence("logs"), capture=capture)
    outer.start()
    stream.write("1\n")
    inner.start()
    stream.write("2\n")
    inner.stop(1.0)
    stream.write("3\n")
    outer.stop(1.0)
    stream.write("4\n")

    assert "1\n2\n3" == first.get_terminal_logs().text()
    assert "2" == second.get_terminal_logs().text()
    assert "1\n2\n3\n4\n" == stream.getvalue()
    assert "write" not in vars(stream)
    first.close()
    second.close()


def test_somebody_elses_write_is_left_in_place(repo: Repo) -> None:
    """
    When another program has put its own write over ours, ending the capture leaves that one, and all is still printed.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    stream: Any = io.StringIO()
    terminal, _ = terminal_log(run, stream)
    terminal.start()
    below = stream.write
    stream.write = lambda text: below(text.upper())
    stream.write("a\n")
    terminal.stop(1.0)
    stream.write("b\n")

    assert "A\nB\n" == stream.getvalue()
    assert "A" == run.get_terminal_logs().text()
    run.close()


def test_a_run_in_a_test_does_not_disturb_what_pytest_captures(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Under pytest's own capture the output reaches both.
    """
    with Run(repo=repo, system_tracking_interval=None) as run:
        sys.stdout.write("captured\n")
        with Run(repo=repo, system_tracking_interval=None):
            sys.stdout.write("by all\n")
    sys.stdout.write("after\n")

    assert "captured\nby all" == run.get_terminal_logs().text()
    assert "captured\nby all\nafter\n" == capsys.readouterr().out


def test_a_stream_that_cannot_be_changed_is_not_captured(repo: Repo) -> None:
    """
    Where a stream does not let its write be replaced, or there is none, printing goes on and nothing is recorded.
    """

    class Fixed:
        __slots__ = ("parts",)

        def __init__(self) -> None:
            self.parts: list[str] = []

        def write(self, text: str) -> int:
            """Keep *text*."""
            self.parts.append(text)
            return len(text)

    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    stream = Fixed()
    terminal, _ = terminal_log(run, stream, None)
    terminal.start()
    stream.write("a")
    terminal.stop(1.0)

    assert ["a"] == stream.parts
    assert run.get_terminal_logs() is None
    run.close()


def test_very_much_output_is_recorded_by_whoever_writes_it(repo: Repo) -> None:
    """
    Output faster than the background thread does not pile up in memory, and none of it is lost.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    stream = io.StringIO()
    terminal, _ = terminal_log(run, stream)
    terminal.start()
    for number in range(60):
        stream.write(f"{number} " + "x" * 100_000 + "\n")
    recorded_before_the_end = len(run.get_terminal_logs() or ())
    terminal.stop(1.0)

    assert recorded_before_the_end > 0
    assert [f"{number} x" for number in range(60)] == [
        line.data[: len(f"{number} x")] for number, line in enumerate(run.get_terminal_logs().values.tolist())
    ]
    run.close()


def test_a_line_shares_its_entry_with_others(repo: Repo) -> None:
    """
    A thousand lines are one small entry of the blob file, and each is read for itself.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    stream = io.StringIO()
    terminal, _ = terminal_log(run, stream)
    terminal.start()
    for number in range(1000):
        stream.write(f"line {number}\n")
    terminal.stop(1.0)
    run.close()

    (blob_file,) = Path(repo.path, "runs", run.hash).glob("*.zip")
    assert blob_file.stat().st_size < 40_000
    logs = run.get_terminal_logs()
    assert ("line 0", "line 999", 999) == (logs.values[0].data, logs.values[999].data, logs.last_step())


def test_odd_text_is_kept(repo: Repo) -> None:
    """
    Lone surrogates, which no file holds, become question marks; all other characters stay.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    stream = io.StringIO()
    terminal, _ = terminal_log(run, stream)
    terminal.start()
    stream.write("caf\udce9 → ∞ \0 \x07\n")
    terminal.stop(1.0)

    assert "caf? → ∞ \0 \x07" == run.get_terminal_logs().text()
    run.close()


@posix
def test_child_processes_are_captured_when_asked_for(tmp_path: Path) -> None:
    """
    With "fd" what child processes and C code print is captured, in order, and shown as before.
    """
    done = script(
        tmp_path,
        "import ctypes, os, subprocess\nfrom aim import Run\n"
        "run = Run(repo='.', system_tracking_interval=None, capture_terminal_logs='fd')\n"
        "print('python', flush=True)\nsubprocess.run(['echo', 'child'])\nos.write(2, b'descriptor\\n')\n"
        "ctypes.CDLL(None).puts(b'from C')\nrun.close()\nprint('after', flush=True)\nsubprocess.run(['echo', 'later'])",
    )

    assert {"python", "child", "descriptor", "from C"} == set(lines_of(tmp_path))
    assert ["python", "child", "from C", "after", "later"] == done.stdout.split("\n")[:-1]
    assert "descriptor\n" == done.stderr


@posix
def test_a_child_that_outlives_the_run_is_still_shown(tmp_path: Path) -> None:
    """
    What a child started during the run prints after its end goes to the terminal, and not into the run.
    """
    done = script(
        tmp_path,
        "import subprocess\nfrom aim import Run\n"
        "run = Run(repo='.', system_tracking_interval=None, capture_terminal_logs='fd')\n"
        "child = subprocess.Popen(['sh', '-c', 'read line; echo got $line'], stdin=subprocess.PIPE, text=True)\n"
        "print('in the run', flush=True)\nrun.close()\nchild.communicate('it\\n')\n"
        "import time\nuntil = time.monotonic() + 60\n"
        "while time.monotonic() < until and len(__import__('threading').enumerate()) > 2: time.sleep(0.01)",
    )

    assert ["in the run"] == lines_of(tmp_path)
    assert "in the run\ngot it\n" == done.stdout


@posix
def test_a_terminal_stays_a_terminal(tmp_path: Path) -> None:
    """
    Where descriptor 1 is a terminal, child processes still find one.
    """
    import pty

    program = (
        "import subprocess, sys\nfrom aim import Run\n"
        "run = Run(repo='.', system_tracking_interval=None, capture_terminal_logs='fd')\n"
        "subprocess.run([sys.executable, '-c', 'import sys; sys.stdout.write(str(sys.stdout.isatty()))'])\n"
    )
    source, sink = pty.openpty()
    child = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdin=sink, stdout=sink, stderr=sink)
    os.close(sink)
    shown = b""
    try:
        while part := os.read(source, 1000):
            shown += part
    except OSError:  # the last one has let go of the terminal
        pass
    os.close(source)

    assert (0, b"True") == (child.wait(60), shown.strip())
    assert ["True"] == lines_of(tmp_path)


@posix
def test_the_child_of_a_fork_is_not_captured(tmp_path: Path) -> None:
    """
    What a forked child prints stays out of the log, whose lines are numbered by the parent.
    """
    script(
        tmp_path,
        "import os\nfrom aim import Run\nrun = Run(repo='.', system_tracking_interval=None)\n"
        "print('parent', flush=True)\n"
        "if os.fork() == 0:\n    print('child', flush=True)\n    os._exit(0)\nos.wait()\nprint('parent again')",
    )

    assert ["parent", "parent again"] == lines_of(tmp_path)


def test_two_processes_do_not_replace_each_others_lines(tmp_path: Path) -> None:
    """
    A process that joins a run in which another one records has a sequence of lines of its own.
    """
    script(
        tmp_path,
        "import subprocess, sys\nfrom aim import Run\n"
        'program = \'from aim import Run; run = Run("job", repo=".", create=True, system_tracking_interval=None);'
        ' print("second")\'\n'
        "run = Run('job', repo='.', create=True, system_tracking_interval=None)\nprint('first')\nrun.flush()\n"
        "subprocess.run([sys.executable, '-c', program], check=True)\nprint('first again')",
    )
    (run,) = Repo(tmp_path).iter_runs()
    found = {
        len(context): Logs(name, context, run).text()
        for name, context, _ in run.iter_sequence_info_by_type("aim.log_line")
    }

    assert {0: "first\nfirst again", 1: "second"} == found
    assert "first\nfirst again" == run.get_terminal_logs().text()


def test_a_wrong_choice_is_said(repo: Repo) -> None:
    """
    Another text than "fd" is an error that says what there is.
    """
    with pytest.raises(UsageError, match="'fd'"):
        Run(repo=repo, capture_terminal_logs="all", system_tracking_interval=None)
    assert [] == repo.list_all_runs()


def test_without_capture_there_are_no_logs(run: Run) -> None:
    """
    A run that captured nothing has no logs.
    """
    sys.stdout.write("uncaptured\n")

    assert run.get_terminal_logs() is None


def test_the_server_reads_the_same_lines(tmp_path: Path) -> None:
    """
    What the browser is given agrees with what was printed, by number, by part and by search.
    """
    from aim.engine.logs import RunLogs

    script(
        tmp_path,
        "from aim import Run\nrun = Run(repo='.', system_tracking_interval=None)\n"
        "for i in range(300): print(f'line {i}')\nrun.flush()\nprint('line 300')\nrun.log_warning('careful', loss=9.5)",
    )
    repo = Repo(tmp_path)
    (run_hash,) = repo.list_all_runs()
    logs = RunLogs(Repository(tmp_path).readers.reader(run_hash))

    assert (298, 301, ["line 298", "line 299", "line 300"]) == logs.lines(-3, 10)
    assert [29, *range(290, 300)] == logs.find("line 29")
    total, (record,) = logs.records(0, 10, "WARNING")
    assert (1, "careful", {"loss": 9.5}) == (total, record.message, record.args)
