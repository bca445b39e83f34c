"""
`run.meta_run_tree`: small values that other programs keep with a run, beside its params.

In Aim 3 this is the run's tree in the storage; converters such as aimlflow write into it which foreign run a run was
made from. Here a value is a property of the run named `meta.<key>` (docs/formats/events.md), which no query and no
table shows. `attrs` and `end_time` are read-only, as in Aim 3: the params, and when the run ended.

`collect()` gives all of it at once as a dict, `subtree(path)` a part that has the same methods for reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aim.core import params
from aim.core.errors import UsageError
from aim.core.params import Key, Path
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
            return params.decode(self._run._read_properties()[PREFIX + key])
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

    def collect(self, path: Key | Path = (), strict: bool = True, resolve_objects: bool = False) -> Any:
        """
        Return all values below *path* as a new dict, or the one value that is at *path*.

        Args:
            path: keys from the root, such as `("attrs", "hparams")`; one key may stand alone.
            strict: ignored; accepted for callers of Aim 3.
            resolve_objects: return the objects among the params as dicts of what describes them.

        Raises:
            KeyError: there is nothing at *path*.

        >>> import tempfile
        >>> from aim.sdk.run import Run
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> run["hparams"] = {"lr": 0.1}
        >>> run.meta_run_tree.collect(), run.meta_run_tree.subtree("attrs").collect("hparams")
        ({'attrs': {'hparams': {'lr': 0.1}}, 'end_time': None}, {'lr': 0.1})
        >>> run.close()
        """
        collected: Any = {key: self[key] for key in self.keys()}
        if resolve_objects:
            collected["attrs"] = self._run.get((), {}, resolve_objects=True)
        return params.get_at(collected, params.as_path(path))

    def subtree(self, path: Key | Path) -> RunSubtree:
        """Return the part of the tree below *path*, for reading; it need not be there yet."""
        return RunSubtree(self, params.as_path(path))

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
        yield from (name.removeprefix(PREFIX) for name in self._run._read_properties() if name.startswith(PREFIX))

    def __iter__(self) -> Iterator[str]:
        return self.keys()


class RunSubtree:
    """
    A part of a `RunTree`, as it is when it is read.

    Args:
        tree: the whole.
        path: where the part begins.
    """

    def __init__(self, tree: RunTree, path: Path) -> None:
        self._tree = tree
        self._path = path

    def collect(self, path: Key | Path = (), strict: bool = True, resolve_objects: bool = False) -> Any:
        """Return what is below *path* of this part; see `RunTree.collect`."""
        return self._tree.collect((*self._path, *params.as_path(path)), strict, resolve_objects)

    def subtree(self, path: Key | Path) -> RunSubtree:
        """Return a part of this part."""
        return RunSubtree(self._tree, (*self._path, *params.as_path(path)))

    def __getitem__(self, key: Key | Path) -> Any:
        return self.collect(key)

    def get(self, key: Key | Path, default: Any = None) -> Any:
        """Return a value, or *default* when there is none."""
        try:
            return self.collect(key)
        except KeyError:
            return default

    def keys(self) -> Iterator[Key]:
        """Go through the keys; there are none when there is nothing, or a value that is no dict."""
        try:
            below = self.collect()
        except KeyError:
            return
        yield from below if isinstance(below, Mapping) else ()
