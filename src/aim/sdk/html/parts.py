"""
Elements of HTML for notebooks, with all text escaped.

    Html        text that is HTML already; only this module makes it from anything else
    element()   escapes each value of an attribute, and each child that is no Html

So text of a user (a name, a param, a caption) is text whatever it holds. Output is shown by Jupyter, VS Code, Colab
and pages of nbconvert, dark or light: colours are those of the text around (`currentColor`, `inherit`) at some opacity,
or a variable of Jupyter's theme with a fallback that reads on both. Styles stand in the elements, because some of these
drop a `<style>`. There is no script, no link to a file, and no address that a browser would fetch.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Callable, Iterable, Sequence

from aim.core.errors import AimError
from aim.core.words import counted
from aim.core.zones import local_time, read_zone

ROWS_MAX = 20  # of a table: what fits a screen
TEXT_CHARACTERS_MAX = 20_000
CELL_CHARACTERS_MAX = 120

LINE = "1px solid rgba(128,128,128,.3)"
MUTED = "opacity:.65"
ACCENT = "var(--jp-brand-color1, var(--vscode-charts-blue, #3b82d6))"
STATUS_COLORS = {
    "running": "var(--jp-info-color1, #3b82d6)",
    "finished": "var(--jp-success-color1, #2e9e5b)",
    "failed": "var(--jp-error-color1, #d64545)",
    "lost": "var(--jp-warn-color1, #d9822b)",
}
CELL = "padding:3px 10px 3px 0;text-align:left;vertical-align:top;background:none;color:inherit"


class Html(str):
    """Text that is HTML."""


def element(name: str, *children: str, **attributes: str | float | None) -> Html:
    """
    Return an element. Children are escaped unless they are `Html`; an attribute of None is left out.

    Args:
        attributes: `_` in a name stands for `-`, and one at its end for nothing: `class_`, `stroke_width`.

    >>> element("td", "a < b", title='"x"')
    '<td title="&quot;x&quot;">a &lt; b</td>'
    >>> element("b", element("i", "c"))
    '<b><i>c</i></b>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in ("img", "br"):
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(children)}</{name}>")


def _plain(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def joined(parts: Iterable[str], between: str = "") -> Html:
    """
    Return the parts as one, escaped unless they are `Html`.

    >>> joined(["a & b", element("br")])
    'a &amp; b<br>'
    """
    return Html(html.escape(between).join(part if isinstance(part, Html) else html.escape(part) for part in parts))


def muted(*children: str) -> Html:
    """Return text in a weaker colour."""
    return element("span", *children, style=MUTED)


def notice(text: str) -> Html:
    """Return a remark in place of what can't be shown."""
    return element("div", text, style=f"font-style:italic;{MUTED}")


def block(*children: str) -> Html:
    """Return the outermost element of an output."""
    return element(
        "div", *children, style="font-variant-numeric:tabular-nums;line-height:1.5;max-width:100%;overflow-x:auto"
    )


def heading(kind: str, title: str, *beside: str) -> Html:
    """Return the first line of an output: what it is, its title, and more beside it."""
    return element("div", muted(f"{kind} "), element("b", title), *(joined(["  ", part]) for part in beside))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], more_count: int = 0) -> Html:
    """
    Return a table; *more_count* rows that are left out are counted below it.

    >>> table(["a"], [["1 < 2"]], more_count=5).count("and 5 more")
    1
    """
    head_style = f"{CELL};font-weight:600;border-bottom:{LINE}"
    row_style = f"border-bottom:{LINE};background:none"
    head = element("tr", *(element("th", column, style=head_style) for column in columns), style="background:none")
    body = [element("tr", *(element("td", cell, style=CELL) for cell in row), style=row_style) for row in rows]
    body_table = element(
        "table",
        element("thead", head) if any(columns) else "",
        element("tbody", *body),
        style="border-collapse:collapse;margin:4px 0;border:none;font-size:inherit",
    )
    return joined([body_table, and_more(more_count)])


def and_more(count: int) -> Html:
    """
    Return a line that says how many are left out; nothing for 0.

    >>> and_more(0), and_more(1200)
    ('', '<div style="opacity:.65">and 1,200 more</div>')
    """
    return element("div", f"and {count:,} more", style=MUTED) if count > 0 else Html("")


