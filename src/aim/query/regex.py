"""
Patterns that are matched in bounded time.

Python's `re` tries one way after the other. That takes 2**n steps for `(a+)+b`, and nothing can stop it. So:

    the cost of a pattern on a text of n characters                          matched by
    at most n**(w + 1), w = its open repeats, none within another            `re`, if that is below RE_STEPS_MAX
    any other                                                                the automaton below: n * size of pattern

Both find the same match; a test compares them. Only a group in a repeat that can match nothing, as in `((a)*)*`, may
differ in the position of its last empty turn. The automaton follows all ways at once, in order of preference (Pike's
machine: Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009). Cost: about 1 us a character and way;
a usual text, such as a name, goes to `re` at 0.2 us in all.

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
TEXT_CHARS_ANY = 1 << 30  # a pattern without repeats, tried at one offset, takes the same time on any text
AUTOMATON_STEPS_MAX = 500_000  # some 0.5 s
CACHED_CHARACTERS_MAX = 50_000
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
    """A match of a pattern in a text; always true."""

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
        texts = [self._text(self._number(group)) for group in groups or (0,)]
        return texts[0] if len(texts) == 1 else tuple(texts)

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
        """Return the offset at which a group begins, or -1."""
        return self.spans[2 * self._number(group)]

    def end(self, group: int | str = 0) -> int:
        """Return the offset at which a group ends, or -1."""
        return self.spans[2 * self._number(group) + 1]

    def span(self, group: int | str = 0) -> tuple[int, int]:
        """Return the offsets at which a group begins and ends."""
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
    """Return the pattern that matches exactly *text*."""
    return re.escape(text)


@lru_cache(maxsize=256)
def compiled(pattern: str, flags: int = 0) -> Program:
    """
    Compile a pattern.

    Raises:
        BadPattern: *pattern* is not a pattern, is too large, or can't be matched by an automaton.
    """
    if not isinstance(pattern, str):
        raise TypeError("a pattern is a text")
    if len(pattern) > PATTERN_CHARS_MAX:
        raise BadPattern(f"a pattern of more than {PATTERN_CHARS_MAX:,} characters", 0)
    if flags & ~FLAGS_ALLOWED:
        raise BadPattern("flags other than re.A, re.I, re.M and re.S", 0)
    return Program(pattern, int(flags))


# Instructions of the automaton. A state is the index of the next instruction.
CHAR, SPLIT, JUMP, SAVE, ASSERT, DONE = range(6)
Instruction = tuple[int, object, int]


class Program:
    """
    A compiled pattern.

    Arguments named *function* are one of `search`, `match` and `fullmatch`.
    """

    def __init__(self, pattern: str, flags: int) -> None:
        parsed = parse(pattern, flags)
        self.names = parsed.group_names
        self.slot_count = 2 * (parsed.group_count + 1)
        with quiet():
            self.fast = re.compile(pattern, flags)
        self.open_repeats = _open_repeats(parsed.tree)
        self.code: list[Instruction] = []
        self._emit_whole(parsed.tree)
        self._character_matches: dict[tuple[str, int, str], bool] = {}

    def fast_chars(self, function: str) -> int:
        """Return the length of text up to which `re` is certain to stay below RE_STEPS_MAX; -1 for no length."""
        if self.open_repeats is None:
            return -1
        power = self.open_repeats + (function == "search")
        return int((RE_STEPS_MAX / len(self.code)) ** (1 / power)) - 1 if power else TEXT_CHARS_ANY

    def find(self, text: str, function: str) -> Match | None:
        """Return the match of the pattern in *text*, by `re` or by the automaton."""
        if not isinstance(text, str):
            raise TypeError("a pattern is looked for in a text")
        spans: Spans | None
        if len(text) <= self.fast_chars(function):
            match = getattr(self.fast, function)(text)
            if match is None:
                return None
            spans = tuple(edge for number in range(self.slot_count // 2) for edge in match.span(number))
        else:
            spans = self.run(text, function)
        return None if spans is None else Match(text, spans, self.names)

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
            self._emit(tree.content)
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
            self._emit(tree.content)
        turns = []  # each split, and the instruction at which its next turn begins
        if tree.most is None:
            # x* is (x+)?: the choice comes after a turn, so a turn that matches nothing ends the repeat, as in `re`
            if not tree.least:
                split = self._add(SPLIT, None)
                turns.append((split, split + 1))
            turn = len(self.code)
            self._emit(tree.content)
            turns.append((self._add(SPLIT, None), turn))
        else:
            for _ in range(tree.most - tree.least):
                split = self._add(SPLIT, None)
                turns.append((split, split + 1))
                self._emit(tree.content)
        after = len(self.code)
        for split, turn in turns:
            self.code[split] = (SPLIT, turn, after) if tree.greedy else (SPLIT, after, turn)

    # Running it

    def run(self, text: str, function: str) -> Spans | None:
        """Follow all ways through *text* at once. Raises `TooMuch` after AUTOMATON_STEPS_MAX steps."""
        steps = 0
        ways: list[tuple[int, Spans]] = []
        best: Spans | None = None
        no_spans = (-1,) * self.slot_count
        for offset in range(len(text) + 1):
            if best is None and (offset == 0 or function == "search"):
                ways.append((0, no_spans))
            if not ways:
                break
            visited: set[int] = set()
            next_ways: list[tuple[int, Spans]] = []
            for state, slots in ways:
                waiting, cost = self._reach(state, slots, text, offset, visited)
                steps += cost
                match = self._step(waiting, text, offset, function, next_ways)
                if match is not None:
                    best = match
                    break  # ways of lower preference are cut off
            if steps > AUTOMATON_STEPS_MAX:
                raise TooMuch("this pattern takes too long on a long text")
            ways = next_ways
        return best

    def _step(
        self,
        waiting: list[tuple[int, Spans]],
        text: str,
        offset: int,
        function: str,
        next_ways: list[tuple[int, Spans]],
    ) -> Spans | None:
        """Add the ways that the character at *offset* opens to *next_ways*, up to a match; return the match."""
        letter = text[offset] if offset < len(text) else None
        for state, slots in waiting:
            kind, character, _ = self.code[state]
            if kind == DONE:
                if function != "fullmatch" or offset == len(text):
                    return slots
            elif letter is not None and self._is(letter, character):  # type: ignore[arg-type]
                next_ways.append((state + 1, slots))
        return None

    def _reach(
        self, state: int, slots: Spans, text: str, offset: int, visited: set[int]
    ) -> tuple[list[tuple[int, Spans]], int]:
        """Return the states that wait for a character, in order of preference, and the steps it took to find them."""
        code = self.code
        reached: list[tuple[int, Spans]] = []
        waiting = [(state, slots)]
        steps = 0
        while waiting:
            state, slots = waiting.pop()
            steps += 1
            if state in visited:
                continue
            visited.add(state)
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
                waiting.append((state + 1, (*slots[:number], offset, *slots[number + 1 :])))
            elif _holds(value, text, offset):  # type: ignore[arg-type]
                waiting.append((state + 1, slots))
        return reached, steps

    def _is(self, letter: str, character: tuple[str, int]) -> bool:
        """Return whether `re` matches a letter with one character of the pattern; answers are cached."""
        source, flags = character
        key = (letter, flags, source)
        is_match = self._character_matches.get(key)
        if is_match is None:
            with quiet():
                is_match = re.compile(source, flags).fullmatch(letter) is not None
            if len(self._character_matches) >= CACHED_CHARACTERS_MAX:
                self._character_matches.clear()
            self._character_matches[key] = is_match
        return is_match


def _holds(assertion: tuple[str, int], text: str, offset: int) -> bool:
    """Return whether a condition between characters is met before the character at *offset*."""
    kind, flags = assertion
    is_multiline = bool(flags & re.MULTILINE)
    if kind == "A":
        return offset == 0
    if kind == "Z":
        return offset == len(text)
    if kind == "^":
        return offset == 0 or (is_multiline and text[offset - 1] == "\n")
    if kind == "$":
        is_last = offset >= len(text) - 1
        return offset == len(text) or (text[offset] == "\n" and (is_multiline or is_last))
    return _is_at_word_edge(text, offset, flags) == (kind == "b") and (bool(text) or _EMPTY_IS_B)


def _is_at_word_edge(text: str, offset: int, flags: int) -> bool:
    word = re.compile(r"\w", flags & re.ASCII)
    before = offset > 0 and word.match(text[offset - 1]) is not None
    after = offset < len(text) and word.match(text[offset]) is not None
    return before != after


_EMPTY_IS_B = re.search(r"\B", "") is not None
"""Whether `\\B` matches in an empty text, as it does since Python 3.14."""


def _open_repeats(tree: Pattern) -> int | None:
    """
    Return the number of repeats whose turns depend on the text, if `re` follows only one way at a time in each of them.

    Returns None for a repeat within a repeat, and for a choice within a repeat: the ways multiply with every turn.
    """
    if isinstance(tree, (Character, Assertion)):
        return 0
    if isinstance(tree, CaptureGroup):
        return _open_repeats(tree.content)
    if isinstance(tree, Repeat):
        return _open_repeats_of_repeat(tree)
    total = 0
    for item in tree.items:
        count = _open_repeats(item)
        if count is None:
            return None
        total += count
    return total if isinstance(tree, Concatenation) else total + 1


def _open_repeats_of_repeat(tree: Repeat) -> int | None:
    if tree.most == 1 or tree.least == tree.most == 0:
        inner = _open_repeats(tree.content)
        return None if inner is None else inner + 1
    content = tree.content.content if isinstance(tree.content, CaptureGroup) else tree.content
    return 1 if isinstance(content, Character) else None
