"""
`run.meta_run_tree`: small values that other programs keep with a run, beside its params.

Aim 3 gives its storage's tree there, and converters such as aimlflow mark with it which foreign run a run was made
from. Here a value is a property of the run named `meta.<key>` (docs/formats/events.md): no query and no table shows it.
`attrs` and `end_time` are what they were there, the params and the end, for reading.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

from aim.core import params
from aim.core.errors import UsageError
from aim.storage.forms.state import RunState

PREFIX = "meta."
FACTS = ("attrs", "end_time")


class TreeOwner(Protocol):
    """What a tree asks of its run. `Run` is one."""

    @abstractmethod
    def _state(self) -> RunState:
        """Return the run's state as it is now."""

    @abstractmethod
    def _set_property(self, **properties: object) -> None:
        """Set properties."""

    @abstractmethod
    def __getitem__(self, key: Any) -> Any:
        """Return a param."""


class RunTree:
    """
    Values by name, kept with a run.

    >>> import tempfile
    >>> from aim.sdk.run import Run
    >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
    >>> run.meta_run_tree["copied_from"] = "a06bc7"
    >>> run.meta_run_tree.get("copied_from"), run.meta_run_tree.get("other"), run[...]
    ('a06bc7', None, {})
    >>> run.close()
    """

    def __init__(self, run: TreeOwner) -> None:
        self._run = run

    def __getitem__(self, key: str) -> Any:
        """
        Return a value.

        Raises:
            KeyError: there is none.
        """
        state = self._run._state()
        if key == "attrs":
            return self._run[...]
        if key == "end_time":
            return state.status()[1]
        try:
            return params.decode(state.properties[PREFIX + key])
        except (KeyError, TypeError):
            raise KeyError(f"No key {key!r} is present.") from None

    def __setitem__(self, key: str, value: object) -> None:
        """
        Keep a value: whatever a param may be, but no object.

        Raises:
            UsageError: *key* is not a text, or is what the run itself says.
            UnstorableParam: the value can't be kept.
        """
        if not isinstance(key, str) or key in FACTS:
            raise UsageError(f"{key!r} can't be set in meta_run_tree: a key is a text, and none of {', '.join(FACTS)}.")
        self._run._set_property(**{PREFIX + key: params.encode(value, f"meta_run_tree[{key!r}]")})

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or *default* when there is none."""
        try:
            return self[key]
        except KeyError:
            return default

    def __repr__(self) -> str:
        return f"<meta_run_tree: {', '.join(self.keys())}>"

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in set(self.keys())

    def keys(self) -> Iterator[str]:
        """Go through the names of what is there."""
        yield from FACTS
        yield from (name.removeprefix(PREFIX) for name in self._run._state().properties if name.startswith(PREFIX))

    def __iter__(self) -> Iterator[str]:
        return self.keys()
