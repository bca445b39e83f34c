"""
A damaged object hides only itself: among several, a `DamagedObject` stands for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim import Repo, Run, Text
from aim.core.errors import DamagedFile
from aim.sdk.objects.damaged import DamagedObject
from aim.sdk.sequence import Sequence


@pytest.fixture(name="texts")
def _texts(tmp_path: Path) -> Sequence:
    """
    A sequence of four texts, of which the third is damaged.
    """
    with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
        for step in range(4):
            run.track(Text(f"text {step}"), name="words", step=step)
            run.flush()
    (path,) = (tmp_path / ".aim" / "runs" / run.hash).glob("*.blobs-0000.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"text 2")] ^= 1
    path.write_bytes(content)
    (texts,) = Repo(str(tmp_path)).query_texts("")
    return texts


def shown(objects: object) -> list[str]:
    """Return the texts, and `damaged` for a damaged one."""
    assert isinstance(objects, list)
    return ["damaged" if isinstance(item, DamagedObject) else item.data for item in objects]


def test_a_damaged_object_hides_only_itself(texts: Sequence) -> None:
    """
    Lists, slices, arrays, iteration, rows and columns give the three whole texts and an error object.
    """
    expected = ["text 0", "text 1", "damaged", "text 3"]
    values, data = texts.values, texts.data

    assert expected == shown(values.tolist())
    assert expected == shown(list(values))
    assert expected == shown([value for _, value in values.items()])
    assert expected == shown(values.sparse_list()[1])
    assert expected == shown(values.values_numpy().tolist())
    assert expected[1:3] == shown(values[1:3])
    assert expected == shown([row[0] for _, row in data.items()])
    assert expected == shown(data.values_list()[0])
    assert expected == shown(data.numpy()[1][0].tolist())
    assert expected[::3] == shown(data.sample(2).view("val").values_list()[0])


def test_it_says_so_when_it_is_used(texts: Sequence) -> None:
    """
    Its attributes raise `DamagedFile`, its text says what is damaged, and alone it is an error at once.
    """
    damaged = texts.values.tolist()[2]

    assert repr(damaged).endswith("the data of an entry does not match its CRC>")
    assert not hasattr(damaged, "data")
    with pytest.raises(DamagedFile, match="does not match its CRC"):
        damaged.json()
    with pytest.raises(DamagedFile, match="does not match its CRC"):
        texts.values[2]
    assert "text 3" == texts.values.last_value().data


def test_notebooks_show_the_other_objects(texts: Sequence) -> None:
    """
    The whole texts and a notice are drawn.
    """
    drawn = texts._repr_html_()

    assert "text 3" in drawn
    assert "does not match its CRC" in drawn
    assert "does not match its CRC" in texts.values.tolist()[2]._repr_html_()


def test_the_other_runs_are_described(texts: Sequence) -> None:
    """
    What is collected of all sequences is there, with the error object where the first or last object is damaged.
    """
    described = texts.run.collect_sequence_info(("texts",))

    assert "words" == described["texts"][0]["name"]
