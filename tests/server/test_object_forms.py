"""
Objects as they stand in an answer: one form for each kind.
"""

from __future__ import annotations

from typing import Any

import pytest

from aim.core.kinds import OBJECT_KINDS
from aim.engine.media import ObjectItem
from aim.server.object_forms import TEXT_CHARS_MAX, WIRE_FORMS, format_of, wire_object

ADDRESS = "run.00000000.0.0.0"
BLOB = {"blob": ADDRESS, "size": 9}


def form_of(subject: str, **fields: Any) -> dict[str, Any]:
    """Return the form of an object with these fields, without what all objects have."""
    whole = wire_object(ObjectItem(3, float("nan"), 1.5, 2, ADDRESS, fields), subject)
    assert (3, None, 1.5, 2) == tuple(whole.pop(name) for name in ("step", "epoch", "time", "index"))
    return whole


@pytest.mark.parametrize(
    ("subject", "fields", "expected"),
    [
        ("texts", {"text": "a"}, {"text": "a"}),
        ("texts", {}, {"text": ""}),
        ("texts", {"text": "a" * TEXT_CHARS_MAX}, {"text": "a" * TEXT_CHARS_MAX}),
        ("texts", {"text": "a" * TEXT_CHARS_MAX + "b"}, {"text": "a" * TEXT_CHARS_MAX, "cut": True, "blob": ADDRESS}),
        (
            "distributions",
            {"weights": [1, float("inf")], "range": [0, 2]},
            {"bin_count": 2, "range": [0, 2], "weights": [1, "Infinity"]},
        ),
        ("distributions", {}, {"bin_count": 0, "range": [0.0, 1.0], "weights": []}),
        ("figures", {"size": 9}, {**BLOB, "source": "plotly"}),
        ("figures", {"size": 9, "source": "bokeh"}, {**BLOB, "source": "bokeh"}),
        (
            "tables",
            {"size": 9, "caption": None, "columns": [1], "row_count": 4},
            {**BLOB, "caption": "", "columns": [1], "row_count": 4},
        ),
        (
            "images",
            {"size": 9, "format": "JPG", "width": 1, "caption": 5},
            {**BLOB, "caption": "5", "format": "jpeg", "width": 1, "height": None},
        ),
        (
            "audios",
            {"size": 9, "extension": "wav", "rate": 8, "duration_s": 0.5},
            {**BLOB, "caption": "", "format": "wav", "rate": 8, "duration_s": 0.5},
        ),
        (
            "videos",
            {"size": 9, "fps": 2, "frame_count": 3},
            {**BLOB, "caption": "", "format": "", "width": None, "height": None, "fps": 2, "frame_count": 3},
        ),
    ],
)
def test_an_object_has_the_form_beside_it(subject: str, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """
    A long text is cut and has an address; what was not stored has its default.
    """
    assert expected == form_of(subject, **fields)


def test_an_epoch_is_sent_when_there_is_one() -> None:
    """
    NaN is none.
    """
    assert 2.0 == wire_object(ObjectItem(3, 2.0, 1.5, 0, ADDRESS, {}), "texts")["epoch"]


def test_what_is_drawn_over_an_image_is_named() -> None:
    """
    The size is that of the image without its masks; boxes and labels that are empty are left out.
    """
    masks = [{"name": "a", "start": 5, "size_bytes": 2}, {"name": "b", "start": 7, "size_bytes": 2}]
    image = form_of("images", size=9, masks=masks, boxes=[{"x": 1}], labels=[])

    assert (["a", "b"], 5, [{"x": 1}]) == (image["masks"], image["size"], image["boxes"])
    assert "labels" not in image


@pytest.mark.parametrize(
    ("fields", "has_bytes"),
    [
        ({}, False),
        ({"data": 0, "size": 9}, True),
        ({"data": 0, "size": 0}, False),
        ({"size": 9}, False),
        ({"data": 0, "size": 4, "masks": [{"name": "a", "start": 0}]}, False),
        ({"data": 0, "size": 4, "masks": [{"name": "a", "start": 2}]}, True),
    ],
)
def test_a_referenced_image_has_an_address_when_its_bytes_are_here(fields: dict[str, Any], has_bytes: bool) -> None:
    """
    Its URI is sent in any case; of masks alone no image can be shown.
    """
    image = form_of("images", reference={"uri": "s3://bucket/a.png"}, **fields)

    assert "s3://bucket/a.png" == image["uri"]
    assert has_bytes is ("blob" in image)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({"format": "PNG"}, "png"), ({"extension": "jpg"}, "jpeg"), ({"format": "", "extension": "gif"}, "gif"), ({}, "")],
)
def test_a_format_is_in_lower_case(fields: dict[str, Any], expected: str) -> None:
    """
    The format comes before the extension.
    """
    assert expected == format_of(fields)


def test_each_kind_of_object_has_a_form() -> None:
    """
    Lines and records of logs have pages of their own.
    """
    assert {kind.stored for kind in OBJECT_KINDS if not kind.is_log} == set(WIRE_FORMS)
