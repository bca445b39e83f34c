"""
Files of 3D objects are looked at before they are kept.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from aim.core.errors import UntrackableValue
from aim.sdk.objects.meshes import check_file, self_contained
from aim.sdk.objects.object3d import Object3D
from tests.sdk.objects.shapes import FILES, buffer, glb, gltf, scene, stl_text


@pytest.mark.parametrize(("name", "file"), [*FILES.items(), ("stl", stl_text()), ("stl", b"  SOLID a facet")])
def test_a_file_of_its_format_is_good(name: str, file: bytes) -> None:
    """
    Binary or text, nothing is said of it.
    """
    check_file(name, file)


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("glb", b"", "is empty"),
        ("glb", FILES["glb"][:-1], "its head says"),
        ("glb", b"glTF\1\0\0\0" + FILES["glb"][8:], "version 1"),
        ("glb", FILES["gltf"], "does not begin with glTF"),
        ("glb", glb({"asset": {"version": "2.0"}, "buffers": [{"uri": "http://a.b/c.bin"}]}), "http://a.b/c.bin"),
        ("glb", FILES["glb"][:16] + b"BIN\0" + FILES["glb"][20:], "no JSON"),
        ("gltf", FILES["glb"], "Pass format='glb'"),
        ("gltf", b"[1]", "no `asset`"),
        ("gltf", b'{"asset": {"version": "1.0"}}', "version '1.0'"),
        ("gltf", gltf("body.bin"), "body.bin"),
        ("obj", b"# nothing\nvn 0 0 1\n", "no line with a vertex"),
        ("stl", FILES["stl"][:-1], "neither the length"),
        ("stl", b"solid of nothing", "neither the length"),
        ("ply", b"ply\nformat ascii 1.0\n", "no head"),
        ("ply", FILES["obj"], "no head"),
    ],
)
def test_a_file_that_is_not_of_its_format_is_refused(name: str, file: bytes, message: str) -> None:
    """
    The error says what is wrong with it.
    """
    with pytest.raises(UntrackableValue) as raised:
        check_file(name, file)

    assert message in str(raised.value)


def test_files_beside_a_gltf_are_kept_inside(tmp_path: Path) -> None:
    """
    Buffers and pictures that lie below its folder become part of it, whose addresses may be escaped.
    """
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "body.bin").write_bytes(buffer())
    (tmp_path / "skin.jpg").write_bytes(b"picture")
    content = {**scene("a%20b/body.bin"), "images": [{"uri": "skin.jpg"}]}
    (tmp_path / "body.gltf").write_text(json.dumps(content), encoding="utf-8")
    kept = json.loads(Object3D(tmp_path / "body.gltf").get().read())

    assert f"data:application/octet-stream;base64,{base64.b64encode(buffer()).decode()}" == kept["buffers"][0]["uri"]
    assert f"data:image/jpeg;base64,{base64.b64encode(b'picture').decode()}" == kept["images"][0]["uri"]
    assert content["accessors"] == kept["accessors"]


@pytest.mark.parametrize("uri", ["none.bin", "../secret.bin", "/etc/passwd", "https://a.b/c.bin", "file:///etc/passwd"])
def test_files_elsewhere_are_not_read(uri: str, tmp_path: Path) -> None:
    """
    A gltf from somewhere can't bring other files of this machine, or of another one, into a run.
    """
    (tmp_path / "secret.bin").write_bytes(buffer())
    folder = tmp_path / "scene"
    folder.mkdir()

    with pytest.raises(UntrackableValue, match="not below its folder"):
        self_contained(gltf(uri), folder)
    with pytest.raises(UntrackableValue, match="not below its folder"):
        Object3D(gltf(uri), format="gltf")
