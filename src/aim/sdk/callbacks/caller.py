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
        """
        Call the marked methods of *callbacks* from now on. A mark of an event that is not here is warned of: only
        `trigger` calls it.
        """
        for _, handler in inspect.getmembers(callbacks, callable):
            for name in getattr(handler, MARK, ()):
                if not hasattr(getattr(type(self), name, None), EVENT_MARK):
                    said = "%s has no event %r; %r is called only by trigger(%r)."
                    log.warning(said, type(self).__name__, name, handler, name)
                self._handlers.setdefault(name, []).append(handler)

    def added(self) -> dict[str, Any]:
        """Return what each handler gets besides the arguments of the event."""
        return {}

    def trigger(self, event_name: str, **kwargs: Any) -> None:
        """Call the handlers of an event, in the order in which they were registered; what one raises is logged."""
        given = {**self.added(), "_caller_": self, **kwargs}
        for handler in tuple(self._handlers.get(event_name, ())):

            def report(error: Exception, handler: Callable[..., Any] = handler) -> None:
                log.error("The handler %r of %r failed; the training goes on.", handler, event_name, exc_info=error)

            shielded(functools.partial(handler, **given), report)


def event(method: Method) -> Method:
    """
    Make a method of a `Caller` an event: calling it, with names for all arguments, calls the handlers.

    Arguments that the method does not name reach them too. One that it needs and that nobody gives is a TypeError.
    """
    parameters = list(inspect.signature(method).parameters.values())[1:]
    names = [one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]
    defaults = {one.name: one.default for one in parameters if one.default is not inspect.Parameter.empty}

    @functools.wraps(method)
    def call(self: Caller, **arguments: Any) -> None:
        given = {**defaults, **self.added(), **arguments}
        missing = [name for name in names if name not in given]
        if missing:
            raise TypeError(f"{method.__qualname__}() needs {', '.join(missing)}, by name.")
        self.trigger(method.__name__, **defaults | arguments)

    setattr(call, EVENT_MARK, True)
    return call  # type: ignore[return-value]
