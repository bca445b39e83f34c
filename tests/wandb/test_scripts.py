"""
Scripts as people write them for W&B, with one line changed: `import aim.wandb as wandb`.
"""

from __future__ import annotations

import argparse
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aim.wandb as wandb
from aim import Repo, Run
from aim.core.errors import UsageError


def the_run() -> Run:
    """Return the only run of the repository."""
    (run,) = Repo(".").iter_runs()
    return run


def points(run: Run, name: str, context: dict[str, Any] | None = None) -> tuple[list[int], list[float]]:
    """Return steps and values of a metric."""
    steps, values = run.get_metric(name, context or {}).values.sparse_list()
    return list(steps), list(values)


def test_a_training_is_recorded() -> None:
    """
    Settings are params, rows are steps, prefixes of names are subsets, and what is set of the summary is stored.
    """
    run = wandb.init(project="digits", name="first", notes="two layers", tags=["a", "b"], config={"lr": 0.1})
    wandb.config.batch = 32
    for epoch in range(3):
        wandb.log({"epoch": epoch, "train/loss": 1.0 / (1 + epoch), "val": {"accuracy": epoch / 10}})
    wandb.summary["best"] = 0.2
    assert (0.1, 32, 3) == (run.config.lr, run.config["batch"], run.step)
    assert 1 / 3 == run.summary["train/loss"]
    wandb.finish()
    recorded = the_run()

    assert ("digits", "first", "two layers", ["a", "b"]) == (
        recorded.experiment,
        recorded.name,
        recorded.description,
        recorded.tags,
    )
    assert (0.1, 32, 0.2) == (recorded["lr"], recorded["batch"], recorded["summary", "best"])
    assert ([0, 1, 2], [1.0, 0.5, 1 / 3]) == points(recorded, "loss", {"subset": "train"})
    assert ([0, 1, 2], [0.0, 0.1, 0.2]) == points(recorded, "val.accuracy")
    assert [0.0, 1.0, 2.0] == recorded.get_metric("loss", {"subset": "train"}).epochs.values_list()
    assert "finished" == recorded.status


def test_rows_may_be_filled_in_parts_and_come_late() -> None:
    """
    `commit=False` waits for the next call, an explicit step is that step, and a late row is not dropped.
    """
    with wandb.init():
        wandb.log({"a": 1}, commit=False)
        wandb.log({"b": 2})
        wandb.log({"a": 3}, step=10)
        wandb.log({"b": 4}, step=10)
        wandb.log({"a": 5}, step=4)
        wandb.log({"a": 6})
    run = the_run()

    assert ([0, 4, 10], [1, 5, 6]) == points(run, "a")
    assert ([0, 10], [2, 4]) == points(run, "b")


def test_an_exception_makes_the_run_failed() -> None:
    """
    The block of `with wandb.init()` hands its exception on, and the run has its name.
    """
    with pytest.raises(ZeroDivisionError), wandb.init():
        _ = 1 / 0

    assert ("failed", "ZeroDivisionError") == (the_run().status, the_run().error)


def test_an_exit_code_makes_the_run_failed() -> None:
    """
    `wandb.finish(exit_code=1)` says that the script has failed.
    """
    wandb.init()
    wandb.finish(exit_code=1)

    assert ("failed", "EndedWithExitCode") == (the_run().status, the_run().error)


def test_a_script_that_ends_without_finish_has_a_finished_run(tmp_path: Path) -> None:
    """
    A whole process: the environment names the project, the process ends, all is there.
    """
    script = "import aim.wandb as wandb; wandb.init(config='settings.yaml'); wandb.log({'loss': 1.5})"
    (tmp_path / "settings.yaml").write_text("lr: {desc: null, value: 0.25}\ndepth: 3\n")
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "WANDB_PROJECT": "digits", "WANDB_TAGS": "x,y"},
    )
    run = the_run()

    assert ("finished", "digits", ["x", "y"]) == (run.status, run.experiment, run.tags)
    assert (0.25, 3, [1.5]) == (run["lr"], run["depth"], points(run, "loss")[1])


def test_a_run_is_resumed_by_its_id() -> None:
    """
    With `resume="allow"` steps go on after the last one; without it the run begins again, and keeps its history.
    """
    for value in (1.0, 2.0):
        with wandb.init(id="abc123", resume="allow") as run:
            run.log({"loss": value})
    assert ([0, 1], [1.0, 2.0]) == points(the_run(), "loss")
    assert run.resumed

    with wandb.init(id="abc123") as again:
        again.log({"loss": 3.0})

    assert ([0], [3.0]) == points(the_run(), "loss")
    assert 2 == len(the_run().get_metric("loss").history())


@pytest.mark.parametrize(("there", "resume"), [(True, "never"), (False, "must"), (False, "perhaps")])
def test_a_resume_that_can_not_be_is_an_error(there: bool, resume: str) -> None:
    """
    What contradicts itself is said at once, before hours of training.
    """
    if there:
        wandb.init(id="abc123").finish()

    with pytest.raises(UsageError, match="resume"):
        wandb.init(id="abc123", resume=resume, reinit=True)


