"""
`@on.<event>`: marks a method as a handler of an event.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Handler = TypeVar("Handler", bound=Callable[..., Any])
MARK = "__aim_events__"


class _On:
    def __getattr__(self, name: str) -> Callable[[Handler], Handler]:
        if name.startswith("_"):
            raise AttributeError(name)

        def mark(handler: Handler) -> Handler:
            check_handler(handler)
            setattr(handler, MARK, (*getattr(handler, MARK, ()), name))
            return handler

        return mark


on = _On()
"""`@on.training_started` marks a method as a handler of `training_started`; several may be put on one method."""


def check_handler(handler: Callable[..., Any]) -> None:
    """
    Raise AssertionError unless *handler* takes `self` first and ends with `**kwargs`.

    >>> check_handler(lambda metrics: None)
    Traceback (most recent call last):
    AssertionError: <lambda>: a handler takes `self` first and ends with `**kwargs`, as in (self, metrics, **kwargs).
    """
    parameters = list(inspect.signature(handler).parameters.values())
    fits = bool(parameters) and parameters[0].name == "self" and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
    if not fits:
        raise AssertionError(
            f"{getattr(handler, '__name__', handler)}: a handler takes `self` first and ends with `**kwargs`, "
            "as in (self, metrics, **kwargs)."
        )
