"""
Figures come back as plotly's own.
"""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import plotly
import plotly.graph_objects as go
import pytest
from hypothesis import given

from aim.core.errors import WrongType
from aim.sdk.objects import once
from aim.sdk.objects.figure import Figure
from aim.sdk.objects.registry import restore

FINITE = st.floats(-1e9, 1e9)


def again(figure: Figure) -> Figure:
    """Return what a reader gets for *figure*."""
    stored = figure.stored()
    restored = restore(stored.kind, stored.fields, lambda: stored.data or b"")
    assert isinstance(restored, Figure)
    return restored


@given(st.lists(FINITE, min_size=1, max_size=9), st.text(max_size=9))
def test_a_figure_comes_back(values: list[float], title: str) -> None:
    """
    Data and layout of a figure are those that were tracked.
    """
    plotted = go.Figure(go.Scatter(y=values, name="loss"), layout={"title": {"text": title}})
    restored = again(Figure(plotted)).to_plotly_figure()

    assert (values, title) == (list(restored.data[0].y), restored.layout.title.text)
    assert plotted.to_dict() == restored.to_dict()


@pytest.mark.parametrize("values", [np.array([1.0, np.nan]), np.arange(5)])
def test_arrays_come_back(values: Any) -> None:
    """
    Arrays of numpy inside a figure keep their values, gaps too.
    """
    restored = again(Figure(go.Figure(go.Bar(y=values)))).to_plotly_figure()
    y = restored.data[0].y

    assert json.loads(json.dumps(go.Figure(go.Bar(y=values)).to_plotly_json(), default=repr)) is not None
    assert [None if value != value else value for value in values.tolist()] == [
        None if value is None or value != value else value for value in np.asarray(_plain(y), float).tolist()
    ]


def _plain(values: Any) -> Any:
    """Return the numbers of plotly's typed array, or of a plain list."""
    if isinstance(values, dict):
        import base64

        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return values


def test_a_figure_is_a_snapshot() -> None:
    """
    Changing the figure later does not change what is stored.
    """
    plotted = go.Figure(go.Scatter(y=[1, 2]))
    figure = Figure(plotted)
    plotted.data[0].y = [5, 6]
    plotted.update_layout(title="changed")

    assert (1, 2) == figure.to_plotly_figure().data[0].y
    assert "changed" not in figure.data


def test_a_figure_tells_its_source_and_version() -> None:
    """
    The version is that of plotly, also of plotly 6 and newer; the file is JSON.
    """
    figure = Figure(go.Figure())

    assert {"source": "plotly", "format": "raw_json", "version": plotly.__version__} == figure.json()
    assert ("aim.figure", "json") == (figure.stored().kind, figure.stored().extension)
    assert {"data", "layout"} <= set(json.loads(figure.data))
    assert f"<Figure plotly {plotly.__version__}>" == repr(figure)


@pytest.mark.parametrize("value", [5, None, "figure", {"data": []}])
def test_other_values_are_type_errors(value: object) -> None:
    """
    The message says what to pass.
    """
    with pytest.raises(WrongType, match=r"Object is not a Plotly Figure instance but a .*\. Pass a figure"):
        Figure(value)


def test_a_figure_of_matplotlib_is_converted(caplog: pytest.LogCaptureFixture) -> None:
    """
    plotly converts what it can, with one warning.
    """
    from matplotlib.figure import Figure as Drawing

    once.forget()
    drawing = Drawing()
    drawing.subplots().plot([1, 2])
    converted = Figure(drawing).to_plotly_figure()

    assert [1, 2] == list(_plain(converted.data[0].y))
    assert 1 == len([record for record in caplog.records if "converted by plotly" in record.message])


def test_notebooks_show_figures() -> None:
    """
    A notebook gets plotly's own type of content.
    """
    bundle = Figure(go.Figure(go.Scatter(y=[1, 2])))._repr_mimebundle_()

    assert [1, 2] == bundle["application/vnd.plotly.v1+json"]["data"][0]["y"]
