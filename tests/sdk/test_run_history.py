"""
`Run.rewind`, `Run.fork`, and what a run was before.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Image, Repo, Run, Text
from aim.core.errors import ReadOnly, RunNotFound, UntrackableValue, UsageError
from aim.engine import sealing
from aim.sdk.image_sequence import Images
from aim.sdk.metric import Metric
from aim.storage.forms.history import Rewind

QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False}


def values(run: Any, name: str = "loss") -> list[Any]:
    """Return the values of a metric; none when there is no such metric."""
    metric = run.get_metric(name)
    return [] if metric is None else list(metric.values.tolist())


def track(run: Run, count: int, name: str = "loss") -> None:
    """Track 0.0, 1.0 ..."""
    for value in range(count):
        run.track(float(value), name=name)


# rewinds


def test_a_rewound_run_goes_on_after_the_step(run: Run, repo: Repo) -> None:
    """
    Later points are gone for readers, queries and tables, of all sequences of the run, and steps go on.
    """
    track(run, 10)
    track(run, 10, "acc")
    for number in range(10):
        run.track(Text(str(number)), name="said")
    rewind = run.rewind(4)
    run.track(50.0, name="loss")

    assert (4, [rewind]) == (rewind.step, run.rewinds)
    assert [0.0, 1.0, 2.0, 3.0, 4.0, 50.0] == values(run)
    assert [0.0, 1.0, 2.0, 3.0, 4.0] == values(run, "acc")
    assert ["0", "1", "2", "3", "4"] == [text.data for text in run.get_text_sequence("said").values.tolist()]
    assert ["loss"] == [metric.name for metric in repo.query_metrics("metric.last_step == 5 and metric.last == 50")]
    assert ["acc"] == [metric.name for metric in repo.query_metrics("metric.values[-1] == 4")]
    table = repo.query_metrics("").dataframe()
    assert table is not None
    assert 11 == len(table)


def test_what_was_hidden_is_shown_on_request(run: Run) -> None:
    """
    The history of a sequence is one of its class for each rewind, as it stood before, and as it is now.
    """
    track(run, 4)
    run.track([Image(np.zeros((2, 2)))], name="pictures", step=3)
    run.rewind(1)
    run.track(7.0, name="loss")
    run.rewind(0)
    history = run.get_metric("loss").history()

    assert [[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 7.0], [0.0]] == [one.values.tolist() for one in history]
    assert {Metric} == {type(one) for one in history}
    assert history[0] != history[1]
    assert run.get_image_sequence("pictures") is None
    pictures = run.before(run.rewinds[0]).get_image_sequence("pictures")
    assert isinstance(pictures, Images)
    assert (2, 2) == pictures.values.tolist()[0][0].size
    assert [4, 3] == [one.dataframe(include_run=True).shape[0] for one in history[:2]]


def test_a_run_before_a_rewind_lists_what_it_had(run: Run) -> None:
    """
    The earlier run has its own metrics and the rewinds before it; it takes no deletion.
    """
    track(run, 4)
    run.rewind(-1)
    track(run, 2, "other")
    run.rewind(0)
    first, second = (run.before(rewind) for rewind in run.rewinds)

    assert ["loss"] == [metric.name for metric in first.metrics()]
    assert ["other"] == [metric.name for metric in second.metrics()]
    assert ([], run.rewinds[:1]) == (first.rewinds, second.rewinds)
    assert [[0.0, 1.0], [0.0]] == [one.values.tolist() for one in run.get_metric("other").history()[1:]]
    assert "before its rewind to step -1" in repr(first)
    with pytest.raises(UsageError):
        first.get_metric("loss").delete(0)
    with pytest.raises(UsageError):
        run.before(Rewind(3, 1.0))


def test_an_ended_run_is_resumed_and_rewound(repo: Repo) -> None:
    """
    `Run(hash)` of a run that was sealed rewinds it, and continues at the step after.
    """
    with Run(repo=repo, **QUIET) as run:
        track(run, 10)
        track(run, 10, "acc")
    sealing.seal_run(Path(repo.path, "runs", run.hash))
    with Run(run.hash, repo=repo, **QUIET) as resumed:
        resumed.track(3.5, name="acc")
        resumed.rewind(4)
        resumed.track(50.0, name="loss")
        resumed.track(60.0, name="acc")
    with Run(run.hash, repo=repo, **QUIET) as again:
        again.track(51.0, name="loss")
    sealing.seal_run(Path(repo.path, "runs", run.hash))
    found = Repo(repo.root_path).get_run(run.hash)

    assert [0.0, 1.0, 2.0, 3.0, 4.0, 50.0, 51.0] == values(found)
    assert [0.0, 1.0, 2.0, 3.0, 4.0, 60.0] == values(found, "acc")
    assert 10 == len(found.get_metric("loss").history()[0])


def test_images_on_their_way_are_rewound(run: Run) -> None:
    """
    Images that were tracked before the rewind and still encoded are hidden as well, later ones are not.
    """
    for _ in range(10):
        run.track(Image(np.zeros((300, 300))), name="images")
    run.rewind(4)
    run.track(Image(np.ones((300, 300))), name="images")

    assert [0, 1, 2, 3, 4, 5] == run.get_image_sequence("images").indices


def test_params_stay(run: Run) -> None:
    """
    A rewind leaves params, tags and the name.
    """
    run["lr"] = 0.1
    run.rewind(-1)

    assert {"lr": 0.1} == run[...]


def test_who_cannot_rewind_is_told(run: Run, repo: Repo) -> None:
    """
    A run that is read and a step that is none are errors.
    """
    with pytest.raises(ReadOnly):
        repo.get_run(run.hash).rewind(1)
    with pytest.raises(UntrackableValue):
        run.rewind("five")  # type: ignore[arg-type]


def test_a_copied_run_is_rewound_as_the_original(run: Run, repo: Repo, tmp_path: Path) -> None:
    """
    Copying a run copies its rewinds.
    """
    track(run, 10)
    run.rewind(4)
    other = Repo(str(tmp_path / "other"), init=True)
    assert (True, []) == repo.copy_runs([run.hash], other)

    assert values(run) == values(other.get_run(run.hash))
    assert 10 == len(other.get_run(run.hash).get_metric("loss").history()[0])


KILLED = """
import os, signal, sys
from aim import Run
run = Run(repo=sys.argv[1], system_tracking_interval=None, capture_terminal_logs=False)
for value in range(10):
    run.track(float(value), name="loss")
