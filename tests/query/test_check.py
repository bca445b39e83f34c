"""
The stage that gives names their meaning: a table of texts and trees, a table of texts and messages.
"""

from __future__ import annotations

import pytest

from aim.core.errors import InvalidQuery
from aim.query import tree
from aim.query.check import check
from aim.query.functions import Clock
from aim.query.rules import static_type
from aim.query.syntax import parse
from aim.query.tree import show

CLOCK = Clock(1_700_000_000.0, offset_minutes=-60)
LR = "Input(RunParam(('hparams', 'lr')))"

TREES = [
    ("run.hparams.lr", LR),
    ("run['hparams'].lr", LR),
    ("run['hparams', 'lr']", LR),
    ("run[('hparams', 'lr')]", LR),
    ("run['hparams']['lr']", LR),
    ("metric.run.hparams.lr", LR),
    ("run.list[0]", "Input(RunParam(('list', 0)))"),
    ("run.list[-1]", "Input(RunParam(('list', -1)))"),
    ("run.list[0:2]", "Subscript(Input(RunParam(('list',))), Slice(Constant(0), Constant(2), None))"),
    ("run.list[1.0]", "Subscript(Input(RunParam(('list',))), Constant(1.0))"),
    ("run.name", "Input(RunField('name'))"),
    ("run['name']", "Input(RunParam(('name',)))"),
    ("run.is_archived", "Input(RunField('archived'))"),
    ("run.experiment.name", "Input(RunField('experiment'))"),
    ("run.run", "Input(RunParam(('run',)))"),
    ("run.metrics['loss']", "Input(RunMetric('loss', '{}', ''))"),
    ("run.metrics['loss', {'b': 1.0, 'a': 'x'}].min", "Input(RunMetric('loss', '{\"a\":\"x\",\"b\":1}', 'min'))"),
    ("run.metrics['lo' + 'ss'].last", "Input(RunMetric('loss', '{}', 'last'))"),
    ("run.get('k')", "Get(Input(RunParam(('k',))), Constant(None))"),
    ("run.get(('a', 'b'), 3)", "Get(Input(RunParam(('a', 'b'))), Constant(3))"),
    ("run.a.get('k', run.b)", "Get(Input(RunParam(('a', 'k'))), Input(RunParam(('b',))))"),
    ("run.get(run.a)", "Method(Input(RunParam(())), get, [Input(RunParam(('a',)))])"),
    ("run[run.a]", "Subscript(Input(RunParam(())), Input(RunParam(('a',))))"),
    ("'a' in run", "Compare(('in',), [Constant('a'), Input(RunParam(()))])"),
    ("run.items()", "Method(Input(RunParam(())), items, ())"),
    ("metric.name", "Input(PairField('name'))"),
    ("metric.context.subset", "Attribute(Input(PairField('context')), subset)"),
    ("metric.last", "Input(SummaryValue('last'))"),
    ("metric.values", "Input(PointList('values'))"),
    ("len(run.tags)", "Invoke(len, [Input(RunField('tags'))])"),
    ("math.sqrt(run.a)", "Invoke(math.sqrt, [Input(RunParam(('a',)))])"),
    ("sorted(run.tags, key=len)", "Invoke(sorted, [Input(RunField('tags'))], [Keyword(key, Builtin(len))])"),
    ("run.a.lower()", "Method(Input(RunParam(('a',))), lower, ())"),
    ("[run.a for run in [1]]", None),
    ("1 + 2 * 3", "Constant(7)"),
    ("'a' < 3", "Constant(False)"),
    ("[n * n for n in (1, 2)]", "Constant([1, 4])"),
    ("sorted([3, 1], key=lambda n: -n)", "Constant([3, 1])"),
    ("math.pi > 3", "Constant(True)"),
    ("datetime(2024, 1, 1) + timedelta(days=1)", "Constant(datetime.datetime(2024, 1, 2, 0, 0))"),
    ("datetime.now()", "Constant(datetime.datetime(2023, 11, 14, 23, 13, 20))"),
    ("datetime.utcnow()", "Constant(datetime.datetime(2023, 11, 14, 22, 13, 20))"),
    ("{'a': 1}.b", "Constant(MISSING)"),
    ("random.random()", "Invoke(random.random, ())"),
    ("lambda run: run", "Lambda(('run',), Name(run))"),
    ("(x := 1) + x", "Binary(+, Assign(x, Constant(1)), Name(x))"),
]  # fmt: skip

