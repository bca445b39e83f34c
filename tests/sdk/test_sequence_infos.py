"""
What `Run.collect_sequence_info` returns: which types are meant, and what is in each sequence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import DamagedFile
from aim.core.values import Stored
from aim.engine.repository import Repository
from aim.sdk.sequence_infos import collect, kinds_of
from aim.sdk.sequence_types import InvalidSequenceType

NAN = float("nan")


class Word:
    """A text to track."""

    def __init__(self, text: str) -> None:
        self.text = text

    def stored(self) -> Stored:
        """Return the object's stored form."""
        return Stored("aim.text", {"text": self.text})


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ("int", {"int"}),
        (("int", "float"), {"int", "float"}),
        ("images", {"aim.image", "list(aim.image)"}),
        ("list(float)", {"list(float)"}),
        ("acme.mesh", {"acme.mesh"}),
        ("list(acme.mesh)", {"list(acme.mesh)"}),
        ("*", None),
        (("int", "*"), None),
        ((), set()),
    ],
)
def test_types_mean_the_kinds_beside_them(types: Any, expected: set[str] | None) -> None:
    """
    The name of a type of sequences means its objects alone and in lists; a class of somebody else is taken as it is.
    """
    assert expected == kinds_of(types)


@pytest.mark.parametrize("types", ["nothing", ("int", "nothing"), "aim.nothing", "list(aim.nothing)", ""])
def test_a_type_that_does_not_exist_is_refused(types: Any) -> None:
    """
    The message lists the types that there are.
    """
    with pytest.raises(InvalidSequenceType, match=r"is no type of values\. Types are: \*, .*aim\.image"):
        kinds_of(types)


def test_each_sequence_is_described(tmp_path: Path) -> None:
    """
    A metric has its ends and bounds without NaN, objects have the first and last, lists the longest.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    for step, value in enumerate((3.0, NAN, 1.0)):
        writer.sequence("loss", {"s": 1}).track(value, step=step * 2)
    writer.sequence("nan").track(NAN, step=4)
    writer.sequence("seen").track(7, step=0)
    writer.sequence("word").track(Word("a"), step=1)
    writer.sequence("words").track([Word("a")], step=1)
    writer.sequence("words").track([Word("b"), Word("c")], step=3)
    writer.close()
    run = repository.run("example")
    infos = list(run.state().sequences.values())

    def read(points: Any, index: int) -> str:
        if run.record(points, index)["items"][0]["text"] == "b":
            raise DamagedFile("blobs", "byte 0", "its CRC does not match")
        return "-".join(item["text"] for item in run.record(points, index)["items"])

    collected = collect(infos, ("metric", "texts"), run, read)
    values = {info["name"]: info["values"] for kind in collected.values() for info in kind}

    ends = {"first_step": 0, "last_step": 4, "first": 3.0, "last": 1.0}
    assert {"dtype": "float", "version": 2, "min": 1.0, "max": 3.0, **ends} == values["loss"]
    assert {"dtype", "version", "first_step", "last_step", "first", "last"} == set(values["nan"])
    assert ("int", 7, 7) == (values["seen"]["dtype"], values["seen"]["min"], values["seen"]["last"])
    assert {"dtype": "aim.text", "version": 1, "first_step": 1, "last_step": 1, "first": "a", "last": "a"} == values[
        "word"
    ]
    assert ("list(aim.text)", 2, "a") == tuple(
        values["words"][name] for name in ("dtype", "record_max_length", "first")
    )
    assert "DamagedObject" == type(values["words"]["last"]).__name__
    assert [({"s": 1}, "loss", 1.0)] == [triplet for triplet in collected.triplets() if triplet[1] == "loss"]


def test_without_a_run_only_names_and_contexts_are_told(tmp_path: Path) -> None:
    """
    Nothing is read, and types that were not asked for are left out.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    writer.sequence("loss", {"s": 1}).track(1.0)
    writer.sequence("word").track(Word("a"))
    writer.close()
    infos = list(repository.run("example").state().sequences.values())
    collected = collect(infos, "metric", None, lambda points, index: None)

    assert {"metric": [{"context": {"s": 1}, "name": "loss"}]} == collected
    assert [({"s": 1}, "loss", None)] == collected.triplets()
