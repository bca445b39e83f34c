"""
`aim demo`.
"""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from aim.cli.main import aim
from aim.sdk.repo import Repo


def test_demo_runs_are_recorded_into_the_folder(tmp_path: Path) -> None:
    """
    The command creates the repository and prints how to view the runs; they have curves, and one diverged.
    """
    root = tmp_path / "new"
    done = CliRunner().invoke(aim, ["demo", "--repo", str(root)])

    assert (0, f"aim up --repo {root}") == (done.exit_code, done.output.strip()[-len(f"aim up --repo {root}") :])
    repo = Repo(str(root))
    assert 12 == len(list(repo.iter_runs()))
    diverged_rates = [metric.run["hparams", "lr"] for metric in repo.query_metrics("metric.has_nan")]
    assert [0.03] == sorted(set(diverged_rates))
    best = max(repo.query_metrics("metric.name == 'accuracy'"), key=lambda metric: metric.values.last_value())
    assert ("large", 0.003) == (best.run["hparams", "model"], best.run["hparams", "lr"])
