"""
Pages decode as Parquet's own reader decodes them, and damaged ones are refused.
"""

from __future__ import annotations

import io
import zlib

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given

from aim.storage.sealing import pages
from aim.storage.sealing.pages import BadPage


def plain_pages(array: pa.Array, encoding: str) -> tuple[bytes, int]:
    """Write one column of one page, uncompressed; give the page's plain bytes and its rows."""
    sink = io.BytesIO()
    schema = pa.schema([pa.field("x", array.type, nullable=False)])
    pq.write_table(
        pa.Table.from_arrays([array], schema=schema),
        sink,
        compression="none",
        use_dictionary=encoding == "dictionary",
        column_encoding=None if encoding == "dictionary" else {"x": encoding},
        write_page_checksum=True,
        write_statistics=False,
    )
    content = sink.getvalue()
    offset = 4
    while True:
        head = pages.parse_header(content, offset)
        body = offset + head.size_bytes
        if head.kind == pages.DATA:
            return content[body : body + head.plain_bytes], head.rows
        offset = body + head.packed_bytes


wide = st.integers(-(2**63), 2**63 - 1)
stepped = st.integers(-9, 9)


@given(st.lists(wide | stepped, min_size=1, max_size=300))
def test_deltas_of_any_width_decode(values: list[int]) -> None:
    """
    Steps and times of any size and order come back.
    """
    plain, rows = plain_pages(pa.array(values, pa.int64()), "DELTA_BINARY_PACKED")

    assert values == pages.deltas(np.frombuffer(plain, np.uint8), rows).tolist()


extremes = st.sampled_from([-(2**63), 2**63 - 1, -(2**57), 2**56, -1, 0, 1])
regular = st.tuples(wide | extremes, st.integers(1, 400)).map(lambda drawn: [drawn[0], *range(1, drawn[1])])
sorted_widely = st.lists(wide | extremes, min_size=1, max_size=300).map(sorted)


@example([-(2**57), *range(1, 326)])
@given(regular | sorted_widely | st.lists(extremes, min_size=1, max_size=300))
def test_deltas_of_extreme_steps_decode(values: list[int]) -> None:
    """
    A few steps or times far from all others, anywhere in the 64 bits, come back.
    """
    plain, rows = plain_pages(pa.array(values, pa.int64()), "DELTA_BINARY_PACKED")

    assert values == pages.deltas(np.frombuffer(plain, np.uint8), rows).tolist()


@given(hnp.arrays(np.float64, st.integers(1, 100)))
def test_split_bytes_decode(values: np.ndarray) -> None:
    """
    Values come back bit by bit.
    """
    plain, rows = plain_pages(pa.array(values), "BYTE_STREAM_SPLIT")

    assert values.tobytes() == pages.split_bytes(np.frombuffer(plain, np.uint8), rows, np.dtype("<f8")).tobytes()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), min_size=1, max_size=60))
def test_dictionary_codes_decode(runs: list[tuple[int, int]]) -> None:
    """
    Long and short runs of codes come back.
    """
    values = [value for value, count in runs for _ in range(count)]
    plain, rows = plain_pages(pa.array(values, pa.int32()), "dictionary")
    order = {value: code for code, value in enumerate(dict.fromkeys(values))}

    assert [order[value] for value in values] == pages.dictionary_codes(np.frombuffer(plain, np.uint8), rows).tolist()


@given(st.binary(max_size=80), st.integers(0, 50))
def test_noise_is_refused_or_decoded_but_never_another_error(noise: bytes, rows: int) -> None:
    """
    No bytes lead to an error that is not `BadPage`.
    """
    plain = np.frombuffer(noise, np.uint8)
    for decode in (pages.deltas, pages.dictionary_codes, pages.numbers, pages.strings):
        try:
            decode(plain, rows)
        except BadPage:
            pass
    try:
        pages.parse_header(noise, 0)
    except BadPage:
        pass
    pages.walk(b"PAR1" + noise)


def test_a_page_that_does_not_match_its_crc_is_refused() -> None:
    """
    The CRC is checked before anything is unpacked.
    """
    page = pages.Page(0, 3, 3, 1, 1, 0, pages.VALUE, pages.DATA)

    with pytest.raises(BadPage, match="CRC"):
        pages.unpack(b"abc", page)


@pytest.mark.parametrize(
    ("plain", "rows", "expected"),
    [
        ([1, 10, 1], 5, [1] * 5),
        ([1, 10, 1], 9, "ends within a run"),
        ([1, 0, 1], 5, "has an empty run"),
        ([1, 1, 1], 5, "ends within a run"),
        ([33, 10, 1], 5, "codes of more than 32 bits"),
        ([0, 10], 5, [0] * 5),
        ([2, 3, 0b11100100, 0b11100100], 8, [0, 1, 2, 3, 0, 1, 2, 3]),
        ([2, 3, 0b11100100], 8, "ends within a run"),
        ([2, 3, 0b11100100, 0b11100100], 5, [0, 1, 2, 3, 0]),
        ([16, 4, 1, 2], 2, [513, 513]),
        ([], 1, "ends within a run"),
        ([1], 0, []),
    ],
)
def test_codes_are_runs_of_one_code_or_packed_bits(plain: list[int], rows: int, expected: list[int] | str) -> None:
    """
    Both kinds of runs, as Parquet writes them; what ends too early or says nothing is refused.
    """
    content = np.array(plain, np.uint8)
    if isinstance(expected, str):
        with pytest.raises(BadPage, match=expected):
            pages.dictionary_codes(content, rows)
    else:
        assert expected == pages.dictionary_codes(content, rows).tolist()


def test_a_page_of_another_length_than_its_header_says_is_refused() -> None:
    """
    A body that checks and unpacks to other bytes than it should is no page.
    """
    body = pa.compress(b"0123456789", codec="zstd", asbytes=True)
    crc = zlib.crc32(body)
    whole = pages.Page(0, len(body), 10, crc, 1, 0, pages.VALUE, pages.DATA)

    assert b"0123456789" == pages.unpack(body, whole).tobytes()
    assert b"" == pages.unpack(b"", whole._replace(packed_bytes=0, plain_bytes=0, crc=0)).tobytes()
    for plain_bytes in (9, 11):
        with pytest.raises(BadPage, match="shorter than its header says|can't be decompressed"):
            pages.unpack(body, whole._replace(plain_bytes=plain_bytes))
    with pytest.raises(BadPage, match="does not match its CRC"):
        pages.unpack(body[:-1], whole)
