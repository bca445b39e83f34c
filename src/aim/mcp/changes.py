"""
The tools that change runs: tags, notes, the archive. There are no tools that delete.
"""

from __future__ import annotations

from aim.core.errors import UsageError
from aim.engine.door import Door
from aim.engine.listing import notes_text
from aim.storage.forms.edits import BY_MCP

NOTE_CHARS_MAX = 10_000


class ChangingTools:
    """The tools that change runs; *door* is the repository."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def tag_run(self, run: str, tag: str, remove: bool = False) -> str:
        """
        Add a tag to a run, or take it off.

        Args:
            run: its hash, or the beginning of it.
            tag: the name of the tag.
            remove: take it off.
        """
        if not tag.strip():
            raise UsageError("A tag needs a name.")
        run_hash = self._door.find_run(run)
        change = {"remove": [tag]} if remove else {"add": [tag]}
        self._door.edit(run_hash, {"tags": change}, by=BY_MCP)
        return f"{'Removed' if remove else 'Added'} the tag {tag} on {run_hash}."

    def note_run(self, run: str, text: str) -> str:
        """
        Add a paragraph to the notes of a run, in Markdown; what is there stays.

        Args:
            run: its hash, or the beginning of it.
            text: at most 10,000 characters.
        """
        if not text.strip() or len(text) > NOTE_CHARS_MAX:
            raise UsageError(f"A note has 1 to {NOTE_CHARS_MAX:,} characters; this one has {len(text):,}.")
        run_hash = self._door.find_run(run)
        before = notes_text(self._door.run(run_hash).state().properties.get("notes"))
        notes = f"{before}\n\n{text.strip()}" if before else text.strip()
        self._door.edit(run_hash, {"property": {"notes": notes}}, by=BY_MCP)
        return f"The notes of {run_hash} have {len(notes):,} characters now."

    def archive_run(self, run: str, restore: bool = False) -> str:
        """
        Archive a run, so that queries leave it out, or bring it back.

        Args:
            run: its hash, or the beginning of it.
            restore: bring it back.
        """
        run_hash = self._door.find_run(run)
        self._door.edit(run_hash, {"property": {"archived": not restore}}, by=BY_MCP)
        return f"{run_hash} is {'no longer archived' if restore else 'archived'}."
