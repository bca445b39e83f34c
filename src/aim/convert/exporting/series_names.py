"""
A name and a context as one name, for programs that have names only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SUBSET = "subset"


def flat_name(name: str, context: Mapping[str, Any]) -> str:
    """
    Return one name for a sequence: its subset as a suffix, other keys of the context as `key=value` behind it.

    >>> flat_name("loss", {"subset": "val"}), flat_name("loss", {"gpu": 1, "subset": "val"}), flat_name("loss", {})
    ('loss/val', 'loss/val/gpu=1', 'loss')
    """
    others = {key: value for key, value in context.items() if key != SUBSET}
    parts = [str(context[SUBSET])] if SUBSET in context else []
    return "/".join([name, *parts, *(f"{key}={value}" for key, value in sorted(others.items()))])


class FlatNames:
    """
    The flat names of one run, each of one sequence only: a second one gets a number.

    >>> names = FlatNames()
    >>> names.name_of("loss", {"subset": "val"}), names.name_of("loss/val", {}), names.name_of("loss/val", {})
    ('loss/val', 'loss/val (2)', 'loss/val (2)')
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def name_of(self, name: str, context: Mapping[str, Any]) -> str:
        """Return the name of a sequence, always the same for the same one."""
        key = (name, repr(sorted(context.items())))
        if key not in self._names:
            flat = first = flat_name(name, context)
            number = 2
            while flat in self._names.values():
                flat, number = f"{first} ({number})", number + 1
            self._names[key] = flat
        return self._names[key]


def folder_names(names: Mapping[str, str]) -> dict[str, str]:
    """
    Return a folder name for each run, by its hash: its name without signs that a path can't have, unique.

    >>> folder_names({"3df7": "lr=0.1", "9a0b": "lr=0.1", "77e0": "../x"})
    {'3df7': 'lr=0.1', '9a0b': 'lr=0.1-9a0b', '77e0': '.._x'}
    """
    folders: dict[str, str] = {}
    for run_hash, name in names.items():
        clean = "".join("_" if sign in '/\\:*?"<>|' or ord(sign) < 32 else sign for sign in name)[:100].strip(" ")
        clean = clean if clean.strip(".") else run_hash
        folders[run_hash] = f"{clean}-{run_hash}" if clean in folders.values() else clean
    return folders
