"""
What `track` takes: values, steps, epochs, contexts, names (the rules of the tracker's public surface).
"""

from __future__ import annotations

import math
import os
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from aim import Distribution, Image, Run, Text
from aim.core.errors import UntrackableValue


class Tensor:
    """A tensor of a library that is not installed: it is known by its type's name."""

    def __init__(self, value: Any, shape: tuple[int, ...] = ()) -> None:
        self._value = value
        self.shape = shape

    def item(self) -> Any:
        """Return the one number."""
        if math.prod(self.shape) != 1:
            raise RuntimeError("a Tensor with more elements cannot be converted to Scalar")
        return self._value


@pytest.mark.parametrize(
    ("value", "stored", "dtype"),
    [
        (1, 1, "int"),
        (True, 1, "int"),
        (0.5, 0.5, "float"),
        (math.inf, math.inf, "float"),
        (np.float32(0.5), 0.5, "float"),
        (np.float64(0.1), 0.1, "float"),
        (np.float16(0.5), 0.5, "float"),
        (np.int64(7), 7, "int"),
        (np.uint8(7), 7, "int"),
        (np.bool_(True), 1, "int"),
        (np.array(0.5), 0.5, "float"),
        (np.array([[3]]), 3, "int"),
        (Tensor(0.25), 0.25, "float"),
        (Tensor(4, (1, 1)), 4, "int"),
        (2**53 + 1, 2**53 + 1, "int"),
        (-(2**63), -(2**63), "int"),
        (2**63 - 1, 2**63 - 1, "int"),
    ],
)
def test_a_number_of_any_library_comes_back_with_its_type(run: Run, value: Any, stored: float, dtype: str) -> None:
    """
    Ints stay ints, floats floats, whatever library they are of.
    """
    run.track(value, name="x")
    metric = run.get_metric("x")

    assert metric is not None
    assert (dtype, stored, type(stored)) == (metric.dtype, metric.values[0], type(metric.values[0]))


def test_nan_is_kept(run: Run) -> None:
    """
    NaN is a value like any other.
    """
    run.track(math.nan, name="x")

    assert math.isnan(run.get_metric("x").values[0])


@pytest.mark.parametrize(
    "value",
    [None, "0.5", b"1", 1j, Decimal(1), object(), np.zeros(2), Tensor(0, (3, 4)), np.str_("a")],
)
def test_what_is_no_number_is_refused_and_leaves_no_trace(run: Run, value: Any) -> None:
    """
    A value that is neither a number nor an object raises a ValueError; the run is as it was.
    """
    with pytest.raises(ValueError, match=r"."):
        run.track(value, name=None if isinstance(value, dict) else "x")
    run.track(1.5, name="x")

    assert [1.5] == run.get_metric("x").values.tolist()


def test_an_int_beyond_64_bits_overflows(run: Run) -> None:
    """
    An int that does not fit 64 bits is an OverflowError, as value and as step.
    """
    with pytest.raises(OverflowError):
        run.track(2**63, name="x")
    with pytest.raises(OverflowError):
        run.track(1, name="x", step=2**63)
    assert run.get_metric("x") is None


