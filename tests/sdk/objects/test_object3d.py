"""
3D objects: files are kept, points become one.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as st_numpy
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from aim import Repo, Run
from aim.core.errors import UntrackableValue, WrongType
from aim.sdk.objects import once
from aim.sdk.objects.object3d import Object3D
from aim.sdk.objects.registry import restore
from tests.sdk.objects import foreign
from tests.sdk.objects.shapes import FILES

POINTS = np.array([(0, 0, 0), (1, 2, 3), (-4, 5, -6)], np.float32)
COLORS = np.array([(255, 0, 0), (0, 255, 0), (0, 51, 255)], np.uint8)


def again(body: Object3D) -> Object3D:
    """Return what a reader gets for *body*."""
    stored = body.stored()
    restored = restore(stored.kind, stored.fields, lambda: stored.data or b"")
    assert isinstance(restored, Object3D)
    return restored


@pytest.mark.parametrize(
    "points",
    [
        POINTS,
        POINTS.astype(np.float64),
        POINTS.astype(np.int8),
        POINTS.tolist(),
        foreign.Tensor(POINTS),
        foreign.EagerTensor(POINTS),
    ],
    ids=lambda points: f"{type(points).__module__}.{type(points).__name__}",
)
def test_points_of_each_library_are_one_cloud(points: Any) -> None:
    """
    Arrays, tensors and lists of points are read back as float32.
    """
    cloud = again(Object3D(points, caption="scan"))
    places, colors = cloud.to_numpy()

    assert (POINTS.tolist(), None) == (places.tolist(), colors)
    assert ("ply", 3, "scan") == (cloud.format, cloud.point_count, cloud.caption)


@pytest.mark.parametrize(
    "colors",
    [COLORS, COLORS.astype(np.int64), COLORS / 255, (COLORS / 255).astype(np.float32), COLORS.tolist()],
    ids=["uint8", "int64", "float64", "float32", "list"],
)
def test_colours_are_levels_or_shares(colors: Any) -> None:
    """
    Whole numbers are from 0 to 255, floats from 0 to 1.
    """
    levels = again(Object3D(POINTS, colors=colors)).to_numpy()[1]

    assert levels is not None
    assert COLORS.tolist() == levels.tolist()


@pytest.mark.parametrize("colors", [COLORS, COLORS / 255], ids=["levels", "shares"])
def test_six_columns_are_points_with_colours(colors: NDArray[Any]) -> None:
    """
    Beside coordinates, colours beyond 1 are levels.
    """
    places, levels = again(Object3D(np.hstack([POINTS, colors]))).to_numpy()

    assert (POINTS.tolist(), COLORS.tolist()) == (places.tolist(), levels.tolist() if levels is not None else None)


@given(
    st_numpy.arrays(
        np.float32,
        st.tuples(st.integers(1, 30), st.just(3)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_all_points_come_back(points: NDArray[np.float32]) -> None:
    """
    No bit of a float32 is lost.
    """
    assert points.tobytes() == again(Object3D(points)).to_numpy()[0].tobytes()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_kept_byte_by_byte(name: str, tmp_path: Path) -> None:
    """
    From a path, whose ending tells the format, from bytes, and from an open file.
    """
    path = tmp_path / f"body.{name}"
    path.write_bytes(FILES[name])
    bodies = [Object3D(path), Object3D(FILES[name], format=name), Object3D(io.BytesIO(FILES[name]), format=f".{name}")]

    assert [FILES[name]] * 3 == [again(body).get().read() for body in bodies]
    assert [name] * 3 == [body.format for body in bodies]
    assert [None] * 3 == [body.point_count for body in bodies]


@pytest.mark.parametrize("name", ["glb", "ply"])
def test_the_first_bytes_tell_the_format(name: str) -> None:
    """
    Of glb and ply the format may be left out.
    """
    assert name == Object3D(FILES[name]).format


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((4, 2)), "shape (4, 2)"),
        (np.zeros(3), "shape (3,)"),
        (np.zeros((4, 3), bool), "type bool"),
        ([[1, 2, 3], [1, 2]], "same length"),
        (np.zeros((0, 3)), "there are 0 points"),
        (np.array([(0, 0, 0), (0, np.nan, 0)]), "point 1 is [0.0, nan, 0.0]"),
        (np.array([(0, 0, 1e300)]), "finite"),
        (np.full((2, 6), 256), "colours are from 0 to 256"),
        (np.full((2, 6), -0.5), "colours are from -0.5"),
        (np.full((2, 6), np.nan), "finite"),
    ],
)
def test_what_is_no_cloud_is_refused(points: Any, message: str) -> None:
    """
    The error says what is wrong and which point it is.
    """
    with pytest.raises(UntrackableValue) as raised:
        Object3D(points)

    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("colors", "message"),
    [
        (COLORS[:2], "3 points and 2 colours"),
        (COLORS[:, :2], "has no colours"),
        (np.full((3, 3), 1.5) * 200, "from 0 to 300"),
        (np.full((3, 3), np.nan), "colours are from"),
    ],
)
def test_wrong_colours_are_refused(colors: Any, message: str) -> None:
    """
    Each point has a colour, and each colour three levels.
    """
    with pytest.raises(UntrackableValue, match=message):
        Object3D(POINTS, colors=colors)


@pytest.mark.parametrize("data", [None, 5, {"x": 1}, [], ()])
def test_what_is_neither_points_nor_a_file_is_refused(data: Any) -> None:
    """
    The error says what may be passed.
    """
    with pytest.raises(WrongType, match="Pass points, a path"):
        Object3D(data)


def test_arguments_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    """
    Files have their own colours, points no format, and other formats are unknown.
    """
    with pytest.raises(WrongType, match="a file has its own"):
        Object3D(FILES["glb"], colors=COLORS)
    with pytest.raises(UntrackableValue, match="points are kept as ply"):
        Object3D(POINTS, format="obj")
    with pytest.raises(UntrackableValue, match="glb, gltf, obj, stl, ply"):
        Object3D(FILES["glb"], format="fbx")
    with pytest.raises(UntrackableValue, match="the file does not tell"):
        Object3D(FILES["obj"])
    with pytest.raises(UntrackableValue, match="there is no Object3D file"):
        Object3D(tmp_path / "none.glb")


def test_points_of_a_file_are_for_other_libraries() -> None:
    """
    Only objects made from points give arrays.
    """
    with pytest.raises(WrongType, match="not points"):
        Object3D(FILES["obj"], format="obj").to_numpy()


def test_coordinates_that_lose_digits_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """
    Metres of a map, with an extent of centimetres, are too coarse as float32.
    """
    once.forget()
    Object3D(POINTS)
    assert "" == caplog.text
    Object3D(POINTS.astype(np.float64) / 1000 + 5e6)

    assert "Subtract points.mean(axis=0) first" in caplog.text


def test_an_object_elsewhere_is_its_address(tmp_path: Path) -> None:
    """
    `from_uri` copies nothing; the file is read when it is asked for.
    """
    path = tmp_path / "body.glb"
    path.write_bytes(FILES["glb"])
    body = again(Object3D.from_uri(path, caption="far"))

    assert (path.as_uri(), "glb", "far") == (body.uri, body.format, body.caption)
    assert FILES["glb"] == body.get().read()


def test_a_later_change_of_the_array_does_not_show() -> None:
    """
    The object is a snapshot.
    """
    points = POINTS.copy()
    cloud = Object3D(points)
    points[:] = 7

    assert POINTS.tolist() == cloud.to_numpy()[0].tolist()


def test_objects_are_tracked_and_queried(tmp_path: Path) -> None:
    """
    Alone and in lists, they are sequences that a query calls `objects3d`.
    """
    with Run(repo=tmp_path, system_tracking_interval=None) as run:
        run.track(Object3D(POINTS), name="scan", step=3)
        run.track([Object3D(POINTS), Object3D(FILES["glb"])], name="parts", context={"subset": "val"})
        run["template"] = Object3D(FILES["stl"], format="stl")
    repo = Repo(tmp_path)
    (scans,) = repo.query_objects3d("objects3d.name == 'scan' and run.active == False")
    reader = repo.get_run(run.hash)
    assert reader is not None
    parts = reader.get_object3d_sequence("parts", {"subset": "val"})

    assert 3 == scans.values.last_value().point_count
    assert ["ply", "glb"] == [body.format for body in parts.values.last_value()]
    assert "stl" == reader["template"].format
    assert "<Object3D ply 3 points>" == repr(scans.values.last_value())
