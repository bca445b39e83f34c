"""
Callbacks, the events of a training, and safe mode.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from aim import Run, TrainingFlow
from aim.core.errors import UnstorableParam, UntrackableValue
from aim.ext.exception_resistant import set_exception_callback
from aim.sdk.callbacks import Caller, event, events
from aim.utils import disable_safe_mode, enable_safe_mode


@pytest.fixture(autouse=True)
def _plain_mode() -> Iterator[None]:
    """
    Each test ends with calls that raise.
    """
    yield
    disable_safe_mode()


class Diary:
    """Writes down what happens."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    @events.on.init
    def made(self, **kwargs: Any) -> None:
        """The flow was made."""
        self.lines.append(("init", kwargs))

    @events.on.training_metrics_collected
    @events.on.validation_metrics_collected
    def metrics(self, metrics: dict[str, float], step: int, **kwargs: Any) -> None:
        """Metrics have come."""
        self.lines.append(("metrics", {"metrics": metrics, "step": step, **kwargs}))

    @events.on.exception_raised
    def failed(self, exception: Exception, **kwargs: Any) -> None:
        """Something failed."""
        self.lines.append(("failed", {"exception": exception, "function": kwargs.get("function")}))


def test_handlers_get_what_happened_and_the_run(run: Run) -> None:
    """
    A handler gets the arguments of its event, the run, and who called.
    """
    diary = Diary()
    flow = TrainingFlow(run, callbacks=[diary])
    flow.validation_metrics_collected(metrics={"accuracy": 0.9}, step=7, epoch=1)

    assert [
        ("init", {"run": run, "_caller_": flow}),
        ("metrics", {"metrics": {"accuracy": 0.9}, "step": 7, "epoch": 1, "run": run, "_caller_": flow}),
    ] == diary.lines


def test_all_events_of_aim_3_are_there(run: Run) -> None:
    """
    The flow has the six events of Aim 3, with their names for arguments.
    """
    flow = TrainingFlow(run)
    flow.training_started(hparams={"lr": 0.1})
    flow.training_metrics_collected(metrics={"loss": 0.5}, step=1, epoch=0)
    flow.validation_metrics_collected(metrics={"loss": 0.6}, step=1, epoch=0)
    flow.training_successfully_finished()
    flow.exception_raised(exception=ValueError("x"))

    with pytest.raises(TypeError):
        flow.training_started(params={"lr": 0.1})  # type: ignore[call-arg]


def test_an_event_hands_on_whatever_it_is_called_with(run: Run) -> None:
    """
    Arguments that the event does not name, such as the model, reach the handlers, as in Aim 3.
    """
    diary = Diary()
    flow = TrainingFlow(run, [diary])
    flow.training_metrics_collected(metrics={}, step=1, model="resnet", loss_of=[1, 2])  # type: ignore[call-arg]

    (_, line) = diary.lines[-1]
    assert ("resnet", [1, 2]) == (line["model"], line["loss_of"])


def test_an_event_of_aim_3s_form_is_called_without_what_the_caller_adds(run: Run) -> None:
    """
    An event may name `run` and `**kwargs`: who calls it gives the rest, and handlers get it all side by side.
    """

    class Flow(TrainingFlow):
        @event
        def sampled(self, *, texts: list[str], run: Run, **kwargs: Any) -> None:
            """Texts were sampled."""

    class Reader:
        seen: Any = None

        @events.on.sampled
        def read(self, texts: list[str], run: Run, **kwargs: Any) -> None:
            """Read."""
            self.seen = (texts, run, kwargs)

    reader = Reader()
    flow = Flow(run, [reader])
    flow.sampled(texts=["a"], temperature=0.5)  # type: ignore[call-arg]

    assert (["a"], run, {"temperature": 0.5, "_caller_": flow}) == reader.seen


def test_an_event_may_be_triggered_by_name(run: Run) -> None:
    """
    `trigger(name, **arguments)` calls the handlers of any name, also of one that the class has no method for.
    """

    class Reader:
        seen: Any = None

        @events.on.epoch_ended
        def read(self, epoch: int, **kwargs: Any) -> None:
            """Read."""
            self.seen = (epoch, kwargs["run"])

    reader = Reader()
    TrainingFlow(run, [reader]).trigger("epoch_ended", epoch=3)

    assert (3, run) == reader.seen


