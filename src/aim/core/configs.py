"""
Configs: objects that people write their settings in, as the plain dicts, lists and texts that they mean.

    value                                        becomes
    dataclass, attrs, pydantic (1 and 2)         a dict of its fields, and of the extra ones that pydantic admits
    argparse.Namespace, types.SimpleNamespace    a dict of its attributes
    OmegaConf                                    its container, resolved; `???` becomes None, which is logged, and an
                                                 interpolation that can't be resolved stays the text that was written
    HydraConfig of hydra, and its `get()`        job name and number, overrides, choices of the config groups, folders
    Enum                                         its name (of an Enum that is a str or an int too: its value)
    pathlib.Path and what os.fspath takes        a text
    set, frozenset                               a sorted list
    datetime, date, time                         a text in ISO format
    timedelta, Decimal, Fraction, UUID           a text
    a dtype of torch, numpy or tensorflow        a text, as is torch.device; torch.Size is a list
    functools.partial                            {"function", "args", "keywords"}
    class, function, method                      its dotted name

One level at a time: the fields of what is returned may be configs again. Libraries are recognised by the names of the
modules of their classes, so that none is imported.

Rule: a text never holds the address of an object in memory. It differs from run to run, and so would spoil every group.
"""

from __future__ import annotations

import enum
import functools
import os
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from aim.core.logs import log
from aim.core.patterns import pattern
from aim.core.shield import shielded

TEXT_CHARACTERS_MAX = 1 << 16  # of a text that is made of an object; texts of the user are kept whole
OTHER = object()
"""What `plain` returns for a value that is no config."""

_ADDRESS = pattern(r"(?: at)? 0x[0-9a-fA-F]{4,}")
# Classes whose `str()` is what people mean, by the first part of their module, so that none of these is imported here.
_AS_TEXT = {
    ("tensorflow", "DType"),
    ("datetime", "timedelta"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
    ("numpy", "datetime64"),
    ("numpy", "timedelta64"),
    ("uuid", "UUID"),
    ("torch", "device"),
    ("torch", "dtype"),
    ("torch", "memory_format"),
}


def plain(value: object) -> Any:
    """
    Return *value* one level simpler, as the table above says; `OTHER` when it is no config.

    Cost: some checks of types; of a dataclass no deep copy, unlike `dataclasses.asdict`.

    >>> import pathlib
    >>> plain(pathlib.PurePosixPath("data/train")), plain({3, 1}), plain(len), plain(1.5) is OTHER
    ('data/train', [1, 3], 'len', True)
    """
    if isinstance(value, enum.Enum):
        return value.value if isinstance(value, (str, int)) else value.name
    if isinstance(value, type):
        return dotted_name(value)
    moment = _iso_text(value)
    if moment is not None:
        return moment
    if isinstance(value, (set, frozenset)):
        return in_order(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, functools.partial):
        return {"function": value.func, "args": list(value.args), "keywords": dict(value.keywords)}
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, types.MethodType)):
        return dotted_name(value)
    return _fields(value)


def _fields(value: Any) -> Any:
    """Return the fields of an object of a library for settings; `OTHER` for any other object."""
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    simpler = _OF_LIBRARY[root](value) if root in _OF_LIBRARY else OTHER
    if simpler is not OTHER:
        return simpler
    if _is_text(root, kind.__name__):
        return str(value)
    if (root, kind.__name__) == ("torch", "Size"):
        return list(value)
    names = _field_names(kind)
    if names is not None:
        extra = getattr(value, "__pydantic_extra__", None) or {}
        return {**{name: getattr(value, name) for name in names if hasattr(value, name)}, **extra}
    if isinstance(value, types.SimpleNamespace) or any(base.__name__ == "Namespace" for base in kind.__mro__):
        return dict(vars(value))
    return OTHER


def _is_text(root: str, name: str) -> bool:
    """Return whether `str()` of an object of the class *name* is what people mean by it."""
    return (root, name) in _AS_TEXT or (root == "numpy" and name.endswith("DType"))


def _field_names(kind: type) -> Iterable[str] | None:
    """Return the names of the fields of a dataclass or a class of attrs or pydantic; None for any other class."""
    if hasattr(kind, "__dataclass_fields__"):
        return list(kind.__dataclass_fields__)
    if hasattr(kind, "__attrs_attrs__"):
        return [field.name for field in kind.__attrs_attrs__]
    if any(base.__name__ == "BaseModel" and base.__module__.startswith("pydantic") for base in kind.__mro__):
        fields: Iterable[str] = getattr(kind, "model_fields", None) or getattr(kind, "__fields__", {})
        return fields
    return None


