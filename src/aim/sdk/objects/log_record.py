"""
One message that a run logged.

    message   any text             level   a number of the standard library's logging: 20 is INFO
    args      params given with it: {name: value}
    file, line   where it was logged
    time      when it happened, if that is not when it was logged
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from aim.core import params
from aim.core.values import Loader
from aim.sdk.objects.custom import CustomObject, sound_text

KIND = "aim.log_record"


class LogRecord(CustomObject):
    """
    One message with its level.

    Args:
        message: shown as it is: nothing is filled in for `%` signs.
        level: a number, or the name of one, such as `WARNING`.
        timestamp: when it happened, in Unix seconds; None: when it is tracked.
        logger_info: the file and the line where it was logged.
        args: what belongs to the message; values as params have.
        more: the same, as keywords.

    Raises:
        UnstorableParam: (a TypeError) a value of *args* can't be stored.

    >>> record = LogRecord("the loss is high", "WARNING", loss=9.5)
    >>> record.level, record.level_name, record.args
    (30, 'WARNING', {'loss': 9.5})
    """

    AIM_NAME: ClassVar[str] = KIND

    def __init__(
        self,
        message: object,
        level: int | str = logging.INFO,
        timestamp: float | None = None,
        logger_info: tuple[str | None, int | None] | None = None,
        *,
        args: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        number = logging.getLevelName(level.upper()) if isinstance(level, str) else level
        fields: dict[str, Any] = {
            "message": sound_text(str(message)),
            "level": number if isinstance(number, int) else logging.INFO,
        }
        if args or more:
            fields["args"] = params.encode({**more, **(args or {})}, "args")
        file, line = logger_info or (None, None)
        if file is not None:
            fields |= {"file": sound_text(file), "line": line}
        if timestamp is not None:
            fields["time"] = float(timestamp)
        super().__init__(fields)
        self._at_s: float | None = None

    @classmethod
    def _from_stored(cls, fields: Mapping[str, Any], load: Loader) -> LogRecord:
        """Return the record that was stored with *fields*; it has no bytes to load."""
        self = cls.__new__(cls)
        self._fields = dict(fields)
        self._at_s = None
        return self

    def at(self, moment_s: float) -> LogRecord:
        """Return the same record with the moment that it was logged."""
        self._at_s = moment_s
        return self

    @property
    def message(self) -> str:
        """The message."""
        return str(self._fields.get("message", ""))

    @property
    def level(self) -> int:
        """The level as a number of the standard library's logging, such as 30."""
        return int(self._fields.get("level", logging.INFO))

    @property
    def level_name(self) -> str:
        """The level by its name, such as `WARNING`."""
        return logging.getLevelName(self.level)

    @property
    def timestamp(self) -> float | None:
        """When it happened or was logged, in Unix seconds; None for one that was not."""
        time_s: float | None = self._fields.get("time", self._at_s)
        return time_s

    @property
    def args(self) -> dict[str, Any]:
        """What was given with the message."""
        return dict(params.decode(self._fields.get("args") or {}))

    @property
    def logger_info(self) -> tuple[str | None, int | None]:
        """The file and the line where it was logged."""
        return self._fields.get("file"), self._fields.get("line")

    def json(self) -> dict[str, Any]:
        """Return message, log_level (the name), timestamp and args; None for those that are not there."""
        args = self.args or None
        return {"message": self.message, "log_level": self.level_name, "timestamp": self.timestamp, "args": args}

    def _repr_html_(self) -> str:
        from aim.sdk.html import parts

        arguments = ", ".join(f"{name}={parts.short(value)}" for name, value in self.args.items())
        return parts.block(parts.element("b", self.level_name), f" {self.message} ", parts.muted(arguments))

    def __repr__(self) -> str:
        return f"<LogRecord {self.level_name} {self.message!r}>"
