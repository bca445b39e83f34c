"""
The framework that an adapter needs.

    not installed                    FrameworkMissing, which names the package
    installed, but its import fails  FrameworkMissing, with the error of the import as its cause
    retired                          FrameworkMissing, which says what to use instead
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from aim.core.errors import AimError


class FrameworkMissing(AimError, ImportError, RuntimeError):
    """
    The framework of an adapter can't be imported.

    Some adapters of Aim 3 raise RuntimeError for that, and some ImportError: it is both.
    """


def framework(module: str, package: str, adapter: str) -> Any:
    """
    Import *module* and return it.

    Args:
        module: such as `lightning.pytorch`.
        package: what to install to have it.
        adapter: the module that needs it, such as `aim.pytorch_lightning`.

    Raises:
        FrameworkMissing: it is not installed, or is broken.

    >>> framework("json", "json", "aim.example").dumps([1])
    '[1]'
    >>> framework("no_such_module", "no-such-package", "aim.example")
    Traceback (most recent call last):
    ...
    aim.sdk.adapters.session.frameworks.FrameworkMissing: aim.example needs no-such-package: pip install no-such-package
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if not is_installed(module):
            raise FrameworkMissing(f"{adapter} needs {package}: pip install {package}") from None
        raise FrameworkMissing(f"{adapter} needs {package}, which is installed but fails to import: {error}") from error


def is_installed(module: str) -> bool:
    """
    Return whether the top-level package of *module* is installed; nothing is imported.

    >>> is_installed("json.decoder"), is_installed("no_such_module")
    (True, False)
    """
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def first_framework(modules: dict[str, str], adapter: str) -> Any:
    """
    Import the first of several modules that is installed, and return it.

    Args:
        modules: module -> package.

    Raises:
        FrameworkMissing: none is installed, or the one that is installed is broken.
    """
    for module, package in modules.items():
        if is_installed(module):
            return framework(module, package, adapter)
    packages = " or ".join(dict.fromkeys(modules.values()))
    raise FrameworkMissing(f"{adapter} needs {packages}: pip install {next(iter(modules.values()))}")


def retired(adapter: str, reason: str) -> FrameworkMissing:
    """Return the error of an adapter whose framework is no longer maintained; *reason* is a sentence."""
    return FrameworkMissing(f"{adapter} is not available: {reason}")
