"""
What views of the terminal ask: best runs, differences, printed lines, runs that record, and metrics by short texts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim import Run
from aim.core.errors import UsageError
from aim.engine.best_runs import best_runs
from aim.engine.log_lines import LogReader
from aim.engine.metric_choice import choose_metric, sequences_of_metric
from aim.engine.repository import Repository
from aim.engine.run_differences import differences
from aim.engine.running_runs import running_runs, steps_per_s
from aim.sdk.objects.log_line import LogLine


@pytest.fixture(name="door")
def _door(tmp_path: Path) -> Repository:
    """
    Three ended runs: the losses fall to 3, 1 and 2 and rise again; `c` has a NaN, and `d` has no metric.
    """
    for name, best, rate in (("a", 3.0, 0.1), ("b", 1.0, 0.01), ("c", 2.0, 0.01)):
        with Run(name, repo=tmp_path, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["hparams"] = {"lr": rate, "layers": [{"size": 2}]}
            run.name = f"run {name}"
            for step, value in enumerate((9.0, best, 5.0)):
                run.track(value, name="loss", step=step, context={"subset": "val"})
                run.track(-value, name="score", step=step)
            run.track(float("nan") if name == "c" else 4.0, name="loss", step=3, context={"subset": "val"})
            run.track(1.0, name="loss", context={"subset": "train"})
    Run("d", repo=tmp_path, create=True, system_tracking_interval=None, capture_terminal_logs=False).close()
    return Repository(tmp_path)


def test_the_best_run_has_the_best_value_that_it_reached(door: Repository) -> None:
    """
    Losses are best when small, other metrics when large; runs without the metric are left out.
    """
    losses = best_runs(door.questions(), "val/loss", columns=("hparams.lr",))
    scores = best_runs(door.questions(), "score", "run.hparams.lr < 0.05", limit=1)

    assert [("b", 1.0, 1), ("c", 2.0, 1), ("a", 3.0, 1)] == [(run.run_hash, run.value, run.step) for run in losses.runs]
    assert ({"hparams.lr": 0.01}, 4.0) == (losses.runs[0].cells, losses.runs[0].last)
    assert (True, ["b"]) == (scores.is_largest, [run.run_hash for run in scores.runs])


def test_a_short_text_means_a_metric_or_says_which_there_are(door: Repository) -> None:
    """
    A value of the context before a slash, a context in brackets; with neither several contexts are refused by name.
    """
    questions = door.questions()

    assert {"subset": "val"} == choose_metric(questions, "val/loss").context
    assert {"subset": "train"} == choose_metric(questions, "loss[subset=train]").context
    assert 6 == len(sequences_of_metric(questions, "loss"))
    with pytest.raises(UsageError, match=r"several contexts.*loss\[subset=train\], loss\[subset=val\]"):
        choose_metric(questions, "loss")
    with pytest.raises(UsageError, match=r"no metric|No run has a metric 'los'. Did you mean 'loss'"):
        choose_metric(questions, "los")


def test_differences_are_params_properties_and_last_values(door: Repository) -> None:
    """
    Equal values are left out, and missing ones are None.
    """
    rows = {(row.subject, row.name): row.values for row in differences(door, ["a", "c"])}
    with_empty = {(row.subject, row.name): row.values for row in differences(door, ["a", "d"])}

    assert (0.1, 0.01) == rows["param", "hparams.lr"]
    assert ("run a", "run c") == rows["property", "name"]
    assert ("param", "hparams.layers.0.size") not in rows
    assert (2, None) == with_empty["param", "hparams.layers.0.size"]
    first, second = rows["metric", "loss[subset=val]"]
    assert 4.0 == first
    assert np.isnan(second)


def test_lines_of_a_run_are_read_from_the_end_and_searched(tmp_path: Path) -> None:
    """
    The lines of two processes are one text by time; colours are left out, and a search counts all that match.
    """
    with Run("r", repo=tmp_path, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
        for step in range(20):
            run.track(
                LogLine(f"\x1b[31mERROR {step}\x1b[0m" if step % 5 == 0 else f"line {step}"), name="logs", step=step
            )
        run.track(LogLine("from rank 1"), name="logs", step=0, context={"writer": "x"})
        run.flush()
        reader = LogReader(Repository(tmp_path).run("r"))

        assert ["line 19", "from rank 1"] == [line.text for line in reader.last(2)]
        assert (["ERROR 10", "ERROR 15"], 4) == (
            [line.text for line in reader.matching("error", 2)[0]],
            reader.matching("error", 2)[1],
        )
        assert ["line 11", "line 13"] == [line.text for line in reader.matching("line 1[13]$", 9, is_regex=True)[0]]
        with pytest.raises(UsageError, match="no regular expression"):
            reader.matching("(", 9, is_regex=True)


def test_a_run_that_records_is_shown_with_its_step_and_machine(tmp_path: Path) -> None:
    """
    Values of metrics and of the machine are apart, and an ended run is not there.
    """
    Run("ended", repo=tmp_path, create=True, system_tracking_interval=None, capture_terminal_logs=False).close()
    with Run("r", repo=tmp_path, create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
        for step in range(50):
            run.track(0.5, name="loss", step=step * 10)
        run.track(87.5, name="__system__gpu", context={"gpu": 0})
        run.flush()

        runs = running_runs(Repository(tmp_path))

    assert [("r", 490, {"loss": 0.5}, {"gpu[gpu=0]": 87.5})] == [
        (each.run_hash, each.step, each.values, each.machine) for each in runs
    ]
    assert runs[0].steps_per_s is not None
    assert runs[0].steps_per_s > 0


def test_the_speed_is_that_of_the_latest_points() -> None:
    """
    A pause long ago does not count; a sequence of one point has no speed.
    """

    class SlowBegin:
        steps = np.arange(1000)
        times_s = np.concatenate([[0.0], 5000 + np.arange(999) / 4])

    assert 4.0 == steps_per_s(SlowBegin)
    SlowBegin.steps = SlowBegin.steps[:1]
    assert steps_per_s(SlowBegin) is None
