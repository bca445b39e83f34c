"""
Numbers in messages.
"""

from __future__ import annotations

import pytest

from aim.core.words import counted, integer


@pytest.mark.parametrize(
    ("count", "nouns", "expected"),
    [
        (0, ("run",), "0 runs"),
        (1, ("run",), "1 run"),
        (2, ("run",), "2 runs"),
        (1000, ("run",), "1,000 runs"),
        (-1, ("run",), "-1 runs"),
        (1, ("byte is", "bytes are"), "1 byte is"),
        (0, ("byte is", "bytes are"), "0 bytes are"),
        (1234567, ("byte is", "bytes are"), "1,234,567 bytes are"),
    ],
)
def test_a_noun_goes_with_its_number(count: int, nouns: tuple[str, ...], expected: str) -> None:
    """
    One is singular, none and several are plural, and thousands are set apart.
    """
    assert expected == counted(count, *nouns)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (-5, "-5"),
        (2**256 - 1, str(2**256 - 1)),
        (2**256, "an integer of 257 bits"),
        (-(2**256), "an integer of 257 bits"),
        (10**4000, "an integer of 13,288 bits"),
    ],
)
def test_a_long_integer_is_told_by_its_length(value: int, expected: str) -> None:
    """
    Up to 256 bits an integer is written; Python itself may refuse to write a longer one.
    """
    assert expected == integer(value)
