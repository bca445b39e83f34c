"""
`wandb.config` and `run.summary`: dicts whose keys are attributes, too, and that are stored as params.

    wandb.config.lr = 0.1           run["lr"] = 0.1                 a query finds run.lr
    wandb.config.update(args)       a param for each field of a namespace, dataclass, or config of OmegaConf
    run.summary["best"] = 0.9       run["summary", "best"] = 0.9    a query finds run.summary.best

The values that a script reads back are the ones that it set, of any type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from aim.core.configs import mapping_of
from aim.sdk.objects.once import warn_once

Put = Callable[[str, Any], None]
"""Stores a value under a key."""


class StoredDict(MutableMapping[str, Any]):
    """
    A dict that stores what is set, once it is connected to a run.

    >>> config = WandbConfig({"lr": 0.1})
    >>> config.depth = 3
    >>> config.lr, config["depth"], config.get("width", 8), dict(config)
    (0.1, 3, 8, {'lr': 0.1, 'depth': 3})
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        # by this way, because setting an attribute sets a value
        object.__setattr__(self, "_values", dict(values or {}))
        object.__setattr__(self, "_put", None)
        object.__setattr__(self, "_locked", frozenset())

    def connect(self, put: Put) -> None:
        """Store all values by *put*, and from now on each value that is set."""
        object.__setattr__(self, "_put", put)
        for key, value in self._values.items():
            put(key, value)

    def remember(self, values: Mapping[str, Any]) -> None:
        """Take values that are stored already."""
        self._values.update(values)

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[str(key)] = value
        if self._put is not None:
            self._put(str(key), value)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"There is no {name!r} among {', '.join(self._values) or 'no values'}.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __repr__(self) -> str:
        return repr(self._values)


class WandbConfig(StoredDict):
    """
    The settings of a run; they are params at the root, as those of imported runs are.

    A value that is changed is changed, with one warning for its name: unless `allow_val_change` says that it may be.
    """

    def lock(self, values: Mapping[str, Any]) -> None:
        """Set values that nothing changes any more: those that a sweep chose."""
        self.update(values, allow_val_change=True)
        object.__setattr__(self, "_locked", self._locked | set(values))

    def __setitem__(self, key: str, value: Any) -> None:
        before = self._values.get(key, value)
        if key in self._locked:
            if repr(before) != repr(value):
                warn_once(
                    f"wandb.config.{key} locked",
                    f"Aim: wandb.config.{key} is {before!r}: the sweep chose it, so it stays.",
                )
            return
        if before is not value and repr(before) != repr(value):
            warn_once(
                f"wandb.config.{key}",
                f"Aim: wandb.config.{key} was {before!r} and becomes {value!r}; the run keeps the later value.",
            )
        super().__setitem__(key, value)

    def update(  # type: ignore[override]  # W&B's, which takes configs and an option
        self, values: Any = None, allow_val_change: bool | None = None, **more: Any
    ) -> None:
        """
        Set several values.

        Args:
            values: a dict, namespace, dataclass, config of OmegaConf, or pairs.
            allow_val_change: change values that were set before, without a warning.
        """
        for key, value in {**settings_of(values), **more}.items():
            if allow_val_change and key not in self._locked:
                self._values.pop(key, None)
            self[key] = value

    def setdefaults(self, values: Any) -> None:
        """Set those values that are not set yet."""
        for key, value in settings_of(values).items():
            if key not in self._values:
                self[key] = value

    def as_dict(self) -> dict[str, Any]:
        """Return the values as a new dict."""
        return dict(self._values)

    def persist(self) -> None:
        """Do nothing: each value is stored when it is set."""


class WandbSummary(StoredDict):
    """
    What a run came to: the last value of each metric, and what the script sets, which is stored under `summary`.
    """

    def update(self, values: Any = None, **more: Any) -> None:  # type: ignore[override]
        """Set several values: a dict or pairs."""
        for key, value in {**settings_of(values), **more}.items():
            self[key] = value


def settings_of(values: Any) -> dict[str, Any]:
    """
    Return the settings in a dict, namespace, dataclass, other config, path of a YAML file, or pairs.

    In a YAML file a setting may be `{"desc": ..., "value": ...}`, as W&B writes them.

    >>> import types
    >>> settings_of(types.SimpleNamespace(lr=0.1)), settings_of([("lr", 0.1)]), settings_of(None)
    ({'lr': 0.1}, {'lr': 0.1}, {})
    """
    if values is None:
        return {}
    if isinstance(values, str):
        return _of_yaml(values)
    flags = getattr(values, "flag_values_dict", None)  # of absl
    mapping = flags() if callable(flags) else mapping_of(values)
    if mapping is None and isinstance(values, Iterable):
        mapping = dict(values)
    if mapping is None:
        raise TypeError(f"wandb.config takes a dict, a namespace or another config, not a {type(values).__name__}.")
    return {str(key): value for key, value in mapping.items()}


def _of_yaml(path: str) -> dict[str, Any]:
    import yaml

    with open(path, encoding="utf-8") as file:
        loaded = yaml.safe_load(file) or {}
    return {
        str(key): value["value"] if isinstance(value, dict) and "value" in value else value
        for key, value in loaded.items()
        if key != "wandb_version"
    }
