"""
What configs become: the plain dicts, lists and texts that people mean by them.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import types
import uuid
from typing import Any

import omegaconf
import pydantic
import pytest

from aim.core.configs import OTHER, TEXT_CHARACTERS_MAX, in_order, plain, text_of


class Mode(enum.Enum):
    """A plain enum."""

    TRAIN = 1


class Name(str, enum.Enum):
    """An enum of texts."""

    ADAM = "adam"


@dataclasses.dataclass
class Optimizer:
    """A config with a field that is one."""

    name: Name = Name.ADAM
    lr: float = 0.1
    path: pathlib.Path = pathlib.Path("a/b")


class Model(pydantic.BaseModel):
    """A config of pydantic."""

    depth: int = 3
    mode: Mode = Mode.TRAIN


class Bare:
    """No config."""


class Rude:
    """An object that can't say what it is."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


CASES: list[tuple[Any, Any]] = [
    (Mode.TRAIN, "TRAIN"),
    (Name.ADAM, "adam"),
    (pathlib.PurePosixPath("a/b"), "a/b"),
    ({"b", "a"}, ["a", "b"]),
    ({2, "x", 1.5}, [1.5, 2, "x"]),
    (frozenset({3, 1}), [1, 3]),
    (datetime.date(2026, 1, 2), "2026-01-02"),
    (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
    (datetime.time(3, 4), "03:04:00"),
    (datetime.timedelta(seconds=90), "0:01:30"),
    (decimal.Decimal("1.10"), "1.10"),
    (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    (argparse.Namespace(lr=0.1), {"lr": 0.1}),
    (types.SimpleNamespace(lr=0.1), {"lr": 0.1}),
    (Optimizer(), {"name": Name.ADAM, "lr": 0.1, "path": pathlib.Path("a/b")}),
    (Model(), {"depth": 3, "mode": Mode.TRAIN}),
    (Optimizer, f"{__name__}.Optimizer"),
    (int, "int"),
    (argparse.ArgumentParser.parse_args, "argparse.ArgumentParser.parse_args"),
    (functools.partial(int, base=2), {"function": int, "args": [], "keywords": {"base": 2}}),
]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_a_config_becomes_what_people_mean(value: Any, expected: Any) -> None:
    """
    Each kind of config is one level simpler, and nothing else changes.
    """
    assert expected == plain(value)


@pytest.mark.parametrize(
    "value", [1, 1.5, "text", None, True, [1], (1,), b"bytes", Bare()], ids=lambda value: type(value).__name__
)
def test_what_is_no_config_is_left_alone(value: Any) -> None:
    """
    Plain values, and objects of unknown classes, are not touched.
    """
    assert plain(value) is OTHER


def test_an_instance_of_attrs_is_a_dict_of_its_fields() -> None:
    """
    attrs names its fields on the class.
    """
    attr = pytest.importorskip("attr")
    config = attr.make_class("Config", {"lr": attr.ib(default=0.1)})()

    assert {"lr": 0.1} == plain(config)


def test_a_config_of_omegaconf_is_resolved_as_far_as_it_can_be() -> None:
    """
    A missing value is None, an interpolation that leads nowhere stays as it was written, at any depth.
    """
    config = omegaconf.OmegaConf.create({"lr": 0.1, "twice": "${lr}", "layers": ["${lr}", "${nowhere}"], "path": "???"})

    assert {"lr": 0.1, "twice": 0.1, "layers": [0.1, "${nowhere}"], "path": None} == plain(config)
    assert [1, 2] == plain(omegaconf.OmegaConf.create([1, 2]))
    assert plain(omegaconf.OmegaConf.create({"a": {"b": "???"}})) == {"a": {"b": None}}
    assert plain(omegaconf.DictConfig(None)) is None


def test_the_rest_of_omegaconf_is_no_config() -> None:
    """
    Only its containers are resolved.
    """
    assert plain(omegaconf.errors.OmegaConfBaseException("no")) is OTHER


class BaseModel:  # of another library
    """A class of somebody else that has the name of pydantic's."""


def test_another_class_of_that_name_is_no_config() -> None:
    """
    A name alone does not make a config.
    """
    assert plain(BaseModel()) is OTHER


def test_a_set_has_one_order_whatever_is_in_it() -> None:
    """
    Numbers by size, then texts, then all else by its text.
    """
    assert [2, 10, "a", "b"] == in_order({"b", 10, "a", 2})
    assert [(1, 2), (3, 4)] == in_order({(3, 4), (1, 2)})


def test_a_text_of_an_object_has_no_address() -> None:
    """
    Two objects of a class have one text, in each process.
    """
    assert f"<{__name__}.Bare object>" == text_of(Bare()) == text_of(Bare())
    assert f"<function {test_a_text_of_an_object_has_no_address.__qualname__}>" == text_of(
        test_a_text_of_an_object_has_no_address
    )


def test_an_object_that_cannot_say_what_it_is_has_a_text() -> None:
    """
    An error of `repr()` is no error of ours.
    """
    assert f"<{__name__}.Rude object>" == text_of(Rude())


def test_the_text_of_a_large_object_is_cut() -> None:
    """
    64 KiB of an object's text are kept, and how long it was.
    """
    text = text_of(list(range(100_000)))

    assert len(text) < TEXT_CHARACTERS_MAX + 50
    assert text.endswith("characters)")


class Open(pydantic.BaseModel, extra="allow"):
    """A config of pydantic that admits fields which it does not declare."""

    depth: int = 3


def test_fields_that_a_model_of_pydantic_admits_are_kept() -> None:
    """
    `extra="allow"` keeps fields beside the declared ones, and so does the param.
    """
    assert {"depth": 4, "width": 8} == plain(Open(depth=4, width=8))  # type: ignore[call-arg]


def test_a_missing_value_is_logged_with_its_path(caplog: pytest.LogCaptureFixture) -> None:
    """
    Who forgot a value that has to be set learns which one.
    """
    plain(omegaconf.OmegaConf.create({"model": {"depth": "???"}}))

    assert ["Aim: model.depth has no value (???) in the config; None is stored."] == caplog.messages
