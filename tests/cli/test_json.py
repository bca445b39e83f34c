"""
What the command line prints as JSON is JSON for every value, and no digit of an integer is lost on the way.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from aim import Repo, Run
from aim.sdk.types import QueryReportMode

LONGEST, LONG = 2**63 - 1, 2**53 + 1
PARAMS = {
    "nan": math.nan,
    "inf": -math.inf,
    "bytes": b"\xff\x00",
    "half": "caf\udce9",
    "accent": "caf\u00e9 \x07\x7f",
    "big": 2**80,
    "seed": LONGEST,
    "list": [math.nan, b"x", {1: 2, "1": 3}],
    "none": None,
}


def parsed(text: str) -> Any:
    """Parse JSON as the standard has it: no NaN, no two equal keys, no half of a surrogate pair."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    value = json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    json.dumps(value, ensure_ascii=False).encode()
    return value


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A repository with one run of every value that JSON has no form for."""
    with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run["p"] = PARAMS
        run.name = "caf\udce9 \x1b[2J"
        run.add_tag("half \udce9")
        run.track(math.nan, name="half \udce9", context={"a": math.inf, "b": LONGEST})
        for value in (LONGEST, LONG, -LONG):
            run.track(value, name="long")
        run.track(0.5, name="mixed")
        run.track(LONG, name="mixed")
        run.track(0.5, name="short")
    return tmp_path


def aim(folder: Path, *words: str, **environment: str) -> str:
    """Run a command in *folder*, and return what it prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "aim", *words],
        cwd=folder,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(sys.modules["aim"].__path__[0]).parent), **environment},
    )
    assert ended.returncode in (0, 1), ended.stderr.decode()
    assert b"bug" not in ended.stderr, ended.stderr.decode()
    return ended.stdout.decode()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_every_command_prints_json_that_a_strict_parser_takes(folder: Path, encoding: str) -> None:
    """
    NaN, infinities, bytes, halves of characters and long ints are valid JSON, whatever standard output can show.
    """
    columns = ",".join(["hash", "name", "tags", "created_at", *(f"p.{name}" for name in PARAMS), "long.last"])
    commands = [
        ("runs", "ls", "--json", "--columns", columns),
        ("metrics", "--json"),
        ("tags", "ls", "--json"),
        ("query", "run.p.nan == 1 or run.p.half", "--explain"),
    ]
    for words in commands:
        lines = aim(folder, *words, PYTHONIOENCODING=encoding).splitlines()
        assert lines, words
        assert all(isinstance(parsed(line), dict) for line in lines)


def test_values_without_a_form_in_json_have_a_fixed_one(folder: Path) -> None:
    """
    NaN and infinities are texts, bytes are base64, half a character is a question mark, and ints keep all digits.
    """
    columns = ",".join(f"p.{name}" for name in PARAMS)
    row = parsed(aim(folder, "runs", "ls", "--json", "--columns", columns))
    expected = {
        "nan": "NaN",
        "inf": "-Infinity",
        "bytes": {"$bytes": "/wA="},
        "half": "caf?",
        "accent": PARAMS["accent"],
        "big": 2**80,
        "seed": LONGEST,
        "list": ["NaN", {"$bytes": "eA=="}, {"1": 3, "[1]": 2}],
        "none": None,
    }

    assert {f"p.{name}": value for name, value in expected.items()} == row


def test_no_digit_of_a_long_integer_is_lost_at_any_outlet(folder: Path) -> None:
    """
    `aim metrics`, CSV, Parquet and data frames have each integer of 64 bits as it was tracked.
    """
    summaries = {row["name"]: row for row in map(parsed, aim(folder, "metrics", "--json").splitlines())}
    exported = list(csv.DictReader(io.StringIO(aim(folder, "metrics", "--csv"))))
    aim(folder, "metrics", "--parquet", "points.parquet")
    table = pyarrow.parquet.read_table(folder / "points.parquet").to_pylist()
    queried = Repo(str(folder)).query_metrics("", QueryReportMode.DISABLED)
    frames = {metric.name: metric.dataframe()["value"].tolist() for metric in queried}
    whole = queried.dataframe()
    assert whole is not None

    assert (LONGEST, -LONG, -LONG, LONGEST) == tuple(summaries["long"][key] for key in ("first", "last", "min", "max"))
    assert (0.5, LONG) == (summaries["mixed"]["first"], summaries["mixed"]["last"])
    assert [str(LONGEST), str(LONG), str(-LONG)] == [row["exact"] for row in exported if row["name"] == "long"]
    assert [None, LONG] == [row["exact"] for row in table if row["name"] == "mixed"]
    assert ([LONGEST, LONG, -LONG], [0.5, LONG], [0.5]) == (frames["long"], frames["mixed"], frames["short"])
    assert {LONGEST, LONG, -LONG} <= set(whole["value"].tolist())
    assert [LONGEST] == [value for value in whole["metric.context.b"] if isinstance(value, int)]
    assert {LONGEST} == set(whole["run.p.seed"].tolist())