def test_callbacks_may_be_registered_later(run: Run) -> None:
    """
    `register` adds handlers, called in the order of registration.
    """
    flow, first, second = TrainingFlow(run), Diary(), Diary()
    flow.register(first)
    flow.training_metrics_collected(metrics={}, step=1)
    flow.register(second)
    flow.training_metrics_collected(metrics={}, step=2)

    assert ([1, 2], [2]) == tuple([line["step"] for _, line in diary.lines] for diary in (first, second))


def test_a_failing_handler_is_logged_and_the_others_are_called(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """
    What a handler raises does not reach the training.
    """

    class Broken:
        @events.on.training_started
        def fail(self, hparams: Any, **kwargs: Any) -> None:
            """Fail."""
            raise RuntimeError("no disk for my notes")

    class Fine:
        seen: Any = None

        @events.on.training_started
        def look(self, hparams: Any, **kwargs: Any) -> None:
            """Look."""
            self.seen = hparams

    fine = Fine()
    TrainingFlow(run, [Broken(), fine]).training_started(hparams={"lr": 1})

    assert {"lr": 1} == fine.seen
    assert "no disk for my notes" in caplog.text


def test_a_handler_has_to_take_what_may_come() -> None:
    """
    A handler without `self` first or `**kwargs` last is refused where it is written.
    """
    with pytest.raises(AssertionError, match=r"\*\*kwargs"):

        @events.on.training_started
        def handler(self: Any, hparams: Any) -> None:
            """Take too little."""

    with pytest.raises(AssertionError, match="self"):

        @events.on.training_started
        def other(hparams: Any, **kwargs: Any) -> None:
            """Take no self."""


def test_a_mark_of_an_unknown_event_is_said(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """
    A mistyped event would never be called: there is a warning when the callback is registered.
    """

    class Odd:
        @events.on.training_startet
        def look(self, **kwargs: Any) -> None:
            """Look."""

    TrainingFlow(run, [Odd()])

    assert "'training_startet'" in caplog.text


def test_own_callers_have_own_events() -> None:
    """
    Any class may have events, with defaults for their arguments.
    """

    class Door(Caller):
        @event
        def opened(self, *, by: str = "nobody") -> None:
            """Somebody has come."""

    class Bell:
        heard: str = ""

        @events.on.opened
        def ring(self, by: str, **kwargs: Any) -> None:
            """Ring."""
            self.heard = by

    bell = Bell()
    door = Door([bell])
    door.opened()
    assert "nobody" == bell.heard
    door.opened(by="Ada")
    assert "Ada" == bell.heard


def test_in_safe_mode_recording_never_raises(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """
    In safe mode what can't be recorded is a warning; what can is recorded; afterwards calls raise again.
    """
    enable_safe_mode()
    run.track(object(), name="loss")  # type: ignore[arg-type]
    run["hparams"] = {"x": object()}
    run.log_info("hello", x=object())
    run.track(0.5, name="loss")
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    disable_safe_mode()

    assert 3 == len(warnings)
    assert [0.5] == run.get_metric("loss").values.tolist()
    with pytest.raises(UnstorableParam):
        run["hparams"] = {"x": object()}


def test_safe_mode_leaves_no_trace(run: Run) -> None:
    """
    Switched off, `Run` has exactly the methods that it had.
    """
    before = dict(vars(Run))
    enable_safe_mode()
    assert before != dict(vars(Run))
    enable_safe_mode()
    disable_safe_mode()
    disable_safe_mode()

    assert before == dict(vars(Run))


def test_a_log_record_of_safe_mode_knows_its_place(run: Run) -> None:
    """
    Where a message was logged is the caller's place in safe mode too.
    """
    enable_safe_mode()
    run.log_info("hello")
    records = run.get_log_records()
    assert records is not None
    (record,) = list(records)

    assert __file__ == record.logger_info[0]


def test_ones_own_callback_takes_the_exceptions(run: Run) -> None:
    """
    A callback of the caller's own gets each exception, and the method that raised it.
    """
    taken: list[tuple[str, str]] = []
    set_exception_callback(lambda error, call: taken.append((type(error).__name__, call.__name__)))
    run.track(None, name="loss")  # type: ignore[arg-type]

    assert [("UntrackableValue", "track")] == taken


def test_a_flow_may_take_the_exceptions_of_the_tracker(run: Run) -> None:
    """
    After `handle_exceptions` a failing call of the tracker is an event of the flow.
    """
    diary = Diary()
    flow = TrainingFlow(run, [diary])
    flow.handle_exceptions()
    run.track("text", name="loss")  # type: ignore[arg-type]

    (name, line) = diary.lines[-1]
    assert ("failed", UntrackableValue, "track") == (name, type(line["exception"]), line["function"].__name__)
