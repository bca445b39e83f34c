r"""
From the text of a pattern to a tree, for the regular part of Python's regular expressions.

    pattern     := ["(?" flags ")"] alternative ("|" alternative)*          flags: a i m s
    alternative := (atom [repeat ["?"]])*
    repeat      := "*" | "+" | "?" | "{" m "}" | "{" m "," "}" | "{" "," n "}" | "{" m "," n "}"
    atom        := a character | "." | "[...]" | "\d \D \s \S \w \W" | "^" | "$" | "\A" | "\Z" | "\b" | "\B"
                 | "(" pattern ")" | "(?:" pattern ")" | "(?P<name>" pattern ")" | "(?" flags ":" pattern ")"

Back references, looking ahead and behind, atomic groups and possessive repeats are refused, with their offset, because
an automaton can't do them. Whether one character matches a class, a case or a Unicode property is decided by Python's
`re` on that one character, which takes no long time and has Python's meaning by construction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aim.core.value_objects import ValueObject
from aim.query.quiet import quiet

REPEATS_MAX = 1_000  # of `{m,n}`: the program grows with it
DEPTH_MAX = 30
FLAGS = {"a": re.ASCII, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
ASSERTIONS = {"A", "Z", "b", "B"}
ESCAPES_ALLOWED = set("dDsSwWnrtfvaxuUN0")


class BadPattern(ValueError):
    """A pattern that can't be used; *offset* is the character at fault."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Character(ValueObject):
    """One character: the part *source* of the pattern, read with *flags*."""

    source: str
    flags: int


class Assertion(ValueObject):
    """A condition between two characters: one of `^ $ A Z b B`."""

    kind: str
    flags: int


class Concatenation(ValueObject):
    """Several patterns, one after the other."""

    items: tuple[Pattern, ...]


class Alternation(ValueObject):
    """One of several patterns: the first that leads to a match."""

    items: tuple[Pattern, ...]


class Repeat(ValueObject):
    """*content*, from *least* to *most* times (None: any number), as many as possible if *greedy*."""

    content: Pattern
    least: int
    most: int | None
    greedy: bool


class CaptureGroup(ValueObject):
    """A group with a number, and the pattern in it."""

    number: int
    content: Pattern


Pattern = Character | Assertion | Concatenation | Alternation | Repeat | CaptureGroup


@dataclass
class ParsedPattern:
    """A whole pattern: its tree, its flags, the number of its groups, and their names."""

    tree: Pattern
    flags: int
    group_count: int
    group_names: dict[str, int] = field(default_factory=dict)


def parse(text: str, flags: int = 0) -> ParsedPattern:
    """
    Read a pattern.

    Raises:
        BadPattern: *text* is not a pattern, or an automaton can't match it.
    """
    start = re.match(r"\(\?([a-zA-Z]+)\)", text)
    begin = 0
    if start:
        begin = start.end()
        for letter in start[1]:
            if letter not in FLAGS:
                raise BadPattern(f"the flag `{letter}` is not supported; there are a, i, m and s", 2)
            flags |= FLAGS[letter]
    parser = _Parser(text, begin)
    tree = parser.alternatives(flags, 0)
    if parser.offset < len(text):
        raise BadPattern("unbalanced parenthesis", parser.offset)
    try:
        with quiet():
            re.compile(text, flags)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise BadPattern(str(error), getattr(error, "pos", None) or 0) from None
    return ParsedPattern(tree, flags, parser.group_count, parser.group_names)


