"""
Every answer is JSON for a parser that knows no NaN, with all digits of integers.
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pyarrow.parquet
import pytest

from tests.server.conftest import Browser, MakeBrowser, MakeRun

SEED = 2**63 - 1
HUGE = 10**30
PARAMS: dict[str, object] = {
    "seed": SEED,
    "limit": HUGE,
    "below": -(2**63),
    "nan": math.nan,
    "inf": [math.inf, -math.inf],
    "bytes": b"\xff\x00",
    "half": "\ud800 half of a character",
    "deep": {"\udfff": math.nan, "3": {"x": [None, True, math.nan]}},
}


def strict(content: bytes) -> Any:
    """Parse JSON as the standard says: UTF-8, without NaN and infinities."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    return json.loads(content.decode("utf-8", "strict"), parse_constant=refuse)


@pytest.fixture(name="odd")
def _odd(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    """
    A browser on a run with values of every odd kind, in params, points, contexts, texts and properties.
    """
    run = make_run("odd", **PARAMS)
    run.name = "\ud800 odd"
    run.description = "half \udc00"
    run.add_tag("tag \ud83d")
    for step, value in enumerate([1.0, math.nan, math.inf, -math.inf]):
        run.track(value, name="loss", step=step, context={"half": "\ud800"})
    run.track(SEED, name="count", step=2**62)
    run.close()
    return make_browser()


FIELDS: list[list[object]] = [
    ["run", "name"],
    ["run", "description"],
    ["run", "tags"],
    ["param", "hparams", "seed"],
    ["param", "hparams", "limit"],
    ["param", "hparams", "below"],
    ["param", "hparams", "nan"],
    ["param", "hparams", "inf"],
    ["param", "hparams", "bytes"],
    ["param", "hparams", "half"],
    ["metric", "loss", {"half": "\ufffd"}, "last"],
    ["metric", "count", {}, "last"],
]


def test_every_answer_is_strict_json(odd: Browser) -> None:
    """
    Runs, fields, one run, objects, alerts, exports and errors are parsed by a strict parser.
    """
    posts: list[tuple[str, object]] = [
        ("runs", {"fields": FIELDS, "sort": [{"field": field} for field in FIELDS]}),
        ("runs", {"query": "run.hparams.nothing == 1"}),
        ("fields", {}),
        ("objects", {"type": "texts"}),
        ("complete", {"query": "run.hparams.", "at": 12}),
        ("complete", {"query": 'run.hparams.half == "', "at": 21}),
        ("check", {"query": "run.hparams.seed > 1"}),
        ("check", {"query": "run.hparams. <"}),
        ("edits", {"runs": ["none"], "change": {"name": "x"}}),
        ("edits", {"runs": ["odd"], "change": {"archived": False}}),
    ]
    gets = ["runs/odd", "runs/odd/log", "runs/odd/records", "alerts", "documents", "edits", "runs/none"]
    gets += [f"export/{subject}.json?request={{}}" for subject in ("runs", "series")]
    for path, body in posts:
        assert isinstance(strict(odd.client.post(odd.base + path, json=body).content), dict), path
    for path in gets:
        assert isinstance(strict(odd.client.get(odd.base + path).content), (dict, list)), path
    assert isinstance(strict(odd.client.get("api/info").content), dict)


def test_frames_have_strict_headers(odd: Browser) -> None:
    """
    The header of a frame is strict JSON too, with the keys of groups of odd values.
    """
    for by in ([["param", "hparams", name] for name in ("seed", "nan", "half")], {"equal": "params"}, None):
        aggregate = None if by is None else {"by": by, "band": "std"}
        frame = odd.bytes("series", {"aggregate": aggregate})
        header = strict(frame[8 : 8 + int.from_bytes(frame[4:8], "little")])
        assert ["odd"] == header["runs"]


def test_no_digit_of_an_integer_is_lost(odd: Browser) -> None:
    """
    An integer of 64 bits is the same in the table, on the page of a run, among the fields, and in each export.
    """
    request = {"fields": [["param", "hparams", "seed"], ["param", "hparams", "limit"], ["param", "hparams", "below"]]}
    columns = odd.post("runs", request)["columns"]
    assert [[SEED], [HUGE], [-(2**63)]] == [column["values"] for column in columns]
    params = odd.get("runs/odd")["params"]["hparams"]
    assert (SEED, {"$int": str(HUGE)}) == (params["seed"], params["limit"])
    examples = {param["path"][-1]: param["examples"] for param in odd.post("fields", {})["params"]}
    assert [SEED] == examples["seed"]

    text = {"request": json.dumps(request)}
    (row,) = csv.DictReader(io.StringIO(odd.client.get(f"{odd.base}export/runs.csv", params=text).text))
    assert (str(SEED), str(HUGE)) == (row["hparams.seed"], row["hparams.limit"])
    exported = odd.client.get(f"{odd.base}export/runs.parquet", params=text).content
    table = pyarrow.parquet.read_table(io.BytesIO(exported))
    assert str(SEED) == str(table["hparams.seed"][0].as_py())
    assert str(HUGE) in str(table["hparams.limit"][0].as_py())


@pytest.mark.parametrize("subject", ["runs", "series"])
@pytest.mark.parametrize("format_name", ["csv", "json", "parquet"])
def test_odd_values_are_exported_in_each_format(odd: Browser, subject: str, format_name: str) -> None:
    """
    Exports hold halves of characters, bytes and non-finite numbers in a form that their readers understand.
    """
    request = {"request": json.dumps({"fields": FIELDS} if subject == "runs" else {})}
    answer = odd.client.get(f"{odd.base}export/{subject}.{format_name}", params=request)

    assert 200 == answer.status_code
    if format_name == "parquet":
        row_count = pyarrow.parquet.read_table(io.BytesIO(answer.content)).num_rows
    elif format_name == "csv":
        row_count = len(list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig", "strict")))))
    else:
        row_count = len(strict(answer.content))
    assert (1 if subject == "runs" else 5) == row_count


def test_summaries_of_large_integers_have_all_their_digits(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    First, last, lowest and highest value of a metric of integers beyond 2^53 are those that were recorded, in the table
    and on the page of the run, also where other values are fractions.
    """
    run = make_run("tokens")
    for step, value in enumerate((SEED - 5, SEED, -(2**60) - 1, 2**60 + 1)):
        run.track(value, name="tokens", step=step)
        run.track(value if step else 0.5, name="mixed", step=step)
    run.close()
    browser = make_browser()
    names = ("first", "last", "min", "max")
    fields: list[Any] = [["metric", metric, {}, name] for metric in ("tokens", "mixed") for name in names]
    table = [column["values"][0] for column in browser.post("runs", {"fields": fields})["columns"]]
    page = browser.get("runs/tokens")

    assert [SEED - 5, 2**60 + 1, -(2**60) - 1, SEED, 0.5, 2**60 + 1, -(2**60) - 1, SEED] == table
    tokens = next(sequence for sequence in page["sequences"] if sequence["name"] == "tokens")
    assert [SEED - 5, 2**60 + 1, -(2**60) - 1, SEED] == [tokens[name] for name in names]


def test_a_text_nan_is_told_from_the_number(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    In a column of numbers and texts NaN and infinities are objects, and texts of these names are texts.
    """
    for run_hash, clip in (("a", math.nan), ("b", "NaN"), ("c", math.inf), ("d", 1.0)):
        run = make_run(run_hash)
        run["clip"] = clip
        run.close()
    answer = make_browser().post("runs", {"fields": [["param", "clip"]]})
    cells = dict(zip(answer["hash"], answer["columns"][0]["values"], strict=True))

    assert {"a": {"$float": "nan"}, "b": "NaN", "c": {"$float": "inf"}, "d": 1.0} == cells
