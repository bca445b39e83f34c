"""
hydra: scripts that are run as people run them, with a callback in their config.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.conftest import runs_of
from tests.adapters.readings import points, the_run

pytest.importorskip("hydra")

SCRIPT = """
import hydra
from aim.hydra import current_run

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    current_run().track(cfg.lr, name="loss")
    if cfg.lr > 1:
        raise ValueError("too fast")

main()
"""
CONFIG = """
lr: 0.5
model:
  depth: 3
  width: ${.depth}
  missing: ???
hydra:
  callbacks:
    aim:
      _target_: aim.hydra.AimJobCallback
      repo: REPO
      system_tracking_interval: null
      capture_terminal_logs: false
"""


def run_script(repo: Path, *arguments: str) -> int:
    """Run the script in a process of its own; return its exit status."""
    (repo / "conf").mkdir(exist_ok=True)
    (repo / "conf/config.yaml").write_text(CONFIG.replace("REPO", str(repo)))
    (repo / "script.py").write_text(SCRIPT)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIM_")}
    environment = {**inherited, "PYTHONPATH": os.pathsep.join(sys.path), "AIM_ADAPTER_STRICT": "1"}
    ran = subprocess.run([sys.executable, "script.py", *arguments], cwd=repo, env=environment, check=False)
    return ran.returncode


def test_a_job_is_a_run(repo: Path) -> None:
    """
    The config is resolved, what distinguishes the job is there, and the script tracks into the run.
    """
    assert 0 == run_script(repo, "lr=0.25", "hydra.run.dir=out")
    run = the_run(repo)

    assert {"lr": 0.25, "model": {"depth": 3, "width": 3, "missing": None}} == run["hparams"]
    assert (["lr=0.25"], "script") == (run["hydra", "overrides", "task"], run["hydra", "job", "name"])
    assert str(repo / "out") == run["hydra", "runtime", "output_dir"]
    assert ("script", "lr=0.25", "finished") == (run.experiment, run.name, run.status)
    assert [(0, 0.25)] == points(run, "loss")


def test_each_job_of_a_sweep_is_a_run_and_failures_are_told(repo: Path) -> None:
    """
    The job that raised has failed, with the name of its exception.
    """
    assert 0 != run_script(repo, "-m", "lr=0.25,2", "hydra.sweep.dir=out")
    runs = {run.name: run for run in runs_of(repo)}

    assert {"lr=0.25": ("finished", None), "lr=2": ("failed", "ValueError")} == {
        name: (run.status, run.error) for name, run in runs.items()
    }
    assert [0, 1] == sorted(run["hydra", "job", "num"] for run in runs.values())


def test_between_jobs_there_is_no_run() -> None:
    """
    `current_run` is None outside of a job.
    """
    assert pytest.importorskip("aim.hydra").current_run() is None
