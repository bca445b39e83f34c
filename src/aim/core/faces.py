"""
Lazy packages: their names are defined in other modules, and each is imported when it is first used (PEP 562).

    _DEFINED_IN = {"Run": "aim.sdk.run"}
    __getattr__, __dir__ = lazy_face(__name__, _DEFINED_IN)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping


def lazy_face(package: str, defined_in: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """
    Return the functions `__getattr__` and `__dir__` of a package.

    Args:
        package: its `__name__`.
        defined_in: the module of each name.

    >>> get, list_names = lazy_face("aim.core", {"Params": "aim.core.params"})
    >>> "Params" in list_names()
    True
    >>> get("Parms")
    Traceback (most recent call last):
    AttributeError: module 'aim.core' has no attribute 'Parms'
    """

    def get(name: str) -> object:
        module = defined_in.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(module), name)
        vars(sys.modules[package])[name] = value
        return value

    def list_names() -> list[str]:
        # without what the package imports for itself: people look at this list to learn what there is
        own = {name for name in vars(sys.modules[package]) if name.startswith("__")}
        return sorted({*own, *defined_in, *getattr(sys.modules[package], "__all__", ())})

    return get, list_names
