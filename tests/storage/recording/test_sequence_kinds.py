"""
Which kinds go together in one sequence.
"""

from __future__ import annotations

import pytest

from aim.core.errors import IncompatibleValue
from aim.core.values import Stored
from aim.storage.recording.sequence_kinds import PLAIN_LIST_KINDS, SequenceKinds

IMAGE, TEXT = "aim.image", "aim.text"


@pytest.mark.parametrize(
    ("earlier", "kind", "goes"),
    [
        ([], "int", True),
        (["int"], "int", True),
        (["int"], "float", True),
        (["float"], "int", True),
        ([IMAGE], IMAGE, True),
        ([IMAGE], TEXT, False),
        (["float"], IMAGE, False),
        ([IMAGE], "float", False),
        ([f"list({IMAGE})"], f"list({IMAGE})", True),
        ([f"list({IMAGE})"], f"list({TEXT})", False),
        ([f"list({IMAGE})"], IMAGE, False),
        ([IMAGE], f"list({IMAGE})", False),
        (["list"], f"list({IMAGE})", True),
        ([f"list({IMAGE})"], "list", True),
        (["list"], "float", False),
        (["float"], "list", False),
        (["list", f"list({TEXT})"], f"list({IMAGE})", False),
        (["int", "float"], "int", True),
    ],
)
def test_which_kinds_go_together(earlier: list[str], kind: str, goes: bool) -> None:
    """
    Numbers go with numbers, an empty list with any list, and all others only with their own kind.
    """
    kinds = SequenceKinds(earlier)
    if goes:
        kinds.check(kind, "loss", 1)
        return
    with pytest.raises(IncompatibleValue, match=f"and this is {kind.replace('(', '.').replace(')', '.')}. Use another"):
        kinds.check(kind, "loss", 1)


@pytest.mark.parametrize(
    ("earlier", "members", "expected"),
    [
        ([], [], "list"),
        (["list"], [], "list"),
        ([f"list({IMAGE})"], [], f"list({IMAGE})"),
        (["float"], [], "list"),
        ([f"list({IMAGE})"], [TEXT, IMAGE], f"list({TEXT})"),
    ],
)
def test_the_kind_of_a_list(earlier: list[str], members: list[str], expected: str) -> None:
    """
    A list has the kind of its first member; an empty one that of the lists before it.
    """
    assert expected == SequenceKinds(earlier).of_list([Stored(kind, {}) for kind in members])


@pytest.mark.parametrize("kind", [*sorted(PLAIN_LIST_KINDS), "float", f"list({IMAGE})", "list"])
def test_a_list_of_plain_values_is_recorded_with_a_warning(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """
    Nothing shows lists of numbers or texts, so each such sequence says so once; the numbers of all kinds are noted.
    """
    kinds = SequenceKinds()
    kinds.add(kind, 7, "loss")

    assert ({kind: 7}, {kind}) == (kinds.numbers, kinds.names)
    assert (kind in PLAIN_LIST_KINDS) == ("'loss' holds lists of plain values" in caplog.text)
