"""
`aim demo`.
"""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from aim.cli.main import aim
from aim.sdk.repo import Repo


def test_demo_runs_are_recorded_where_they_are_wanted(tmp_path: Path) -> None:
    """
    The command makes the repository, and says how to see the runs; they have curves to compare, and one went wrong.
    """
    place = tmp_path / "new"
    done = CliRunner().invoke(aim, ["demo", "--repo", str(place)])

    assert (0, f"aim up --repo {place}") == (done.exit_code, done.output.strip()[-len(f"aim up --repo {place}") :])
    repo = Repo(str(place))
    assert 12 == len(list(repo.iter_runs()))
    lost = [found.run["hparams", "lr"] for found in repo.query_metrics("metric.has_nan")]
    assert [0.03] == sorted(set(lost))
    best = max(repo.query_metrics("metric.name == 'accuracy'"), key=lambda metric: metric.values.last_value())
    assert ("large", 0.003) == (best.run["hparams", "model"], best.run["hparams", "lr"])
