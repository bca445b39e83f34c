"""
`aim demo` holds everything that a run can hold.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from aim import Repo, Run
from aim.cli.demo_runs import EXPERIMENT
from aim.cli.main import aim
from aim.core.kinds import OBJECT_KINDS


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A new folder with the demo, without a live run.
    """
    root = tmp_path_factory.mktemp("demo") / "new"
    done = CliRunner().invoke(aim, ["demo", "--repo", str(root), "--live-minutes", "0"])
    assert (0, f"aim up --repo {root}") == (done.exit_code, done.output.strip()[-len(f"aim up --repo {root}") :])
    return root


def run_called(root: Path, name: str) -> Run:
    """Return the run of that name."""
    (run,) = Repo(str(root)).runs(f"run.name == {name!r}")
    return run


def test_the_sweep_has_seeds_and_a_best_setting(root: Path) -> None:
    """
    Eighteen runs differ in model, learning rate and seed; the highest rate diverges, once to NaN.
    """
    repo = Repo(str(root))
    sweep = repo.runs("'sweep' in run.tags", sort="-accuracy.last")

    assert 22 == repo.total_runs_count()
    assert 18 == len({(*run["hparams"].values(),) for run in sweep})
    assert {("large", 0.003)} == {(run["hparams", "model"], run["hparams", "lr"]) for run in sweep[:3]}
    assert {0.03} == {metric.run["hparams", "lr"] for metric in repo.query_metrics("metric.has_nan")}


def test_the_baseline_has_every_kind_of_object(root: Path) -> None:
    """
    Objects of each kind, files, printed lines, log records, system metrics and the environment are there, and readable.
    """
    run = run_called(root, "baseline")
    listed = run.collect_sequence_info([kind.subject for kind in OBJECT_KINDS])

    assert [kind.subject for kind in OBJECT_KINDS] == [subject for subject, sequences in listed.items() if sequences]
    assert ["config/settings.json", "model/weights.bin"] == sorted(run.artifacts)
    assert 20 == len(run.get_terminal_logs() or ())
    assert ["INFO", "WARNING", "INFO"] == [record.json()["log_level"] for record in run.get_log_records()]
    assert {"__system__cpu", "__system__gpu"} <= {metric.name for metric in run.metrics()}
    assert "git_info" in run["__system_params"]
    assert "The path of the ball" in run.get_figure_sequence("path", {}).values.first_value().data
    assert ("paper" in run.tags, "What I tried" in run.notes) == (True, True)


def test_the_baseline_went_back_and_was_forked(root: Path) -> None:
    """
    One rewind is in its history, and another run continues from its middle.
    """
    run = run_called(root, "baseline")

    assert 1 == len(run.rewinds)
    assert run.get_metric("loss", {"subset": "train"}).history()[0].last > 2
    assert run.hash == run_called(root, "baseline, lower rate").forked_from.run_hash


def test_runs_that_did_not_finish_say_how_they_ended(root: Path) -> None:
    """
    One failed with an exception, and the process of one is gone.
    """
    assert ("failed", "MemoryError") == (run_called(root, "failed").status, run_called(root, "failed").error)
    assert "lost" == run_called(root, "lost").status
    assert {EXPERIMENT} == {run.experiment for run in Repo(str(root)).runs()}


def test_the_live_run_is_recorded_by_a_process_of_its_own(tmp_path: Path) -> None:
    """
    When the command returns one run is live, and the output names the process that records it.
    """
    done = CliRunner().invoke(aim, ["demo", "--repo", str(tmp_path), "--live-minutes", "5"])
    process_id = int(done.output.partition("process ")[2].partition(" ")[0])
    try:
        assert ["running"] == [run.status for run in Repo(str(tmp_path)).runs("run.active")]
        assert "live" == run_called(tmp_path, "live").name
    finally:
        os.kill(process_id, signal.SIGKILL)
