"""
Distinct values and their codes, against a list that is searched.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.storage.catalogue.distinct_values import MISSING, DistinctValues, fits_64_bits, identity

ints = st.integers(-3, 3) | st.sampled_from((2**63 - 1, 2**63, -(2**63), 2**70))
floats = st.sampled_from((0.0, -0.0, 1.0, 0.5, float("nan"), float("inf")))
texts = st.sampled_from(("", "1", "a", "nan"))
others: st.SearchStrategy[object] = st.sampled_from(
    (True, None, [1], [1.0], [[]], {"a": 1}, {"a": True}, {1: "a"}, {"1": "a"})
)
values = st.one_of(ints, floats, texts, others)
batches = st.lists(
    st.tuples(
        st.booleans(),
        st.one_of(*(st.lists(each | st.just(MISSING), max_size=8) for each in (values, ints, floats, texts))),
    ),
    max_size=5,
)


@given(st.sampled_from(([], np.array([1, 2]), np.array([0.5, 1.0]), [1, "a"])), batches)
def test_codes_are_those_of_a_search(base: object, added: list[tuple[bool, list[object]]]) -> None:
    """
    Each value gets the code of the one that is equal and of its type, whether it is added alone or with many.
    """
    plain = base.tolist() if isinstance(base, np.ndarray) else list(base)  # type: ignore[call-overload]
    distinct = DistinctValues(base.copy() if isinstance(base, np.ndarray) else list(plain))
    identities = [repr(value) for value in plain]  # 1, 1.0, True and '1' are written differently
    for is_many, batch in added:
        expected = []
        for value in batch:
            if value is not MISSING and repr(value) not in identities:
                identities.append(repr(value))
            expected.append(-1 if value is MISSING else identities.index(repr(value)))

        assert expected == distinct.codes(batch, is_many=is_many)
        assert identities == [repr(value) for value in distinct.as_list()]
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


@given(values, values)
def test_values_have_one_identity_when_they_are_written_alike(one: object, other: object) -> None:
    """
    Equal values of one type at every depth share their identity, and no others do.
    """
    assert (repr(one) == repr(other)) == (identity(one) == identity(other))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False), (0.5, True), ("x", True)],
)
def test_an_array_holds_integers_of_64_bits(value: object, expected: bool) -> None:
    """
    The smallest and the largest of them fit, the next ones do not.
    """
    assert expected is fits_64_bits(value)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.arange(40), list(range(40))),
        (np.arange(40) / 2, [number / 2 for number in range(40)]),
        (np.array([*range(39), 2**53]), [*range(39), 2**53]),
        (np.array([*range(39), 2**53 + 1]), None),
        (np.array([*range(39), -(2**53) - 1]), None),
        (np.arange(31), None),
        (np.arange(32), list(range(32))),
    ],
)
def test_arrays_are_handed_out_as_doubles_where_these_are_exact(
    array: np.ndarray, expected: list[float] | None
) -> None:
    """
    All of an array are numbers; from 32 values on they are doubles, unless one is an int beyond 2^53.
    """
    numbers = DistinctValues(array).numbers()

    assert expected == (numbers and numbers[0].tolist())
    assert numbers is None or [True] * len(array) == numbers[1].tolist()


def test_what_is_no_number_is_nan_among_numbers() -> None:
    """
    Texts among numbers are told apart; without any number there is no array.
    """
    numbers = DistinctValues(["a", 1, 2.5, True, None, *range(2, 40)]).numbers()

    assert numbers is not None
    assert [False, True, True, True, False] == numbers[1][:5].tolist()
    assert ["nan", "1.0", "2.5", "1.0", "nan"] == list(map(repr, numbers[0][:5].tolist()))
    assert DistinctValues([f"text {number}" for number in range(40)]).numbers() is None
