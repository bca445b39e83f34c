"""
Tables of runs and points: CSV, JSON Lines, Parquet.
"""

from __future__ import annotations

import base64
import csv
import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet

from aim import Repo
from aim.convert import export
from aim.core import params
from tests.convert.exporting.conftest import BIG, LOSSES


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the values of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_csv_has_every_point_with_all_digits(repository: Path, tmp_path: Path) -> None:
    """
    Steps, NaN, infinities, negative zero and large integers come back from the text; the epoch and time too.
    """
    report = export(repository, tmp_path / "out", format="csv")
    rows = rows_of(tmp_path / "out" / "points.csv")
    losses = [row for row in rows if row["name"] == "loss"]

    assert [*map(repr, LOSSES.items())] == [repr((int(row["step"]), float(row["value"]))) for row in losses]
    assert ["NaN", "Infinity"] == [row["value"] for row in losses if not math.isfinite(float(row["value"]))]
    assert {"0.5"} == {row["epoch"] for row in losses}
    assert {'{"subset":"val"}'} == {row["context"] for row in losses}
    assert [str(BIG + step) for step in range(3)] == [row["value"] for row in rows if row["name"] == "count"]
    assert (2, 8) == (report.runs, report.points)


def test_a_text_of_a_run_is_no_formula_of_a_spreadsheet(repository: Path, tmp_path: Path) -> None:
    """
    A name that begins with `=` gets an apostrophe, and params are columns by dotted names.
    """
    export(repository, tmp_path / "out", format="csv")
    full = {row["hash"]: row for row in rows_of(tmp_path / "out" / "runs.csv")}["full"]

    assert "'=1+1" == full["name"]
    assert ("0.1", "[64,32]", str(BIG)) == tuple(full[f"params.hparams.{name}"] for name in ("lr", "layers", "seed"))


def test_what_a_table_can_not_hold_is_counted(repository: Path, tmp_path: Path) -> None:
    """
    Objects of each kind, artifacts and the environment are in the report, by kind.
    """
    left_out = export(repository, tmp_path / "out", format="csv").left_out

    assert 1 == left_out["aim.image: a table of numbers has no objects"]
    assert 1 == left_out["an artifact (zip and mlflow have it)"]
    assert 1 == left_out["the environment of a run (jsonl and zip have it)"]


def test_parquet_keeps_the_exact_integers(repository: Path, tmp_path: Path) -> None:
    """
    The points are those of the repository, and the row groups are of one run each.
    """
    export(repository, tmp_path / "out", format="parquet")
    points = pyarrow.parquet.read_table(tmp_path / "out" / "points.parquet")
    runs = pyarrow.parquet.read_table(tmp_path / "out" / "runs.parquet").to_pylist()

    assert [BIG, BIG + 1, BIG + 2] == [value for value in points["exact"].to_pylist() if value is not None]
    assert ["full"] == sorted(set(points["run"].to_pylist()))
    assert {"full": False, "bare": True} == {run["hash"]: run["archived"] for run in runs}


def test_json_lines_keep_params_and_objects_whole(repository: Path, tmp_path: Path) -> None:
    """
    The params decode to those that were recorded, and the bytes of an image are those that are stored.
    """
    report = export(repository, tmp_path / "out", format="jsonl")
    full = {run["hash"]: run for run in lines_of(tmp_path / "out" / "runs.jsonl")}["full"]
    objects = lines_of(tmp_path / "out" / "objects.jsonl")
    images = [item for item in objects if item["kind"] == "aim.image"]

    assert Repo(repository).door.run("full").params() == params.decode(full["params"])
    assert [0, 1] == [image["index"] for image in images]
    assert {b"\x89PNG"} == {base64.b64decode(image["data"])[:4] for image in images}
    assert len(objects) == report.objects
    assert ["good"] == full["tags"]


def test_json_lines_keep_the_kind_of_each_number(repository: Path, tmp_path: Path) -> None:
    """
    An integer stays an integer with all its digits, and a number that is not finite is a text.
    """
    export(repository, tmp_path / "out", format="jsonl")
    points = lines_of(tmp_path / "out" / "points.jsonl")

    assert [BIG, BIG + 1, BIG + 2] == [point["value"] for point in points if point["name"] == "count"]
    assert [0.1, "NaN", -0.0, "Infinity", 1e-300] == [point["value"] for point in points if point["name"] == "loss"]
