"""
`run.meta_run_tree`: small values that other programs keep with a run, beside its params.

In Aim 3 this is the run's tree in the storage; converters such as aimlflow write into it which foreign run a run was
made from. Here a value is a property of the run named `meta.<key>` (docs/formats/events.md), which no query and no
table shows. `attrs` and `end_time` are read-only, as in Aim 3: the params, and when the run ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aim.core import params
from aim.core.errors import UsageError
from aim.sdk.recording import Recording
from aim.sdk.run_view import RunView

PREFIX = "meta."
READ_ONLY_KEYS = ("attrs", "end_time")


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

    def __init__(self, run: RunView, recording: Recording) -> None:
        self._run = run
        self._recording = recording

    def __getitem__(self, key: str) -> Any:
        """
        Return a value.

        Raises:
            KeyError: there is no such key.
        """
        if key == "attrs":
            return self._run[...]
        if key == "end_time":
            return self._run.end_time
        try:
            return params.decode(self._run.read_properties()[PREFIX + key])
        except (KeyError, TypeError):
            raise KeyError(f"No key {key!r} is present.") from None

    def __setitem__(self, key: str, value: object) -> None:
        """
        Set a value: anything that a param may be, except objects.

        Raises:
            UsageError: *key* is not a str, or is read-only.
            UnstorableParam: the value can't be stored.
        """
        if not isinstance(key, str) or key in READ_ONLY_KEYS:
            raise UsageError(
                f"{key!r} can't be set in meta_run_tree: a key is a text, and none of {', '.join(READ_ONLY_KEYS)}."
            )
        self._recording.set_property(**{PREFIX + key: params.encode(value, f"meta_run_tree[{key!r}]")})

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
        """Go through the keys."""
        yield from READ_ONLY_KEYS
        yield from (name.removeprefix(PREFIX) for name in self._run.read_properties() if name.startswith(PREFIX))

    def __iter__(self) -> Iterator[str]:
        return self.keys()
