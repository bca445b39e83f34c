"""
The stage that resolves names: a table of texts and trees, a table of texts and messages.
"""

from __future__ import annotations

import pytest

from aim.core.errors import InvalidQuery
from aim.query.tree import show
from tests.query.checked import checked

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
    ("metric.record_max_length", 7, 24, None),
    ("run.metrics", 0, 11, "`run.metrics` needs the name of one metric: run.metrics['loss', {'subset': 'val'}].last"),
    ("run.metrics.loss", 0, 16, "A metric of a run is written run.metrics['loss']"),
    ("run.metrics[run.a]", 12, 17, None),
    ("run.metrics['a', {'b': {1}}]", 12, 27, None),
    ("run.metrics['a'].lst", 17, 20, "A metric of a run has no `lst`. Did you mean `last`?"),
    ("run.metrics['a'].get('b')", 0, 20, "`run.metrics['a']` has no methods"),
    ("run.foo(1)", 4, 7, "`run` has no method `foo`; it has keys, values, items, get, search"),
    ("run.hash()", 4, 8, "`run` has no method `hash`; it has keys, values, items, get, search"),
    ("lenn(run.a)", 0, 4, "`lenn` is not known. Did you mean `len`?"),
    ("getattr(run, 'db')", 8, 11, None),
    ("math", 0, 4, "`math` is a module; name the member that you want"),
    ("math.sqr(2)", 5, 8, "`math` has no `sqr`. Did you mean `sqrt`?"),
    ("math.pi(2)", 0, 7, "`math.pi` is not a function"),
    ("(lambda a: a)(b=1)", 14, 17, "A lambda takes no `name=value`"),
    ("1 / 0", 0, 5, "This always fails: division by zero"),
    ("run.a and int('x')", 10, 18, "This always fails: invalid literal for int() with base 10: 'x'"),
    ("9 ** 9 ** 9", 0, 11, "Too much: this makes an integer of more than 4,096 bits"),
    ("[x for x in x]", 12, 13, "`x` is not known. A param is written run.x"),
    ("[x for x in [1]] + x", 19, 20, "`x` is not known. A param is written run.x"),
    ("(lambda a: (b := a))(1) + b", 26, 27, "`b` is not known. A param is written run.b"),
    ("run[1:2]", 0, 8, "`run` has no slices"),
]  # fmt: skip


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
    The span of the fault and the message, where the row has one, are those beside the text.
    """
    with pytest.raises(InvalidQuery) as caught:
        checked(text)

    assert (start, end) == (caught.value.start, caught.value.end)
    if message is not None:
        assert message == str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    ("text", "subject", "message"),
    [
        ("metric.last > 1", "run", "`metric` is not known here: this query is about `run`"),
        ("metric.last > 1", "images", "`metric` is not known here: this query is about `images` and `run`"),
        ("metrics.last > 1", "images", "`metrics` is not known here: this query is about `images` and `run`"),
        ("metrics.last > 1", "run", "`metrics` is not known. Did you mean `metric`?"),
        ("NULL", "run", "`NULL` is not known. Did you mean `None`?"),
    ],
)
def test_a_name_that_is_not_known_here_gets_the_variables_that_are(text: str, subject: str, message: str) -> None:
    """
    The message depends on what the query is about.
    """
    with pytest.raises(InvalidQuery) as caught:
        checked(text, subject)

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
    The suggestion for `image` is `images`: three users in four write the singular at first.
    """
    with pytest.raises(InvalidQuery) as caught:
        checked(f"{wrong}.name == 'a'", subject)

    assert suggestion == caught.value.suggestion


@pytest.mark.parametrize(
    "name", ["count", "first_step", "last_step", "record_max_length", "context", "dtype", "version"]
)
def test_objects_have_their_own_summaries(name: str) -> None:
    """
    Sequences of objects have steps and lengths.
    """
    assert "Input(" in show(checked(f"images.{name}", "images"))


@pytest.mark.parametrize("name", ["last", "min", "mean", "values", "has_nan"])
def test_objects_have_no_summaries_of_values(name: str) -> None:
    """
    An image has no smallest value, so a query for it is a mistake.
    """
    with pytest.raises(InvalidQuery, match=f"`images` has no `{name}`"):
        checked(f"images.{name} == 1", "images")


def test_a_large_constant_stays_an_operation() -> None:
    """
    A short query can't make thousands of long constants.
    """
    assert "Binary(*, Constant('a'), Constant(50000))" == show(checked("'a' * 50000"))
