"""
Texts.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from aim import Repo, Run
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


@pytest.mark.parametrize("text", ["é" * 30_000, "a" * 20_001, "😀" * 20_001])
def test_a_long_text_comes_back(text: str) -> None:
    """
    Of a long text the fields have the beginning, and the bytes have all of it.
    """
    stored = Text(text).stored()
    restored = restore(stored.kind, stored.fields, lambda: stored.data or b"")

    assert ({"text": text[:20_000], "chars": len(text)}, text.encode(), "txt") == (
        stored.fields,
        stored.data,
        stored.extension,
    )
    assert isinstance(restored, Text)
    assert text == restored.data == Text(text).data
    assert stored == restored.stored()


def test_a_text_is_handed_over_once(tmp_path: Path) -> None:
    """
    Tracking a text of 32 MB, until it is written, takes one more copy of it.
    """
    text = "0123456789abcdef" * (1 << 21)
    run = Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False)
    tracemalloc.start()
    try:
        run.track(Text(text), name="report")
        run.close()
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak_bytes < 1.2 * len(text)
    tracked = Repo(str(tmp_path)).get_run(run.hash)
    assert tracked is not None
    texts = tracked.get_text_sequence("report")
    assert texts is not None
    assert text == texts.values.last()[1].data
