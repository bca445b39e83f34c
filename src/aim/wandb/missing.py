"""
What this module has not: each such name is warned of once, and does nothing.

    wandb.sweep_controller(...)     Aim: wandb.sweep_controller is not there; the call does nothing.

A training must not end because a chart of another tool can't be made. So a name that is missing is an object of which
every attribute and every call is such an object again. Calls that are there are shielded in the same sense: what they
would raise is logged once for each kind of error, and the training goes on. `AIM_ADAPTER_STRICT=1` lets them raise.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from aim.core.shield import shielded
from aim.sdk.objects.once import warn_once

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
HOOKS = ("_", "pytest", "setUp", "setup_", "tearDown", "teardown_", "load_tests")
"""How names begin that Python, pytest and unittest ask of each module."""


class AbsentMember:
    """
    An attribute that is not there: it can be called, entered, asked for attributes and iterated, to no effect.

    >>> nothing = AbsentMember("wandb.sweep_controller")
    >>> bool(nothing.schedule(1).run), list(nothing)
    (False, [])
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> AbsentMember:
        if name.startswith("__"):
            raise AttributeError(f"{self._name!r} has no attribute {name!r}")
        return AbsentMember(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> AbsentMember:
        return self

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __enter__(self) -> AbsentMember:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __repr__(self) -> str:
        return f"<{self._name} is not there>"


def missing(name: str) -> AbsentMember:
    """
    Return what stands for *name*, with one warning for each name.

    Raises:
        AttributeError: the name is private, or a hook of Python or pytest, which ask each module for theirs.
    """
    if name.rpartition(".")[2].startswith(HOOKS):
        raise AttributeError(f"{name} is not there")
    warn_once(name, f"Aim: {name} is not there. What uses it does nothing; the training goes on.")
    return AbsentMember(name)


def is_strict() -> bool:
    """Return whether `AIM_ADAPTER_STRICT=1` asks for errors instead of warnings."""
    return os.environ.get("AIM_ADAPTER_STRICT", "0") not in ("", "0")


def forgiving(name: str) -> Callable[[Callable[Arguments, Answer]], Callable[Arguments, Answer | None]]:
    """
    Return a decorator for a call of which no error may end a training: it returns None then.

    Args:
        name: what the warning calls it.

    >>> @forgiving("wandb.divide")
    ... def divide(a, b):
    ...     return a / b
    >>> divide(1, 2), divide(1, 0)
    (0.5, None)
    """

    def decorate(call: Callable[Arguments, Answer]) -> Callable[Arguments, Answer | None]:
        @functools.wraps(call)
        def shield(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer | None:
            if is_strict():
                return call(*args, **kwargs)
            answers: list[Answer] = []
            shielded(lambda: answers.append(call(*args, **kwargs)), lambda error: warn_of(name, error))
            return answers[0] if answers else None

        return shield

    return decorate


def warn_of(name: str, error: Exception) -> None:
    """Log that a call failed: once for each call and kind of error."""
    kind = type(error).__name__
    warn_once(f"{name} {kind}", f"Aim: {name} failed ({kind}: {error}). This is said once; the training goes on.")
