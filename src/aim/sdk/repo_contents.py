"""
What the runs of a repository have together: names and contexts of sequences, and types of params.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aim.core import params
from aim.core.kinds import subject_of
from aim.sdk.sequence_types import check_types
from aim.storage.forms.state import RunState

TYPE_KEY = "__example_type__"


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


def params_info(states: Iterable[RunState]) -> dict[Any, Any]:
    """Return one tree of the types of all params; see `Repo.collect_params_info`."""
    merged: dict[Any, Any] = {}
    for state in states:
        if isinstance(state.tree, dict):
            _merge_types(merged, state.tree)
    return _ordered(merged)


def _merge_types(merged: dict[Any, Any], tree: dict[Any, Any]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            below = merged.setdefault(key, {})
            if TYPE_KEY in below:
                below = merged[key] = {}
            _merge_types(below, value)
        else:
            merged.setdefault(key, {TYPE_KEY: str(type(value))})


def _ordered(tree: dict[Any, Any]) -> dict[Any, Any]:
    return {key: _ordered(below) if isinstance(below, dict) else below for key, below in params.ordered(tree).items()}
