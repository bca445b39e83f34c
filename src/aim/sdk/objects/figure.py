"""
Figures: plots that a reader can still zoom and hover, kept as the JSON of plotly.

    field      meaning
    source     plotly
    version    of plotly, as it wrote the JSON
    format     raw_json

The figure is copied by the constructor; its JSON is made when it is first needed.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.errors import WrongType
from aim.sdk.objects.custom import Content, CustomObject
from aim.sdk.objects.once import warn_once
from aim.sdk.objects.recognise import is_matplotlib_figure, is_plotly_figure

if TYPE_CHECKING:
    import plotly.graph_objects


class Figure(CustomObject):
    """
    One figure of plotly; one of matplotlib is converted, as far as plotly can (`Image` keeps its exact look).

    Raises:
        WrongType: (a TypeError) *obj* is something else, or a figure of matplotlib that plotly can't convert.

    >>> import plotly.graph_objects as go
    >>> Figure(go.Figure(go.Scatter(y=[1, 2]))).to_plotly_figure().data[0].y
    (1, 2)
    """

    AIM_NAME: ClassVar[str] = "aim.figure"

    def __init__(self, obj: Any) -> None:
        if is_matplotlib_figure(obj):
            obj = _converted(obj)
        if not is_plotly_figure(obj):
            raise WrongType(
                f"Object is not a Plotly Figure instance but a {type(obj).__module__}.{type(obj).__qualname__}. "
                "Pass a figure of plotly or matplotlib."
            )
        import plotly

        fields = {"source": "plotly", "version": str(plotly.__version__), "format": "raw_json"}
        super().__init__(fields, Content(partial(_json_of, obj.to_dict())))

    @property
    def data(self) -> str:
        """The figure as plotly's JSON text."""
        return self._read().decode()

    def to_plotly_figure(self) -> plotly.graph_objects.Figure:
        """Return the figure as one of plotly: a new one each time."""
        import plotly.io

        return plotly.io.from_json(self.data, skip_invalid=True)

    def json(self) -> dict[str, Any]:
        """Return source, format and version."""
        return {name: str(self._fields.get(name, "")) for name in ("source", "format", "version")}

    def __repr__(self) -> str:
        return f"<Figure plotly {self._fields.get('version', '')}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import media

        return media.figure(self.data)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        # a frontend takes the richest that it knows: plotly's own drawing, the still picture, or text
        import json

        drawn = json.loads(self.data)
        return {"application/vnd.plotly.v1+json": drawn, "text/html": self._repr_html_(), "text/plain": repr(self)}

    def _extension(self) -> str:
        return "json"


def _json_of(figure: dict[str, Any]) -> bytes:
    import plotly.io.json

    return str(plotly.io.json.to_json_plotly(figure)).encode()


def _converted(figure: Any) -> Any:
    import plotly.tools

    warn_once(
        "converted figure",
        "Figure: a figure of matplotlib is converted by plotly and may look different; Image(figure) keeps its look. "
        "This is said once.",
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return plotly.tools.mpl_to_plotly(figure)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, NotImplementedError, ImportError) as error:
        raise WrongType(
            f"plotly can't convert this figure of matplotlib: {type(error).__name__}: {error}. Track Image(figure)."
        ) from error
