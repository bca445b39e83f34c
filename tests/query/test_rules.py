"""
Operations that are wrong for every run: a table of texts and messages.
"""

from __future__ import annotations

import pytest

from aim.core.errors import InvalidQuery
from aim.query.rules import static_type
from tests.query.checked import checked

MESSAGES = [
    ("metric.last.foo", 12, 15, "`metric.last` is a number, which has no `foo`; it has is_integer, hex"),
    ("run.created_at.yaer", 15, 19, "`run.created_at` is a time, which has no `yaer`. Did you mean `year`?"),
    ("run.name.lower", 0, 14, "`run.name` is a text; `lower` has to be called. Did you mean `run.name.lower()`?"),
    ("run.tags.append('x')", 9, 15, "`run.tags` is a list, which has no method `append`; it has index, count"),
    ("run.a.lowr()", 6, 10, "There is no method `lowr`. Did you mean `lower`?"),
    ("run.a.format(1)", 0, 12, "A query has no `format`; write f'{run.name}'"),
    ("len()", 0, 5, "`len` takes 1 argument, not 0"),
    ("len(1, 2)", 0, 9, "`len` takes 1 argument, not 2"),
    ("round(1, 2, 3)", 0, 14, "`round` takes 1 to 2 arguments, not 3"),
    ("sorted(run.a, ky=len)", 14, 20, "`sorted` takes no `ky`. Did you mean `key`?"),
    ("run.a.split(1, 2, 3)", 0, 20, "`split` takes 0 to 2 arguments, not 3"),
    ("re.search('(', run.a)", 10, 13, None),
    ("re.search('(?=a)', run.a)", 10, 17, None),
    ("run.a is run.b", 0, 14, "`is` is for None, True and False; values are compared with `==`"),
    ("run.a is not 1", 0, 14, "`is not` is for None, True and False; values are compared with `!=`"),
    ("run.status == 'runing'", 14, 22, None),
    ("run.status in ['finshed']", 14, 25, None),
    ("run.name > 3", 11, 12, "`run.name` is a text, which is not before or after a number"),
    ("3 < run.name", 0, 1, "`run.name` is a text, which is not before or after a number"),
    ("run.created_at > '2024-05-01T10:00'", 17, 35,
     "`run.created_at` is a time, which is not before or after a text. Did you mean `datetime(2024, 5, 1, 10)`?"),
    ("metric.last < '3'", 14, 17, "`metric.last` is a number, which is not before or after a text"),
    (f"'{'a' * 58}'.foo", 61, 64, f"`'{'a' * 58}'` is a text, which has no `foo`"),
    (f"'{'a' * 59}'.foo", 62, 65, f"`'{'a' * 56}...` is a text, which has no `foo`"),
    ("run.metrics['a'].last > 'x'", 24, 27, "`run.metrics['a'].last` is a number, which is not before or after a text"),
    ("run.metrics['a'] > 'x'", 19, 22, "`run.metrics['a']` is true or false, which is not before or after a text"),
    (f"'{'a' * 70}'.foo", 73, 76, f"`'{'a' * 56}...` is a text, which has no `foo`"),
    ("run.status == 'lost' and run.status != 'none'", 39, 45, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "start", "end", "message"), MESSAGES)
def test_a_wrong_operation_gets_a_message_with_its_span(text: str, start: int, end: int, message: str | None) -> None:
    """
    The span of the fault and the message, where the row has one, are those beside the text.
    """
    with pytest.raises(InvalidQuery) as caught:
        checked(text)

    assert (start, end) == (caught.value.start, caught.value.end)
    if message is not None:
        assert message == str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    "text",
    [
        "run.status in ['lost', 3, None]",
        "run.status > 'a'",
        "run.created_at > None",
        "metric.last > True",
        "run.a < 'b'",
        "run.a is None",
        "None is run.a",
        "re.search(run.pattern, run.a)",
    ],
)
def test_an_operation_that_may_be_right_is_not_refused(text: str) -> None:
    """
    Only what is wrong for every run is refused.
    """
    assert checked(text) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run.name", str),
        ("run.name.lower()", str),
        ("metric.last", float),
        ("metric.context", dict),
        ("run.metrics['a'].last", float),
        ("run.metrics['a'].count", int),
        ("run.metrics['a']", bool),
        ("metric.values", list),
        ("f'{run.a}'", str),
        ("3", int),
        ("run.a", None),
        ("run.a + 1", None),
    ],
)
def test_facts_have_types_and_params_have_none(text: str, expected: type | None) -> None:
    """
    The type that is known before any run is read is the one beside the text.
    """
    assert expected is static_type(checked(text))
