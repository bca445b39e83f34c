"""
Distinct values and their codes, against a list that is searched.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.storage.catalogue.distinct_values import MISSING, DistinctValues, identity

values = st.one_of(st.integers(-3, 3), st.sampled_from((1.0, True, None, "1", "a", float("nan"), [1], [1.0], {"a": 1})))
batches = st.lists(st.tuples(st.booleans(), st.lists(st.one_of(values, st.just(MISSING)), max_size=8)), max_size=5)


@given(st.sampled_from(([], np.array([1, 2]), np.array([0.5, 1.0]), [1, "a"])), batches)
def test_codes_are_those_of_a_search(base: object, added: list[tuple[bool, list[object]]]) -> None:
    """
    Each value gets the code of the one that is equal and of its type, whether it is added alone or with many.
    """
    plain = base.tolist() if isinstance(base, np.ndarray) else list(base)  # type: ignore[call-overload]
    distinct = DistinctValues(base.copy() if isinstance(base, np.ndarray) else list(plain))
    identities = [identity(value) for value in plain]
    for is_many, batch in added:
        expected = []
        for value in batch:
            if value is not MISSING and identity(value) not in identities:
                identities.append(identity(value))
            expected.append(-1 if value is MISSING else identities.index(identity(value)))

        assert expected == distinct.codes(batch, is_many=is_many)
        assert identities == [identity(value) for value in distinct.as_list()]
        assert len(identities) == len(distinct)


def test_a_copy_changes_by_itself() -> None:
    """
    A value that is added to a copy is not among those of the original.
    """
    distinct = DistinctValues(np.array([1, 2]))
    copied = distinct.copied()

    assert 2 == copied.code(7)
    assert ([1, 2], [1, 2, 7]) == (distinct.as_list(), copied.as_list())


@pytest.mark.parametrize(
    ("extra", "expected"),
    [([], True), (["text"], True), ([2**53 + 1], False)],
)
def test_numbers_are_exact_or_none(extra: list[object], expected: bool) -> None:
    """
    Many values are handed out as doubles, unless one of them is an int that no double holds.
    """
    numbers = DistinctValues([*range(40), *extra]).numbers()

    assert expected == (numbers is not None)
    assert numbers is None or numbers[1].tolist() == [True] * 40 + [False] * len(extra)


def test_few_numbers_are_not_handed_out() -> None:
    """
    A column of few distinct values is asked by its codes.
    """
    assert DistinctValues([1, 2, 3]).numbers() is None
