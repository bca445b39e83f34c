"""
`Caller`: an object with events. Each method under `@event` calls the handlers that were registered for its name.
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
    An object with events, and handlers for them.

    Args:
        callbacks: objects with methods marked by `@events.on.<event>`.

    >>> from aim.sdk.callbacks import events
    >>> class Door(Caller):
    ...     @event
    ...     def opened(self, *, by: str) -> None:
    ...         "The door was opened."
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
        """
        Call the marked methods of *callbacks* from now on.

        A mark of an event that this class does not have is logged as a warning: only `trigger` calls such a handler.
        """
        for _, handler in inspect.getmembers(callbacks, callable):
            for name in getattr(handler, MARK, ()):
                if not hasattr(getattr(type(self), name, None), EVENT_MARK):
                    warning = "%s has no event %r; %r is called only by trigger(%r)."
                    log.warning(warning, type(self).__name__, name, handler, name)
                self._handlers.setdefault(name, []).append(handler)

    def added(self) -> dict[str, Any]:
        """Return the arguments that each handler gets besides those of the event."""
        return {}

    def trigger(self, event_name: str, **kwargs: Any) -> None:
        """Call the handlers of an event, in the order of their registration; their exceptions are logged."""
        arguments = {**self.added(), "_caller_": self, **kwargs}
        for handler in tuple(self._handlers.get(event_name, ())):

            def report(error: Exception, handler: Callable[..., Any] = handler) -> None:
                log.error("The handler %r of %r failed; the training goes on.", handler, event_name, exc_info=error)

            shielded(functools.partial(handler, **arguments), report)


def event(method: Method) -> Method:
    """
    Make a method of a `Caller` an event: calling it, with keyword arguments only, calls the handlers.

    The handlers also get arguments that the method does not name. A missing argument is a TypeError.
    """
    parameters = list(inspect.signature(method).parameters.values())[1:]
    names = [parameter.name for parameter in parameters if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    defaults = {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty
    }

    @functools.wraps(method)
    def call(self: Caller, **arguments: Any) -> None:
        missing = [name for name in names if name not in {**defaults, **self.added(), **arguments}]
        if missing:
            raise TypeError(f"{method.__qualname__}() needs {', '.join(missing)}, by name.")
        self.trigger(method.__name__, **defaults | arguments)

    setattr(call, EVENT_MARK, True)
    return call  # type: ignore[return-value]
