"""
The value of a query for one run: the table of missing values in docs/query-language.md, and Python's own meaning.
"""

from __future__ import annotations

from typing import Any

import pytest

from aim.core.errors import InvalidQuery
from aim.query import tree
from aim.query.check import check
from aim.query.columns import within
from aim.query.evaluate import Evaluator, compare
from aim.query.functions import Clock
from aim.query.limits import Budget
from aim.query.operators import MISSING
from aim.query.syntax import parse

CLOCK = Clock(1_700_000_000.0)
PARAMS: dict[Any, Any] = {
    "a": 2,
    "text": "adam",
    "none": None,
    "true": True,
    "zero": 0.0,
    "list": [3, 1, 2],
    "hp": {"lr": 0.1, "deep": {"er": "x"}, "items": 5},
}

# Text, and its value; MISSING as it is.
VALUES = [
    # What is not there
    ("run.no", MISSING),
    ("run.no.deeper['still']", MISSING),
    ("run.a.b", MISSING),
    ("run.text.b", MISSING),
    ("run.list[9]", MISSING),
    ("run.hp['no']", MISSING),
    ("run.no == None", True),
    ("None == run.no", True),
    ("run.no is None", True),
    ("run.no is not None", False),
    ("run.no is True", False),
    ("run.no is not True", True),
    ("run.no != None", False),
    ("run.no == 1", False),
    ("run.no != 1", True),
    ("run.no < 1", False),
    ("run.no > 1", False),
    ("run.no == run.no", True),
    ("run.no != run.no", False),
    ("run.no != run.none", False),
    ("run.no.at.all != True", True),
    ("run.no in [1]", False),
    ("run.no not in [None]", False),
    ("1 not in run.none", True),
    ("'x' not in run.no.at.all", True),
    ("run.a / run.zero != 1", True),
    ("run.list not in {1}", True),
    ("1 != run.no != 2", True),
    ("run.no == run.none", True),
    ("run.no in [None]", True),
    ("run.no not in [1]", True),
    ("1 in run.no", False),
    ("1 not in run.no", True),
    ("1 < run.no < 3", False),
    ("not run.no", True),
    ("not run.no > 1", True),
    ("run.no or 5", 5),
    ("run.no and 5", MISSING),
    ("1 if run.no else 2", 2),
    ("run.no + 1", MISSING),
    ("-run.no", MISSING),
    ("'%s' % run.no", MISSING),
    ("run.no and 1 in [run.no]", MISSING),
    ("run.no[0]", MISSING),
    ("run.list[run.no]", MISSING),
    ("run.list[run.no:]", MISSING),
    ("run.no.lower()", MISSING),
    ("run.text.startswith(run.no)", MISSING),
    ("len(run.no)", MISSING),
    ("max(run.no, 1)", MISSING),
    ("round(run.a, ndigits=run.no)", MISSING),
    ("(lambda x: 1)(run.no)", MISSING),
    ("bool(run.no)", False),
    ("isinstance(run.no, int)", False),
    ("run.get('no')", None),
    ("run.get('no', 7)", 7),
    ("run.get('a', 7)", 2),
    ("run.hp.get('no', 7)", 7),
    ("run.no.get('no', 7)", 7),
    ("run.text.get('no', 7)", 7),
    ("run.no.get(run.no, 7)", 7),
    ("[run.no, 1]", [None, 1]),
    ("(run.no,)", (None,)),
    ("{'k': run.no}", {"k": None}),
    ("{run.no}", {None}),
    ("f'<{run.no}>'", "<None>"),
    ("[run.no for x in [1]]", [None]),
    ("[x for x in run.no]", MISSING),
    ("any([run.no])", False),
    # What does not fit
    ("run.text > 3", False),
    ("run.text < 3", False),
    ("run.text == 3", False),
    ("run.text != 3", True),
    ("5 in run.a", False),
    ("5 not in run.a", True),
    ("run.list in {1}", False),
    ("run.a / run.zero", MISSING),
    ("run.text + 1", MISSING),
    ("run.text[9]", MISSING),
    ("int(run.text)", MISSING),
    ("run.list.lower()", MISSING),
    ("run.a.split()", MISSING),
    ("(run.a or 1)(1)", MISSING),
    ("[x for x in run.a]", MISSING),
    ("[x for x, y in run.list]", MISSING),
    ("[x for x, y in [run.list]]", MISSING),
    ("[x for x, y, z, w in [run.list]]", MISSING),
    ("[y for x, y in {1: run.a}]", MISSING),
    ("run.a / run.zero == None", True),
    # What Python says
    ("run.a + 1", 3),
    ("run.none == None", True),
    ("run.none is None", True),
    ("run.none + 1", MISSING),
    ("run.true == 1", True),
    ("run.true is True", True),
    ("run.a is True", False),
    ("run.a == 2.0", True),
    ("1 < run.a < 3", True),
    ("1 < run.a > 5", False),
    ("1 in run.list", True),
    ("'da' in run.text", True),
    ("run.text[1:3]", "da"),
    ("run.text[::-1]", "mada"),
    ("run.list[-1]", 2),
    ("run.list + [4]", [3, 1, 2, 4]),
    ("run.text * run.a", "adamadam"),
    ("run.text.upper()", "ADAM"),
    ("run.text.replace('a', 'o')", "odom"),
    ("'%s-%03d' % (run.text, run.a)", "adam-002"),
    ("f'{run.a:>3}{run.text!r}'", "  2'adam'"),
    ("sorted(run.list)", [1, 2, 3]),
    ("sorted(run.list, key=lambda n: -n)", [3, 2, 1]),
    ("max(run.list, key=lambda n: (n == 1, n))", 1),
    ("max([run.a], default=3)", 2),
    ("[n + run.a for n in run.list if n > 1]", [5, 4]),
    ("[(x, y) for x in run.list for y in run.list if x < y]", [(1, 3), (1, 2), (2, 3)]),
    ("{k: len(k) for k in run.hp}", {"lr": 2, "deep": 4, "items": 5}),
    ("{n % 2 for n in run.list}", {0, 1}),
    ("sum(n for n in run.list)", 6),
    ("any(n > 2 for n in run.list)", True),
    ("[a for a, b in run.hp.items() if b == 0.1]", ["lr"]),
    ("[x for x in [x for x in run.list]]", [3, 1, 2]),
    ("(lambda x, y: x - y)(run.a, 1)", 1),
    ("(lambda x: (lambda y: x + y))(run.a)(3)", 5),
    ("(lambda x: (y := x) + y)(run.a)", 4),
    ("[z for x, y, z in [run.list]]", [2]),
    ("[(y, x) for x, y in [run.text[:2]]]", [("d", "a")]),
    ("[f(run.a) for f in [lambda x: x + n for n in run.list]]", [4, 4, 4]),
    ("(x := run.a) + x", 4),
    ("[(y := n) for n in run.list] == run.list and y == 2", True),
    ("run.hp.deep.er", "x"),
    ("run.hp['deep', 'er']", "x"),
    ("run.hp.items", 5),
    ("len(run.hp.items())", 3),
    ("run.hp == {'lr': 0.1, 'deep': {'er': 'x'}, 'items': 5}", True),
    ("isinstance(run.a, (str, int))", True),
    ("isinstance(run.true, int)", True),
    ("isinstance(run.none, None)", True),
    ("list(map(lambda n: n * 2, run.list))", [6, 2, 4]),
    ("list(filter(None, run.list))", [3, 1, 2]),
    ("re.search('d(.)', run.text).group(1)", "a"),
    ("re.search('z', run.text) is None", True),
    ("datetime(2024, 1, run.a).day", 2),
    ("(timedelta(days=run.a) * 2).days", 4),
    ("str(run.a) + repr(run.text)", "2'adam'"),
    ("test(run.no, 1, run.a, 2, 3)", MISSING),
    ("test(run.zero, 1, run.a, 2, 3)", 2),
    ("test(run.zero, 1, run.zero, 2)", None),
    ("reorder(run.list, [9, 2])", [2, 3, 1]),
    ("reorder(run.list, [2, 3], [3])", [2, 1]),
    ("math.comb(run.a + 4, 4)", 15),
    ("math.perm(run.a + 4, 4)", 360),
    ("math.comb(run.a, 3)", 0),
    ("math.lcm(run.a, 3, 4)", 12),
    ("math.prod([run.a, 3, 0.5])", 3.0),
    ("math.prod([run.text])", MISSING),
]


