"""
The figures of the README are those that the benchmarks have stored.
"""

from __future__ import annotations

from tests.docs.figures import ROOT, with_figures


def test_the_figures_of_the_readme_are_those_of_the_benchmarks() -> None:
    """
    Nobody writes them by hand: `python -m tests.docs.figures` does.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert with_figures(readme) == readme, "run `python -m tests.docs.figures`"