def test_ints_and_floats_in_one_sequence_keep_their_types(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """
    A sequence of ints that gets a float becomes of type `number`, without a word; each value keeps its type.
    """
    for value in (1, 2.5, 3):
        run.track(value, name="x")
    metric = run.get_metric("x")

    assert ("number", [1, 2.5, 3]) == (metric.dtype, metric.values.tolist())
    assert [int, float, int] == [type(value) for value in metric.values]
    assert [] == caplog.records


def test_objects_and_numbers_do_not_mix(run: Run) -> None:
    """
    A sequence of numbers takes no objects, and the other way round; another context does.
    """
    image = Image(np.zeros((2, 2), np.uint8))
    run.track(1, name="x")
    run.track(image, name="pictures")
    with pytest.raises(ValueError, match="Incompatible data types"):
        run.track(image, name="x")
    with pytest.raises(ValueError, match="Incompatible data types"):
        run.track(1, name="pictures")
    with pytest.raises(ValueError, match="Incompatible data types"):
        run.track([image], name="pictures")
    run.track(image, name="x", context={"other": 1})


def test_each_object_of_a_list_of_several_kinds_comes_back_as_its_own(run: Run) -> None:
    """
    The first object of a list names the type of the sequence; the others are read as what they are all the same.
    """
    run.track([Text("a"), Image(np.zeros((2, 3))), Distribution([1, 2]), Text("b")], name="mixed")
    (objects,) = run.get_text_sequence("mixed").values.tolist()

    assert ["Text", "Image", "Distribution", "Text"] == [type(one).__name__ for one in objects]
    assert ("a", (3, 2), 64, "b") == (objects[0].data, objects[1].size, objects[2].bin_count, objects[3].data)


def test_an_empty_list_goes_with_any_list(run: Run) -> None:
    """
    An empty list of objects is compatible with a list of any type.
    """
    run.track([], name="x")
    run.track([Image(np.zeros((2, 2), np.uint8))], name="x")
    run.track([], name="x")

    assert [0, 1, 0] == [len(images) for images in run.get_image_sequence("x").values]


# Which step a value gets (None: automatic).
@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ([None, None], [0, 1]),
        ([10, 5, None], [5, 10, 11]),
        ([None, 7, None], [0, 7, 8]),
        ([-5, None], [-5, 0]),
        ([3, 3], [3]),
        ([1.0, 4096.0], [1, 4096]),
        ([np.int64(4), None], [4, 5]),
        ([Tensor(6), None], [6, 7]),
        ([True, None], [1, 2]),
        ([2**53 + 1, 2**53 + 2, None], [2**53 + 1, 2**53 + 2, 2**53 + 3]),
        ([2**63 - 1], [2**63 - 1]),
        ([-(2**63)], [-(2**63)]),
    ],
)
@pytest.mark.parametrize("value", [0.5, 3], ids=["float", "int"])
def test_steps(run: Run, given: list[Any], stored: list[int], value: float) -> None:
    """
    A value without a step follows the largest; late and negative steps are kept; all of 64 bits are exact.
    """
    for step in given:
        run.track(value, name="x", step=step)

    assert stored == run.get_metric("x").indices


@pytest.mark.parametrize("step", ["1", math.nan, object(), None.__class__, 1j, 0.5])
@pytest.mark.parametrize("value", [0.5, 3], ids=["float", "int"])
def test_a_step_that_is_no_integer_is_refused(run: Run, step: Any, value: float) -> None:
    """
    A step that is no integer raises a ValueError.
    """
    with pytest.raises(ValueError, match="step"):
        run.track(value, name="x", step=step)
    run.track(value, name="x", step=1)
    with pytest.raises(ValueError, match="step"):
        run.track(value, name="x", step=step)

    assert [1] == run.get_metric("x").indices


def test_the_latest_write_of_a_step_counts(run: Run) -> None:
    """
    Tracking a step again replaces value, epoch and time.
    """
    run.track(1.0, name="x", step=3, epoch=1)
    run.track(2.0, name="x", step=3, epoch=2)
    metric = run.get_metric("x")

    assert ([2.0], [2.0]) == (metric.values.tolist(), metric.epochs.tolist())


@pytest.mark.parametrize(
    ("epoch", "stored"), [(None, None), (1, 1.0), (0.1, 0.1), (np.float64(2.5), 2.5), (Tensor(3), 3.0)]
)
@pytest.mark.parametrize("value", [0.5, 3], ids=["float", "int"])
def test_epochs(run: Run, epoch: Any, stored: float | None, value: float) -> None:
    """
    An epoch is any number or none.
    """
    run.track(value, name="x", epoch=epoch)
    run.track(value, name="x", epoch=epoch)

    assert [stored, stored] == run.get_metric("x").epochs.tolist()


@pytest.mark.parametrize("value", [0.5, 3], ids=["float", "int"])
def test_an_epoch_that_is_no_number_is_refused(run: Run, value: float) -> None:
    """
    A str as epoch raises a ValueError.
    """
    run.track(value, name="x")
    with pytest.raises(ValueError, match="epoch"):
        run.track(value, name="x", epoch="first")  # type: ignore[arg-type]
    assert [0] == run.get_metric("x").indices


