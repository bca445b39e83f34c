"""
Runs from other programs, and runs in forms that other programs read.

    from aim.convert import detect, export, import_

    import_("./wandb", repo=".")
    export(".", "runs.html", query='run.experiment == "digits"')

    detecting  ->  a format's reading (bytes -> neutral events)  ->  intake (events -> a run)  ->  report
    exporting: runs -> files

Rule: a source is never changed, and nothing of it is dropped without being counted in the report.

This is a face: a name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aim.core.faces import lazy_face

if TYPE_CHECKING:
    from aim.convert.detecting import detect as detect
    from aim.convert.exporting.export import export as export
    from aim.convert.exporting.export_report import ExportReport as ExportReport
    from aim.convert.formats import ImportOptions as ImportOptions
    from aim.convert.importing import import_ as import_
    from aim.convert.report import Report as Report

__all__ = ["ExportReport", "ImportOptions", "Report", "detect", "export", "import_"]

_DEFINED_IN = {
    "ExportReport": "aim.convert.exporting.export_report",
    "ImportOptions": "aim.convert.formats",
    "Report": "aim.convert.report",
    "detect": "aim.convert.detecting",
    "export": "aim.convert.exporting.export",
    "import_": "aim.convert.importing",
}

__getattr__, __dir__ = lazy_face(__name__, _DEFINED_IN)
