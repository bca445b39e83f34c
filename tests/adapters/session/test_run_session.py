"""
The run of an adapter: when it begins and ends, which process records, and that no failure of it ends a training.
"""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aim import Image, Run
from aim.core.errors import RunNotFound
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import WrongOption
from aim.sdk.adapters.session.ranks import SilentRun
from tests.adapters.conftest import runs_of

QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False, "log_system_params": False}
SUBSETS = {"subset": {"train": "train_", "val": "val_"}}


class Example(RunHolder):
    """An adapter of no framework."""

    def __init__(
        self,
        repo: object = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = None,
        log_system_params: bool = False,
        capture_terminal_logs: bool = False,
        **options: Any,
    ) -> None:
        self._hold(
            "aim.example.Example", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options, usual=SUBSETS,
        )  # fmt: skip

    @hook
    def log(self, values: dict[str, Any], step: int | None = None) -> str:
        """Record values."""
        self._session.track(values, step=step)
        return "logged"

    @hook
    def break_down(self) -> None:
        """Fail, as a hook may."""
        raise ValueError("a hook that fails")


def points(run: Run, name: str, **context: Any) -> list[tuple[int, float]]:
    """Return the steps and values of a metric."""
    metric = run.get_metric(name, context)
    return [] if metric is None else list(zip(metric.indices, metric.values.tolist()))


def test_the_run_begins_at_the_first_use(repo: Path) -> None:
    """
    Making an adapter makes no run; recording does, once, with what the caller said of it.
    """
    adapter = Example(repo, "digits", run_name="first", tags=("a", "b"), description="why")
    before = runs_of(repo)
    adapter.log({"train_loss": 0.5}, step=1)
    adapter.log({"train_loss": 0.25}, step=2)
    adapter.close()
    (run,) = runs_of(repo)

    assert [] == before
    assert ("digits", "first", ["a", "b"], "why") == (run.experiment, run.name, run.tags, run.description)
    assert [(1, 0.5), (2, 0.25)] == points(run, "loss", subset="train")
    assert ("finished", run.hash) == (run.status, adapter._run_hash)


def test_what_follows_a_close_is_in_the_same_run(repo: Path) -> None:
    """
    Recording after `close` goes on in the run that was closed.
    """
    adapter = Example(repo)
    adapter.log({"loss": 1.0}, step=0)
    adapter.close()
    adapter.close()
    adapter.log({"loss": 0.5}, step=1)
    adapter.close()
    (run,) = runs_of(repo)

    assert ([(0, 1.0), (1, 0.5)], "finished") == (points(run, "loss"), run.status)


def test_a_run_of_the_caller_stays_open(repo: Path) -> None:
    """
    `run=` is recorded into, by adapters together, and closed by nobody but the caller.
    """
    run = Run(repo=repo, **QUIET)
    for name in ("a", "b"):
        adapter = Example(run=run)
        adapter.log({name: 1.0})
        assert adapter.experiment is run
        adapter.close()
    was_active = run.active
    run.close()

    assert (True, 1) == (was_active, len(runs_of(repo)))
    assert [(0, 1.0)] == points(run, "a") == points(run, "b")


def test_a_failed_training_is_a_failed_run(repo: Path) -> None:
    """
    The exception of the training is that of the run.
    """
    adapter = Example(repo)
    adapter.log({"loss": 1.0})
    adapter._session.close(KeyboardInterrupt())
    (run,) = runs_of(repo)

    assert ("failed", "KeyboardInterrupt") == (run.status, run.error)


def test_a_training_that_goes_on_is_rewound_to_its_checkpoint(repo: Path) -> None:
    """
    A resumed run hides what came after the checkpoint, so that its curve is no zig-zag; a new run is left alone.
    """
    first = Example(repo)
    first._session.rewind(3)
    for step in range(5):
        first.log({"loss": float(step)}, step=step)
    first.close()
    second = Example(repo, run_hash=first._run_hash)
    second._session.rewind(2)
    second.log({"loss": 30.0}, step=3)
    second.close()
    third = Example(repo, run_hash=first._run_hash, rewind_on_resume=False)
    third._session.rewind(0)
    third.close()
    (run,) = runs_of(repo)

    assert [(0, 0.0), (1, 1.0), (2, 2.0), (3, 30.0)] == points(run, "loss")
    assert [2] == [rewind.step for rewind in run.rewinds]


