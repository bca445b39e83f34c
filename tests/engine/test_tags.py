"""
The tags of a repository: counted over runs, described once, renamed and deleted everywhere.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core.errors import NotFound, UsageError
from aim.core.tags import Tag, id_of_tag
from aim.engine.repository import Repository
from aim.engine.tags import Tags


def tagged(repository: Repository, run_hash: str, *tags: str) -> None:
    """Record a run with tags that has ended."""
    writer = repository.new_run(run_hash)
    writer.lines.change_tags(tags, ())
    writer.close()


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    Three runs: a is good and paper, b is paper and archived, c has no tag.
    """
    repository = Repository(tmp_path, create=True)
    tagged(repository, "a", "good", "paper")
    tagged(repository, "b", "paper")
    tagged(repository, "c")
    repository.edit("b", {"property": {"archived": True}}, by="test")
    return repository


@pytest.fixture(name="tags")
def _tags(repository: Repository) -> Tags:
    """
    Its tags.
    """
    return Tags(repository, by="test")


def of_runs(repository: Repository) -> dict[str, list[str]]:
    """Return the tags of each run."""
    return {state.run_hash: list(state.tags) for state in repository.states()}


def test_tags_are_counted_over_all_runs(tags: Tags) -> None:
    """
    A tag is there when a run has it, archived or not, or when something is said of it.
    """
    tags.put("Later", description="not yet")

    assert [
        Tag("good", run_count=1),
        Tag("Later", description="not yet"),
        Tag("paper", run_count=2),
    ] == tags.all()


def test_what_is_said_of_a_tag_stays_till_it_is_said_otherwise(tags: Tags) -> None:
    """
    None leaves colour and description as they are, '' takes them away.
    """
    assert Tag("paper", "#3f9463", None, 2) == tags.put("paper", color="green")
    assert Tag("paper", "#3f9463", "is in it", 2) == tags.put("paper", description="is in it")
    assert Tag("paper", None, "is in it", 2) == tags.put("paper", color="")
    assert Tag("paper", "#00ff00", None, 2) == tags.put("paper", color="#00FF00", description="")
    assert Tag("paper", "#00ff00", None, 2) == tags.all()[-1]


def test_a_wrong_colour_changes_nothing(tags: Tags, repository: Repository) -> None:
    """
    What is refused is not written.
    """
    with pytest.raises(UsageError):
        tags.put("paper", color="gren", description="x")
    with pytest.raises(UsageError):
        tags.put("", color="green")

    assert [] == repository.documents.list("tag")


def test_the_pages_and_the_sdk_share_one_document(tags: Tags, repository: Repository) -> None:
    """
    A document that the pages wrote, under an id of theirs, is changed in place, and keys of theirs are kept.
    """
    documents = repository.documents
    documents.put("tag", "paper", None, {"name": "paper", "color": "#112233", "order": 4})
    documents.put("tag", "odd", None, {"name": 7, "color": "red"})
    tags.put("paper", description="is in it")

    (document,) = [document for document in documents.list("tag") if document.body["name"] == "paper"]
    assert ("paper", {"name": "paper", "color": "#112233", "order": 4, "description": "is in it"}) == (
        document.id,
        document.body,
    )
    assert Tag("paper", "#112233", "is in it", 2) == tags.all()[-1]
    assert ["good", "paper"] == [tag.name for tag in tags.all()]


def test_a_colour_that_a_document_should_not_have_is_none(tags: Tags, repository: Repository) -> None:
    """
    What is read is a colour, or nothing: nobody can bring text into a page's style.
    """
    repository.documents.put("tag", "x", None, {"name": "x", "color": "red;} body {display:none", "description": 3})

    assert Tag("x") == tags.all()[-1]


def test_a_tag_is_renamed_on_all_its_runs(tags: Tags, repository: Repository) -> None:
    """
    Its colour goes with it, and other tags stay.
    """
    tags.put("paper", color="green")

    assert 2 == tags.rename("paper", "accepted")
    assert {"a": ["good", "accepted"], "b": ["accepted"], "c": []} == of_runs(repository)
    assert [Tag("accepted", "#3f9463", None, 2), Tag("good", run_count=1)] == tags.all()
    assert [id_of_tag("accepted")] == [document.id for document in repository.documents.list("tag")]
    assert 2 == tags.rename("accepted", "accepted")


def test_a_tag_that_gets_the_name_of_another_becomes_it(tags: Tags, repository: Repository) -> None:
    """
    Two tags become one, with the colour of the one that had the name; no run has it twice.
    """
    tags.put("paper", color="green")
    tags.put("good", color="blue")

    assert 1 == tags.rename("good", "paper")
    assert {"a": ["paper"], "b": ["paper"], "c": []} == of_runs(repository)
    assert [Tag("paper", "#3f9463", None, 2)] == tags.all()


def test_a_tag_is_deleted_everywhere(tags: Tags, repository: Repository) -> None:
    """
    No run has it any more, and what was said of it is forgotten.
    """
    tags.put("paper", color="green")

    assert 2 == tags.delete("paper")
    assert {"a": ["good"], "b": [], "c": []} == of_runs(repository)
    assert [Tag("good", run_count=1)] == tags.all()
    assert [] == repository.documents.list("tag")


def test_an_unknown_tag_is_an_error_with_the_nearest(tags: Tags) -> None:
    """
    Renaming or deleting what is not there names what may have been meant.
    """
    with pytest.raises(NotFound, match="There is no tag 'papper'. Did you mean 'paper'?"):
        tags.rename("papper", "x")
    with pytest.raises(NotFound, match="There is no tag 'zzz'.$"):
        tags.delete("zzz")


NAMES = st.sampled_from(["a", "b", "Ünï codé", "a/b", "../x", "c" * 300])
ACTIONS = st.one_of(
    st.tuples(st.just("put"), NAMES, st.sampled_from(["red", "#123456", ""])),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("delete"), NAMES, st.none()),
    st.tuples(st.just("tag"), NAMES, st.sampled_from(["x", "y"])),
)


@given(st.lists(ACTIONS, max_size=12))
def test_after_any_changes_tags_are_those_of_a_plain_dict(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, str, str]]
) -> None:
    """
    Colours and runs of tags follow every history of changes as two dicts do.
    """
    from aim.core.tags import check_color

    repository = Repository(tmp_path_factory.mktemp("tags"), create=True)
    for run_hash in ("x", "y"):
        tagged(repository, run_hash)
    tags = Tags(repository, by="test")
    colors: dict[str, str | None] = {}
    runs: dict[str, set[str]] = {}
    for what, name, argument in actions:
        if what == "put":
            tags.put(name, color=argument)
            colors[name] = check_color(argument) if argument else None
        elif what == "tag":
            repository.edit(argument, {"tags": {"add": [name], "remove": []}}, by="test")
            runs.setdefault(name, set()).add(argument)
        elif name not in colors and name not in runs:
            with pytest.raises(NotFound):
                tags.delete(name)
        elif what == "delete":
            assert len(runs.pop(name, ())) == tags.delete(name)
            colors.pop(name, None)
        else:
            assert len(runs.get(name, ())) == tags.rename(name, argument)
            if argument != name:
                if name in colors:
                    colors.setdefault(argument, colors.pop(name))
                    colors.pop(name, None)
                if name in runs:
                    runs.setdefault(argument, set()).update(runs.pop(name))

    expected = {name: (colors.get(name), len(runs.get(name, ()))) for name in {*colors, *runs}}
    assert expected == {tag.name: (tag.color, tag.run_count) for tag in tags.all()}