class _Parser:
    def __init__(self, text: str, offset: int) -> None:
        self.text = text
        self.offset = offset
        self.group_count = 0
        self.group_names: dict[str, int] = {}

    def peek(self, width: int = 1) -> str:
        return self.text[self.offset : self.offset + width]

    def alternatives(self, flags: int, depth: int) -> Pattern:
        if depth > DEPTH_MAX:
            raise BadPattern(f"groups are nested more than {DEPTH_MAX} deep", self.offset)
        items = [self.sequence(flags, depth)]
        while self.peek() == "|":
            self.offset += 1
            items.append(self.sequence(flags, depth))
        return items[0] if len(items) == 1 else Alternation(tuple(items))

    def sequence(self, flags: int, depth: int) -> Pattern:
        items: list[Pattern] = []
        while self.offset < len(self.text) and self.peek() not in "|)":
            items.append(self.repeated(self.atom(flags, depth)))
        return items[0] if len(items) == 1 else Concatenation(tuple(items))

    def repeated(self, item: Pattern) -> Pattern:
        begin = self.offset
        bounds = self.bounds()
        if bounds is None:
            return item
        if isinstance(item, Assertion):
            raise BadPattern("a condition between characters can't be repeated", begin)
        least, most = bounds
        if max(least, most or 0) > REPEATS_MAX:
            raise BadPattern(f"a repeat of more than {REPEATS_MAX:,} times", begin)
        greedy = True
        if self.peek() == "?":
            self.offset += 1
            greedy = False
        elif self.peek() == "+":
            raise BadPattern("possessive repeats are not supported", self.offset)
        elif self.bounds() is not None:
            raise BadPattern("multiple repeat", begin)
        return Repeat(item, least, most, greedy)

    def bounds(self) -> tuple[int, int | None] | None:
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.peek())
        if simple:
            self.offset += 1
            return simple
        braces = re.compile(r"\{(\d*)(,?)(\d*)\}").match(self.text, self.offset)
        if not braces or braces[0] == "{}" or (not braces[1] and not braces[2]):
            return None
        if max(len(braces[1]), len(braces[3])) > 6:
            raise BadPattern(f"a repeat of more than {REPEATS_MAX:,} times", self.offset)
        self.offset = braces.end()
        least = int(braces[1] or 0)
        most = least if not braces[2] else int(braces[3]) if braces[3] else None
        if most is not None and most < least:
            raise BadPattern("min repeat greater than max repeat", braces.start())
        return least, most

    def atom(self, flags: int, depth: int) -> Pattern:
        letter = self.peek()
        if letter == "(":
            return self.group(flags, depth)
        if letter == "[":
            return Character(self.take_class(), flags)
        if letter == "\\":
            return self.escape(flags)
        if letter in "*+?":
            raise BadPattern("nothing to repeat", self.offset)
        self.offset += 1
        if letter in "^$":
            return Assertion(letter, flags)
        if letter == ".":
            return Character(letter, flags)
        return Character(re.escape(letter), flags)

    def take_class(self) -> str:
        """Read a class, and return its text with the brackets."""
        begin = self.offset
        self.offset += 1
        if self.peek() == "^":
            self.offset += 1
        if self.peek() == "]":
            self.offset += 1
        while self.offset < len(self.text) and self.peek() != "]":
            self.offset += 2 if self.peek() == "\\" else 1
        if self.peek() != "]":
            raise BadPattern("unterminated character set", begin)
        self.offset += 1
        return self.text[begin : self.offset]

    def escape(self, flags: int) -> Pattern:
        begin = self.offset
        letter = self.text[begin + 1 : begin + 2]
        if letter in ASSERTIONS and letter:
            self.offset += 2
            return Assertion(letter, flags)
        if letter.isdigit() and letter != "0":
            raise BadPattern("back references are not supported", begin)
        if not letter or (letter.isalnum() and letter.isascii() and letter not in ESCAPES_ALLOWED):
            raise BadPattern(f"bad escape \\{letter}", begin)
        widths = {
            "x": r"\\x[0-9a-fA-F]{2}",
            "u": r"\\u[0-9a-fA-F]{4}",
            "U": r"\\U[0-9a-fA-F]{8}",
            "N": r"\\N\{[^}]*\}",
            "0": r"\\0[0-7]{0,2}",
        }
        escaped = re.compile(widths.get(letter, r"\\."), re.DOTALL).match(self.text, begin)
        if not escaped:
            raise BadPattern(f"incomplete escape \\{letter}", begin)
        self.offset = escaped.end()
        return Character(escaped[0], flags)

    def group(self, flags: int, depth: int) -> Pattern:
        begin = self.offset
        self.offset += 1
        number = None
        scoped = re.compile(r"\?([a-zA-Z]*)(?:-([a-zA-Z]+))?:").match(self.text, self.offset)
        if scoped:
            self.offset = scoped.end()
            flags = _scoped_flags(flags, scoped[1] or "", scoped[2] or "", begin)
        else:
            number = self.new_group(begin)
        content = self.alternatives(flags, depth + 1)
        if self.peek() != ")":
            raise BadPattern("missing ), unterminated subpattern", begin)
        self.offset += 1
        return content if number is None else CaptureGroup(number, content)

    def new_group(self, begin: int) -> int:
        """Read the beginning of a group that captures, and return its number."""
        named = re.compile(r"\?P<(\w+)>").match(self.text, self.offset)
        if named is None and self.peek() == "?":
            raise BadPattern("looking ahead or behind, conditions, comments and atomic groups are not supported", begin)
        self.group_count += 1
        if named is not None:
            self.offset = named.end()
            if named[1] in self.group_names:
                raise BadPattern(f"the group `{named[1]}` is there twice", begin)
            self.group_names[named[1]] = self.group_count
        return self.group_count


def _scoped_flags(flags: int, added: str, removed: str, offset: int) -> int:
    """Return the flags within `(?added-removed:...)`."""
    for letter in added + removed:
        if letter not in FLAGS or letter == "a":
            raise BadPattern(f"the flag `{letter}` is not supported within a pattern", offset)
    for letter in added:
        flags |= FLAGS[letter]
    for letter in removed:
        flags &= ~FLAGS[letter]
    return flags
