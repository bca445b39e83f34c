"""
What all objects have in common.
"""

from __future__ import annotations

import copy

import hypothesis.strategies as st
import pytest
from hypothesis import given

from aim.core.values import Storable
from aim.sdk.objects.custom import Content, CustomObject, caption_value, sound_text


def test_content_is_made_once() -> None:
    """
    Bytes are made at the first reading and kept.
    """
    calls: list[int] = []

    def make() -> bytes:
        calls.append(1)
        return bytes(calls)

    content = Content(make)

    assert [] == calls
    assert (b"\x01", b"\x01") == (content.read(), content.read())


def test_content_that_failed_is_tried_again() -> None:
    """
    A failing disk is reported by each reading, and a later reading may succeed.
    """
    answers: list[bytes | OSError] = [OSError("no disk"), b"pixels"]

    def load() -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    content = Content(load)
    with pytest.raises(OSError, match="no disk"):
        content.read()

    assert b"pixels" == content.read()


def test_an_object_loads_its_bytes_when_they_are_asked_for() -> None:
    """
    Restoring an object and looking at its fields loads nothing; the storage's own keys are left out.
    """
    loads: list[str] = []

    def load() -> bytes:
        loads.append("load")
        return b"bytes"

    restored = CustomObject._from_stored({"a": 1, "data": 0, "size": 5}, load)

    assert {"a": 1} == restored.json()
    assert [] == loads
    assert b"bytes" == restored.stored().data
    assert ["load"] == loads


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_has_its_own_fields_and_the_same_content(duplicate: object) -> None:
    """
    Changing a copy's fields leaves the original alone; the bytes are made once for both.
    """
    original = CustomObject({"a": 1}, Content(lambda: b"bytes"))
    twin = duplicate(original)  # type: ignore[operator]
    twin._fields["a"] = 2

    assert ({"a": 1}, {"a": 2}) == (original.json(), twin.json())
    assert original._content is twin._content


def test_an_object_is_storable() -> None:
    """
    The recording side recognises objects by their `stored` method.
    """
    assert isinstance(CustomObject({}), Storable)


@given(st.text(alphabet=st.characters(categories=("L", "N", "Cs", "Zs")), max_size=20))
def test_every_text_has_bytes(text: str) -> None:
    """
    Text with lone surrogates becomes text that UTF-8 holds; other text stays as it is.
    """
    sound = sound_text(text)

    assert sound.encode().decode() == sound
    assert any(0xD800 <= ord(sign) < 0xE000 for sign in text) or text == sound


@given(
    st.text(max_size=9)
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.none()
)
def test_plain_captions_stay_as_they_are(caption: object) -> None:
    """
    Texts and numbers are captions of their own type.
    """
    assert caption == caption_value(caption)


def test_other_captions_become_text() -> None:
    """
    What JSON has no form for is kept as its text.
    """
    assert ("nan", "(1, 2)", "b'x'") == (caption_value(float("nan")), caption_value((1, 2)), caption_value(b"x"))
