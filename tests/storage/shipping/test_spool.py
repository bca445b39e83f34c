"""
Where spools lie, what they may hold, and whose turn it is to ship.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aim.core.errors import UsageError
from aim.storage.folder import FolderBackend
from aim.storage.shipping.spool import Spool, SpoolDisk, SpoolRoom, size_of_text, spool_root, spools
from tests.storage.recorded import Picture
from tests.storage.writing import lines

ADDRESS = "aim://node7:53800/vision"


def test_the_spool_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    AIM_SPOOL comes before XDG_STATE_HOME, and that before the home folder.
    """
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("AIM_SPOOL", raising=False)
    places = [spool_root()]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    places.append(spool_root())
    monkeypatch.setenv("AIM_SPOOL", str(tmp_path / "fast"))
    places.append(spool_root())

    home = tmp_path / "home" / ".local" / "state" / "aim" / "spool"
    assert [home, tmp_path / "state" / "aim" / "spool", tmp_path / "fast"] == places


def test_each_address_has_a_spool_of_its_own(tmp_path: Path) -> None:
    """
    A spool is a repository whose address can be read; those into which nothing was recorded are left out.
    """
    for address in (ADDRESS, "aim://other:53800"):
        one = Spool(address, tmp_path)
        one.make()
    FolderBackend(Spool(ADDRESS, tmp_path).folder / ".aim", create=True)

    assert [ADDRESS] == [one.address for one in spools(tmp_path)]


def test_a_writer_in_a_spool_says_so(tmp_path: Path) -> None:
    """
    The first line of a writer has `spool` when its files are shipped, and only then.
    """
    shipped = FolderBackend(tmp_path / "a" / ".aim", create=True, disk=SpoolDisk(SpoolRoom(tmp_path))).new_writer()
    local = FolderBackend(tmp_path / "b" / ".aim", create=True).new_writer()

    assert [True, None] == [lines(writer)[0]["begin"].get("spool") for writer in (shipped, local)]
    shipped.close()
    local.close()


@pytest.mark.parametrize(("share", "refused"), [(0.5, []), (0.95, ["objects"]), (1.0, ["objects", "points"])])
def test_a_full_spool_refuses_objects_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, refused: list[str]
) -> None:
    """
    At nine tenths of its room a spool takes no objects, and at the whole no points; what is refused is counted.
    """
    monkeypatch.setattr(SpoolRoom, "share", lambda self: share)
    writer = FolderBackend(tmp_path / ".aim", create=True, disk=SpoolDisk(SpoolRoom(tmp_path))).new_writer()
    lost = []
    writer.sequence("picture").track(Picture("x"), step=0)
    writer.encoding.wait_until_done()
    if writer.refusals.lost_count:
        lost.append("objects")
    before = writer.refusals.lost_count
    writer.sequence("loss").track(0.5)
    if writer.refusals.lost_count > before:
        lost.append("points")
    writer.close()

    assert refused == lost


def test_the_room_is_measured_against_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The share is what all files below the folder take, of AIM_SPOOL_MAX.
    """
    monkeypatch.setenv("AIM_SPOOL_MAX", "4M")
    (tmp_path / "key").mkdir()
    (tmp_path / "key" / "file").write_bytes(b"x" * (1 << 20))

    assert 0.25 == pytest.approx(SpoolRoom(tmp_path).share(), rel=0.1)


def test_a_size_that_is_none_is_refused() -> None:
    """
    The message shows how a size is written.
    """
    with pytest.raises(UsageError, match="'much' is no size; write it as 500M or 20G"):
        size_of_text("much")


def test_one_process_has_the_turn(tmp_path: Path) -> None:
    """
    While the process that ships lives nobody else does; when it is gone the next one takes its turn.
    """
    one = Spool(ADDRESS, tmp_path)
    one.make()
    code = "import sys; from pathlib import Path; from aim.storage.shipping.spool import Spool\n"
    code += "print(Spool(sys.argv[1], Path(sys.argv[2])).take_turn())"
    command = [sys.executable, "-c", code, ADDRESS, str(tmp_path)]
    answers = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()]
    answers.append(str(one.take_turn()))
    answers.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    one.end_turn()

    assert ["True", "True", "False"] == answers
    assert not one.is_shipped()


def test_damaged_hints_are_no_hints(tmp_path: Path) -> None:
    """
    What is durable is only a hint: a file of it that can't be read says nothing.
    """
    one = Spool(ADDRESS, tmp_path)
    one.make()
    one.write_hints({"writers": {}})
    assert {"writers": {}} == one.read_hints()
    (one.folder / "sent.json").write_bytes(b"\0\0\0")

    assert {} == one.read_hints()
