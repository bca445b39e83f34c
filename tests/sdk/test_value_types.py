"""
What callers of Aim 3 ask about a value before they track it.
"""

from __future__ import annotations

import numpy as np
import pytest

from aim.sdk.num_utils import inst_has_typename


@pytest.mark.parametrize(
    ("value", "words", "expected"),
    [
        (np.zeros(2), ["ndarray"], True),
        (np.zeros(2), ["numpy", "ndarray"], True),
        (np.zeros(2), ["torch", "ndarray"], False),
        (np.float32(1), ["numpy", "floating"], True),
        (True, ["int"], True),
        (1.5, ["int"], False),
    ],
)
def test_a_type_is_known_by_words_of_its_name(value: object, words: list[str], expected: bool) -> None:
    """
    `inst_has_typename` says whether all words stand in the name, with its module, of one of the value's classes.
    """
    assert expected == inst_has_typename(value, words)