def _resolved(config: Any) -> Any:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not OmegaConf.is_config(config):
        return OTHER
    if getattr(OmegaConf.get_type(config), "__name__", "") == "HydraConf":
        return _job_of_hydra(config)
    try:
        return OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException:
        return _resolved_in_parts(config)


def _resolved_in_parts(config: Any) -> Any:
    """Return a config of which a part can't be resolved: that part as it was written, and None where it is missing."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if config._is_none() or config._is_missing():
        return None
    is_list = OmegaConf.is_list(config)
    members: dict[Any, Any] = {}
    for key in range(len(config)) if is_list else config:
        if OmegaConf.is_missing(config, key):
            members[key] = None
            log.warning("Aim: %s has no value (???) in the config; None is stored.", config._get_full_key(key))
            continue
        try:
            member = config[key]
        except OmegaConfBaseException:
            unresolved: Any = OmegaConf.to_container(config, resolve=False)
            member = unresolved[key]
        members[key] = _resolved_in_parts(member) if OmegaConf.is_config(member) else member
    return list(members.values()) if is_list else members


_HYDRA_FIELDS = (
    "job.name",
    "job.num",
    "job.id",
    "job.config_name",
    "overrides.task",
    "overrides.hydra",
    "runtime.choices",
    "runtime.output_dir",
    "runtime.version",
    "sweep.dir",
    "sweep.subdir",
    "mode",
)


def _job_of_hydra(config: Any) -> dict[str, Any]:
    """Return what distinguishes a job of hydra, of the some hundred settings in *config*."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    job: dict[str, Any] = {}
    for path in _HYDRA_FIELDS:
        try:
            value = OmegaConf.select(config, path)
        except OmegaConfBaseException:  # the number of a job that is no part of a sweep, for instance
            continue
        if value is None:
            continue
        group, _, name = path.rpartition(".")
        fields = job.setdefault(group, {}) if group else job
        fields[name] = _resolved(value) if OmegaConf.is_config(value) else value
    if "num" not in job.get("job", {}):  # this is no job of a sweep
        job.pop("sweep", None)
    return job


def _of_hydra(value: Any) -> Any:
    """Return the job that `HydraConfig.instance()` knows, or {} while hydra runs none."""
    if type(value).__name__ != "HydraConfig":
        return OTHER
    return {} if value.cfg is None else _job_of_hydra(value.cfg.hydra)


_OF_LIBRARY = {"omegaconf": _resolved, "hydra": _of_hydra}


def mapping_of(value: object) -> Mapping[Any, Any] | None:
    """
    Return a dict or the config of a dict, such as a namespace or a dataclass, as a mapping; None for anything else.

    >>> mapping_of(types.SimpleNamespace(lr=0.1)), mapping_of(["lr"])
    ({'lr': 0.1}, None)
    """
    simpler = value if isinstance(value, Mapping) else plain(value)
    return simpler if isinstance(simpler, Mapping) else None


def in_order(values: Any) -> list[Any]:
    """
    Return the members of a set in an order that is the same in each process.

    >>> in_order({"b", "a", 3})
    [3, 'a', 'b']
    """
    return sorted(values, key=lambda member: (not isinstance(member, (int, float)), _sort_text(member)))


def _sort_text(member: object) -> tuple[float, str]:
    if isinstance(member, (int, float)):
        return float(member), ""
    return 0.0, member if isinstance(member, str) else text_of(member)


def _iso_text(value: object) -> str | None:
    if "datetime" in sys.modules:  # without it there is none
        import datetime

        if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
            return value.isoformat()
    return None


def dotted_name(value: Any) -> str:
    """
    Return where a class or function is defined; a builtin by its name alone.

    >>> import re
    >>> dotted_name(re.compile), dotted_name(int)
    ('re.compile', 'int')
    """
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or type(value).__qualname__
    return str(name) if module in (None, "builtins") else f"{module}.{name}"


def text_of(value: object) -> str:
    """
    Return the `repr()` of an object without its address in memory, at most 64 KiB of it; never an error.

    >>> text_of(object()), text_of(slice(1, 2))
    ('<object object>', 'slice(1, 2, None)')
    """
    texts = [f"<{dotted_name(type(value))} object>"]
    shielded(lambda: texts.append(repr(value)), lambda error: None)
    text = _ADDRESS.sub("", texts[-1])
    return text if len(text) <= TEXT_CHARACTERS_MAX else f"{text[:TEXT_CHARACTERS_MAX]}… ({len(text):,} characters)"
