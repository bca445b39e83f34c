"""
Elements of HTML: whatever a user's text holds, it stays text.
"""

from __future__ import annotations

from html.parser import HTMLParser

import hypothesis.strategies as st
from hypothesis import example, given

from aim.core.errors import RunNotFound
from aim.sdk.html import parts


class Reader(HTMLParser):
    """Reads HTML as a browser does: names of elements, their attributes, and text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.names: list[str] = []
        self.attributes: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [value for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(shown: str) -> Reader:
    """Read *shown*."""
    reader = Reader()
    reader.feed(shown)
    reader.close()
    return reader


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))


@given(texts, texts)
def test_text_and_attributes_are_read_as_they_were_given(text: str, title: str) -> None:
    """
    A browser reads back the very text, and no element that the text may name.
    """
    reader = read(parts.element("td", text, title=title))

    assert (["td"], [title], text) == (reader.names, reader.attributes, reader.text)


@given(texts.filter(bool))
@example("a < b")
def test_a_table_holds_its_cells(text: str) -> None:
    """
    Heads and cells are text; there are as many cells as were given.
    """
    reader = read(parts.table([text], [[text, text]]))

    assert (1, 2, text * 3) == (reader.names.count("th"), reader.names.count("td"), reader.text)


def test_html_is_not_escaped_twice() -> None:
    """
    An element within an element stays one.
    """
    assert "<b><i>a &amp; b</i></b>" == parts.element("b", parts.element("i", "a & b"))


def test_a_long_text_is_cut_and_says_so() -> None:
    """
    Beyond 20,000 characters only their number is told.
    """
    shown = read(parts.preformatted("x" * 20_005))

    assert ("x" * 20_000 + "and 5 more characters") == shown.text
    assert read(parts.preformatted("x" * 20_001)).text.endswith("and 1 more character")


def test_an_error_of_ours_is_shown_in_its_place() -> None:
    """
    A run that was deleted is a remark and no traceback.
    """

    def draw() -> str:
        raise RunNotFound("Run <a> was deleted")

    assert "RunNotFound: Run <a> was deleted" == read(parts.or_notice(draw)).text
