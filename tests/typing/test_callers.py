"""
What mypy says to a caller of the package: the types that it reveals, and what it refuses.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tidy.tree import ROOT

SNIPPET = """
from aim import Repo, Run

repo = Repo(".")
for metric in repo.query_metrics("metric.name == 'loss'"):
    reveal_type(metric)
    reveal_type(metric.run["hparams", "lr"])
for image in repo.query_images():
    reveal_type(image)
with Run(repo=repo) as run:
    reveal_type(run.repo)
    for metric in run.metrics():
        reveal_type(metric.values)
    run.track("high", name="loss")
"""


def test_mypy_reveals_the_types_of_a_caller(tmp_path: Path) -> None:
    """
    A strict check of a caller's file knows the class of each sequence, and refuses a str in `track`.
    """
    program = tmp_path / "caller.py"
    program.write_text(SNIPPET)
    (tmp_path / "mypy.ini").write_text(
        f"[mypy]\nstrict = true\nmypy_path = {ROOT / 'src'}\nfollow_imports = silent\n"
        f"cache_dir = {tmp_path / 'cache'}\nignore_missing_imports = true\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", str(tmp_path / "mypy.ini"), str(program)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    revealed = [line.split('"')[1] for line in checked.stdout.splitlines() if "Revealed type" in line]
    errors = [line for line in checked.stdout.splitlines() if ": error:" in line]

    assert [
        "aim.sdk.metric.Metric",
        "Any",
        "aim.sdk.object_sequences.Images",
        "aim.sdk.repo.Repo",
        "aim.storage.arrayview.ArrayView[Any]",
    ] == revealed, checked.stdout
    assert 1 == len(errors), checked.stdout
    assert 'Argument 1 to "track" of "Run" has incompatible type "str"' in errors[0]