def folded(summary: str, *children: str, is_open: bool = True) -> Html:
    """Return a part that a click folds, without a script."""
    return element(
        "details",
        element("summary", summary, style="cursor:pointer;font-weight:600"),
        *children,
        open="" if is_open else None,
        style="margin:6px 0 0 0",
    )


def chip(text: str) -> Html:
    """Return a tag."""
    style = f"border:{LINE};border-radius:9px;padding:0 8px;margin-right:4px;white-space:nowrap"
    return element("span", text, style=style)


def status_sign(status: str) -> Html:
    """Return the status of a run, with its colour."""
    dot = element("span", "●", style=f"color:{STATUS_COLORS.get(status, 'inherit')}")
    return element("span", dot, f" {status}", style="white-space:nowrap")


def code(text: str) -> Html:
    """Return text in letters of one width."""
    return element("code", text, style="background:none;color:inherit;padding:0")


def preformatted(text: str, font: str = "inherit") -> Html:
    """Return a text with its lines, up to 20,000 characters of it."""
    cut = text[:TEXT_CHARACTERS_MAX]
    style = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0;background:none;color:inherit;font-family:" + font
    return joined([element("pre", cut, style=style), and_more_characters(len(text) - len(cut))])


def and_more_characters(count: int) -> Html:
    """Return a line that says how many characters are left out; nothing for 0."""
    return element("div", f"and {counted(count, 'more character')}", style=MUTED) if count > 0 else Html("")


def captioned(content: str, caption: object) -> Html:
    """Return a picture, sound ... with the caption below it; '' is none."""
    below = element("figcaption", str(caption), style=MUTED) if caption != "" else ""
    return element("figure", content, below, style="display:inline-block;margin:4px 10px 4px 0;vertical-align:top")


def data_uri(mime: str, data: bytes) -> str:
    """
    Return bytes as the address that holds them.

    >>> data_uri("image/png", b"abc")
    'data:image/png;base64,YWJj'
    """
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def one_line(text: str) -> Html:
    """Return text that is not broken into lines."""
    return element("span", text, style="white-space:nowrap")


def short(value: object, limit: int = CELL_CHARACTERS_MAX) -> str:
    """
    Return a value as text for a cell, cut where it is long.

    >>> short(0.1 + 0.2), short("x" * 9, 5), short(True), short(None)
    ('0.3', 'xxxx…', 'True', 'None')
    """
    text = number(value) if isinstance(value, (int, float)) else str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def number(value: float | None) -> str:
    """
    Return a number for reading: integers with all their digits, and of other numbers six digits.

    >>> [number(value) for value in (3, 2**63 - 1, 0.123456789, 1e-9, float("nan"), None, 2.0)]
    ['3', '9,223,372,036,854,775,807', '0.123457', '1e-09', 'nan', '', '2']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if math.isfinite(value) and value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    return f"{value:.6g}"


def size(count_bytes: float) -> str:
    """
    Return a size for reading.

    >>> size(512), size(5_120_000)
    ('512 B', '4.9 MiB')
    """
    for unit in ("B", "KiB", "MiB"):
        if count_bytes < 1024:
            return f"{count_bytes:.0f} B" if unit == "B" else f"{count_bytes:.1f} {unit}"
        count_bytes /= 1024
    return f"{count_bytes:.1f} GiB"


def span(duration_s: float) -> str:
    """
    Return a duration for reading.

    >>> span(4.2), span(75), span(3 * 3600 + 120), span(200_000)
    ('4.2 s', '1 min 15 s', '3 h 2 min', '2 d 7 h')
    """
    if duration_s < 60:
        return f"{duration_s:.1f} s"
    minutes, seconds = divmod(int(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def moment(at_s: float) -> str:
    """Return Unix seconds as local time, to the second."""
    return local_time(at_s, read_zone(None)).strftime("%Y-%m-%d %H:%M:%S")


def or_notice(draw: Callable[[], str]) -> str:
    """
    Return what *draw* returns, or the text of its error when a run or file can't be read.

    >>> or_notice(lambda: block("a"))[:4]
    '<div'
    """
    try:
        return draw()
    except (AimError, OSError) as error:
        return notice(f"{type(error).__name__}: {error}")
