"""
Adapters against the real frameworks, in an environment of their own: `./test adapters`.

A framework that is not installed skips its tests. That fails the session unless the reason begins with `optional:`,
since a test that is skipped silently proves nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from aim import Repo, Run

OPTIONAL = "optional:"
_skipped: dict[str, str] = {}

# Two cores are shared by everything that runs here, and nothing may be downloaded.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
for _name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("KERAS_BACKEND", "torch")
# Worker processes import these tests.
_ROOT = Path(__file__).resolve().parents[2]
_PATHS = [str(_ROOT / "src"), str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ["PYTHONPATH"] = os.pathsep.join(_PATHS)
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_configure(config: pytest.Config) -> None:
    """Let frameworks warn; a warning of ours is an error all the same."""
    config.addinivalue_line("filterwarnings", "default")
    config.addinivalue_line("filterwarnings", r"error:::aim\.(?!sdk\.adapters)")
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember each skipped test with its reason."""
    _remember(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember each module that was skipped as a whole."""
    _remember(report)


def _remember(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if OPTIONAL not in reason:
            _skipped[report.nodeid] = reason


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail when the framework of some test was missing."""
    if _skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped and should not have been."""
    if _skipped:
        terminalreporter.section("tests of adapters that did not run", red=True, bold=True)
        for name, reason in _skipped.items():
            terminalreporter.write_line(f"{name}: {reason}")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What a training says to its workers is not said to those of the next test; an empty hash is none.
    """
    monkeypatch.setenv("AIM_RUN_HASH", "")


@pytest.fixture(name="repo")
def _repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder for the repository of one test, which is the current folder, too.
    """
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def runs_of(repo: Path) -> list[Run]:
    """Return the runs of a repository, oldest first, as somebody else reads them."""
    return sorted(Repo(str(repo)).iter_runs(), key=lambda run: run.creation_time) if (repo / ".aim").exists() else []


def points(run: Run, name: str, **context: Any) -> list[tuple[int, float, float]]:
    """Return step, value and epoch of each point of a metric."""
    metric = run.get_metric(name, context)
    if metric is None:
        return []
    return list(zip(metric.indices, metric.values.tolist(), metric.epochs.tolist()))


def contexts_of(run: Run) -> set[tuple[str, str]]:
    """Return name and context of each metric of a run, without those of the system."""
    return {(name, str(context.to_dict())) for name, context, _ in run.iter_metrics_info() if name[:2] != "__"}