def test_positional_arguments(run: Run) -> None:
    """
    `track(value, name, step, epoch)` takes them in this order.
    """
    run.track(0.5, "n", 7, 3)

    assert [(7, (0.5, 3.0))] == list(run.get_metric("n").data.view(["val", "epoch"]).items())


def test_a_dict_tracks_each_item_under_its_own_steps(run: Run) -> None:
    """
    A dict without a name tracks its items; each has its own automatic step.
    """
    run.track(1.0, name="a")
    run.track({"a": 2.0, "b": 3, 5: 4})  # type: ignore[dict-item]

    assert [0, 1] == run.get_metric("a").indices
    assert ([0], [3]) == run.get_metric("b").values.sparse_list()
    assert [4] == run.get_metric("5").values.tolist()


@pytest.mark.parametrize("context", [None, {"subset": "val"}, {"folds": [1, 2]}])
def test_dicts_of_all_kinds_of_numbers_follow_each_other(run: Run, context: dict[str, Any] | None) -> None:
    """
    A name keeps its sequence and its context, whatever the other values of a dict are, new names among them too.
    """
    run.track({"a": 0.5, "b": 1}, step=3, context=context)
    run.track({"a": 1.5, "b": 2, "new": 1}, step=4, context=context)
    run.track({"a": np.float32(2.5), "b": 2**60, "deep": {"a": 7.0}}, step=5.0, context=context)
    run.track({"a": 3, "b": 4.5, "new": 2, "deep": {"a": 8.0}}, epoch=1, context=context)
    run.track({"a": 4.5, "b": 5.5, "new": 3}, context=context)

    tracked = {metric.name: metric.values.sparse_list() for metric in run.metrics()}
    assert {
        "a": ([3, 4, 5, 6, 7], [0.5, 1.5, 2.5, 3, 4.5]),
        "b": ([3, 4, 5, 6, 7], [1, 2, 2**60, 4.5, 5.5]),
        "new": ([4, 5, 6], [1, 2, 3]),
        "deep/a": ([5, 6], [7.0, 8.0]),
    } == tracked
    assert [context or {}] * 4 == [metric.context.to_dict() for metric in run.metrics()]


@pytest.mark.parametrize("context", [None, {"subset": "val"}])
def test_a_dict_after_the_close_resumes_the_run(run: Run, context: dict[str, Any] | None) -> None:
    """
    Its names go on after their last steps, also when another call has resumed the run before.
    """
    run.track({"a": 0.5, "b": 1.5}, context=context)
    run.close()
    run.track(1.0, name="other", context=context)
    run.track({"a": 2.5, "b": 3.5}, context=context)
    run.close()
    run["resumed"] = True
    run.track({"a": 4.5, "b": 5.5}, context=context)

    tracked = {metric.name: metric.values.tolist() for metric in run.metrics()}
    assert {"a": [0.5, 2.5, 4.5], "b": [1.5, 3.5, 5.5], "other": [1.0]} == tracked


def test_the_keys_one_and_one_half_of_a_dict_are_two_names(run: Run) -> None:
    """
    A key that is no text is the name of its text, whatever was tracked before.
    """
    for step in range(2):
        run.track({1: 0.5, 1.5: 2.5}, step=step)  # type: ignore[dict-item]
        run.track({1.0: 3.5}, step=step)  # type: ignore[dict-item]

    assert ["1", "1.0", "1.5"] == sorted(metric.name for metric in run.metrics())


