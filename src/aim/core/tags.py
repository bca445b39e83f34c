"""
Tags: their ids and colours.

A tag is a name on runs. The colour and the description of a tag are stored once in a repository
(docs/formats/documents.md).
"""

from __future__ import annotations

from aim.core.errors import UsageError
from aim.core.hashing import blake2b
from aim.core.patterns import pattern
from aim.core.tuples import NamedTuple

COLORS: dict[str, str] = {
    "red": "#d92d20",
    "orange": "#e8590c",
    "yellow": "#c99700",
    "green": "#3f9463",
    "teal": "#0c8599",
    "blue": "#243cdf",
    "purple": "#761c9e",
    "pink": "#d63ad4",
    "brown": "#a75b05",
    "grey": "#868e96",
}
"""Colours with a name. The pages use the hue of a tag's colour, as light or dark as their theme needs."""

HEX = pattern(r"#[0-9a-f]{6}")


class Tag(NamedTuple):
    """
    A tag of a repository.

    Attributes:
        color: `#rrggbb` in lower case; None: the pages choose a colour by the name.
        description: what it means, or None.
        run_count: how many runs have it, archived ones too.
    """

    name: str
    color: str | None = None
    description: str | None = None
    run_count: int = 0

    @property
    def id(self) -> str:
        """
        The tag's id: a uuid that is made from its name, so it is the same in all repositories.

        >>> Tag("paper").id
        '7ba4420e-b4dc-baeb-0d36-91af18ab04b4'
        """
        return id_of_tag(self.name)


def id_of_tag(name: str) -> str:
    """
    Return the id of a tag: a uuid made from its name.

    >>> id_of_tag("paper")
    '7ba4420e-b4dc-baeb-0d36-91af18ab04b4'
    """
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def check_tag(value: object) -> str:
    """
    Return the name of a tag; a value of another type becomes a str.

    Raises:
        UsageError: *value* is None or empty.
    """
    name = "" if value is None else str(value)
    if not name:
        raise UsageError("A tag has to be a string that is not empty.")
    return name


def check_color(text: str) -> str:
    """
    Return a colour as `#rrggbb`.

    Args:
        text: `#rrggbb` in any case, or one of `COLORS`.

    Raises:
        UsageError: *text* is neither.

    >>> check_color("#FFAA00"), check_color("blue")
    ('#ffaa00', '#243cdf')
    """
    folded = text.casefold() if isinstance(text, str) else ""
    if HEX.fullmatch(folded):
        return folded
    if folded in COLORS:
        return COLORS[folded]
    import difflib

    nearest = difflib.get_close_matches(folded, COLORS, 1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise UsageError(f"{text!r} can't be the colour of a tag: write '#rrggbb', or one of {', '.join(COLORS)}.{hint}")