def test_a_second_training_of_one_adapter_is_rewound_too(repo: Path) -> None:
    """
    In one process the steps that were recorded already tell that a training went back.
    """
    adapter = Example(repo)
    for step in range(5):
        adapter.log({"loss": float(step)}, step=step)
    adapter._session.rewind(2)
    adapter._session.rewind(2)
    adapter.close()
    (run,) = runs_of(repo)

    assert [(0, 0.0), (1, 1.0), (2, 2.0)] == points(run, "loss")
    assert 1 == len(run.rewinds)


def test_a_run_to_resume_has_to_exist(repo: Path) -> None:
    """
    A hash that no run has is an error for who asks for the run, and none that ends a training.
    """
    adapter = Example(repo, run_hash="0" * 24)

    assert adapter.log({"loss": 1.0}) is None
    with pytest.raises(RunNotFound):
        _ = adapter.experiment


def test_a_failure_is_one_warning(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    What can't be recorded is left out and counted, and said once; the rest of the step is recorded.
    """
    adapter = Example(repo)
    with caplog.at_level(logging.WARNING, "aim"):
        for step in range(3):
            assert "logged" == adapter.log({"text": "no number", "none": None, "loss": 0.5}, step=step)
            assert adapter.break_down() is None
    adapter.close()
    (run,) = runs_of(repo)

    assert {"metric 'text'": 3, "break_down": 3} == adapter._session.failures.counts
    assert 2 == len(caplog.records)
    assert [0, 1, 2] == [step for step, _ in points(run, "loss")]


def test_strict_adapters_raise(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    AIM_ADAPTER_STRICT=1 raises what would be a warning.
    """
    monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
    adapter = Example(repo)

    with pytest.raises(ValueError, match="a hook that fails"):
        adapter.break_down()
    with pytest.raises(ValueError, match="neither a number nor an Aim object"):
        adapter.log({"odd": object()})
    adapter.close()


def test_objects_and_nested_values_are_recorded(repo: Path) -> None:
    """
    Images are tracked as they are, nested names are joined by a slash, tensors become numbers.
    """
    torch = pytest.importorskip("torch")
    adapter = Example(repo)
    pixels = torch.zeros(3, 4, 4)
    adapter.log({"val": {"acc": torch.tensor(0.5, dtype=torch.bfloat16), "steps": torch.tensor([3])}})
    adapter.log({"picture": Image(pixels), "two": [Image(pixels), Image(pixels)]})
    adapter.close()
    (run,) = runs_of(repo)

    assert ([(0, 0.5)], [(0, 3)]) == (points(run, "val/acc"), points(run, "val/steps"))
    pictures, pairs = (run.get_image_sequence(name).values.sparse_list()[1][0] for name in ("picture", "two"))
    assert (True, 2) == (isinstance(pictures, Image), len(pairs))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"experiment_name": "other"}, "two experiments: 'digits' and 'other'"),
        ({"colour": "red"}, "takes no argument 'colour'"),
        ({"ranks": "some"}, "'zero' or 'all'"),
        ({"metric_names": "short"}, "'split' or 'keep'"),
        ({"context_prefixes": "dots"}, "'slash'"),
        ({"context_prefixes": ["train_"]}, "dicts"),
    ],
)
def test_wrong_arguments_are_type_errors(options: dict[str, Any], message: str) -> None:
    """
    An argument that no adapter takes, or that contradicts another one, says so where it stands.
    """
    with pytest.raises(TypeError, match=message):
        Example(None, "digits", **options)
    with pytest.raises(WrongOption):
        Example(None, "digits", **options)


def test_a_run_is_no_repository(repo: Path) -> None:
    """
    A run in the place of the repository is a mistake that is named.
    """
    with Run(repo=repo, **QUIET) as run, pytest.raises(WrongOption, match="run=..."):
        Example(run)