MESSAGES = [
    ("run", 0, 3, "`run` is not a value by itself; name one of its fields, as in run.hparams.lr"),
    ("metric", 0, 6, "`metric` is not a value by itself; name one of its fields, as in metric.name"),
    ("metirc.last", 0, 6, "`metirc` is not known. Did you mean `metric`?"),
    ("metrics.last", 0, 7, "`metrics` is not known. Did you mean `metric`?"),
    ("lr > 1", 0, 2, "`lr` is not known. A param is written run.lr"),
    ("true", 0, 4, "`true` is not known. Did you mean `True`?"),
    ("images.name", 0, 6, "`images` is not known here: this query is about `metric` and `run`"),
    ("metric.lst", 7, 10, "`metric` has no `lst`. Did you mean `last`?"),
    ("metric.last.foo", 12, 15, "`metric.last` is a number, which has no `foo`; it has is_integer, hex"),
    ("metric.record_max_length", 7, 24, None),
    ("run.metrics", 0, 11, "`run.metrics` needs the name of one metric: run.metrics['loss', {'subset': 'val'}].last"),
    ("run.metrics.loss", 0, 16, "A metric of a run is written run.metrics['loss']"),
    ("run.metrics[run.a]", 12, 17, None),
    ("run.metrics['a', {'b': {1}}]", 12, 27, None),
    ("run.metrics['a'].lst", 17, 20, "A metric of a run has no `lst`. Did you mean `last`?"),
    ("run.metrics['a'].get('b')", 0, 20, "`run.metrics['a']` has no methods"),
    ("run.created_at.yaer", 15, 19, "`run.created_at` is a time, which has no `yaer`. Did you mean `year`?"),
    ("run.name.lower", 0, 14, "`run.name` is a text; `lower` has to be called. Did you mean `run.name.lower()`?"),
    ("run.tags.append('x')", 9, 15, "`run.tags` is a list, which has no method `append`; it has index, count"),
    ("run.a.lowr()", 6, 10, "There is no method `lowr`. Did you mean `lower`?"),
    ("run.a.format(1)", 0, 12, "A query has no `format`; write f'{run.name}'"),
    ("run.foo(1)", 4, 7, "`run` has no method `foo`; it has keys, values, items, get"),
    ("run.hash()", 4, 8, "`run` has no method `hash`; it has keys, values, items, get"),
    ("len()", 0, 5, "`len` takes 1 argument, not 0"),
    ("len(1, 2)", 0, 9, "`len` takes 1 argument, not 2"),
    ("round(1, 2, 3)", 0, 14, "`round` takes 1 to 2 arguments, not 3"),
    ("sorted(run.a, ky=len)", 14, 20, "`sorted` takes no `ky`. Did you mean `key`?"),
    ("run.a.split(1, 2, 3)", 0, 20, "`split` takes 0 to 2 arguments, not 3"),
    ("lenn(run.a)", 0, 4, "`lenn` is not known. Did you mean `len`?"),
    ("getattr(run, 'db')", 8, 11, None),
    ("math", 0, 4, "`math` is a module; name the member that you want"),
    ("math.sqr(2)", 5, 8, "`math` has no `sqr`. Did you mean `sqrt`?"),
    ("math.pi(2)", 0, 7, "`math.pi` is not a function"),
    ("(lambda a: a)(b=1)", 14, 17, "A lambda takes no `name=value`"),
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
    ("1 / 0", 0, 5, "This always fails: division by zero"),
    ("run.a and int('x')", 10, 18, "This always fails: invalid literal for int() with base 10: 'x'"),
    ("9 ** 9 ** 9", 0, 11, "Too much: this makes an integer of more than 4,096 bits"),
    ("[x for x in x]", 12, 13, "`x` is not known. A param is written run.x"),
    ("[x for x in [1]] + x", 19, 20, "`x` is not known. A param is written run.x"),
    ("(lambda a: (b := a))(1) + b", 26, 27, "`b` is not known. A param is written run.b"),
    ("run[1:2]", 0, 8, "`run` has no slices"),
]  # fmt: skip


def checked(text: str, subject: str = "metric") -> tree.Node:
    """Parse and check a text."""
    node = parse(text)
    assert node is not None
    return check(node, text, subject, CLOCK)


@pytest.mark.parametrize(("text", "expected"), [row for row in TREES if row[1] is not None])
def test_names_become_what_they_stand_for(text: str, expected: str) -> None:
    """
    The checked tree of a text is the one beside it.
    """
    assert expected == show(checked(text))


@pytest.mark.parametrize(("text", "start", "end", "message"), MESSAGES)
def test_a_wrong_name_or_call_gets_a_message_with_its_place(
    text: str, start: int, end: int, message: str | None
) -> None:
    """
    The place of the fault, and the message where one is given, are those beside the text.
    """
    with pytest.raises(InvalidQuery) as caught:
        checked(text)

    assert (start, end) == (caught.value.start, caught.value.end)
    if message is not None:
        assert message == str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    ("subject", "wrong", "suggestion"),
    [
        ("images", "image", "images"),
        ("texts", "text", "texts"),
        ("figures", "figure", "figures"),
        ("videos", "video", "videos"),
        ("tables", "table", "tables"),
        ("run", "runs", "run"),
    ],
)
def test_the_singular_is_answered_with_the_plural(subject: str, wrong: str, suggestion: str) -> None:
    """
    Who writes `image` where the variable is `images`, as 3 in 4 do at first, is told.
    """
    with pytest.raises(InvalidQuery) as caught:
        checked(f"{wrong}.name == 'a'", subject)

    assert suggestion == caught.value.suggestion


@pytest.mark.parametrize(
    "name", ["count", "first_step", "last_step", "record_max_length", "context", "dtype", "version"]
)
def test_objects_have_their_own_summaries(name: str) -> None:
    """
    Sequences of objects know their steps and lengths.
    """
    assert "Input(" in show(checked(f"images.{name}", "images"))


@pytest.mark.parametrize("name", ["last", "min", "mean", "values", "has_nan"])
def test_objects_have_no_summaries_of_values(name: str) -> None:
    """
    An image has no smallest value, so to ask for it is a mistake.
    """
    with pytest.raises(InvalidQuery, match=f"`images` has no `{name}`"):
        checked(f"images.{name} == 1", "images")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run.name", str),
        ("run.name.lower()", str),
        ("metric.last", float),
        ("metric.context", dict),
        ("metric.values", list),
        ("f'{run.a}'", str),
        ("3", int),
        ("run.a", None),
        ("run.a + 1", None),
    ],
)
def test_facts_have_types_and_params_have_none(text: str, expected: type | None) -> None:
    """
    What is known before any run is read is the type beside the text.
    """
    assert expected is static_type(checked(text))


def test_a_large_constant_stays_an_operation() -> None:
    """
    A query can't hold thousands of long texts by naming them shortly.
    """
    assert "Binary(*, Constant('a'), Constant(50000))" == show(checked("'a' * 50000"))
