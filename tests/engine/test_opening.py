"""
From an address to a door.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.errors import RepoNotFound, UsageError
from aim.engine.opening import open_door


def test_a_folder_is_opened(tmp_path: Path) -> None:
    """
    The path of a folder opens the repository in it, made if that is asked for, and the address opens it again.
    """
    with pytest.raises(RepoNotFound):
        open_door(tmp_path)
    made = open_door(tmp_path, create=True)
    made.new_run("mine").close()
    again = open_door(made.address)

    assert ["mine"] == again.run_hashes()
    assert (str(tmp_path), tmp_path / ".aim") == (again.address, again.files)


def test_ssh_is_refused() -> None:
    """
    SSH alone leads to no repository, and the error says how it forwards a port.
    """
    with pytest.raises(UsageError, match="ssh -L 53800:localhost:53800 host"):
        open_door("ssh://host/data", create=True)


@pytest.mark.parametrize("address", ["s3://bucket/runs", "file://host/data/runs", "gs://b", Path("s3://bucket/runs")])
def test_other_addresses_are_refused(address: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Another address makes no folder of its name, also as a `Path`, which has lost one of its slashes.
    """
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"Give a folder|Did you mean file:///host"):
        open_door(address, create=True)

    assert [] == list(tmp_path.iterdir())


def test_the_address_of_a_file_is_its_folder(tmp_path: Path) -> None:
    """
    `file:///...` names a folder, with its escapes; so do `file:/...`, `file://localhost/...` and a `Path` of it.
    """
    folder = tmp_path / "my runs"
    address = "file://" + str(folder).replace(" ", "%20")
    open_door(address, create=True).new_run("mine").close()

    for text in (address, address.replace("//", "", 1), address.replace("//", "//localhost", 1), Path(address)):
        assert ["mine"] == open_door(text).run_hashes()