def test_init_again_returns_the_open_run_unless_told_otherwise() -> None:
    """
    A second `init` is the same run, `reinit=True` ends it, `create_new` leaves it open.
    """
    first = wandb.init()
    same = wandb.init(config={"lr": 1})
    second = wandb.init(reinit=True)
    third = wandb.init(reinit="create_new")
    second.log({"loss": 1})
    second.finish()
    ids = {first.id, second.id, third.id}

    assert same is first
    assert third is wandb.run
    assert ids == {run.hash for run in Repo(".").iter_runs()}
    assert 1 == Run(first.id, read_only=True)["lr"]


def test_a_disabled_run_records_nothing() -> None:
    """
    The script runs as ever, and there is no repository.
    """
    run = wandb.init(mode="disabled", config=argparse.Namespace(lr=0.1))
    wandb.log({"loss": 1})
    run.summary["best"] = 2
    wandb.save("*.txt")
    wandb.log_artifact(wandb.Artifact("model", type="model"))

    assert (0.1, 2, "disabled") == (wandb.config.lr, run.summary["best"], run.id)
    assert not Path(".aim").exists()


def test_calls_before_init_do_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """
    `wandb.log` without a run is warned of once, and `wandb.run` is None.
    """
    wandb.log({"loss": 1})
    wandb.log({"loss": 2})
    wandb.config.lr = 0.1
    assert wandb.run is None
    wandb.init()

    assert 1 == sum("before wandb.init" in message for message in caplog.messages)
    assert 0.1 == the_run()["lr"]


def test_what_is_not_here_warns_once_and_does_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """
    An unknown function, class or member of the run can be used in any way, and its name is in one warning.
    """
    run = wandb.init()
    for _ in range(2):
        chart = wandb.Molecule.from_rdkit("c1ccccc1")
        with run.mark_preempting() as mark:
            assert not mark
    assert [] == list(chart.atoms)

    assert ["wandb.Molecule", "wandb.run.mark_preempting"] == [
        message.split()[1] for message in caplog.messages if "is not there" in message
    ]


def test_a_value_that_can_not_be_recorded_does_not_end_the_training(caplog: pytest.LogCaptureFixture) -> None:
    """
    What is odd in a row is named in a warning, and the rest of the row is recorded.
    """
    run = wandb.init()
    run.log({"loss": 0.5, "odd": object(), "type": 1})
    run.log({"loss": 0.25, "type": "a text after a number"})
    run.log("no dict")  # type: ignore[arg-type]
    run.log({"image": wandb.Image(np.zeros((4, 4))), "none": None})

    assert [0.5, 0.25] == points(the_run(), "loss")[1]
    assert ["'odd' is a object", "wandb.log failed (IncompatibleValue", "wandb.log failed (AttributeError"] == [
        re.split("[:,] ", message)[1] for message in caplog.messages
    ]


def test_strict_scripts_see_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With `AIM_ADAPTER_STRICT=1` a call raises what it would have logged.
    """
    monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
    wandb.init()

    with pytest.raises(AttributeError):
        wandb.log("no dict")


def test_settings_of_the_environment_and_of_arguments() -> None:
    """
    `wandb.Settings` can switch off the console and the system metrics, and names the run.
    """
    run = wandb.init(
        settings=wandb.Settings(console="off", x_disable_stats=True, run_name="named"),
        group="sweep-1",
        job_type="train",
        entity="team",
    )

    assert ("named", f"team/{run.id}") == (run.name, run.path)
    assert {"entity": "team", "group": "sweep-1", "job_type": "train"} == the_run()["wandb"]


def test_definitions_of_metrics_give_axes_and_summaries() -> None:
    """
    The step metric is the epoch of the others, and the summary has what was asked for.
    """
    with wandb.init() as run:
        wandb.define_metric("round")
        wandb.define_metric("val/*", step_metric="round")
        wandb.define_metric("loss", summary="min,max,mean")
        wandb.define_metric("score", summary="best", goal="maximize")
        wandb.define_metric("hidden", summary="none")
        for number, loss in enumerate([3.0, 1.0, 2.0]):
            wandb.log({"round": 10 * number, "loss": loss, "score": loss, "val/acc": loss, "hidden": 1})
        assert {"min": 1.0, "max": 3.0, "mean": 2.0} == run.summary["loss"]
    recorded = the_run()

    assert {"min": 1.0, "max": 3.0, "mean": 2.0} == recorded["summary", "loss"]
    assert {"best": 3.0} == recorded["summary", "score"]
    assert "hidden" not in run.summary
    assert [0.0, 10.0, 20.0] == recorded.get_metric("acc", {"subset": "val"}).epochs.values_list()


def test_alerts_are_log_records() -> None:
    """
    An alert is kept with the run, with its level.
    """
    run = wandb.init()
    wandb.alert("accuracy", "is low", level=wandb.AlertLevel.WARN)
    run.alert(title="disk", text="is full", level="ERROR")

    assert [("accuracy: is low", logging.WARNING), ("disk: is full", logging.ERROR)] == [
        (record.message, record.level) for record in the_run().get_log_records()
    ]


def test_name_notes_and_tags_can_be_changed() -> None:
    """
    Setting them on `wandb.run` changes the run.
    """
    run = wandb.init(tags=["old"])
    run.name, run.notes, run.tags = "better", "a note", (*run.tags[1:], "new")
    recorded = the_run()

    assert ("better", "a note", ["new"]) == (recorded.name, recorded.description, recorded.tags)
    assert ("better", "a note", ("new",)) == (run.name, run.notes, run.tags)