run.rewind(4)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_rewind_survives_a_kill_right_after_it(tmp_path: Path) -> None:
    """
    SIGKILL at the moment `rewind` has returned: the run is rewound, and goes on at the step after when resumed.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False)
    repo = Repo(str(tmp_path))
    (run_hash,) = repo.list_all_runs()
    with Run(run_hash, repo=repo, **QUIET) as resumed:
        resumed.track(50.0, name="loss")

    assert -signal.SIGKILL == ended.returncode
    assert [0.0, 1.0, 2.0, 3.0, 4.0, 50.0] == values(repo.get_run(run_hash))


def test_no_point_is_hidden_at_full_speed(run: Run) -> None:
    """
    Values tracked right after a rewind are there, a thousand times over.
    """
    expected = []
    for number in range(1000):
        run.track(float(number), name="loss")
        run.track(-1.0, name="loss")
        run.rewind(number)
        expected.append(float(number))

    assert expected == values(run)


# forks


def test_a_fork_records_on(run: Run, repo: Repo) -> None:
    """
    The child has the curves up to the step, the params, and records into files of its own; the parent goes on.
    """
    run["lr"] = 0.1
    run.experiment = "base"
    track(run, 10)
    run.track(Text("hello"), name="said", step=2)
    with run.fork(4, name="branch", **QUIET) as child:
        child["lr"] = 0.2
        child.track(50.0, name="loss")
        run.track(10.0, name="loss")

        assert ([0.0, 1.0, 2.0, 3.0, 4.0, 50.0], 11) == (values(child), len(values(run)))
        assert ("branch", "base", 0.2, 0.1) == (child.name, child.experiment, child["lr"], run["lr"])
        assert child.get_metric("loss").timestamps.tolist()[:5] == run.get_metric("loss").timestamps.tolist()[:5]
        assert (run.hash, 4) == (child.forked_from.run_hash, child.forked_from.step)
    assert run.forked_from is None
    assert "hello" == repo.get_run(child.hash).get_text_sequence("said").values.tolist()[0].data
    repo.delete_run(run.hash)

    assert [0.0, 1.0, 2.0, 3.0, 4.0, 50.0] == values(repo.get_run(child.hash))
    assert [child.hash] == [metric.run.hash for metric in repo.query_metrics("metric.last == 50")]
    forks = repo.query_runs(f"run.forked_from == '{run.hash}'").iter_runs()
    assert [child.hash] == [one.run.hash for one in forks]


def test_a_fork_takes_what_is_shown(run: Run) -> None:
    """
    What was rewound or deleted before the fork is not in the child, and later changes of the parent neither.
    """
    track(run, 10)
    run.rewind(6)
    run.get_metric("loss").delete(2)
    child = run.fork(8, **QUIET)
    run.rewind(0)

    assert [0.0, 1.0, 3.0, 4.0, 5.0, 6.0] == values(child)
    assert [] == child.rewinds
    child.rewind(3)
    assert [[0.0, 1.0, 3.0, 4.0, 5.0, 6.0], [0.0, 1.0, 3.0]] == [
        one.values.tolist() for one in child.get_metric("loss").history()
    ]
    child.close()


FORKING = """
import sys
from aim import Repo
child = Repo(sys.argv[1]).get_run(sys.argv[2]).fork(4, system_tracking_interval=None, capture_terminal_logs=False)
child.track(50.0, name="loss")
print(child.hash)
child.close()
"""


def test_a_live_run_is_forked_from_another_process(run: Run, repo: Repo) -> None:
    """
    Another process forks a run that is being recorded, and leaves it alone.
    """
    track(run, 10)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", FORKING, repo.root_path, run.hash]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)

    assert [0.0, 1.0, 2.0, 3.0, 4.0, 50.0] == values(repo.get_run(done.stdout.strip()))
    assert (10, "running") == (len(values(run)), run.status)


def test_who_cannot_fork_is_told(run: Run, repo: Repo) -> None:
    """
    A repository open for reading takes no child; a deleted run and a step that is none are errors.
    """
    reading = Repo(repo.root_path, read_only=True)
    with pytest.raises(ReadOnly):
        reading.get_run(run.hash).fork(1)
    with pytest.raises(UntrackableValue):
        run.fork(None)  # type: ignore[arg-type]
    repo.delete_run(run.hash)
    with pytest.raises(RunNotFound):
        run.fork(1)

    assert [] == repo.list_all_runs()
