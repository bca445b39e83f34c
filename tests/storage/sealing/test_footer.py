"""
The table of sequences in a footer: one sequence, all of them, and files that were sealed by an earlier version.
"""

from __future__ import annotations

from typing import Any

import pytest

from aim.storage.sealing.footer import SUMMARY_KEYS, JournalOrigin, SalvagedTable, SequenceRows, SequenceTable

SEQUENCES: dict[str, list[Any]] = {
    "number": [1, 4],
    "name": ["loss", "pictures"],
    "context": [{"subset": "val"}, {}],
    "kind": ["float", "list(aim.image)"],
    "row": [0, 3],
    "rows": [3, 2],
    "group": [0, 0],
    "first_step": [0, 5],
    "stride": [1, None],
}
SUMMARIES: dict[str, list[Any]] = {key: [1, None] for key in SUMMARY_KEYS}


@pytest.fixture(name="table")
def _table() -> SequenceTable:
    """Return the table of a metric and a sequence of images."""
    return SequenceTable({**SEQUENCES, **SUMMARIES})


@pytest.mark.parametrize(
    ("number", "rows"), [(1, SequenceRows(0, 3, 0, 0, 1)), (4, SequenceRows(3, 2, 0, 5, None)), (2, None), (9, None)]
)
def test_the_rows_of_a_number_are_looked_up(table: SequenceTable, number: int, rows: SequenceRows | None) -> None:
    """
    A number that is not in the table has no rows.
    """
    assert rows == table.rows(number)


def test_a_sequence_has_its_context_and_its_rows(table: SequenceTable) -> None:
    """
    What `find` returns is what `sequences` lists.
    """
    sequence = table.find(4)
    assert sequence is not None

    assert table.sequences[1] == sequence
    assert ({}, table.rows(4), None) == (sequence.context, sequence.rows, sequence.summary)


def test_sequences_are_found_by_name_and_context(table: SequenceTable) -> None:
    """
    Both have to match.
    """
    matches = [table.numbers_and_kinds("loss", text) for text in ('{"subset":"val"}', "{}")]

    assert [[(1, "float")], []] == matches


def test_a_file_of_an_earlier_version_lacks_what_was_added_since() -> None:
    """
    A value of summaries that is not in the file is NaN, and its field is named.
    """
    table = SequenceTable({**SEQUENCES, **{key: column for key, column in SUMMARIES.items() if key != "std"}})
    summary = table.summaries()[1]
    assert summary is not None

    assert (["std"], True) == (table.missing_fields(), summary.std != summary.std)


def test_a_salvaged_table_answers_from_its_sequences(table: SequenceTable) -> None:
    """
    Without a footer the same questions are answered from what the columns said.
    """
    salvaged = SalvagedTable(table.sequences, {0: 0})

    assert (table.rows(4), table.kinds(), []) == (
        salvaged.rows(4),
        salvaged.kinds(),
        salvaged.numbers_and_kinds("loss", "{}"),
    )
    assert table.summaries() == salvaged.summaries()
    assert salvaged.find(2) is None


def test_an_origin_is_read_back_from_its_footer() -> None:
    """
    The JSON form holds all fields.
    """
    origin = JournalOrigin("run", "0badcafe", 2, 70_000, 512)

    assert origin == JournalOrigin.from_json(origin.to_json())


class Counted(list[Any]):
    """A column that counts how often one of its entries is read."""

    reads = 0

    def __getitem__(self, index: Any) -> Any:
        self.reads += 1
        return super().__getitem__(index)


def test_the_contexts_of_a_metric_are_read_once_for_all_its_sequences() -> None:
    """
    Looking up a thousand contexts one by one reads each of them once, and none of another name.
    """
    contexts = Counted([{"layer": layer} for layer in range(1000)] * 2)
    names = ["grad"] * 1000 + ["weight"] * 1000
    table = SequenceTable({"number": range(2000), "name": names, "context": contexts, "kind": ["float"] * 2000})

    matches = [table.numbers_and_kinds("grad", f'{{"layer":{layer}}}') for layer in range(1000)]

    assert [[(layer, "float")] for layer in range(1000)] == matches
    assert 1000 == contexts.reads
