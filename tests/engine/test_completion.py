"""
What could stand at a place of an unfinished query.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.engine.completion import complete
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.repository import Repository
from aim.engine.scan import Scan
from aim.sdk.objects.table import Table
from aim.sdk.run import Run


@pytest.fixture(scope="module", name="scan")
def _scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """
    Two runs with params, tags and metrics.
    """
    root: Path = tmp_path_factory.mktemp("completion")
    for lr, optimizer in ((0.1, "adam"), (0.2, "sgd")):
        run = Run(repo=str(root), system_tracking_interval=None, capture_terminal_logs=False)
        run["hparams"] = {"lr": lr, "optimizer": optimizer, "layer sizes": [1], "data": {"name": "digits"}}
        run.add_tag("good")
        run.track(1.0, name="loss", context={"subset": "val"})
        run.track(1.0, name="accuracy", context={"subset": "train"})
        run.track(Table([{"a": 1}]), name="worst mistakes", context={"split": "test"})
        run.close()
    return Scan(LiveCatalogue(Repository(root).readers, cache=root / "cache"))


@pytest.mark.parametrize(
    ("text", "replaced", "first", "kind"),
    [
        ("run.hp", "hp", "hparams", "param"),
        ("run.", "", "hparams", "param"),
        ("run.exp", "exp", "experiment", "property"),
        ("run.hparams.", "", "data", "param"),
        ("run.hparams.data.n", "n", "name", "param"),
        ("run.hparams['layer", "layer", "layer sizes", "param"),
        ("run.lr > 1 and run.hparams.opt", "opt", "optimizer", "param"),
        ("run.hparams.optimizer.st", "st", "startswith", "method"),
        ("run.name.lo", "lo", "lower", "method"),
        ('run.hparams.optimizer == "s', "s", "sgd", "value"),
        ("run.hparams.optimizer == ", "", '"adam"', "value"),
        ("run.hparams.lr == ", "", "0.1", "value"),
        ('run.hparams.optimizer in ["adam", "s', "s", "sgd", "value"),
        ("run.status == 'f", "f", "finished", "value"),
        ('"go', "go", "good", "value"),
        ("metric.na", "na", "name", "property"),
        ('metric.name == "l', "l", "loss", "value"),
        ("metric.context.", "", "subset", "context"),
        ('metric.context.subset == "v', "v", "val", "value"),
        ("run.metrics['ac", "ac", "accuracy", "metric"),
        ("metric.run.hpa", "hpa", "hparams", "param"),
        ("me", "me", "metric", "property"),
        ("ta", "ta", "tables", "property"),
        ("videos.na", "na", "name", "property"),
        ('tables.name == "w', "w", "worst mistakes", "value"),
        ("tables.context.", "", "split", "context"),
        ("run.x > 1 an", "an", "and", "keyword"),
        ("math.sq", "sq", "sqrt", "function"),
        ("le", "le", "len", "function"),
    ],
)
def test_the_best_completion_comes_first(scan: Scan, text: str, replaced: str, first: str, kind: str) -> None:
    """
    For each unfinished text: what is replaced, and what is offered first.
    """
    completions = scan.catalogue.ask(lambda table: complete(table, text, len(text)))

    assert replaced == text[completions.start : completions.end]
    assert (first, kind) == (completions.items[0].text, completions.items[0].kind), completions.items


@pytest.mark.parametrize(
    "text", ["1", "1.", "nonsense.", "'a'.", "run.lr == 'x' ", "metric.nothing.", "run.nothing == "]
)
def test_where_nothing_is_known_nothing_of_a_run_is_offered(scan: Scan, text: str) -> None:
    """
    A place where no name of a run can stand offers no param, metric or value.
    """
    completions = scan.catalogue.ask(lambda table: complete(table, text, len(text)))

    assert not {item.kind for item in completions.items} & {"param", "metric", "value", "context"}


@given(st.text(alphabet="runmetic.'\"[]()= <and0,h\n", max_size=40))
def test_no_text_is_an_error(scan: Scan, text: str) -> None:
    """
    Whatever stands there, completion answers, and replaces only characters before the place.
    """
    completions = scan.catalogue.ask(lambda table: complete(table, text, len(text)))

    assert 0 <= completions.start <= completions.end <= len(text)
    assert len(completions.items) <= 50


def test_numbers_that_are_not_finite_are_offered_as_a_query_writes_them(tmp_path: Path) -> None:
    """
    Infinities stand at the ends of the numbers as `math.inf`, and NaN, which equals nothing, is not offered.
    """
    for rate in (1.0, float("nan"), float("inf"), 0.5, -float("inf"), "auto"):
        with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["lr"] = rate
    scan = Scan(LiveCatalogue(Repository(tmp_path).readers, cache=tmp_path / "cache"))
    offered = [item.text for item in scan.catalogue.ask(lambda table: complete(table, "run.lr == ", 10)).items]

    assert ["-math.inf", "0.5", "1.0", "math.inf", '"auto"'] == offered
    assert 1 == len(scan.runs(f"run.lr == {offered[0]}"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run.hparams.lr == ", [("0.1", "1 run"), ("0.2", "1 run")]),
        ("run.hparams.lr > 0.", [("0.1", "1 run"), ("0.2", "1 run")]),
        ("run.hparams.lr <= ", [("0.1", "1 run"), ("0.2", "1 run")]),
        ("run.hparams.optimizer in ('adam', \"", [("adam", "1 run"), ("sgd", "1 run")]),
        ("metric.name == ", [('"accuracy"', "2 runs"), ('"loss"', "2 runs")]),
        ("metric.context.subset != '", [("train", "2 runs"), ("val", "2 runs")]),
        ("run.status == 'l", [("lost", "0 runs")]),
    ],
)
def test_values_come_with_the_number_of_runs_that_have_them(
    text: str, expected: list[tuple[str, str]], scan: Scan
) -> None:
    """
    After each comparison, whether quotes are open or a number has begun.
    """
    items = scan.catalogue.ask(lambda table: complete(table, text, len(text))).items
    assert expected == [(item.text, item.detail) for item in items if text[-1] != "l" or item.text == "lost"]


@pytest.mark.parametrize("text", ["adam ", "adam cifar ", "lr=0.1 "])
def test_words_that_are_searched_are_not_completed(text: str, scan: Scan) -> None:
    """
    After a space between words there is nothing to offer; the beginning of a query is offered for the letters of one.
    """
    assert [] == scan.catalogue.ask(lambda table: complete(table, text, len(text))).items
    begun = f"{text}ru"
    assert "run" == scan.catalogue.ask(lambda table: complete(table, begun, len(begun))).items[0].text
