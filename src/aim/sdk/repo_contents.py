"""
What the runs of a repository have together: names and contexts of sequences, and types of params.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aim.core import params
from aim.core.kinds import subject_of
from aim.core.params import Key
from aim.sdk.sequence_types import check_types
from aim.storage.forms.state import RunState

TYPE_KEY = "__example_type__"
EMPTY_DICT, EMPTY_LIST = str(dict), str(list)  # the type of an empty one; one with items tells theirs


def sequence_info(
    states: Iterable[RunState], sequence_types: str | Iterable[str]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return type -> name -> list of distinct contexts; see `Repo.collect_sequence_info`."""
    contexts: dict[str, dict[str, dict[str, dict[str, Any]]]] = {name: {} for name in check_types(sequence_types)}
    for state in states:
        for info in state.sequences.values():
            subject = subject_of(info.kind) if info.parts else None
            if subject in contexts:
                contexts[subject].setdefault(info.name, {}).setdefault(info.text, info.context)
    return {
        subject: {name: [*by_text.values()] for name, by_text in sorted(by_name.items())}
        for subject, by_name in contexts.items()
    }


class ParamTypes:
    """What is at one path of the params of many runs: the type of a plain value, what is below as dict, and as list."""

    def __init__(self) -> None:
        self.type_name: str | None = None
        self.below: dict[Key, ParamTypes] = {}
        self.items: list[ParamTypes] = []

    def add(self, value: object) -> None:
        """Take in the param of one more run."""
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                self.below.setdefault(key, ParamTypes()).add(inner)
        elif isinstance(value, list) and value:
            self.items += [ParamTypes() for _ in value[len(self.items) :]]
            for item, inner in zip(self.items, value):
                item.add(inner)
        else:
            self.type_name = self.type_name or str(type(value))

    def tree(self) -> Any:
        """
        Return the types as Aim 3 has them: a dict with `TYPE_KEY` for a plain value, a dict, or a list. Where runs
        differ, one dict has all: the type of the plain value, the keys, and the items under their numbers.

        >>> types = ParamTypes()
        >>> for value in ({"lr": 0.1}, 5, [1]):
        ...     types.add(value)
        >>> types.tree()
        {'__example_type__': "<class 'int'>", 'lr': {'__example_type__': "<class 'float'>"}, 0: {...}}
        """
        if self.items and not self.below and self.type_name in (None, EMPTY_LIST):
            return [item.tree() for item in self.items]
        keys: dict[Key, ParamTypes] = {**dict(enumerate(self.items)), **self.below}
        below = {key: types.tree() for key, types in params.ordered(keys).items()}
        is_plain = self.type_name is not None and not (below and self.type_name in (EMPTY_DICT, EMPTY_LIST))
        return {TYPE_KEY: self.type_name, **below} if is_plain else below


def params_info(states: Iterable[RunState]) -> dict[Any, Any]:
    """Return one tree of the types of all params; see `Repo.collect_params_info`."""
    types = ParamTypes()
    for state in states:
        if isinstance(state.tree, dict) and state.tree:
            types.add(state.tree)
    merged: dict[Any, Any] = types.tree()
    return merged
