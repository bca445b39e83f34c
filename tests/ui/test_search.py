"""
Words in the query box: runs are searched while they are typed, on every page.
"""

from __future__ import annotations

import re

import pytest
from playwright import sync_api

from tests.ui.conftest import SCREENSHOTS, Open, in_both_themes

expect = sync_api.expect


def type_into_box(page: sync_api.Page, text: str) -> None:
    """Type into the query box as a reader does, without entering it."""
    page.get_by_role("textbox", name="Query").click()
    page.keyboard.type(text)


@in_both_themes
def test_words_are_searched_while_they_are_typed(server: str, theme: str, open_page: Open) -> None:
    """
    Without Enter the list has the runs whose name or params have the word; the address keeps it, and one step back in
    the browser leaves it.
    """
    page = open_page(server + "runs")
    expect(page.locator(".grid .row", has_text="resnet18").first).to_be_visible()
    type_into_box(page, "VIT-s ")
    expect(page.locator(".grid .row", has_text="resnet18")).to_have_count(0)
    expect(page.locator(".grid .row", has_text="vit-s").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Query")).to_have_text(re.compile("VIT-s ?"))
    expect(page).to_have_url(re.compile(r"[?&]q=VIT-s(&|$)"))
    page.screenshot(path=SCREENSHOTS / f"search-{theme}.png")
    page.reload()
    expect(page.get_by_role("button", name="Search as a query")).to_be_visible()
    expect(page.locator(".grid .row", has_text="resnet18")).to_have_count(0)


def test_a_search_becomes_a_query_that_can_be_written_on(server: str, open_page: Open) -> None:
    """The chip beside the words puts the expression in their place, and the same runs stay."""
    page = open_page(server + "metrics")
    type_into_box(page, "model=vit")
    page.get_by_role("button", name="Search as a query").click()
    expect(page.get_by_role("textbox", name="Query")).to_have_text("run.search('model=vit')")
    expect(page.get_by_role("button", name="Search as a query")).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text("resnet18")


@pytest.mark.parametrize("text", ["/^resnet.*0$/", "seed=0 resnet18"])
def test_patterns_and_params_are_searched_too(text: str, server: str, open_page: Open) -> None:
    """A pattern stands between slashes; a param is written with `=`; several words have all to be there."""
    page = open_page(server + "runs")
    type_into_box(page, text)
    expect(page.locator(".grid .row", has_text="vit-s")).to_have_count(0)
    expect(page.locator(".grid .row", has_text="resnet18").first).to_be_visible()


def test_half_an_expression_waits_until_it_is_entered(server: str, open_page: Open) -> None:
    """While an expression is written nothing is said of it and the list stays; Enter asks it."""
    page = open_page(server + "runs")
    type_into_box(page, "run.hparams.model == ")
    expect(page.locator(".grid .row", has_text="resnet18").first).to_be_visible()
    page.keyboard.type('"vit-s"')
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="Query").click()
    page.keyboard.press("Enter")
    expect(page.locator(".grid .row", has_text="resnet18")).to_have_count(0)
    expect(page.locator(".grid .row", has_text="vit-s").first).to_be_visible()
    expect(page.get_by_role("button", name="Search as a query")).to_have_count(0)


def test_words_that_no_run_has_are_named(server: str, open_page: Open) -> None:
    """The page says which words no run has, and shows all runs again on request."""
    page = open_page(server + "runs")
    type_into_box(page, "nosuchmodel")
    expect(page.locator("body")).to_contain_text("No run has nosuchmodel")
    page.get_by_role("button", name="Show all runs").click()
    expect(page.locator(".grid .row", has_text="vit-s").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Query")).not_to_contain_text("nosuchmodel")
