"""
Names and colours of tags.
"""

from __future__ import annotations

import re

import pytest

from aim.core.errors import UsageError
from aim.core.tags import COLORS, HEX, check_color, check_tag
from tests.tidy.tree import ROOT


def test_a_colour_is_six_hex_digits_or_a_name() -> None:
    """
    Upper and lower case are equal; every name is a colour.
    """
    assert "#0a1b2c" == check_color("#0A1B2C")
    assert all(HEX.fullmatch(color) for color in COLORS.values())
    assert COLORS == {name: check_color(name.upper()) for name in COLORS}


@pytest.mark.parametrize(
    ("color", "hint"),
    [("#fff", None), ("3f9463", None), ("#3f9463 ", None), ("gren", "green"), ("url(x)", None), (3, None), ("", None)],
)
def test_what_is_no_colour_is_told_what_is(color: str, hint: str | None) -> None:
    """
    The message shows the value, the colours, and the nearest name.
    """
    with pytest.raises(UsageError, match="write '#rrggbb', or one of red, orange") as caught:
        check_color(color)

    assert str(caught.value).startswith(repr(color))
    assert (hint is not None) == (f"Did you mean {hint!r}?" in str(caught.value))


@pytest.mark.parametrize("name", [None, ""])
def test_a_tag_has_a_name(name: object) -> None:
    """
    An empty tag is refused; a value of another type becomes a str.
    """
    assert "5" == check_tag(5)
    with pytest.raises(UsageError):
        check_tag(name)


def test_the_pages_offer_the_same_colours() -> None:
    """
    A colour that is chosen in the browser has a name in the SDK.
    """
    source = (ROOT / "ui/src/model/tags.ts").read_text(encoding="utf-8")

    assert COLORS == dict(re.findall(r'(\w+): "(#[0-9a-f]{6})"', source))
