"""
Figures of plotly, tracked by the SDK, are drawn by plotly's own script under our strict policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import plotly.graph_objects
import pytest
from playwright import sync_api

from aim import Figure, Run
from tests.ui.conftest import Open, in_both_themes, serving

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect
TOKEN = "figures-too"


@pytest.fixture(name="figures", scope="session")
def _figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    The address of a server, with a token, of a run that has two figures: one of SVG, one that compiles code.
    """
    repo = tmp_path_factory.mktemp("figures")
    with Run(repo=str(repo), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = "plots"
        bars = plotly.graph_objects.Figure(plotly.graph_objects.Bar(x=["a", "b", "c"], y=[2, 3, 1]))
        run.track(Figure(bars), name="bars", step=0)
        axes = [{"label": name, "values": [1, 2, 3]} for name in ("lr", "loss")]
        run.track(
            Figure(plotly.graph_objects.Figure(plotly.graph_objects.Parcoords(dimensions=axes))), name="lines", step=0
        )
    with serving("--repo", str(repo), "--token", TOKEN) as address:
        yield f"{address}media?token={TOKEN}"


@in_both_themes
def test_figures_are_drawn_in_a_frame_of_their_own(figures: str, open_page: Open, shot: Shot) -> None:
    """
    Both are drawn, the one that needs to compile code too; the page around them still may not.
    """
    page = open_page(figures)
    frames = page.locator(".figure iframe")
    expect(frames).to_have_count(2)

    expect(frames.nth(0).content_frame.locator(".bars .point")).to_have_count(3)
    expect(frames.nth(1).content_frame.locator(".parcoords .axis-title")).to_have_count(2)
    expect(page.locator(".figure .fault")).to_have_count(0)
    shot(page)
    answer = page.request.get(page.url.split("media")[0] + "metrics")
    assert "unsafe-eval" not in answer.headers["content-security-policy"]


def test_the_frame_of_figures_reaches_nothing(figures: str, open_page: Open) -> None:
    """
    What runs in it has no origin, no cookies, and can ask neither our server nor another one.
    """
    page = open_page(figures)
    page.locator(".figure iframe").first.content_frame.locator("#figure").wait_for(state="attached")
    frame = next(frame for frame in page.frames if frame.url.endswith("/figure"))

    assert "null" == frame.evaluate("self.origin")
    policy = page.request.get(frame.url).headers["content-security-policy"]
    assert "sandbox allow-scripts allow-downloads" == policy.split(";")[0]
    assert {"connect-src", "frame-src", "form-action"}.isdisjoint(policy.replace(";", " ").split())
    assert "default-src 'none'" in policy
