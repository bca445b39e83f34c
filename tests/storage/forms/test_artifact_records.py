"""
Records of artifacts: to the event line and back.
"""

from __future__ import annotations

import pytest

from aim.storage.forms.artifact_records import ArtifactRecord


@pytest.mark.parametrize("uri", [None, "s3://bucket/a"])
def test_a_record_comes_back_from_its_line(uri: str | None) -> None:
    """
    All fields but the time, which is the line's own, stand in the event.
    """
    record = ArtifactRecord("model/a", uri, 5, "2c", 3.5)

    assert {"name": "model/a", "uri": uri, "size": 5, "sha256": "2c"} == record.event()
    assert record == ArtifactRecord.from_event(3.5, record.event())


def test_what_another_program_wrote_is_taken_as_the_types_that_it_should_have() -> None:
    """
    Texts stand for numbers and numbers for texts; without a `uri` the file is the run's own.
    """
    assert ArtifactRecord("7", None, 5, "9", 1.0) == ArtifactRecord.from_event(
        1.0, {"name": 7, "size": "5", "sha256": 9}
    )


@pytest.mark.parametrize("missing", ["name", "size", "sha256"])
def test_a_line_without_a_part_is_damage(missing: str) -> None:
    """
    A record without name, size or checksum is none.
    """
    event = ArtifactRecord("a", None, 5, "2c", 1.0).event()
    del event[missing]
    with pytest.raises(KeyError):
        ArtifactRecord.from_event(1.0, event)
