"""
Params as flat leaves, straight from the JSON form of event lines.

    {"set": ["hparams"], "value": {"lr": 0.1, "net": {"depth": 3}}}  ->  {("hparams", "lr"): 0.1,
                                                                          ("hparams", "net", "depth"): 3}

It is `params.decode` and `params.flatten` in one, for a reader that needs only the leaves, in any order. The runs of a
repository have mostly the same params, so the path of each leaf is made once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aim.core import params
from aim.core.params import Key
from aim.core.params import Path as ParamPath
from aim.storage.forms.events import Event

Leaves = dict[ParamPath, object]


class _LeafPaths:
    """The paths of leaves below one path."""

    __slots__ = ("leaves", "parents", "path")

    def __init__(self, path: ParamPath) -> None:
        self.path = path
        self.leaves: dict[Key, ParamPath] = {}
        self.parents: dict[Key, _LeafPaths] = {}

    def leaf(self, key: Key) -> ParamPath:
        path = self.leaves.get(key)
        if path is None:
            path = self.leaves[key] = (*self.path, key)
        return path

    def below(self, key: Key) -> _LeafPaths:
        paths = self.parents.get(key)
        if paths is None:
            paths = self.parents[key] = _LeafPaths((*self.path, key))
        return paths


class FlatParams:
    """
    Flattens the params of many runs.

    >>> FlatParams().leaves([{"set": ["net"], "value": {"depth": 3, "widths": [8, 4]}}])
    {('net', 'depth'): 3, ('net', 'widths'): [8, 4]}
    """

    def __init__(self) -> None:
        self._root = _LeafPaths(())

    def leaves(self, settings: Sequence[Event]) -> Leaves:
        """
        Return the leaves that the `set` lines *settings* leave, in their order.

        Raises:
            ValueError: a key of a path is neither a string nor an integer.
        """
        leaves: Leaves = {}
        heads = {event["set"][0] for event in settings if event["set"]}
        if len(heads) < len(settings):  # one may replace another, or lie in it
            tree: Any = {}
            for event in settings:
                tree = params.set_at(tree, tuple(event["set"]), params.decode(event["value"]))
            if isinstance(tree, dict):
                _flatten(tree, self._root, leaves, is_form=False)
            return leaves
        for event in settings:
            path = event["set"]
            paths = self._root
            for key in path[:-1]:
                paths = paths.below(_checked_key(key))
            _flatten({_checked_key(path[-1]): event["value"]}, paths, leaves, is_form=True)
        return leaves


def _flatten(tree: Mapping[Key, Any], paths: _LeafPaths, leaves: Leaves, *, is_form: bool) -> None:
    leaf_paths = paths.leaves
    for key, value in tree.items():
        kind = value.__class__
        if kind is dict and value:
            is_plain_form = is_form
            if is_plain_form and len(value) == 1 and next(iter(value)).startswith("$"):
                value, is_plain_form = params.decode(value), False
            if value.__class__ is dict and value:
                _flatten(value, paths.below(key), leaves, is_form=is_plain_form)
                continue
        elif kind is list and is_form:
            value = params.decode(value)
        leaves[leaf_paths.get(key) or paths.leaf(key)] = value


def _checked_key(key: Key) -> Key:
    if key.__class__ is str or key.__class__ is int:
        return key
    raise ValueError(f"{key!r} is no key of a param")
