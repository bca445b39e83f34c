"""
What describes a run, gathered from events until the run is written: name, params, tags, notes, how it ended.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aim.convert.events import Ended, NoteText, ParamValue, RunFound, TagName
from aim.convert.report import Counts
from aim.core.reserved import IMPORTED_PARAMS

if TYPE_CHECKING:
    from aim.engine.growing import RunGrowth
    from aim.storage.care.importing import RunImport


class RunDescription:
    """
    The description of one run.

    Attributes:
        run: the first event; None: none came yet.
        ended: the last event.
        tags: by name, with their colours.
    """

    def __init__(self) -> None:
        self.run: RunFound | None = None
        self.ended = Ended("finished")
        self.tags: dict[str, TagName] = {}
        self._tree: dict[Any, Any] = {}
        self._changed: dict[tuple[Any, ...], Any] = {}  # params and tags since the last `write` or `grow`
        self._new_tags: list[str] = []
        self._notes: list[str] = []
        self.take: Mapping[type, Callable[[Any], None]] = {
            RunFound: self._take_run,
            Ended: self._take_end,
            ParamValue: self._take_param,
            TagName: self._take_tag,
            NoteText: self._take_note,
        }

    def _take_run(self, event: RunFound) -> None:
        self.run = event

    def _take_end(self, event: Ended) -> None:
        self.ended = event

    def _take_param(self, event: ParamValue) -> None:
        branch = self._tree
        for key in event.path[:-1]:
            below = branch.get(key)
            if not isinstance(below, dict):
                below = branch[key] = {}
            branch = below
        if event.path[-1] not in branch or repr(branch[event.path[-1]]) != repr(event.value):  # NaN is NaN
            self._changed[event.path] = event.value
        branch[event.path[-1]] = event.value

    def _take_tag(self, event: TagName) -> None:
        if event.name:
            if event.name not in self.tags:
                self._new_tags.append(event.name)
            self.tags[event.name] = event

    def _take_note(self, event: NoteText) -> None:
        if event.text:
            self._notes.append(event.text)

    def grow(self, target: RunGrowth) -> int:
        """Pass on to *target* the params and tags that changed since, and return how many."""
        changed, self._changed = self._changed, {}
        tags, self._new_tags = self._new_tags, []
        for path, value in changed.items():
            target.set_param(path, copy.deepcopy(value))
        target.tags(tags)
        return len(changed) + len(tags)

    def write(self, target: RunImport, counts: Counts, origin: Mapping[str, Any], experiment: str | None) -> None:
        """Pass all of it on to *target*, with *origin* as the param `imported`, and count it."""
        run = self.run or RunFound()
        named = {"name": run.name, "experiment": experiment, "description": run.description}
        properties: dict[str, Any] = {key: value for key, value in named.items() if value}
        if run.is_archived:
            properties["archived"] = True
        if self._notes:
            properties["notes"] = "\n\n".join(self._notes)
        if properties:
            target.properties(**properties)
        target.tags(list(self.tags))
        target.params({**self._tree, IMPORTED_PARAMS: dict(origin)})
        self._changed, self._new_tags = {}, []
        counts.params, counts.tags, counts.notes = leaf_count(self._tree), len(self.tags), len(self._notes)


def leaf_count(tree: Mapping[Any, Any]) -> int:
    """
    Return how many values there are in a tree of params; an empty dict is one.

    >>> leaf_count({"lr": 0.1, "net": {"depth": 3, "head": {}}})
    3
    """
    return sum(leaf_count(below) if isinstance(below, dict) and below else 1 for below in tree.values())
