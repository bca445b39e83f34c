"""
Texts.
"""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from aim.core.errors import WrongType
from aim.sdk.objects.registry import restore
from aim.sdk.objects.text import Text


@given(st.text())
def test_a_text_comes_back(text: str) -> None:
    """
    Any text is stored in its fields, without bytes, and comes back.
    """
    stored = Text(text).stored()
    restored = restore(stored.kind, stored.fields, bytes)

    assert isinstance(restored, Text)
    assert ("aim.text", {"text": text}, None) == (stored.kind, stored.fields, stored.data)
    assert text == restored.data == repr(restored)
    assert stored == restored.stored()


def test_a_text_has_nothing_but_its_data() -> None:
    """
    Its JSON is empty; two texts are equal only if they are one, as in Aim 3.
    """
    text = Text("hello")

    assert {} == text.json()
    assert text == text
    assert text != Text("hello")
    assert {text: 1} == {text: 1}


def test_a_text_of_numpy_is_a_plain_one() -> None:
    """
    np.str_ is accepted and becomes str.
    """
    assert str is type(Text(np.str_("hello")).data)


@pytest.mark.parametrize("value", [5, None, b"bytes", ["a"]])
def test_other_values_are_type_errors(value: object) -> None:
    """
    The message says what to pass.
    """
    with pytest.raises(WrongType, match=r"`text` must be a string, not a \w+. Pass str\(text\)"):
        Text(value)  # type: ignore[arg-type]


def test_a_name_in_another_encoding_is_a_text() -> None:
    """
    A file name that is not UTF-8 can be stored.
    """
    assert "caf?" == Text("caf\udce9").data


def test_notebooks_show_texts_as_they_are() -> None:
    """
    Signs of HTML are shown, not obeyed.
    """
    assert ">a &lt; b<" in Text("a < b")._repr_html_()
