"""
Stored objects come back by the name of their kind.
"""

from __future__ import annotations

import importlib

import pytest

import aim.sdk.objects
from aim.core.values import Stored
from aim.sdk.objects.registry import CLASSES, UnknownObject, restore


def test_each_kind_is_the_name_of_its_class() -> None:
    """
    The table of kinds and the classes agree.
    """
    for kind, (module, name) in CLASSES.items():
        assert kind == getattr(importlib.import_module(module), name).AIM_NAME


def test_a_kind_of_the_future_is_kept() -> None:
    """
    An unknown kind keeps its name, fields and bytes, and can be stored again.
    """
    mesh = restore("acme.mesh", {"vertices": 8, "data": 0, "size": 3}, lambda: b"abc")

    assert isinstance(mesh, UnknownObject)
    assert ("acme.mesh", {"vertices": 8}, b"abc") == (mesh.kind, mesh.fields, mesh.data)
    assert Stored("acme.mesh", {"vertices": 8}, b"abc", "bin") == mesh.stored()
    assert mesh == restore("acme.mesh", {"vertices": 8}, lambda: b"abc")
    assert mesh != restore("acme.mesh", {"vertices": 9}, lambda: b"abc")
    assert mesh != "a mesh"
    assert "<UnknownObject acme.mesh>" == repr(mesh)


def test_listing_objects_loads_no_bytes() -> None:
    """
    Objects of every kind can be restored and described without their bytes.
    """

    def load() -> bytes:
        raise AssertionError("bytes were loaded")

    for kind in [*CLASSES, "acme.mesh"]:
        assert isinstance(restore(kind, {}, load).json(), dict)


def test_the_package_hands_on_each_class() -> None:
    """
    `aim.sdk.objects` names every class, and nothing else.
    """
    for name in aim.sdk.objects.__all__:
        assert name == getattr(aim.sdk.objects, name).__name__
    assert {name for _, name in CLASSES.values()} <= set(aim.sdk.objects.__all__)
    assert set(aim.sdk.objects.__all__) <= set(dir(aim.sdk.objects))
    with pytest.raises(AttributeError, match="has no attribute 'Hologram'"):
        aim.sdk.objects.Hologram  # noqa: B018
