"""
The kinds of values: the one table of what a sequence may hold, with all names of each kind.

    stored        subject          a sequence of lists of it
    "int", ...    "metric"         "list(int)"        has no subject
    "aim.image"   "images"         "list(aim.image)"  the subject "images"
    "acme.mesh"   none: a kind of another package is called by its stored name

*stored* is the kind in the declaration of a sequence on disk. *subject* is the variable of a query, the type of
sequences in the SDK, and the type in requests of the pages. A new kind of object is a row here and its class.

Rule: no other module keeps a list of kinds. What differs from kind to kind elsewhere (a class, a media type, a
renderer) is a table that is keyed by `stored` and is checked against this one.
"""

from __future__ import annotations

from aim.core.tuples import NamedTuple

METRIC = "metric"
"""The subject of sequences of numbers."""

NUMBERS = frozenset({"int", "float"})
"""The stored kinds of numbers in the declaration of one writer."""

MERGED_NUMBERS = frozenset({"int", "float", "number"})
"""The stored kinds of numbers of a whole sequence: *number* is a sequence with both ints and floats."""

LINES_NAME = "logs"
"""The name of the sequence that holds the lines of the terminal."""

RECORDS_NAME = "__log_records"
"""The name of the sequence that holds log records."""


class ObjectKind(NamedTuple):
    """
    One kind of object.

    Attributes:
        stored: the name on disk, such as "aim.video".
        subject: the variable of a query and the name of the type of sequences: "videos".
        aliases: what people write instead of the subject.
        is_log: whether it is a line or record of a log, which queries are not about and rewinds leave alone.
        is_list: whether a step may have a list of several objects.
    """

    stored: str
    subject: str
    aliases: tuple[str, ...] = ()
    is_log: bool = False
    is_list: bool = True

    @property
    def stored_names(self) -> tuple[str, ...]:
        """The stored kinds of sequences of it: alone, and in lists."""
        return (self.stored, list_of(self.stored)) if self.is_list else (self.stored,)


def list_of(stored: str) -> str:
    """
    Return the stored name of a list of *stored*.

    >>> list_of("aim.image")
    'list(aim.image)'
    """
    return f"list({stored})"


def element_of(stored: str) -> str:
    """
    Return the stored name of what is in lists of *stored*; of no list its own.

    >>> element_of("list(aim.image)"), element_of("aim.image")
    ('aim.image', 'aim.image')
    """
    return stored[5:-1] if stored.startswith("list(") else stored


OBJECT_KINDS = (
    ObjectKind("aim.image", "images", ("image",)),
    ObjectKind("aim.text", "texts", ("text",)),
    ObjectKind("aim.audio", "audios", ("audio",)),
    ObjectKind("aim.distribution", "distributions", ("distribution",)),
    ObjectKind("aim.figure", "figures", ("figure", "figure_objects")),
    ObjectKind("aim.video", "videos", ("video",)),
    ObjectKind("aim.table", "tables", ("table",)),
    ObjectKind("aim.object3d", "objects3d", ("object3d",)),
    ObjectKind("aim.log_line", "logs", is_log=True, is_list=False),
    ObjectKind("aim.log_record", "log_records", is_log=True, is_list=False),
)

QUERY_SUBJECTS = (METRIC, *(kind.subject for kind in OBJECT_KINDS if not kind.is_log))
"""The kinds of sequences that a query can be about; each is also the name of its variable."""

LOG_KINDS = frozenset(stored for kind in OBJECT_KINDS if kind.is_log for stored in (kind.stored, list_of(kind.stored)))
"""The stored kinds of logs, which rewinds and deletions of points leave alone."""

OWN_PREFIX = "aim."
"""The beginning of the stored kinds that this package defines."""

_SUBJECT_OF = {kind.stored: kind.subject for kind in OBJECT_KINDS}


def is_number(stored: str) -> bool:
    """
    Return whether one writer's part of this kind holds numbers.

    >>> is_number("int"), is_number("number"), is_number("list(int)")
    (True, False, False)
    """
    return stored in NUMBERS


def is_own(stored: str) -> bool:
    """
    Return whether this package defines the class of a kind.

    >>> is_own("aim.image"), is_own("acme.mesh"), is_own("int")
    (True, False, True)
    """
    return stored.startswith(OWN_PREFIX) or "." not in stored


def is_numeric_sequence(stored: str) -> bool:
    """
    Return whether a sequence, merged from the parts of its writers, holds numbers.

    >>> is_numeric_sequence("number"), is_numeric_sequence("aim.text")
    (True, False)
    """
    return stored in MERGED_NUMBERS


def subject_of(stored: str) -> str | None:
    """
    Return the subject of sequences that hold *stored*, alone or as a list; None when no subject does.

    >>> subject_of("float"), subject_of("list(aim.image)"), subject_of("list(float)"), subject_of("acme.mesh")
    ('metric', 'images', None, None)
    """
    if stored in MERGED_NUMBERS:
        return METRIC
    return _SUBJECT_OF.get(element_of(stored))


def stored_kinds(subject: str) -> tuple[str, ...]:
    """
    Return the stored kinds whose sequences go by *subject*. Raises KeyError for a subject that there is not.

    >>> stored_kinds("images")
    ('aim.image', 'list(aim.image)')
    """
    if subject == METRIC:
        return tuple(sorted(MERGED_NUMBERS))
    for kind in OBJECT_KINDS:
        if kind.subject == subject:
            return kind.stored_names
    raise KeyError(subject)