def test_new_names_of_a_dict_are_declared_in_one_call(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A dict of a thousand new names writes to the event file once, and a second one does not.
    """
    writes: list[int] = []
    pwrite = os.pwrite

    def noted(descriptor: int, data: bytes, offset: int) -> int:
        writes.append(bytes(data).count(b'{"crc":"'))
        return pwrite(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", noted)
    values = {f"layer.{number}": 0.5 for number in range(1_000)}
    run.track(values, step=0)
    run.track(values, step=1)

    assert [1_000] == [lines for lines in writes if lines]
    assert 1_000 == len(list(run.metrics()))


def test_names_are_needed_for_values_and_refused_for_dicts(run: Run) -> None:
    """
    A value needs a name; a dict of values brings its own.
    """
    with pytest.raises(UntrackableValue, match="'name' should not be None."):
        run.track(1)
    with pytest.raises(UntrackableValue, match="'name' should be None when tracking values dictionary."):
        run.track({"a": 1}, name="x")
    for name in ("", 5):
        with pytest.raises(UntrackableValue, match="name"):
            run.track(1, name=name)  # type: ignore[arg-type]
    assert [] == list(run.metrics())


@pytest.mark.parametrize("name", ["a b", "a/b", "a\nb", "a\0b", "größe", "%x", "." * 300])
def test_any_text_is_a_name(run: Run, name: str) -> None:
    """
    Blanks, slashes, control characters and any script are fine in names.
    """
    run.track(1, name=name)

    assert [name] == [metric.name for metric in run.metrics()]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (None, {}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({"a": np.float64(0.5)}, {"a": 0.5}),
        ({"a": np.int64(3)}, {"a": 3}),
        ({"a": {"x": None}}, {"a": {"x": None}}),
    ],
)
def test_equal_contexts_are_one(run: Run, first: dict[str, Any] | None, second: dict[str, Any]) -> None:
    """
    Contexts that are equal as dicts are one sequence, whatever their order and number types.
    """
    run.track(1, name="x", context=first)
    run.track(2, name="x", context=second)

    (metric,) = run.metrics()
    assert [1, 2] == metric.values.tolist()
    assert run.get_metric("x", first) == run.get_metric("x", second) == metric


@pytest.mark.parametrize("context", ["train", ["a"], {"a": object()}, {"a": {1, 2}}, {1.5: "a"}])
def test_a_context_that_is_no_plain_dict_is_refused(run: Run, context: Any) -> None:
    """
    A context holds plain values only.
    """
    with pytest.raises(UntrackableValue, match="context"):
        run.track(1, name="x", context=context)


def test_a_context_object_is_a_context(run: Run) -> None:
    """
    A `Context` does where a dict does.
    """
    from aim.storage.context import Context

    run.track(1, name="x", context=Context({"a": 1}))  # type: ignore[arg-type]

    assert [1] == run.get_metric("x", {"a": 1}).values.tolist()


def test_handles_and_track_share_a_sequence(run: Run) -> None:
    """
    A handle tracks into the same sequence as `track` does, ints and floats, with the same steps.
    """
    loss = run.sequence("loss", {"subset": "train"})
    loss.track(0.5)
    run.track(0.25, name="loss", context={"subset": "train"})
    loss.track(0.125, step=10, epoch=2)
    loss.track(1)

    assert ([0, 1, 10, 11], [0.5, 0.25, 0.125, 1]) == run.get_metric("loss", {"subset": "train"}).values.sparse_list()


def test_a_wrong_value_of_several_is_named(run: Run) -> None:
    """
    Of a dict of values the message says which one is wrong; a None is told apart from what can be made a number.
    """
    with pytest.raises(UntrackableValue, match="^'accuracy': Input type str is neither .* Track float"):
        run.track({"loss": 0.5, "accuracy": "0.9"})  # type: ignore[dict-item]
    with pytest.raises(UntrackableValue, match=r"NoneType .*Leave it out, or track float\('nan'\)"):
        run.track(None, name="loss")  # type: ignore[arg-type]


def test_lists_of_plain_values_are_kept(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """
    A list of numbers or strings is stored and read back as it was; that nothing shows it is said once of a sequence.
    """
    for _ in range(2):
        run.track([1, 2.5, math.inf], name="numbers", step=0)
    run.track(["a", "b"], name="words")  # type: ignore[list-item]
    assert ["'numbers'", "'words'"] == [record.message.split()[1] for record in caplog.records]
    assert all("no query and no page shows" in record.message for record in caplog.records)
    found = {sequence.name: sequence.values.tolist() for sequence in _all(run)}

    assert {"numbers": [[1, 2.5, math.inf]], "words": [["a", "b"]]} == found


def _all(run: Run) -> list[Any]:
    from aim.sdk.sequence import Sequence
    from aim.sdk.sequence_collection import SingleRunSequenceCollection

    return list(SingleRunSequenceCollection(run, seq_cls=Sequence))
