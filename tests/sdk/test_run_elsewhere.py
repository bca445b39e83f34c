"""
A run in other processes, and where a system gives no more memory, descriptors or threads.
"""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TypeVar

import pytest

from aim import Repo, Run
from aim.core.errors import ReadOnly
from tests.sdk.test_run import script

Kind = TypeVar("Kind")


@pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
def test_a_child_goes_on_with_the_run_that_it_was_given(tmp_path: Path, how: str) -> None:
    """
    A run that is an argument of a child process, however it is started, takes what the child records.
    """
    (tmp_path / "train.py").write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys
            from aim import Run

            def work(run, name):
                run[name] = True
                for step in range(10):
                    run.track(step, name="loss", step=step, context={"who": name})

            if __name__ == "__main__":
                run = Run(system_tracking_interval=None, capture_terminal_logs=False)
                children = [
                    multiprocessing.get_context(sys.argv[1]).Process(target=work, args=(run, name)) for name in "ab"
                ]
                for child in children:
                    child.start()
                work(run, "parent")
                for child in children:
                    child.join()
                assert [0, 0] == [child.exitcode for child in children]
                run.close()
            """
        )
    )
    command = [sys.executable, "train.py", how]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    subprocess.run(command, check=True, timeout=60, cwd=tmp_path, env=environment)

    (run,) = Repo(str(tmp_path)).iter_runs()
    assert {"a": True, "b": True, "parent": True} == run[...]
    assert "finished" == run.status
    found = {metric.context["who"]: metric.values.tolist() for metric in run.metrics()}
    assert {name: list(range(10)) for name in ("a", "b", "parent")} == found


def pickled(value: Kind) -> Kind:
    """Return what comes out of a pickle of *value*."""
    result: Kind = pickle.loads(pickle.dumps(value))  # noqa: S301  it is our own
    return result


def test_a_pickled_run_records_nothing_before_it_is_used(run: Run, repo: Repo) -> None:
    """
    What comes out of a pickle is the run itself, begins to record with its first value, and of a closed run only reads.
    """
    run.track(1, name="loss")
    other = pickled(run)

    assert (run, 1) == (other, len(list((Path(repo.path) / "runs" / run.hash).glob("*.events.jsonl"))))
    other.track(2, name="loss")
    other.close()
    assert [1, 2] == run.get_metric("loss").values.tolist()
    run.close()
    with pytest.raises(ReadOnly):
        pickled(run).track(3, name="loss")
    assert repo.path == pickled(repo).path


def test_a_copy_of_a_run_is_the_run(run: Run) -> None:
    """
    A configuration that holds a run can be copied: what the copy records is the run's, and ends with it.
    """
    settings = copy.deepcopy({"run": run})
    settings["run"].track(1, name="loss")

    assert (run, run) == (settings["run"], copy.copy(run))
    assert settings["run"] is run
    del settings
    gc.collect()
    run.track(2, name="loss")
    assert [1, 2] == run.get_metric("loss").values.tolist()


@pytest.mark.parametrize(
    ("code", "status", "error"), [("", "finished", None), ("0", "finished", None), ("1", "failed", "SystemExit(1)")]
)
def test_a_program_that_exits_well_within_a_run_has_finished(
    tmp_path: Path, code: str, status: str, error: str | None
) -> None:
    """
    `sys.exit()` and `sys.exit(0)` in the block of a run end it as finished; another code says that it failed.
    """
    run = Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False)
    with pytest.raises(SystemExit), run:
        sys.exit(int(code) if code else None)

    assert (status, error) == (run.status, run.error)


def test_a_process_without_free_descriptors_trains_on(tmp_path: Path) -> None:
    """
    Where no file can be opened any more, all is recorded by way of memory: tracking, setting and closing raise nothing.
    """
    done = script(
        tmp_path,
        """if True:
        import resource
        from aim import Run

        run = Run()
        run.track(0.5, name="loss")
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
        files = []
        try:
            while True:
                files.append(open("/dev/null"))
        except OSError:
            pass
        for step in range(20000):
            run.track(step, name="steps")
        run["lr"] = 0.1
        print("a line")
        del files[2:]
        run.close()
        """,
    )

    assert (0, "a line\n") == (done.returncode, done.stdout)
    assert "Traceback" not in done.stderr
    (run,) = Repo(str(tmp_path)).iter_runs()
    assert ("finished", {"lr": 0.1}) == (run.status, run[...])
    assert [0.5] == run.get_metric("loss").values.tolist()
    assert list(range(20000)) == run.get_metric("steps").values.tolist()
    assert run.health().is_whole


def test_closing_needs_no_descriptor(tmp_path: Path) -> None:
    """
    The end of a run that finds no free descriptor is no error; somebody else seals it.
    """
    done = script(
        tmp_path,
        """if True:
        import os, resource
        from aim import Run

        os.environ["AIM_SEAL_ON_CLOSE"] = "1"
        run = Run(system_tracking_interval=None, capture_terminal_logs=False)
        run.track(0.5, name="loss")
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        run.close()
        """,
    )

    assert (0, "") == (done.returncode, done.stdout)
    assert "Too many open files" in done.stderr  # the folder could not be synced
    assert "Traceback" not in done.stderr
    assert ["finished"] == [run.status for run in Repo(str(tmp_path)).iter_runs()]


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is of Linux")
def test_a_process_without_free_memory_trains_on(tmp_path: Path) -> None:
    """
    Where there is no memory for another segment points are lost, which is said, and no `track()` raises.
    """
    done = script(
        tmp_path,
        """if True:
        import re, resource
        from aim import Run

        run = Run(system_tracking_interval=None, capture_terminal_logs=False)
        run.track(0.5, name="loss")
        now_kib = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1])
        resource.setrlimit(resource.RLIMIT_AS, ((now_kib + 1024) * 1024, -1))
        for step in range(100000):
            run.track(0.5, name="loss")
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        run.close()
        """,
    )

    assert 0 == done.returncode, done.stderr
    assert "Cannot allocate memory. The training goes on" in done.stderr
    assert ["finished"] == [run.status for run in Repo(str(tmp_path)).iter_runs()]


def test_a_process_that_may_have_no_more_threads_records_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    What a thread would do beside the training is then done by the caller; output that no thread would read is left.
    """

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Run(repo=tmp_path, capture_terminal_logs="fd") as run:
        os.write(1, b"a line\n")
        run.log_artifact(__file__, "me.py")
        run.track(0.5, name="loss")

    assert ("finished", ["me.py"]) == (run.status, list(run.artifacts))
    assert "a line\n" == capfd.readouterr().out
