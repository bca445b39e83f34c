"""
Patterns in time that is known beforehand.

Python's `re` tries one way after the other, which for `(a+)+b` takes 2**n steps, and nothing can stop it. So:

    what the pattern may cost, for a text of n characters                    who matches
    at most n**(w + 1), w = its open repeats, none within another            `re`, if that is below RE_STEPS_MAX
    anything else                                                            the automaton below: n * size of pattern

Both find the same text (held by a test that compares them), so nobody sees which one worked. Only a group within a
repeat that can match nothing, as in `((a)*)*`, may differ in where its last empty turn was. The automaton follows all
ways at once, in order of preference (Pike's machine: Cox, "Regular Expression Matching: the Virtual Machine Approach",
2009). Cost: about 1 us a character and way; a usual text, such as a name, goes to `re` at 0.2 us in all.

Why not a library: docs/decisions/query-regex.md.
"""

from __future__ import annotations

import re
from functools import lru_cache

from aim.query.limits import TooMuch
from aim.query.pattern import (
    Alternation,
    Assertion,
    BadPattern,
    CaptureGroup,
    Character,
    Concatenation,
    Pattern,
    Repeat,
    parse,
)
from aim.query.quiet import quiet

PATTERN_CHARS_MAX = 1_000
PROGRAM_MAX = 3_000  # instructions
RE_STEPS_MAX = 1_000_000  # some 10 ms
TEXT_CHARS_ANY = 1 << 30  # a pattern without repeats, at one place, takes the same time in any text
AUTOMATON_STEPS_MAX = 500_000  # some 0.5 s
FLAGS = {
    "I": int(re.IGNORECASE),
    "IGNORECASE": int(re.IGNORECASE),
    "M": int(re.MULTILINE),
    "MULTILINE": int(re.MULTILINE),
    "S": int(re.DOTALL),
    "DOTALL": int(re.DOTALL),
    "A": int(re.ASCII),
    "ASCII": int(re.ASCII),
}
FLAGS_ALLOWED = sum({*FLAGS.values()})
Spans = tuple[int, ...]
"""Start and end of the whole match, then of each group; -1 where a group took no part."""


