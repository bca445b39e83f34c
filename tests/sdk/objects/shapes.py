"""
Small files of 3D objects: a tetrahedron in each format.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import numpy as np

CORNERS = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], "<f4")
FACES = np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)], "<u2")


def buffer() -> bytes:
    """Return the corners and the faces as a buffer of a glTF."""
    return CORNERS.tobytes() + FACES.tobytes()


def scene(uri: str | None) -> dict[str, Any]:
    """Return the JSON of a glTF whose buffer is at *uri*; None: in the glb itself."""
    data = buffer()
    accessors = [
        {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 1]},
        {"bufferView": 1, "componentType": 5123, "count": FACES.size, "type": "SCALAR"},
    ]
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": accessors,
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": CORNERS.nbytes},
            {"buffer": 0, "byteOffset": CORNERS.nbytes, "byteLength": FACES.nbytes},
        ],
        "buffers": [{"byteLength": len(data), **({} if uri is None else {"uri": uri})}],
    }


def gltf(uri: str | None = None) -> bytes:
    """Return a glTF whose buffer is inside, or at *uri*."""
    inside = f"data:application/octet-stream;base64,{base64.b64encode(buffer()).decode()}"
    return json.dumps(scene(uri or inside)).encode()


def glb(content: dict[str, Any] | None = None) -> bytes:
    """Return a glb with the JSON *content*, or with the tetrahedron."""
    text = json.dumps(scene(None) if content is None else content).encode()
    text += b" " * (-len(text) % 4)
    data = buffer()
    length = 12 + 8 + len(text) + 8 + len(data)
    head = struct.pack("<4sIIII", b"glTF", 2, length, len(text), 0x4E4F534A)
    return head + text + struct.pack("<II", len(data), 0x004E4942) + data


def obj() -> bytes:
    """Return an obj."""
    lines = [f"v {x} {y} {z}" for x, y, z in CORNERS.tolist()]
    return "\n".join([*lines, *(f"f {a + 1} {b + 1} {c + 1}" for a, b, c in FACES.tolist())]).encode()


def stl() -> bytes:
    """Return a binary stl."""
    rows = np.zeros(len(FACES), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows["corners"] = CORNERS[FACES.astype(np.int64)]
    return b"\0" * 80 + struct.pack("<I", len(FACES)) + rows.tobytes()


def stl_text() -> bytes:
    """Return an stl of text, with one triangle."""
    vertices = "".join(f"vertex {x} {y} {z}\n" for x, y, z in CORNERS[:3].tolist())
    return f"solid t\nfacet normal 0 0 1\nouter loop\n{vertices}endloop\nendfacet\nendsolid t\n".encode()


def ply() -> bytes:
    """Return a ply of text, with the corners."""
    points = "".join(f"{x} {y} {z}\n" for x, y, z in CORNERS.tolist())
    properties = "".join(f"property float {axis}\n" for axis in "xyz")
    return f"ply\nformat ascii 1.0\nelement vertex 4\n{properties}end_header\n{points}".encode()


FILES = {"glb": glb(), "gltf": gltf(), "obj": obj(), "stl": stl(), "ply": ply()}
"""A file of each format."""