def asked(text: str) -> object:
    """The value of *text* for a run with PARAMS."""
    parsed = parse(text)
    assert parsed is not None
    evaluator = Evaluator(check(parsed, text, "run", CLOCK), text, CLOCK)
    values = []
    for source in evaluator.sources:
        assert isinstance(source, tree.RunParam)
        values.append(within(PARAMS, source.path))
    return evaluator.ask(values)


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_a_text_has_the_value_beside_it(text: str, expected: object) -> None:
    """
    The value of a text for the run above, and its type, are those beside it.
    """
    value = asked(text)

    assert expected == value
    assert type(expected) is type(value)


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"])
def test_missing_compares_as_none_does(operator: str) -> None:
    """
    A comparison answers for a missing value what it answers for None.
    """
    others: tuple[object, ...] = (0, False, "", [], [None], {}, None)

    for other in others:
        assert compare(operator, None, other) is compare(operator, MISSING, other)
        assert compare(operator, other, None) is compare(operator, other, MISSING)
    assert compare(operator, None, None) is compare(operator, MISSING, MISSING)


@pytest.mark.parametrize(("operator", "negation"), [("==", "!="), ("in", "not in"), ("is", "is not")])
def test_a_negation_is_true_exactly_where_its_comparison_is_false(operator: str, negation: str) -> None:
    """
    Also where a side is missing, and where Python refuses both, as in `5 in 3`.
    """
    values: tuple[object, ...] = (MISSING, None, 0, 3, True, "adam", [0, None], {"adam": 1}, float("nan"))

    for left in values:
        for right in values:
            assert compare(operator, left, right) is not compare(negation, left, right)


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("run.text * 10**6", "run.text * 10**6", "100,000 characters or items"),
        ("run.a << 10**6", "run.a << 10**6", "4,096 bits"),
        ("[x for x in range(10**9)] == run.a", "[x for x in range(10**9)]", "100,000 characters or items"),
        ("run.a and {x for x in range(20000)}", "{x for x in range(20000)}", "10,000 members"),
        ("run.text.ljust(10**6)", "run.text.ljust(10**6)", "1,000 characters"),
        ("f'{run.a:>99999}'", "f'{run.a:>99999}'", "1,000 characters"),
        (f"[{', '.join(['run.text * 2000'] * 20)}]", f"[{', '.join(['run.text * 2000'] * 20)}]", "100,000 characters"),
        ("int(run.text * 2000)", "int(run.text * 2000)", "4,096 bits"),
        ("math.perm(2**900, run.a * 3)", "math.perm(2**900, run.a * 3)", "4,096 bits"),
        ("math.comb(2**900, 2**900 - run.a * 3)", "math.comb(2**900, 2**900 - run.a * 3)", "4,096 bits"),
        ("math.lcm(2**4000 + 1, 2**100 + run.a)", "math.lcm(2**4000 + 1, 2**100 + run.a)", "4,096 bits"),
        ("math.factorial(run.a * 9999)", "math.factorial(run.a * 9999)", "factorial of more than"),
        ("(lambda f: f(f))(lambda f: f(f) + run.a)", "f(f)", "20 deep"),
    ],
)
def test_a_bound_that_is_passed_is_said_with_its_place(text: str, words: str, message: str) -> None:
    """
    An operation that would pass a bound ends the query, and the message shows its span.
    """
    with pytest.raises(InvalidQuery, match=message) as caught:
        asked(text)

    assert words == text[caught.value.start : caught.value.end]


def test_repetitions_end_with_the_time() -> None:
    """
    A comprehension that would run for years ends when the time of the budget does.
    """
    text = "sum(0 for x in range(10**12) if run.no)"
    parsed = parse(text)
    assert parsed is not None
    evaluator = Evaluator(check(parsed, text, "run", CLOCK), text, CLOCK)

    with pytest.raises(InvalidQuery, match=r"takes longer than 0\.05 s"):
        evaluator.ask([MISSING], Budget(0.05))


def test_a_variable_of_one_run_is_not_there_for_the_next() -> None:
    """
    A variable that `:=` assigned for one run is missing for the next.
    """
    text = "run.a and (x := run.a) or x"
    parsed = parse(text)
    assert parsed is not None
    evaluator = Evaluator(check(parsed, text, "run", CLOCK), text, CLOCK)
    frame, ask = evaluator.frame(Budget()), evaluator.closure()
    answers = []
    for value in (5, 0):
        frame[1] = value
        answers.append(ask(frame))

    assert [5, MISSING] == answers