class Match:
    """What a pattern found; always true."""

    __slots__ = ("names", "spans", "text")

    def __init__(self, text: str, spans: Spans, names: dict[str, int]) -> None:
        self.text = text
        self.spans = spans
        self.names = names

    def __repr__(self) -> str:
        return f"<match of {self.group()!r} at {self.start()}>"

    def _number(self, group: int | str) -> int:
        number = self.names[group] if isinstance(group, str) else group
        if not isinstance(number, int) or not 0 <= number < len(self.spans) // 2:
            raise IndexError("no such group")
        return number

    def group(self, *groups: int | str) -> object:
        """Return the text of the whole match, of one group, or of several."""
        found = [self._text(self._number(group)) for group in groups or (0,)]
        return found[0] if len(found) == 1 else tuple(found)

    def _text(self, number: int) -> str | None:
        start, end = self.spans[2 * number : 2 * number + 2]
        return None if start < 0 else self.text[start:end]

    def groups(self, default: object = None) -> tuple[object, ...]:
        """Return the texts of all groups."""
        texts = (self._text(number) for number in range(1, len(self.spans) // 2))
        return tuple(default if text is None else text for text in texts)

    def groupdict(self, default: object = None) -> dict[str, object]:
        """Return the texts of the groups with names."""
        texts = {name: self._text(number) for name, number in self.names.items()}
        return {name: default if text is None else text for name, text in texts.items()}

    def start(self, group: int | str = 0) -> int:
        """Return where a group begins, or -1."""
        return self.spans[2 * self._number(group)]

    def end(self, group: int | str = 0) -> int:
        """Return where a group ends, or -1."""
        return self.spans[2 * self._number(group) + 1]

    def span(self, group: int | str = 0) -> tuple[int, int]:
        """Return where a group begins and ends."""
        return self.start(group), self.end(group)


def search(pattern: str, text: str, flags: int = 0) -> Match | None:
    """
    Find *pattern* anywhere in *text*.

    >>> search("(a+)+b", "a" * 5000) is None
    True
    """
    return compiled(pattern, flags).find(text, "search")


def match(pattern: str, text: str, flags: int = 0) -> Match | None:
    """Find *pattern* at the beginning of *text*."""
    return compiled(pattern, flags).find(text, "match")


def fullmatch(pattern: str, text: str, flags: int = 0) -> Match | None:
    """Find *pattern* as the whole of *text*."""
    return compiled(pattern, flags).find(text, "fullmatch")


def escape(text: str) -> str:
    """Return a pattern that means *text*."""
    return re.escape(text)


@lru_cache(maxsize=256)
def compiled(pattern: str, flags: int = 0) -> Program:
    """
    Prepare a pattern.

    Raises:
        BadPattern: it is not one, is too large, or needs what an automaton can't do.
    """
    if not isinstance(pattern, str):
        raise TypeError("a pattern is a text")
    if len(pattern) > PATTERN_CHARS_MAX:
        raise BadPattern(f"a pattern of more than {PATTERN_CHARS_MAX:,} characters", 0)
    if flags & ~FLAGS_ALLOWED:
        raise BadPattern("flags other than re.A, re.I, re.M and re.S", 0)
    return Program(pattern, int(flags))


# Instructions of the automaton. A state is the place of the next one.
CHAR, SPLIT, JUMP, SAVE, ASSERT, DONE = range(6)
Instruction = tuple[int, object, int]


class Program:
    """A pattern, ready to be found in texts."""

    def __init__(self, pattern: str, flags: int) -> None:
        parsed = parse(pattern, flags)
        self.names = parsed.group_names
        self.slot_count = 2 * (parsed.group_count + 1)
        with quiet():
            self.fast = re.compile(pattern, flags)
        self.open_repeats = _open_repeats(parsed.tree)
        self.code: list[Instruction] = []
        self._emit_whole(parsed.tree)
        self.known: dict[tuple[str, int, str], bool] = {}

    def fast_chars(self, how: str) -> int:
        """Return the length of text up to which `re` is sure to be done in time; -1 for none."""
        if self.open_repeats is None:
            return -1
        power = self.open_repeats + (how == "search")
        return int((RE_STEPS_MAX / len(self.code)) ** (1 / power)) - 1 if power else TEXT_CHARS_ANY

    def find(self, text: str, how: str) -> Match | None:
        """Find it: *how* is search, match or fullmatch."""
        if not isinstance(text, str):
            raise TypeError("a pattern is looked for in a text")
        if len(text) <= self.fast_chars(how):
            found = getattr(self.fast, how)(text)
            if found is None:
                return None
            spans = tuple(edge for number in range(self.slot_count // 2) for edge in found.span(number))
            return Match(text, spans, self.names)
        spans_found = self.run(text, how)
        return None if spans_found is None else Match(text, spans_found, self.names)

    # Making the program

    def _emit_whole(self, tree: Pattern) -> None:
        self._add(SAVE, 0)
        self._emit(tree)
        self._add(SAVE, 1)
        self._add(DONE, None)

    def _add(self, kind: int, value: object, other: int = -1) -> int:
        if len(self.code) >= PROGRAM_MAX:
            raise BadPattern("the pattern repeats too much", 0)
        self.code.append((kind, value, other))
        return len(self.code) - 1

    def _emit(self, tree: Pattern) -> None:
        if isinstance(tree, Character):
            self._add(CHAR, (tree.source, tree.flags))
        elif isinstance(tree, Assertion):
            self._add(ASSERT, (tree.kind, tree.flags))
        elif isinstance(tree, CaptureGroup):
            self._add(SAVE, 2 * tree.number)
            self._emit(tree.item)
            self._add(SAVE, 2 * tree.number + 1)
        elif isinstance(tree, Concatenation):
            for item in tree.items:
                self._emit(item)
        elif isinstance(tree, Alternation):
            self._emit_either(tree)
        else:
            self._emit_repeat(tree)

    def _emit_either(self, tree: Alternation) -> None:
        ends = []
        for item in tree.items[:-1]:
            split = self._add(SPLIT, None)
            self._emit(item)
            ends.append(self._add(JUMP, None))
            self.code[split] = (SPLIT, split + 1, len(self.code))
        self._emit(tree.items[-1])
        for end in ends:
            self.code[end] = (JUMP, None, len(self.code))

    def _emit_repeat(self, tree: Repeat) -> None:
        open_end = tree.most is None
        for _ in range(tree.least - open_end):
            self._emit(tree.item)
        inside = []  # of each split, where the next turn begins
        if tree.most is None:
            # x* is (x+)?: the choice comes after a turn, so a turn that matches nothing leads out, as in `re`
            if not tree.least:
                split = self._add(SPLIT, None)
                inside.append((split, split + 1))
            turn = len(self.code)
            self._emit(tree.item)
            inside.append((self._add(SPLIT, None), turn))
        else:
            for _ in range(tree.most - tree.least):
                split = self._add(SPLIT, None)
                inside.append((split, split + 1))
                self._emit(tree.item)
        after = len(self.code)
        for split, turn in inside:
            self.code[split] = (SPLIT, turn, after) if tree.greedy else (SPLIT, after, turn)

    # Running it

    def run(self, text: str, how: str) -> Spans | None:
        """Follow all ways through *text* at once. Raises `TooMuch` after AUTOMATON_STEPS_MAX steps."""
        code, steps = self.code, 0
        ways: list[tuple[int, Spans]] = []
        best: Spans | None = None
        nothing = (-1,) * self.slot_count
        for place in range(len(text) + 1):
            if best is None and (place == 0 or how == "search"):
                ways.append((0, nothing))
            if not ways:
                break
            letter = text[place] if place < len(text) else None
            following: list[tuple[int, Spans]] = []
            seen: set[int] = set()
            for state, slots in ways:
                reached, cost = self._reach(state, slots, text, place, seen)
                steps += cost
                for end, end_slots in reached:
                    kind, value, _ = code[end]
                    if kind == DONE:
                        if how != "fullmatch" or place == len(text):
                            best = end_slots
                            break
                    elif letter is not None and self._is(letter, value):  # type: ignore[arg-type]
                        following.append((end + 1, end_slots))
                else:
                    continue
                break  # ways of lower preference are cut off
            if steps > AUTOMATON_STEPS_MAX:
                raise TooMuch("this pattern takes too long on a long text")
            ways = following
        return best

    def _reach(
        self, state: int, slots: Spans, text: str, place: int, seen: set[int]
    ) -> tuple[list[tuple[int, Spans]], int]:
        """Return the states that wait for a character, in order of preference, and the steps it took to find them."""
        code = self.code
        reached: list[tuple[int, Spans]] = []
        waiting = [(state, slots)]
        steps = 0
        while waiting:
            state, slots = waiting.pop()
            steps += 1
            if state in seen:
                continue
            seen.add(state)
            kind, value, other = code[state]
            if kind in (CHAR, DONE):
                reached.append((state, slots))
            elif kind == JUMP:
                waiting.append((other, slots))
            elif kind == SPLIT:
                waiting.append((other, slots))
                waiting.append((value, slots))  # type: ignore[arg-type]
            elif kind == SAVE:
                number: int = value  # type: ignore[assignment]
                waiting.append((state + 1, (*slots[:number], place, *slots[number + 1 :])))
            elif self._holds(value, text, place):  # type: ignore[arg-type]
                waiting.append((state + 1, slots))
        return reached, steps

    def _is(self, letter: str, wanted: tuple[str, int]) -> bool:
        """Ask `re` whether one character is the one wanted; answers are kept."""
        key = (letter, wanted[1], wanted[0])
        known = self.known.get(key)
        if known is None:
            with quiet():
                known = self.known[key] = re.compile(wanted[0], wanted[1]).fullmatch(letter) is not None
            if len(self.known) > 50_000:
                self.known.clear()
        return known

    @staticmethod
    def _holds(wanted: tuple[str, int], text: str, place: int) -> bool:
        kind, flags = wanted
        at_end = place == len(text)
        if kind == "A" or (kind == "^" and not flags & re.MULTILINE):
            return place == 0
        if kind == "Z":
            return at_end
        if kind == "^":
            return place == 0 or text[place - 1] == "\n"
        if kind == "$":
            if at_end or (place == len(text) - 1 and text[place] == "\n"):
                return True
            return bool(flags & re.MULTILINE) and text[place] == "\n"
        word = re.compile(r"\w", flags & re.ASCII)
        before = place > 0 and word.match(text[place - 1]) is not None
        after = not at_end and word.match(text[place]) is not None
        if kind == "B" and not text and not _EMPTY_IS_B:
            return False
        return (before != after) == (kind == "b")


_EMPTY_IS_B = re.search(r"\B", "") is not None
"""Whether `\\B` is in an empty text: not before Python 3.14."""


def _open_repeats(tree: Pattern) -> int | None:
    """
    Count the repeats whose number of turns the text decides, if `re` surely handles each in one way at a time.

    None: a repeat within a repeat, or a choice within one, where the ways multiply with every turn.
    """
    if isinstance(tree, (Character, Assertion)):
        return 0
    if isinstance(tree, CaptureGroup):
        return _open_repeats(tree.item)
    if isinstance(tree, Repeat):
        if tree.most == 1 or tree.least == tree.most == 0:
            inner = _open_repeats(tree.item)
            return None if inner is None else inner + 1
        item = tree.item.item if isinstance(tree.item, CaptureGroup) else tree.item
        return 1 if isinstance(item, Character) else None
    counts = [_open_repeats(item) for item in tree.items]
    if None in counts:
        return None
    total = sum(count for count in counts if count is not None)
    return total if isinstance(tree, Concatenation) else total + 1
