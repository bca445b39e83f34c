"""
Numbers of things, in words.
"""

from __future__ import annotations


def counted(count: int, one: str, many: str | None = None) -> str:
    """
    Return a number with the word for so many.

    Args:
        one: the word for one.
        many: the word for none and for several, if it is not *one* with an `s`.

    >>> counted(1, "run"), counted(3200, "run"), counted(0, "run is", "runs are")
    ('1 run', '3,200 runs', '0 runs are')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def integer(value: int) -> str:
    """
    Return an integer for a message; of a very long one, which Python may refuse to write, its length.

    >>> integer(2**64), integer(10**5000)
    ('18446744073709551616', 'an integer of 16,610 bits')
    """
    return str(value) if value.bit_length() <= 256 else f"an integer of {value.bit_length():,} bits"
