"""
The bytes of frames.
"""

from __future__ import annotations

import json
import math
import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aim.engine.curves import Piece
from aim.server.frame import frame
from tests.server.frames import read
from tests.tidy.tree import ROOT

HEADER = {"cursor": "41", "total": 2, "runs": ["a"], "metrics": [{"name": "loss", "context": {}}]}


def test_the_frame_of_the_specification_is_read_as_it_says() -> None:
    """
    The bytes of the example in wire.md are read as the page says.
    """
    page = (ROOT / "docs/formats/wire.md").read_text(encoding="utf-8")
    header = re.search(r'\n(\{"cursor":"41","total":2,"runs":\["3df7.*?\]\}\})\n', page, re.DOTALL)
    rows = re.findall(r"^320  ([0-9a-f ]+?)   |^336  ([0-9a-f ]+?)   ", page, re.MULTILINE)
    assert header is not None
    text = header[1].replace("\n ", "").encode()
    blocks = b"".join(bytes.fromhex(x_bytes or y_bytes) for x_bytes, y_bytes in rows)
    content = b"AXF1" + (312).to_bytes(4, "little") + text + b" " * (312 - len(text)) + blocks
    first, second = read(content).parts

    assert ([0, 10, 20], [0.5, 0.25]) == (first.x, [value for value in first.y if value == value])
    assert ([0, 10], [0.75, 0.5]) == (second.x, second.y)
    assert 360 == len(content)


floats = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(st.lists(st.lists(floats, max_size=20), max_size=6))
def test_what_goes_in_comes_out(curves: list[list[float]]) -> None:
    """
    A frame read back gives the points that it was made of.
    """
    pieces = [
        Piece(source, "line", np.arange(len(values), dtype=np.int64), np.array(values, np.float64), len(values), 0, 0)
        for source, values in enumerate(curves)
    ]
    reread = read(frame(HEADER, pieces, {"run": [0] * len(pieces), "metric": [0] * len(pieces)}))

    assert [list(range(len(values))) for values in curves] == [part.x for part in reread.parts]
    assert json.dumps(curves) == json.dumps([part.y for part in reread.parts])


def test_blocks_begin_at_multiples_of_eight() -> None:
    """
    The blocks are aligned for typed arrays without a copy, for a header of any length.
    """
    for cursor in ("1", "12", "123", "1234567"):
        piece = Piece(0, "line", np.arange(3), np.array([1.0, math.nan, 3.0]), 3, 1, 0)
        content = frame({**HEADER, "cursor": cursor}, [piece], {"run": [0], "metric": [0]})

        assert 0 == int.from_bytes(content[4:8], "little") % 8
        assert 0 == len(content) % 8


def test_integers_keep_all_their_digits() -> None:
    """
    An integer that f4 does not hold makes y f8; one that f8 does not hold either stands in the header.
    """
    x = np.arange(2, dtype=np.int64)
    counts = Piece(0, "line", x, np.array([1.0, 2.0**24 + 1]), 2, 0, 0)
    tokens = Piece(0, "line", x, np.array([1.0, 2.0**60]), 2, 0, 0, exact={1: 2**60 + 1})
    seconds = Piece(0, "line", x, np.array([1.0, 2.0**24 + 1.5]), 2, 0, 0)
    labels = {"run": [0], "metric": [0]}
    read_counts, read_tokens, read_seconds = (
        read(frame(HEADER, [piece], labels)) for piece in (counts, tokens, seconds)
    )

    assert [1.0, 2.0**24 + 1] == read_counts.parts[0].y
    assert [[[1, 2**60 + 1]]] == read_tokens.header["series"]["exact"]
    assert "exact" not in read_counts.header["series"]
    assert "f4" == read_seconds.header["y"]
