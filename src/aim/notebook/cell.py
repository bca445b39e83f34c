"""
A page of Aim below a cell of a notebook.

    frontend   a frame with the pages, and a widget that hands messages on
    kernel     the app of `aim up`, asked in this process: no port is opened, and no network is used

The frame asks as the pages of a server do (docs/formats/wire.md), and its requests and their answers are messages of
the widget. Changes are told to the frame while the kernel lives. A saved notebook has a still picture in place of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aim.convert.exporting.one_file_page import bundle_text
from aim.core.errors import AimError
from aim.notebook.kernel_answers import Answer, KernelAnswers
from aim.server.assets import STATIC

HEIGHT_PX = 620
BUNDLE = STATIC / "cell"
EVERY_CELL = "all"

BRIDGE = """
export default {
  render({ model, el }) {
    const frame = document.createElement("iframe");
    frame.title = "Aim";
    frame.style.cssText = "width:100%;border:1px solid #8884;border-radius:8px;background:transparent";
    const hear = ({ source, data }) => {
      if (source === frame.contentWindow && data && data.aim) model.send(data);
    };
    const tell = (content, buffers) => {
      if (content.page !== undefined) {
        frame.style.height = content.height_px + "px";
        if (!frame.srcdoc) frame.srcdoc = content.page;
        return;
      }
      const part = buffers && buffers[0];
      const bytes = part && part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength);
      if (frame.contentWindow) frame.contentWindow.postMessage({ ...content, bytes }, "*");
    };
    window.addEventListener("message", hear);
    model.on("msg:custom", tell);
    el.append(frame);
    model.send({ aim: "page" });
    return () => {
      window.removeEventListener("message", hear);
      model.off("msg:custom", tell);
    };
  },
};
"""


class WidgetMissing(AimError):
    """The package that shows widgets in notebooks is not installed."""


class Cell:
    """
    What a cell shows: a live page, and a still picture of it.

    Attributes:
        address: the page and its settings, as in the address of a page of `aim up`.
        picture: the still picture, SVG.
    """

    def __init__(self, root: Path, address: str, picture: str, height_px: int = HEIGHT_PX) -> None:
        self.address = address
        self.picture = picture
        self._height_px = height_px
        self._answers = KernelAnswers(root)
        self._widget = _make_widget()
        self._widget.on_msg(self._hear)
        self._answers.follow(lambda tick: self._widget.send({"aim": EVERY_CELL, "tick": tick}))

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = self._widget._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "image/svg+xml": self.picture, "text/plain": f"<Aim: {self.address}>"}, metadata

    def _hear(self, _: object, message: dict[str, Any], __: object) -> None:
        """Answer a message of the frontend: a request of the frame, or the widget's own for the page."""
        if message.get("aim") == "page":
            self._widget.send({"page": page_text(self.address), "height_px": self._height_px})
            return
        cell, number = message.get("aim"), message.get("id")

        def tell(answer: Answer) -> None:
            about = {"aim": cell, "id": number, "status": answer.status, "type": answer.content_type}
            self._widget.send(about, [answer.content])

        self._answers.ask(str(message.get("method")), str(message.get("path")), str(message.get("body", "")), tell)

    def close(self) -> None:
        """End the threads that answer; a cell is closed with its kernel too."""
        self._answers.close()
        self._widget.close()


def page_text(address: str) -> str:
    """Return the pages as one document that begins at *address*."""
    start = address.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return (
        f'<!doctype html><html lang="en" data-start="{start}"><head><meta charset="utf-8">'
        f"<title>Aim</title><style>{bundle_text(BUNDLE / 'cell.css')}</style></head>"
        f'<body><div id="app"></div><script>{bundle_text(BUNDLE / "cell.js")}</script></body></html>'
    )


def _make_widget() -> Any:
    try:
        import anywidget
    except ImportError:
        message = 'Live charts in a notebook need one more package: pip install "aim[notebook]".'
        raise WidgetMissing(message) from None
    kind = type("AimCell", (anywidget.AnyWidget,), {"_esm": BRIDGE})
    return kind()
