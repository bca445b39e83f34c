"""
The version of this package, in the three spellings that callers of Aim 3 use.

    aim.__version__                  a str, as everywhere else in Python
    aim.__version__.__version__      in Aim 3 `aim.__version__` is a module that holds the str
    aim.__about__.__version__        this module

Rule: `__version__` below is the one place where the number stands; the build reads it from here.
"""

from __future__ import annotations

__version__ = "4.0.0rc1"


class Version(str):
    """
    A version's text that also answers to `.__version__`.

    >>> Version("4.1").__version__
    '4.1'
    """

    __slots__ = ()

    @property
    def __version__(self) -> str:
        """The same text as a plain str."""
        return str(self)


VERSION = Version(__version__)
