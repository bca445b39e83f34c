"""
The tags of a repository: what they mean and which colour they have, in the pages too.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from aim.core.tags import Tag
from aim.engine.repository import Repository
from aim.storage.forms import edits

if TYPE_CHECKING:
    from aim.engine.tags import Tags


class RepoTagsMixin:
    """The tags of a `Repo`; see there."""

    @property
    @abstractmethod
    def repository(self) -> Repository:
        """The engine's side of the repository."""

    @abstractmethod
    def _check_writable(self, what: str) -> None:
        """Refuse a change of what is open for reading only."""

    def _tags(self, what: str | None = None) -> Tags:
        from aim.engine.tags import Tags

        if what is not None:
            self._check_writable(what)
        return Tags(self.repository, by=edits.BY_SDK)

    def tags(self) -> list[Tag]:
        """
        List the tags, by name: those of runs, archived ones too, and those that `set_tag` named.

        >>> import tempfile
        >>> from aim.sdk.repo import Repo
        >>> repo = Repo(tempfile.mkdtemp(), init=True)
        >>> repo.set_tag("paper", color="green", description="is in the paper").color
        '#3f9463'
        >>> [(tag.name, tag.description, tag.run_count) for tag in repo.tags()]
        [('paper', 'is in the paper', 0)]
        """
        return self._tags().all()

    def set_tag(self, name: str, *, color: str | None = None, description: str | None = None) -> Tag:
        """
        Say the colour of a tag and what it means, for everybody who uses the repository, and give the tag.

        Args:
            name: it need not be on a run.
            color: `#rrggbb`, or red, orange, yellow, green, teal, blue, purple, pink, brown or grey.
            description: any text. Of both: None leaves it as it is, '' takes it away.

        Raises:
            UsageError: the name is empty, or *color* is no colour.
        """
        return self._tags("set a tag").put(name, color=color, description=description)

    def rename_tag(self, name: str, new_name: str) -> int:
        """
        Call a tag otherwise on all its runs; give how many they are. If there is a tag of the new name, the two become
        one.

        Raises:
            NotFound: there is no such tag.
        """
        return self._tags("rename a tag").rename(name, new_name)

    def delete_tag(self, name: str) -> int:
        """
        Take a tag off all its runs, and forget its colour and description; give how many runs had it.

        Raises:
            NotFound: there is no such tag.
        """
        return self._tags("delete a tag").delete(name)
