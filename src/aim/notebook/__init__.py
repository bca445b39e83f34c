"""
Charts in a notebook, live: the pages of Aim below a cell, without a port.

    from aim import Repo, notebook

    repo = Repo(".")
    repo.show("metric.name == 'loss'", color="run.hparams.lr")
    notebook.metrics(repo, smooth=0.6, x="epoch", aggregate="seed")
    notebook.chart(repo, "scatter", x="hparams.lr", y="val/acc")
    notebook.params(repo)

It needs `pip install "aim[notebook]"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aim.core.faces import lazy_face

if TYPE_CHECKING:
    from aim.notebook.showing import chart, metrics, page, params, runs

__all__ = ["chart", "metrics", "page", "params", "runs"]

_DEFINED_IN = dict.fromkeys(__all__, "aim.notebook.showing")

__getattr__, __dir__ = lazy_face(__name__, _DEFINED_IN)
