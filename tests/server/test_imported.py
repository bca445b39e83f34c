"""
What pages say of imported runs, and what could be imported beside a repository.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from aim.engine.repository import Repository
from tests.convert.sources import DATA, import_source
from tests.server.conftest import MakeBrowser, MakeRun


def test_an_imported_run_says_where_it_came_from(root: Path, make_browser: MakeBrowser, make_run: MakeRun) -> None:
    """
    The page of an imported run has the other tracker, its id there and the report; that of any other run has null.
    """
    own = make_run("mine")
    own.close()
    report = import_source(DATA / "wandb-damaged" / "flipped", root)
    browser = make_browser()
    imported = browser.get(f"runs/{report.runs[0].run_hash}")["imported"]

    assert ("wandb", "/proj/killed02", "0.31.0") == (imported["from"], imported["id"], imported["tool_version"])
    assert 1596 == imported["report"]["points"]
    assert [29011, 89719] == [damage["offset"] for damage in imported["report"]["damage"]]
    assert browser.get(f"runs/{own.hash}")["imported"] is None


def test_an_empty_page_offers_what_lies_beside_the_repository(root: Path, make_browser: MakeBrowser) -> None:
    """
    Folders of other trackers beside the repository are offered with the command that imports them.
    """
    Repository(root, create=True)
    shutil.copytree(DATA / "wandb" / "wandb", root / "wandb", symlinks=True)
    shutil.copytree(DATA / "tb-torch" / "lenet", root / "runs")
    (root / "logs").mkdir()
    sources = make_browser().get("importable")["sources"]

    assert ["Weights & Biases", "TensorBoard"] == [source["title"] for source in sources]
    assert f"aim import {root / 'wandb'} --repo {root}" == sources[0]["command"]


def test_bins_of_any_width_are_shown_as_even_ones(root: Path, make_browser: MakeBrowser) -> None:
    """
    A histogram with edges of its own comes as bins of equal width that hold as many samples.
    """
    report = import_source(DATA / "tb-torch" / "media", root)
    answer = make_browser().post(
        "objects",
        {"query": "", "type": "distributions", "keys": [{"name": "weights"}], "runs": [report.runs[0].run_hash]},
    )
    sums = [round(sum(item["weights"])) for item in answer["items"]]

    assert [10, 10, 1000] == sorted(sums)  # `raw` and two of `weights`
