"""
`NamedTuple` for the classes that a training loads: as that of `typing`, for a third of its time.

`typing.NamedTuple` compiles the annotation of each field, which nobody asks for at run time: 30 such classes took a
sixth of the time from `import aim` to the first value. Checkers of types see that of `typing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from collections import namedtuple

    class _TupleMaker(type):
        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body.pop("__annotations__", {})
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            made.__annotations__ = fields
            for key, value in body.items():
                setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_TupleMaker):
        """The base that a class statement names; the class that comes of it is a tuple, and has another base."""


__all__ = ["NamedTuple"]
