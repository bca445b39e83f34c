"""
Numbers in messages.
"""

from __future__ import annotations


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """
    Return a number with the noun that it counts.

    Args:
        plural: the noun for none and for several, if it is not *singular* with an `s`.

    >>> counted(1, "run"), counted(3200, "run"), counted(0, "run is", "runs are")
    ('1 run', '3,200 runs', '0 runs are')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def integer(value: int) -> str:
    """
    Return an integer for a message, or its length if it is so long that Python may refuse to write it.

    >>> integer(2**64), integer(10**5000)
    ('18446744073709551616', 'an integer of 16,610 bits')
    """
    return str(value) if value.bit_length() <= 256 else f"an integer of {value.bit_length():,} bits"
