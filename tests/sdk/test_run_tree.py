"""
`run.meta_run_tree`: what other programs keep with a run, and how they read all of it.
"""

from __future__ import annotations

import pytest

from aim import Run, Text


def test_all_of_it_is_read_at_once(run: Run) -> None:
    """
    `collect()` returns params, the end and the values of other programs, as copies.
    """
    run["hparams"] = {"lr": 0.1, "layers": [8, 8]}
    run.meta_run_tree["copied_from"] = "a06bc7"
    collected = run.meta_run_tree.collect()
    collected["attrs"]["hparams"]["lr"] = 0.2

    assert {"attrs": {"hparams": {"layers": [8, 8], "lr": 0.1}}, "copied_from": "a06bc7", "end_time": None} == (
        run.meta_run_tree.collect()
    )


def test_a_part_is_read_by_its_path(run: Run) -> None:
    """
    A subtree has the values below its path, also those that are set after it was made.
    """
    attrs = run.meta_run_tree.subtree("attrs")
    hparams = attrs.subtree("hparams")
    assert ([], None) == (list(hparams.keys()), hparams.get("lr"))

    run["hparams"] = {"lr": 0.1}

    assert ({"lr": 0.1}, ["lr"], 0.1, 0.1) == (
        hparams.collect(),
        list(hparams.keys()),
        hparams["lr"],
        attrs.get(("hparams", "lr")),
    )
    assert {"lr": 0.1} == run.meta_run_tree.collect(("attrs", "hparams"))


def test_what_is_not_there_is_a_key_error(run: Run) -> None:
    """
    Of a path without a value only `get` has a default.
    """
    with pytest.raises(KeyError, match="hparams"):
        run.meta_run_tree.collect(("attrs", "hparams"))
    assert [] == list(run.meta_run_tree.subtree("end_time").keys())


def test_objects_are_described_on_request(run: Run) -> None:
    """
    With `resolve_objects` an object among the params is a dict.
    """
    run["note"] = Text("hello")

    assert "hello" == run.meta_run_tree.collect()["attrs"]["note"].data
    assert isinstance(run.meta_run_tree.collect(resolve_objects=True)["attrs"]["note"], dict)
