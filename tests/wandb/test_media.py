"""
Objects with W&B's arguments, as they are logged and read back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import PIL.Image
import plotly.graph_objects as go
import pytest

import aim.wandb as wandb
from aim import Audio, Distribution, Figure, Image, Object3D, Repo, Run, Table, Text, Video
from aim.wandb.history import trackable


def logged(value: Any) -> Any:
    """Log *value* in a run of its own, and return what a reader gets."""
    with wandb.init(reinit=True) as run:
        run.log({"object": value})
    recorded = Run(run.id, read_only=True)
    readers = (
        recorded.get_image_sequence,
        recorded.get_audio_sequence,
        recorded.get_video_sequence,
        recorded.get_text_sequence,
        recorded.get_figure_sequence,
        recorded.get_distribution_sequence,
        recorded.get_table_sequence,
        recorded.get_object3d_sequence,
    )
    (sequence,) = filter(None, (read("object", {}) for read in readers))
    (point,) = sequence.values.values_list()
    return point


def as_list(point: Any) -> list[Any]:
    """Return the objects of a point: a point of one object is that object."""
    return point if isinstance(point, list) else [point]


def figure() -> Any:
    """Return a figure of matplotlib."""
    drawn, axes = plt.subplots()
    axes.plot([1, 2])
    plt.close(drawn)
    return drawn


GRAY = np.zeros((4, 6), np.uint8)
KINDS: list[tuple[Any, type]] = [
    (wandb.Image(GRAY, caption="7"), Image),
    (PIL.Image.new("RGB", (3, 2)), Image),
    (wandb.Audio(np.zeros(80), sample_rate=8000, caption="beep"), Audio),
    (wandb.Video(np.zeros((3, 3, 8, 8), np.uint8), fps=2, format="gif"), Video),
    (wandb.Html("<b>bold</b>"), Text),
    ("a text", Text),
    (wandb.Histogram([1, 2, 2]), Distribution),
    (np.arange(10.0), Distribution),
    (wandb.Table(columns=["a"], data=[[1]]), Table),
    (pd.DataFrame({"a": [1]}), Table),
    ([1, 2, 3], Table),
    (go.Figure(go.Scatter(y=[1, 2])), Figure),
    (wandb.Plotly(go.Figure()), Figure),
    (figure(), Image),
    (wandb.Object3D(np.zeros((2, 4))), Object3D),
]


@pytest.mark.parametrize(("value", "kind"), KINDS, ids=lambda value: getattr(value, "__name__", type(value).__name__))
def test_each_kind_of_value_becomes_an_object(value: Any, kind: type) -> None:
    """
    What `wandb.log` takes is read back as the object of ours that shows it.
    """
    (item,) = as_list(logged(value))

    assert kind is type(item)


def test_the_current_figure_of_pyplot_is_an_image() -> None:
    """
    `wandb.log({"chart": plt})` draws what pyplot holds.
    """
    plt.plot([1, 2])
    drawn = logged(plt)
    plt.close()

    assert isinstance(drawn, Image)


def test_a_list_of_images_is_one_point() -> None:
    """
    Each keeps its caption.
    """
    images = logged([wandb.Image(GRAY, caption=str(number)) for number in range(3)])

    assert ["0", "1", "2"] == [image.caption for image in images]


def test_overlays_are_in_pixels_with_names() -> None:
    """
    Positions in shares or pixels, a middle or corners; labels come from classes, from layers, or from the box.
    """
    boxes = {
        "guess": {
            "box_data": [
                {
                    "position": {"minX": 0.0, "maxX": 0.5, "minY": 0.25, "maxY": 0.5},
                    "class_id": 1,
                    "scores": {"p": 0.5},
                },
                {"position": {"middle": [3, 2], "width": 2, "height": 2}, "domain": "pixel", "box_caption": "dog"},
            ],
            "class_labels": {1: "cat"},
        }
    }
    masks = {"truth": {"mask_data": np.ones((4, 6), np.uint8), "class_labels": {1: "cat"}}}
    image = logged(wandb.Image(GRAY, boxes=boxes, masks=masks, classes=[{"id": 2, "name": "dog"}]))

    assert [[0.0, 1.0, 3.0, 1.0], [2.0, 1.0, 2.0, 2.0]] == [box["box"] for box in image.boxes]
    assert [("cat", 0.5), ("dog", None)] == [(box["label"], box.get("score")) for box in image.boxes]
    assert {1: "cat", 2: "dog"} == image.labels
    assert (4, 6) == image.masks["truth"].shape


def test_many_pictures_in_one_array_become_a_grid() -> None:
    """
    Ten pictures are a row of eight and a row of two.
    """
    image = wandb.Image(np.zeros((10, 4, 6, 3), np.uint8))

    assert (48, 8) == image.size
    assert image.size == wandb.Image(image).size


def test_a_page_of_html_is_text_and_an_artifact(tmp_path: Path) -> None:
    """
    The text can be searched, and the page can be opened.
    """
    (tmp_path / "page.html").write_text("<i>it</i>")
    text = logged(wandb.Html("page.html"))
    (run,) = Repo(".").iter_runs()

    assert ("<i>it</i>", ["media/html/object_0.html"]) == (text.data, list(run.artifacts))


def test_bins_of_any_width_become_equal_ones() -> None:
    """
    A histogram keeps its sum and its range.
    """
    histogram = wandb.Histogram(np_histogram=([4, 4], [0.0, 1.0, 4.0]))

    assert ([0.0, 4.0], 8.0) == (histogram.range, float(histogram.weights.sum()))
    assert [1, 2] == wandb.Histogram(np_histogram=([1, 2], [0, 1, 2])).weights.tolist()


CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])


def test_points_have_the_colours_of_their_rows(caplog: pytest.LogCaptureFixture) -> None:
    """
    Rows of six numbers have colours, rows of four a colour for each class, and of a scene the points are kept.
    """
    colored = np.hstack([CORNERS, [[255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    points, colors = logged(wandb.Object3D.from_numpy(colored)).to_numpy()
    assert (CORNERS.tolist(), colored[:, 3:].tolist()) == (points.tolist(), colors.tolist())

    classes = logged(wandb.Object3D(np.hstack([CORNERS, [[1], [2], [1]]]))).to_numpy()[1].tolist()
    assert classes[0] == classes[2] != classes[1]

    scene = wandb.Object3D.from_point_cloud(CORNERS.tolist(), boxes=[{"label": "car"}])
    assert (CORNERS.tolist(), None) == (scene.to_numpy()[0].tolist(), scene.to_numpy()[1])
    assert ["Aim: wandb.Object3D keeps the points of a scene; its boxes are left out."] == caplog.messages


def test_a_file_of_a_mesh_is_kept_as_it_is(tmp_path: Path) -> None:
    """
    An obj at a path is kept byte for byte.
    """
    mesh = tmp_path / "triangle.obj"
    mesh.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", encoding="utf-8")

    recorded = logged(wandb.Object3D.from_file(str(mesh)))
    assert ("obj", mesh.read_bytes()) == (recorded.format, recorded.get().read())


def test_a_table_grows_by_rows_and_columns() -> None:
    """
    Cells may be images; a column that mixes kinds is kept as texts.
    """
    table = wandb.Table(columns=["image", "mixed"])
    table.add_data(wandb.Image(GRAY), 1)
    table.add_row(PIL.Image.new("L", (2, 2)), {"a": 1})
    table.add_column("sure", [0.5, 0.25])
    table.add_computed_columns(lambda index, row: {"half": row["sure"] / 2})
    stored = logged(table)

    assert ["image", "mixed", "sure", "half"] == stored.columns
    assert (["1", "{'a': 1}"], [0.25, 0.125]) == (stored["mixed"], stored["half"])
    assert [0.5, 0.25] == table.get_column("sure", convert_to="numpy").tolist()
    assert [0, 1] == table.get_index() == [index for index, _ in table.iterrows()]


def test_a_table_is_made_of_a_frame_and_gives_one() -> None:
    """
    Columns of pandas are columns of the table.
    """
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})

    assert frame.equals(wandb.Table(dataframe=frame).get_dataframe())
    assert 2 == len(wandb.Table(data=frame))


def test_a_row_of_the_wrong_length_is_an_error() -> None:
    """
    The message has both lengths.
    """
    table = wandb.Table(columns=["a", "b"], data=[[1, 2]])

    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        table.add_data(1)
    with pytest.raises(ValueError, match="2 cells for 1 rows"):
        table.add_column("c", [1, 2])


def test_numbers_stay_numbers() -> None:
    """
    A number of any library is no object, and an array of one number is that number.
    """
    assert (0.5, 1) == (trackable(np.array([0.5]), "a"), trackable(np.int64(1), "a"))


def test_charts_are_figures() -> None:
    """
    Each function of `wandb.plot` returns a figure of its data.
    """
    table = wandb.Table(columns=["x", "y"], data=[[1, 2], [2, 4]])
    scores = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
    charts = [
        wandb.plot.line(table, "x", "y", title="line"),
        wandb.plot.scatter(table, "x", "y"),
        wandb.plot.bar(table, "x", "y"),
        wandb.plot.histogram(table, "x"),
        wandb.plot.line_series([1, 2], [[1, 2], [3, 4]], ["a", "b"]),
        wandb.plot.confusion_matrix(probs=scores, y_true=[0, 1, 1], class_names=["no", "yes"]),
        wandb.plot.confusion_matrix(preds=[0, 1], y_true=[1, 1]),
        wandb.plot.roc_curve([0, 1, 1], scores, labels=["no", "yes"]),
        wandb.plot.pr_curve([0, 1, 1], scores),
    ]
    matrix = charts[5]

    assert {Figure} == {type(chart) for chart in charts}
    assert isinstance(matrix, Figure)
    assert ((1, 0), (1, 1)) == tuple(map(tuple, matrix.to_plotly_figure().data[0].z))
    assert isinstance(logged(charts[0]), Figure)