def test_both_names_of_the_experiment_are_taken(repo: Path) -> None:
    """
    `experiment` and `experiment_name` mean the same.
    """
    adapters = Example(repo, "a"), Example(repo, experiment_name="a"), Example(repo, "a", experiment_name="a")

    assert ["a"] * 3 == [adapter._experiment_name for adapter in adapters]


def test_other_ranks_record_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A process whose rank is not 0 has a run with the same members, which records nothing and knows the hash it is told.
    """
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("AIM_RUN_HASH", "a" * 24)
    adapter = Example(repo, "digits", run_name="x")
    run = adapter.experiment
    adapter.log({"loss": 1.0})
    run["hparams"] = {"lr": 0.1}
    run.name = "y"
    with run:
        run.track(1.0, name="loss")
        run.log_info("a message")
    adapter.setup({"a": 1})
    adapter.close()

    assert isinstance(run, SilentRun)
    assert ("a" * 24, None, False) == (run.hash, run.get("hparams"), "hparams" in run)
    assert [] == runs_of(repo)
    with pytest.raises(AttributeError):
        _ = run.trak


WORKER = """
import os, sys
from tests.adapters.session.test_run_session import Example
adapter = Example(sys.argv[1], "shared", ranks="all")
adapter.log({"loss": float(os.environ.get("RANK", "0"))}, step=1)
adapter.close()
"""


@pytest.mark.parametrize("told_by", ["the launcher", "rank 0"])
def test_all_ranks_record_into_one_run(told_by: str, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With `ranks="all"` each process records into the run of one hash, its rank in the context.
    """
    adapters = []
    if told_by == "the launcher":
        monkeypatch.setenv("AIM_RUN_HASH", "b" * 24)
    else:
        adapters = [Example(repo, "shared", ranks="all")]
        adapters[0].log({"loss": 0.0}, step=1)
    ranks = range(2 - len(adapters)) if not adapters else [1]
    for rank in ranks:
        monkeypatch.setenv("RANK", str(rank))
        subprocess.run([sys.executable, "-c", WORKER, str(repo)], check=True, env=None)
    for adapter in adapters:
        adapter.close()
    assert ("AIM_RUN_HASH" in os.environ) == (told_by == "the launcher")  # the next training is another one
    (run,) = runs_of(repo)

    assert ([(1, 0.0)], [(1, 1.0)]) == (points(run, "loss", rank=0), points(run, "loss", rank=1))
    assert "shared" == run.experiment


def test_a_second_adapter_does_not_join_the_run_of_the_first(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The hash that an adapter tells its workers is not meant for another adapter of the same process.
    """
    monkeypatch.setenv("AIM_RUN_HASH", "")
    hashes = []
    for _ in range(2):
        adapter = Example(repo, ranks="all")
        adapter.log({"loss": 1.0})
        hashes.append(adapter._run_hash)
        adapter.close()

    assert 2 == len(set(hashes)) == len(runs_of(repo))


def test_an_adapter_pickles_by_the_hash_of_its_run(repo: Path) -> None:
    """
    In another process an adapter goes on in the same run; before the first use it begins one of its own.
    """
    adapter = Example(repo, "digits", run_name="first")
    adapter.log({"loss": 1.0}, step=0)
    copy = pickle.loads(pickle.dumps(adapter))  # noqa: S301
    copy.log({"loss": 0.5}, step=1)
    copy.close()
    adapter.close()
    unused = pickle.loads(pickle.dumps(Example(repo, "digits")))  # noqa: S301
    (run,) = runs_of(repo)

    assert [(0, 1.0), (1, 0.5)] == points(run, "loss")
    assert ("digits", "digits") == (run.experiment, unused._experiment_name)


def test_a_run_that_is_set_by_a_subclass_is_the_callers(repo: Path) -> None:
    """
    `self._run = run`, as subclasses for Aim 3 do it, means `run=`.
    """
    adapter = Example()
    with Run(repo=repo, **QUIET) as run:
        adapter._run = run
        adapter.log({"loss": 1.0})
        assert (run, run.hash) == (adapter._run, adapter._run_hash)
        adapter._run = None
        assert (None, None) == (adapter._run, adapter._run_hash)
