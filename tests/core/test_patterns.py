"""
Regular expressions that are compiled when they are first used.
"""

from __future__ import annotations

import re

import pytest

from aim.core.patterns import pattern


def test_nothing_is_compiled_before_the_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The first use compiles the expression, and a later one of the same method does not ask again.
    """
    compiled: list[str] = []
    compile_text = re.compile
    monkeypatch.setattr(re, "compile", lambda text: (compiled.append(text), compile_text(text))[1])  # type: ignore[func-returns-value]
    digits = pattern("([0-9]+)-x")
    before = list(compiled)
    matches = [digits.fullmatch(text) for text in ("42-x", "42", "7-x")]

    assert ([], ["([0-9]+)-x"]) == (before, compiled)
    assert ["42", None, "7"] == [match and match[1] for match in matches]
