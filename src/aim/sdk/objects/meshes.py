"""
Files of 3D objects: whether they are what they claim to be, and a glTF in one file.

    glb     the head, its length, and the JSON of the scene; nothing in it lies in another file
    gltf    the JSON of the scene; nothing in it lies in another file
    obj     at least one vertex
    stl     as long as its number of triangles says, or text with a facet
    ply     a head with its end

A scene may name other files by their address. Whoever looks at it later would fetch them, from wherever the author
wrote: so they are put into the file when it is recorded, and an address elsewhere is an error.

Sources: glTF 2.0 (Khronos, ISO/IEC 12113), sections 3.6 and 4.4; Wavefront OBJ; STL (3D Systems, 1989); the PLY format
(Turk, 1994).
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from aim.core.errors import UntrackableValue

GLB_HEAD = struct.Struct("<4sIIII")
GLB_JSON = 0x4E4F534A
STL_HEAD_BYTES = 84
STL_TRIANGLE_BYTES = 50
VERTEX = re.compile(rb"^[ \t]*v[ \t]+[-+.\d]", re.MULTILINE)
URI_SHOWN_CHARS = 80


def check_file(format: str, file: bytes) -> None:
    """
    Check that *file* is one of the format *format*, as far as a look at its head tells.

    Raises:
        UntrackableValue: it is not, or it names other files.

    >>> check_file("ply", b"ply\\nformat ascii 1.0\\nelement vertex 0\\nend_header\\n")
    >>> check_file("stl", b"...")
    Traceback (most recent call last):
    aim.core.errors.UntrackableValue: this is no stl of 3 bytes: it has neither the length that ...
    """
    if not file:
        raise UntrackableValue("the file of the 3D object is empty: 0 bytes.")
    fault = CHECKS[format](file)
    if fault:
        raise UntrackableValue(f"this is no {format} of {len(file):,} bytes: {fault}.")


def self_contained(file: bytes, folder: Path | None) -> bytes:
    """
    Return the gltf *file* with the files that it names inside; one that names none as it is.

    Args:
        folder: where these files are; None: nowhere.

    Raises:
        UntrackableValue: it is no gltf, or it names a file that is not below *folder*.
    """
    scene = _scene(file)
    parts = list(_outside(scene))
    for part in parts:
        path = _beside(str(part["uri"]), folder)
        if path is None:
            raise UntrackableValue(
                f"this gltf names the file {part['uri'][:URI_SHOWN_CHARS]!r}, which is not below its folder. "
                "Save it as glb, in one file."
            )
        kind = str(part.get("mimeType") or _picture_type(path) or "application/octet-stream")
        part["uri"] = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    return json.dumps(scene, separators=(",", ":")).encode() if parts else file


def _beside(uri: str, folder: Path | None) -> Path | None:
    name = PurePosixPath(unquote(uri))
    if folder is None or ":" in uri or name.is_absolute() or ".." in name.parts:
        return None
    path = folder.joinpath(*name.parts)
    return path if path.is_file() else None


def _picture_type(path: Path) -> str | None:
    ending = path.suffix.lower().lstrip(".")
    return f"image/{'jpeg' if ending == 'jpg' else ending}" if ending in ("png", "jpg", "jpeg", "webp") else None


def _outside(scene: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the buffers and images of a scene that lie in other files."""
    for name in ("buffers", "images"):
        for part in scene.get(name) or ():
            if isinstance(part, dict) and "uri" in part and not str(part["uri"]).startswith("data:"):
                yield part


def _scene(text: bytes) -> dict[str, Any]:
    """Return the scene of a glTF from its JSON. Raises UntrackableValue."""
    try:
        scene = json.loads(text)
    except ValueError as error:
        raise UntrackableValue(f"this is no gltf: {error}. Pass format='glb' for a binary one.") from None
    if not isinstance(scene, dict) or not isinstance(scene.get("asset"), dict):
        raise UntrackableValue("this is no gltf: the JSON has no `asset`, which each scene has.")
    version = str(scene["asset"].get("version", ""))
    if not version.startswith("2"):
        raise UntrackableValue(f"this gltf is of version {version!r}; only 2.0 can be shown. Export it as glTF 2.0.")
    return scene


def _gltf_fault(file: bytes) -> str:
    part = next(_outside(_scene(file)), None)
    return "" if part is None else f"it names the file {str(part['uri'])[:URI_SHOWN_CHARS]!r}, and has to hold all"


def _glb_fault(file: bytes) -> str:
    if len(file) < GLB_HEAD.size or file[:4] != b"glTF":
        return "it does not begin with glTF"
    _, version, length, json_length, kind = GLB_HEAD.unpack_from(file)
    if version != 2:
        return f"it is of version {version}, and only 2 can be shown"
    if length != len(file):
        return f"its head says {length:,} bytes"
    if kind != GLB_JSON or GLB_HEAD.size + json_length > length:
        return "its first part is no JSON"
    return _gltf_fault(file[GLB_HEAD.size : GLB_HEAD.size + json_length])


def _stl_fault(file: bytes) -> str:
    if len(file) >= STL_HEAD_BYTES:
        (count,) = struct.unpack_from("<I", file, STL_HEAD_BYTES - 4)
        if len(file) == STL_HEAD_BYTES + count * STL_TRIANGLE_BYTES:
            return ""
    is_text = file.lstrip()[:5].lower() == b"solid" and b"facet" in file
    return "" if is_text else "it has neither the length that its number of triangles needs nor the text of one"


def _obj_fault(file: bytes) -> str:
    return "" if VERTEX.search(file) else "it has no line with a vertex, `v x y z`"


def _ply_fault(file: bytes) -> str:
    return "" if file[:3] == b"ply" and b"end_header" in file else "it has no head from `ply` to `end_header`"


CHECKS: dict[str, Callable[[bytes], str]] = {
    "glb": _glb_fault,
    "gltf": _gltf_fault,
    "obj": _obj_fault,
    "stl": _stl_fault,
    "ply": _ply_fault,
}
"""What is wrong with a file of each format; '' for nothing."""
