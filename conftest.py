"""
What all tests share, the package's doctests too: own caches, the depth of random tests, the count of lines at the end.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# It puts something else in its own place (docs/decisions/version.md), which pytest's way of importing would undo.
collect_ignore = ["src/aim/__version__.py"]
ROOT = Path(__file__).resolve().parent
# The short names of adapters need the framework of each; tests/adapters tries them where it is installed.
collect_ignore += [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "src/aim").glob("*.py")
    if "aim.sdk.adapters" in path.read_text(encoding="utf-8")
]
# These are tried without their frameworks, which are large or retired: tests/adapters/test_replays.py.
NOT_INSTALLED = ("acme", "keras_tuner", "mxnet", "paddle", "prophet", "tensorflow")
collect_ignore += [f"src/aim/sdk/adapters/{name}.py" for name in NOT_INSTALLED]
# Tests sync files by the thousand. In memory that costs nothing; what a sync is worth is tested by disks that forget.
MEMORY = Path("/dev/shm")
if os.access(MEMORY, os.W_OK):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
# Lines of test for a line of source, at least; storage and query carry the promises.
RATIO_MIN = {"": 1.3, "storage": 2.0, "query": 2.0}

# `./test` draws the same examples each time, whatever the machine and whatever ran before: what was green stays green.
# Fresh randomness is in `make fuzz`, which runs the long profile; what that finds becomes a case of its own. A slow
# shared machine is no finding, so no test has a deadline.
hypothesis.settings.register_profile("short", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile(
    "long", deadline=None, print_blob=True, max_examples=5_000, stateful_step_count=100
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.fixture(scope="session", autouse=True)
def _own_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    The user's caches and settings are neither used nor changed, by this process and by those it starts.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        for name in [name for name in os.environ if name.startswith(("AIM_", "__AIM_"))]:
            patch.delenv(name)
        # The thousands of processes that tests start would compile the package anew, each of them.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # A process that seals what a test has closed would change its runs at any moment after that, and thousands of
        # tests would start one each. The tests of sealing turn it on.
        patch.setenv("AIM_SEAL_ON_CLOSE", "0")
        yield


@pytest.fixture(name="open_folder")
def _open_folder() -> Iterator[Path]:
    """
    A folder that every user may enter, for processes of another one: pytest's own are closed to others.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many lines of test there are for each line of source, when all tests were run."""
    if terminalreporter.config.args != terminalreporter.config.getini("testpaths"):
        return
    parts = []
    for part, floor in RATIO_MIN.items():
        source, test = (_line_count(ROOT / top / part) for top in ("src/aim", "tests"))
        if source:
            parts.append(f"{part or 'all'} {test / source:.2f} (goal {floor})")
    terminalreporter.write_line("lines of test for a line of source: " + ", ".join(parts))


def _line_count(folder: Path) -> int:
    """Count the lines of Python in *folder* that are not empty."""
    return sum(
        1 for path in folder.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    )
