r"""
From the text of a pattern to a tree: the regular part of Python's regular expressions.

    pattern     := ["(?" flags ")"] alternative ("|" alternative)*          flags: a i m s
    alternative := (atom [repeat ["?"]])*
    repeat      := "*" | "+" | "?" | "{" m "}" | "{" m "," "}" | "{" "," n "}" | "{" m "," n "}"
    atom        := a character | "." | "[...]" | "\d \D \s \S \w \W" | "^" | "$" | "\A" | "\Z" | "\b" | "\B"
                 | "(" pattern ")" | "(?:" pattern ")" | "(?P<name>" pattern ")" | "(?" flags ":" pattern ")"

What no automaton can do is refused with its place: back references, looking ahead and behind, atomic groups and
possessive repeats. One character's own rules (classes, case, Unicode) are left to Python's `re`, which is asked about
one character at a time and so can't be made to run long; the meaning is Python's by construction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aim.query.quiet import quiet

REPEATS_MAX = 1_000  # of `{m,n}`: the program grows with it
DEPTH_MAX = 30
FLAGS = {"a": re.ASCII, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
ASSERTIONS = {"A", "Z", "b", "B"}
ESCAPES_ALLOWED = set("dDsSwWnrtfvaxuUN0")


class BadPattern(ValueError):
    """A pattern that can't be used, with the place in it."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True)
class Character:
    """One character; *source* is the piece of the pattern that says which, *flags* how it is read."""

    source: str
    flags: int


@dataclass(frozen=True)
class Assertion:
    """A place between characters: one of `^ $ A Z b B`."""

    kind: str
    flags: int


@dataclass(frozen=True)
class Concatenation:
    """One after the other."""

    items: tuple[Pattern, ...]


@dataclass(frozen=True)
class Alternation:
    """One of several; the first that leads to a match."""

    items: tuple[Pattern, ...]


@dataclass(frozen=True)
class Repeat:
    """*item*, from *least* to *most* times (None: any number), as many as possible if *greedy*."""

    item: Pattern
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True)
class CaptureGroup:
    """A group with a number, and what is in it."""

    number: int
    item: Pattern


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
        BadPattern: it is not one, or needs what an automaton can't do.
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
    if parser.place < len(text):
        raise BadPattern("unbalanced parenthesis", parser.place)
    try:
        with quiet():
            re.compile(text, flags)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise BadPattern(str(error), getattr(error, "pos", None) or 0) from None
    return ParsedPattern(tree, flags, parser.group_count, parser.group_names)


class _Parser:
    def __init__(self, text: str, place: int) -> None:
        self.text = text
        self.place = place
        self.group_count = 0
        self.group_names: dict[str, int] = {}

    def peek(self, width: int = 1) -> str:
        return self.text[self.place : self.place + width]

    def alternatives(self, flags: int, depth: int) -> Pattern:
        if depth > DEPTH_MAX:
            raise BadPattern(f"groups are nested more than {DEPTH_MAX} deep", self.place)
        items = [self.sequence(flags, depth)]
        while self.peek() == "|":
            self.place += 1
            items.append(self.sequence(flags, depth))
        return items[0] if len(items) == 1 else Alternation(tuple(items))

    def sequence(self, flags: int, depth: int) -> Pattern:
        items: list[Pattern] = []
        while self.place < len(self.text) and self.peek() not in "|)":
            items.append(self.repeated(self.atom(flags, depth)))
        return items[0] if len(items) == 1 else Concatenation(tuple(items))

    def repeated(self, item: Pattern) -> Pattern:
        begin = self.place
        bounds = self.bounds()
        if bounds is None:
            return item
        if isinstance(item, Assertion):
            raise BadPattern("a place between characters can't be repeated", begin)
        least, most = bounds
        if max(least, most or 0) > REPEATS_MAX:
            raise BadPattern(f"a repeat of more than {REPEATS_MAX:,} times", begin)
        greedy = True
        if self.peek() == "?":
            self.place += 1
            greedy = False
        elif self.peek() == "+":
            raise BadPattern("possessive repeats are not supported", self.place)
        elif self.bounds() is not None:
            raise BadPattern("multiple repeat", begin)
        return Repeat(item, least, most, greedy)

    def bounds(self) -> tuple[int, int | None] | None:
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.peek())
        if simple:
            self.place += 1
            return simple
        found = re.compile(r"\{(\d*)(,?)(\d*)\}").match(self.text, self.place)
        if not found or found[0] == "{}" or (not found[1] and not found[2]):
            return None
        if max(len(found[1]), len(found[3])) > 6:
            raise BadPattern(f"a repeat of more than {REPEATS_MAX:,} times", self.place)
        self.place = found.end()
        least = int(found[1] or 0)
        most = least if not found[2] else int(found[3]) if found[3] else None
        if most is not None and most < least:
            raise BadPattern("min repeat greater than max repeat", found.start())
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
            raise BadPattern("nothing to repeat", self.place)
        self.place += 1
        if letter in "^$":
            return Assertion(letter, flags)
        if letter == ".":
            return Character(letter, flags)
        return Character(re.escape(letter), flags)

    def take_class(self) -> str:
        """The text of a class, brackets included; what it means is for `re` to say."""
        begin = self.place
        self.place += 1
        if self.peek() == "^":
            self.place += 1
        if self.peek() == "]":
            self.place += 1
        while self.place < len(self.text) and self.peek() != "]":
            self.place += 2 if self.peek() == "\\" else 1
        if self.peek() != "]":
            raise BadPattern("unterminated character set", begin)
        self.place += 1
        return self.text[begin : self.place]

    def escape(self, flags: int) -> Pattern:
        begin = self.place
        letter = self.text[begin + 1 : begin + 2]
        if letter in ASSERTIONS and letter:
            self.place += 2
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
        found = re.compile(widths.get(letter, r"\\."), re.DOTALL).match(self.text, begin)
        if not found:
            raise BadPattern(f"incomplete escape \\{letter}", begin)
        self.place = found.end()
        return Character(found[0], flags)

    def group(self, flags: int, depth: int) -> Pattern:
        begin = self.place
        self.place += 1
        number = None
        named = re.compile(r"\?P<(\w+)>").match(self.text, self.place)
        scoped = re.compile(r"\?([a-zA-Z]*)(?:-([a-zA-Z]+))?:").match(self.text, self.place)
        if named or self.peek() != "?":
            self.group_count += 1
            number = self.group_count
            if named:
                self.place = named.end()
                if named[1] in self.group_names:
                    raise BadPattern(f"the group `{named[1]}` is there twice", begin)
                self.group_names[named[1]] = number
        elif scoped:
            self.place = scoped.end()
            for letter in (scoped[1] or "") + (scoped[2] or ""):
                if letter not in FLAGS or letter == "a":
                    raise BadPattern(f"the flag `{letter}` is not supported within a pattern", begin)
            for letter in scoped[1] or "":
                flags |= FLAGS[letter]
            for letter in scoped[2] or "":
                flags &= ~FLAGS[letter]
        else:
            raise BadPattern("looking ahead or behind, conditions, comments and atomic groups are not supported", begin)
        item = self.alternatives(flags, depth + 1)
        if self.peek() != ")":
            raise BadPattern("missing ), unterminated subpattern", begin)
        self.place += 1
        return item if number is None else CaptureGroup(number, item)
