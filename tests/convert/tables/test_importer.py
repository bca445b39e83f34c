"""
Tables become runs, whatever their columns are called.
"""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow
import pyarrow.parquet

from aim.convert.report import LOSSES, Report
from aim.engine.repository import Repository
from tests.convert.sources import import_source, objects, same, times, values


def imported(path: Path, root: Path, **choices: object) -> tuple[Repository, Report]:
    """Import a table into a new repository below *root*."""
    report = import_source(path, root / "target", choices=choices)
    return Repository(root / "target"), report


def test_a_wide_table_has_a_metric_in_each_column(tmp_path: Path) -> None:
    """
    The step, the time and the epoch are known by their names; an empty cell is no point, and a text is a text.
    """
    path = tmp_path / "log.csv"
    path.write_text("step,epoch,timestamp,loss,acc,note\n0,0,1700000000,0.5,,begin\n2,1,1700000001.5,nan,0.25,\n")
    repository, report = imported(path, tmp_path)
    run_hash = report.runs[0].run_hash

    assert same({0: 0.5, 2: math.nan}, values(repository, run_hash, "loss"))
    assert {2: 0.25} == values(repository, run_hash, "acc")
    assert {0: 1_700_000_000.0, 2: 1_700_000_001.5} == times(repository, run_hash, "loss")
    assert ["begin"] == [items[0]["text"] for items in objects(repository, run_hash, "note").values()]


def test_a_long_table_has_a_point_in_each_row(tmp_path: Path) -> None:
    """
    `name`, `step` and `value` make a metric for each name, and `run` a run for each of its texts.
    """
    path = tmp_path / "points.tsv"
    path.write_text('run\tname\tcontext\tstep\tvalue\na\tloss\t{}\t1\t0.5\nb\tloss\t"{""s"":1}"\t1\t9007199254740993\n')
    repository, report = imported(path, tmp_path)
    hashes = {run.title: run.run_hash for run in report.runs}

    assert {1: 0.5} == values(repository, hashes["a"], "loss")
    assert {1: 2**53 + 1} == values(repository, hashes["b"], "loss", {"s": 1})


def test_a_row_that_is_too_long_hides_only_itself(tmp_path: Path) -> None:
    """
    It is damage with its line, and the other rows are there.
    """
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n0,1\n1,2,3\n2,4\n")
    repository, report = imported(path, tmp_path)

    assert {0: 1.0, 2: 4.0} == values(repository, report.runs[0].run_hash, "loss")
    assert LOSSES == report.exit_code
    assert 1 == len(report.damage)


def test_steps_that_are_missing_or_have_a_fraction_are_numbered(tmp_path: Path) -> None:
    """
    Without a column for it the step is the number of the row; a step with a fraction becomes the epoch.
    """
    (tmp_path / "plain.csv").write_text("loss\n5\n6\n")
    (tmp_path / "half.csv").write_text("step,loss\n0.5,5\n1.0,6\n")
    plain, plain_report = imported(tmp_path / "plain.csv", tmp_path / "a")
    half, half_report = imported(tmp_path / "half.csv", tmp_path / "b")
    points = half.run(half_report.runs[0].run_hash).points(("loss", "{}"))

    assert {0: 5.0, 1: 6.0} == values(plain, plain_report.runs[0].run_hash, "loss")
    assert points is not None
    assert ([0, 1], [0.5, 1.0]) == (points.steps.tolist(), points.epochs.tolist())
    assert 2 == sum(half_report.reasons.values())


def test_json_lines_and_parquet_keep_the_types(tmp_path: Path) -> None:
    """
    Integers beyond 2^53 have all their digits; a damaged line of JSON hides only itself.
    """
    (tmp_path / "log.jsonl").write_text(
        '{"step": 1, "n": 9007199254740993}\n{"step"\n{"step": 2, "n": 9007199254740995}\n'
    )
    table = pyarrow.table({"step": [3], "loss": [0.5], "when": ["x"]})
    pyarrow.parquet.write_table(table, tmp_path / "log.parquet")
    lines, lines_report = imported(tmp_path / "log.jsonl", tmp_path / "a")
    parquet, parquet_report = imported(tmp_path / "log.parquet", tmp_path / "b")

    assert {1: 2**53 + 1, 2: 2**53 + 3} == values(lines, lines_report.runs[0].run_hash, "n")
    assert 1 == len(lines_report.damage)
    assert {3: 0.5} == values(parquet, parquet_report.runs[0].run_hash, "loss")


def test_a_folder_of_lightning_has_its_hparams(tmp_path: Path) -> None:
    """
    A tag of Python in `hparams.yaml` makes no object: it stays a text.
    """
    folder = tmp_path / "logs" / "version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("epoch,step,train_loss\n0,9,0.5\n1,19,0.25\n")
    (folder / "hparams.yaml").write_text("lr: 0.1\nmodel: !!python/object:os.system {}\n")
    report = import_source(tmp_path / "logs", tmp_path / "target")
    repository = Repository(tmp_path / "target")
    run_hash = report.runs[0].run_hash
    hparams = repository.run(run_hash).params()["hparams"]

    assert {9: 0.5, 19: 0.25} == values(repository, run_hash, "train_loss")
    assert 0.1 == hparams["lr"]
    assert isinstance(hparams["model"], str)


def test_a_time_that_python_has_not_is_a_text(tmp_path: Path) -> None:
    """
    Parquet has times beyond the year 9999; such a cell ends no import.
    """
    path = tmp_path / "log.parquet"
    beyond = pyarrow.array([2**62, 5], pyarrow.timestamp("us"))
    pyarrow.parquet.write_table(pyarrow.table({"step": [0, 1], "due": beyond, "loss": [0.5, 1.0]}), path)
    repository, report = imported(path, tmp_path)
    run_hash = report.runs[0].run_hash

    assert {0: 0.5, 1: 1.0} == values(repository, run_hash, "loss")
    assert [0, 1] == sorted(objects(repository, run_hash, "due"))
