"""
What leaves comes back: an export that is imported shows the same runs, up to what its format can't hold.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Distribution, Image, Run, Text
from aim.convert import export, import_
from aim.convert.exporting import one_file_page
from aim.convert.exporting.page_choice import PageChoice
from aim.engine.repository import Repository
from tests.convert.exporting.conftest import BIG
from tests.convert.sources import hash_of_only, same, shown

CURVES: tuple[tuple[str, dict[str, str]], ...] = ("loss", {"subset": "val"}), ("count", {})


@pytest.fixture(name="source", scope="module")
def _source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    One run with numbers, objects, params, tags and notes.
    """
    folder = tmp_path_factory.mktemp("source")
    with Run("whole", repo=folder, experiment="digits", create=True, system_tracking_interval=None) as run:
        run.name, run.description = "first", "a run"
        run["hparams"] = {"lr": 0.1, "layers": [1, 2], 3: None, "big": BIG}
        run.add_tag("good")
        for step, value in ((-3, 0.1), (0, math.nan), (7, -0.0), (2**40, math.inf)):
            run.track(value, name="loss", step=step, epoch=0.5, context={"subset": "val"})
        for step in range(3):
            run.track(BIG + step, name="count", step=step)
        run.track([Image(np.zeros((2, 3)), caption="black")], name="digits", step=2)
        run.track(Text("a\nb"), name="words", step=1)
        run.track(Distribution([1, 2, 3]), name="weights", step=0)
    return folder


def back(source: Path, folder: Path, format_name: str, **options: Any) -> Repository:
    """Export, import into a new repository, and return that."""
    suffix = {"zip": ".zip", "html": ".html"}.get(format_name, "")
    export(source, folder / f"out{suffix}", format=format_name, **options)
    report = import_(folder / f"out{suffix}", repo=folder / "back")
    assert [True] == [run.is_verified for run in report.runs], report.text()
    return Repository(folder / "back")


@pytest.mark.parametrize("format_name", ["jsonl", "zip"])
def test_nothing_is_lost(source: Path, tmp_path: Path, format_name: str) -> None:
    """
    The run of a folder of JSON lines, or of a ZIP, is the same: hash, params, tags, points and objects.
    """
    returned = back(source, tmp_path, format_name)

    assert shown(Repository(source), "whole") == shown(returned, "whole")


def test_a_page_comes_back_as_far_as_it_goes(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A page with all points and media has the same curves, params and texts; integers beyond 2^53 became doubles.
    """
    (tmp_path / "page.js").write_text("")
    (tmp_path / "page.css").write_text("")
    monkeypatch.setattr(one_file_page, "BUNDLE", tmp_path)
    returned = back(source, tmp_path, "html", page=PageChoice(is_whole=True, media="full"))
    before, after = shown(Repository(source), "whole"), shown(returned, "whole")

    assert before["params"] == after["params"]
    assert before["points"][("loss", '{"subset":"val"}')] == after["points"][("loss", '{"subset":"val"}')]
    assert set(before["points"]) == set(after["points"])


@pytest.mark.parametrize("format_name", ["tensorboard", "mlflow"])
def test_other_programs_lose_only_what_is_listed(source: Path, tmp_path: Path, format_name: str) -> None:
    """
    The curves are the same up to epochs, and in MLflow up to the type of integers and microseconds.
    """
    returned = back(source, tmp_path, format_name)
    run_hash = hash_of_only(returned)
    for name, context in CURVES:
        before = dict(curve(Repository(source), "whole", name, context))
        after = dict(curve(returned, run_hash, name, context))
        assert same(
            {step: float(value) if format_name == "mlflow" else value for step, value in before.items()}, after
        ), name


def curve(repository: Repository, run_hash: str, name: str, context: dict[str, str]) -> list[tuple[int, Any]]:
    """Return steps and values of a metric."""
    text = '{"subset":"val"}' if context else "{}"
    points = repository.run(run_hash).points((name, text))
    return [] if points is None else list(zip(points.steps.tolist(), points.values.tolist()))
