"""
What a run has lost, in words.
"""

from __future__ import annotations

from aim.storage.forms.gaps import Gap, sentence


def test_a_gap_is_the_same_after_it_was_written() -> None:
    """
    The value in the event line says all of a gap.
    """
    gap = Gap(4620, 3, 1.5, 2.5, "No space left on device")

    assert gap == Gap.from_event(gap.to_event())


def test_a_sentence_says_what_is_lost_and_each_reason_once() -> None:
    """
    Counts of all gaps are added up; without a loss there is no sentence.
    """
    points, line = Gap(1, 0, 1.0, 1.0, "No space left on device"), Gap(0, 1, 2.0, 2.0, "Too many open files")

    assert "" == sentence([])
    assert "1 point is lost: No space left on device." == sentence([points])
    assert "1 point and 1 event line are lost: No space left on device, Too many open files." == sentence(
        [points, line]
    )
