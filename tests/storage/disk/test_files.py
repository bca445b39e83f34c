"""
The calls that change the disk.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from aim.storage.disk.files import Disk


@pytest.fixture(name="disk")
def _disk() -> Disk:
    """
    The real disk.
    """
    return Disk()


def test_a_file_is_created_once(disk: Disk, tmp_path: Path) -> None:
    """
    A name is given to one file only, and the descriptor is not inherited by programs that are started.
    """
    descriptor = disk.create(tmp_path / "a")
    with pytest.raises(FileExistsError):
        disk.create(tmp_path / "a")

    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_writing_at_a_place_leaves_the_rest(disk: Disk, tmp_path: Path) -> None:
    """
    `write_at` writes all of its data there, and `write` where the descriptor stands.
    """
    descriptor = disk.create(tmp_path / "a")
    disk.write(descriptor, b"0123456789")
    disk.write_at(descriptor, b"xy", 3)
    disk.write(descriptor, b"!")
    disk.truncate(descriptor, 10)
    disk.sync(descriptor)
    os.close(descriptor)

    assert b"012xy56789" == (tmp_path / "a").read_bytes()


def test_a_large_write_is_done_whole(disk: Disk, tmp_path: Path) -> None:
    """
    What the system takes in parts arrives whole: a pipe takes 64 KiB at once.
    """
    reading, writing = os.pipe()
    content: list[bytes] = []

    def read() -> None:
        while part := os.read(reading, 1 << 20):
            content.append(part)

    thread = threading.Thread(target=read)
    thread.start()
    disk.write(writing, bytes(range(256)) * 4096)
    os.close(writing)
    thread.join()
    os.close(reading)

    assert bytes(range(256)) * 4096 == b"".join(content)


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def test_space_is_taken_by_writing_where_the_system_can_not_promise_it(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """
    Where the file system does not offer allocation, zeros are written, so that a later store can't meet a full disk.
    """

    def refuse(*_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    descriptor = disk.create(tmp_path / "a")
    disk.allocate(descriptor, (2 << 20) + 5)
    os.close(descriptor)

    assert bytes((2 << 20) + 5) == (tmp_path / "a").read_bytes()
    assert (tmp_path / "a").stat().st_blocks * 512 >= 2 << 20


def test_a_full_disk_is_an_error_of_the_allocation(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    No room is told at once, and nothing is written in its place.
    """

    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    descriptor = disk.create(tmp_path / "a")
    with pytest.raises(OSError, match="No space left"):
        disk.allocate(descriptor, 4096)
    os.close(descriptor)

    assert 0 == (tmp_path / "a").stat().st_size


@pytest.mark.parametrize("has_links", [True, False])
def test_a_link_never_replaces(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool) -> None:
    """
    A name that is taken stays with its file, with and without hard links.
    """
    if not has_links:

        def refuse(*_: object) -> None:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refuse)
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    disk.link(tmp_path / "one", tmp_path / "target")
    with pytest.raises(FileExistsError):
        disk.link(tmp_path / "two", tmp_path / "target")

    assert "one" == (tmp_path / "target").read_text()
    assert "two" == (tmp_path / "two").read_text()


def test_a_small_file_is_published_whole_and_once(disk: Disk, tmp_path: Path) -> None:
    """
    Of 16 threads that publish under one name one succeeds, its content is whole, and no scratch file stays.
    """
    gate = threading.Barrier(16)
    results: list[bool] = []

    def publish(number: int) -> None:
        gate.wait()
        results.append(disk.publish(tmp_path / "FORMAT", bytes([number]) * 1000))

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    content = (tmp_path / "FORMAT").read_bytes()
    assert [True] == [result for result in results if result]
    assert content == content[:1] * 1000
    assert ["FORMAT"] == os.listdir(tmp_path)


@pytest.mark.parametrize("method", ["write", "sync", "link"])
def test_a_file_that_can_not_be_published_leaves_nothing(tmp_path: Path, method: str) -> None:
    """
    When the disk refuses half-way, the error is told and no scratch file stays.
    """

    class Refusing(Disk):
        def __getattribute__(self, name: str) -> object:
            if name == method:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().__getattribute__(name)

    with pytest.raises(OSError, match="No space left"):
        Refusing().publish(tmp_path / "FORMAT", b"x")

    assert [] == os.listdir(tmp_path)


def test_what_is_gone_already_is_fine(disk: Disk, tmp_path: Path) -> None:
    """
    Taking away, removing and syncing what is not there are no errors; making what is there is none.
    """
    disk.unlink(tmp_path / "none")
    disk.remove_folder(tmp_path / "none")
    disk.sync_folder(tmp_path / "none")
    disk.make_folder(tmp_path / "a" / "b")
    disk.make_folder(tmp_path / "a" / "b")
    disk.rename(tmp_path / "a", tmp_path / "c")
    disk.remove_folder(tmp_path / "c")

    assert [] == os.listdir(tmp_path)


def test_a_touched_file_is_of_now(disk: Disk, tmp_path: Path) -> None:
    """
    `touch` sets the time by the descriptor, also of a file without a name; `stamp` makes what it stamps.
    """
    descriptor = disk.create(tmp_path / "a")
    os.utime(tmp_path / "a", (1.0, 1.0))
    disk.touch(descriptor, tmp_path / "a")
    assert (tmp_path / "a").stat().st_mtime > 1e9
    disk.stamp(tmp_path / "stamps" / "00")
    os.utime(tmp_path / "stamps" / "00", (1.0, 1.0))
    disk.stamp(tmp_path / "stamps" / "00")
    assert (tmp_path / "stamps" / "00").stat().st_mtime > 1e9
    (tmp_path / "a").unlink()
    disk.touch(descriptor, tmp_path / "a")
    os.close(descriptor)


def test_a_new_file_is_written_whole(disk: Disk, tmp_path: Path) -> None:
    """
    `write_new` writes all content, and leaves a file of that name as it is.
    """
    disk.write_new(tmp_path / "a", b"content")
    with pytest.raises(FileExistsError):
        disk.write_new(tmp_path / "a", b"other")

    assert b"content" == (tmp_path / "a").read_bytes()
