"""
Bring runs into a repository from elsewhere, and take them out of it in forms that other programs read.

    from aim.convert import export

    export(".", "runs.html", query='run.experiment == "digits"')

This is a face: a name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aim.core.faces import lazy_face

if TYPE_CHECKING:
    from aim.convert.exporting.export import export
    from aim.convert.exporting.export_report import ExportReport

__all__ = ["ExportReport", "export"]

_DEFINED_IN = {
    "ExportReport": "aim.convert.exporting.export_report",
    "export": "aim.convert.exporting.export",
}

__getattr__, __dir__ = lazy_face(__name__, _DEFINED_IN)
