"""
The sequences of a sealed file whose end is damaged or cut off, from its pages.

    index good, footer not    the index says where the pages are
    footer good, index not    the pages are walked from the file's start; the footer says which sequences there are
    neither                   the pages are walked; name, context and number of each sequence come from the columns

So nothing before the damage is hidden. The kind of a sequence is not in the columns; the run's state has it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aim.storage.sealing import pages
from aim.storage.sealing.declarations import unknown_name
from aim.storage.sealing.pages import BadPage, Ints, Page

UNKNOWN = -1


class SalvagedSequence(NamedTuple):
    """A sequence as the columns describe it."""

    number: int
    name: str
    context: dict[str, object]
    group: int
    row: int  # in its group
    rows: int


def sequences(content: bytes, page_list: Sequence[Page]) -> list[SalvagedSequence]:
    """
    Return the sequences of *page_list*, the pages of the file *content*.

    Rows whose page of sequence numbers is damaged count to a sequence that has rows before and after them, or to none.
    """
    salvaged: list[SalvagedSequence] = []
    for group in sorted({page.group for page in page_list}):
        of_group = [page for page in page_list if page.group == group]
        codes = _codes(content, of_group, pages.SEQUENCE)
        table = _dictionary(content, of_group, pages.SEQUENCE)
        if table is None:
            continue
        numbers = np.append(pages.numbers(*table), UNKNOWN)
        row_numbers = numbers[np.where(codes < table[1], codes, UNKNOWN)]
        names, contexts = (_texts(content, of_group, column) for column in (pages.NAME, pages.CONTEXT))
        name_codes, context_codes = (_codes(content, of_group, column) for column in (pages.NAME, pages.CONTEXT))
        for number in sorted(set(row_numbers.tolist()) - {UNKNOWN}):
            rows = np.flatnonzero(row_numbers == number)
            name = _text(names, name_codes, rows)
            context = _context(_text(contexts, context_codes, rows))
            first, last = int(rows[0]), int(rows[-1])
            salvaged.append(
                SalvagedSequence(
                    number, unknown_name(number) if name is None else name, context, group, first, last + 1 - first
                )
            )
    return _continued(salvaged)


def _continued(salvaged: Sequence[SalvagedSequence]) -> list[SalvagedSequence]:
    # a long sequence has several row groups of its own, one after the other
    whole: dict[int, SalvagedSequence] = {}
    for part in salvaged:
        begun = whole.get(part.number)
        whole[part.number] = part if begun is None else begun._replace(rows=begun.rows + part.rows)
    return list(whole.values())


def _codes(content: bytes, of_group: Sequence[Page], column: int) -> Ints:
    parts = []
    for page in of_group:
        if page.column == column and page.kind == pages.DATA:
            try:
                plain = pages.unpack(content[page.offset : page.end], page)
                parts.append(pages.dictionary_codes(plain, page.rows))
            except BadPage:
                parts.append(np.full(page.rows, UNKNOWN, np.int64))
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _dictionary(content: bytes, of_group: Sequence[Page], column: int) -> tuple[pages.Bytes, int] | None:
    for page in of_group:
        if page.column == column and page.kind == pages.DICTIONARY:
            try:
                return pages.unpack(content[page.offset : page.end], page), page.rows
            except BadPage:
                return None
    return None


def _texts(content: bytes, of_group: Sequence[Page], column: int) -> list[str]:
    table = _dictionary(content, of_group, column)
    if table is None:
        return []
    try:
        return pages.strings(*table)
    except BadPage:
        return []


def _text(texts: list[str], codes: Ints, rows: Ints) -> str | None:
    valid_codes = (int(codes[row]) for row in rows if row < len(codes) and 0 <= codes[row] < len(texts))
    first_code = next(valid_codes, None)
    return None if first_code is None else texts[first_code]


def _context(text: str | None) -> dict[str, object]:
    try:
        context = json.loads(text or "{}")
    except ValueError:
        return {}
    return context if isinstance(context, dict) else {}
