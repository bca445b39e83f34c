"""
The screen: what a terminal would show of a stream of text.
"""

from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from aim.sdk.capture.screen import LINE_CHARACTERS_MAX, WINDOW_LINES, Screen


def shown(*parts: str, first_line: int = 0) -> dict[int, str]:
    """Return the lines after *parts* were written one after the other."""
    screen = Screen(first_line)
    lines: dict[int, str] = {}
    for part in parts:
        screen.write(part)
        lines.update(screen.take())
    return lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\nb", ["a", "b"]),
        ("a\n\nb\n", ["a", "", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("10%\r100%", ["100%"]),
        ("abc\rX", ["Xbc"]),
        ("abc\b\bX", ["aXc"]),
        ("\x1b[31mred\x1b[0m", ["\x1b[31mred\x1b[0m"]),
        ("\x1b[1mold\x1b[0m\rnew", ["new"]),
        ("\x1b[31mabcd\x1b[0m\rX", ["X\x1b[31mbcd\x1b[0m"]),
        ("bar 1\nbar 2\x1b[A\rBAR 1", ["BAR 1", "bar 2"]),
        ("bar 1\nbar 2\x1b[FBAR 1\x1b[Edone!", ["BAR 1", "done!"]),
        ("abc\x1b[2Kd", ["   d"]),
        ("abc\r\x1b[Kd", ["d"]),
        ("abc\x1b[2D\x1b[K", ["a"]),
        ("a\x1b[3Cb", ["a   b"]),
        ("abcdef\x1b[3GX", ["abXdef"]),
        ("\x1b[?25lhidden\x1b[?25h", ["hidden"]),
        ("\x1b]0;title\x07text", ["text"]),
        ("\x1b]8;;http://host\x1b\\link\x1b]8;;\x1b\\", ["link"]),
        ("one\ntwo\nthree\x1b[2A\r\x1b[J", ["", "", ""]),
        ("\x1b[5Aup", ["up"]),
        ("\x1b(Bplain", ["plain"]),
    ],
)
def test_what_a_terminal_shows(text: str, lines: list[str]) -> None:
    """
    Text with control characters gives the lines that a terminal would show.
    """
    found = shown(text)

    assert lines == [found.get(row, "") for row in range(len(lines))]


@given(st.text(alphabet="ab\n\r\b\x1b[0123;mKAG"), st.lists(st.integers(0, 30)))
def test_where_the_writes_are_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    """
    A text in pieces shows what it shows as a whole, wherever an escape sequence is cut in two.
    """
    places = sorted({0, len(text), *(cut for cut in cuts if cut <= len(text))})
    parts = [text[start:stop] for start, stop in pairwise(places)]
    whole, pieces = Screen(), Screen()
    whole.write(text)
    for part in parts:
        pieces.write(part)

    assert whole.take() == pieces.take()


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r\b\x1b", exclude_categories=["Cs"]))))
def test_plain_lines_come_out_as_they_went_in(lines: list[str]) -> None:
    """
    Text without control characters is its lines.
    """
    found = shown(*(line + "\n" for line in lines), first_line=7)

    assert dict(enumerate(lines, start=7)) == found


def test_only_what_changed_is_taken() -> None:
    """
    A line is given again only after it was written to again.
    """
    screen = Screen()
    screen.write("a\nb\n")
    assert [(0, "a"), (1, "b")] == screen.take()
    screen.write("c")
    assert [(2, "c")] == screen.take()
    screen.write("d")
    assert [(2, "cd")] == screen.take()
    assert [] == screen.take()


def test_the_cursor_goes_up_only_so_far() -> None:
    """
    Lines far above are finished: memory is bounded, and so is what one escape sequence may change.
    """
    found = shown("top\n" + "x\n" * 10_000 + "\x1b[9999Aagain")

    assert "top" == found[0]
    assert "again" == found[10_001 - WINDOW_LINES]


def test_a_line_without_an_end_goes_on_in_the_next_one() -> None:
    """
    Output that never ends its line is kept, in lines of a million characters.
    """
    found = shown(*["x" * 1000] * 1_200)

    assert 1_200_000 == sum(map(len, found.values()))
    assert len(found[0]) <= LINE_CHARACTERS_MAX + 1000


def test_a_resumed_screen_begins_at_its_line() -> None:
    """
    Numbers go on from where they are said to, and the cursor does not go above.
    """
    assert {40: "b"} == shown("a\r\x1b[3Ab", first_line=40)
