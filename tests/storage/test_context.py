"""
Contexts as values, as Aim 3 has them.
"""

from __future__ import annotations

import pytest

from aim.storage.context import Context

TRAIN = {"subset": "train", "fold": 1}


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        (TRAIN, {"fold": 1, "subset": "train"}, True),
        (TRAIN, {"fold": 1.0, "subset": "train"}, True),
        (TRAIN, {"subset": "train"}, False),
        ({}, None, True),
        ({"a": (1, 2)}, {"a": [1, 2]}, True),
        ({"a": 1}, {"a": "1"}, False),
    ],
)
def test_contexts_of_one_content_are_one(
    one: dict[str, object], other: dict[str, object] | None, are_equal: bool
) -> None:
    """
    Equality, hash and number follow from the content, in whichever order it was given.
    """
    first, second = Context(one), Context(other)

    assert are_equal is (first == second)
    assert are_equal is (first.idx == second.idx) is (len({first, second}) == 1)
    assert first != one


def test_a_context_is_read_like_a_dict() -> None:
    """
    Keys come in the order in which they were given, and what is returned changes nothing.
    """
    context = Context(TRAIN)
    context.to_dict()["subset"] = "val"

    assert (["subset", "fold"], 2, "train") == (list(context), len(context), context["subset"])
    assert (1, None, 5) == (context.get("fold"), context.get("x"), context.get("x", 5))
    assert (True, False) == ("fold" in context, "x" in context)
    assert (TRAIN, '{"fold":1,"subset":"train"}') == (context.to_dict(), context.text)
    assert "Context({'subset': 'train', 'fold': 1})" == repr(context)
    with pytest.raises(KeyError):
        context["x"]


def test_a_context_may_be_made_of_another() -> None:
    """
    A copy is equal, and its number is a 64-bit one that is computed once.
    """
    context = Context(Context(TRAIN))

    assert context == Context(TRAIN)
    assert -(2**63) <= context.idx < 2**64
    assert context.idx == context.idx
