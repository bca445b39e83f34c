"""
`Caller`: something that has events. Its methods under `@event` call the handlers that were registered for their names.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from aim.core.shield import shielded
from aim.sdk.callbacks.events import MARK

Method = TypeVar("Method", bound=Callable[..., None])
EVENT_MARK = "__aim_is_event__"

log = logging.getLogger("aim")


class Caller:
    """
    Something that has events, and handlers for them.

    Args:
        callbacks: objects with methods marked by `@events.on.<event>`.

    >>> from aim.sdk.callbacks import events
    >>> class Door(Caller):
    ...     @event
    ...     def opened(self, *, by: str) -> None:
    ...         "Somebody has come."
    >>> class Bell:
    ...     @events.on.opened
    ...     def ring(self, by, **kwargs):
    ...         print("hello", by)
    >>> Door([Bell()]).opened(by="Ada")
    hello Ada
    """

    def __init__(self, callbacks: Iterable[object] | None = None) -> None:
        self._handlers: dict[str, list[Callable[..., Any]]] = {}
        for callback in callbacks or ():
            self.register(callback)

    def register(self, callbacks: object) -> None:
        """Call the marked methods of *callbacks* from now on. A mark of an event that is not here is warned of."""
        for _, handler in inspect.getmembers(callbacks, callable):
            for name in getattr(handler, MARK, ()):
                if not hasattr(getattr(type(self), name, None), EVENT_MARK):
                    log.warning("%s has no event %r; %r is never called for it.", type(self).__name__, name, handler)
                    continue
                self._handlers.setdefault(name, []).append(handler)

    def added(self) -> dict[str, Any]:
        """Give what each handler gets besides the arguments of the event."""
        return {}

    def trigger(self, name: str, arguments: dict[str, Any]) -> None:
        """Call the handlers of an event, in the order in which they were registered; what one raises is logged."""
        for handler in tuple(self._handlers.get(name, ())):

            def report(error: Exception, handler: Callable[..., Any] = handler) -> None:
                log.error("The handler %r of %r failed; the training goes on.", handler, name, exc_info=error)

            given = {**arguments, **self.added(), "_caller_": self}
            shielded(functools.partial(handler, **given), report)


def event(method: Method) -> Method:
    """Make a method of a `Caller` an event: calling it, with names for all arguments, calls the handlers."""

    @functools.wraps(method)
    def call(self: Caller, **arguments: Any) -> None:
        method(self, **arguments)  # checks the names, gives defaults their place
        bound = inspect.signature(method).bind(self, **arguments)
        bound.apply_defaults()
        self.trigger(method.__name__, {name: value for name, value in bound.arguments.items() if name != "self"})

    setattr(call, EVENT_MARK, True)
    return call  # type: ignore[return-value]
