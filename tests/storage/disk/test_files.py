"""
The calls that change the disk.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from aim.storage.disk.files import Disk, has_no_name, is_at, path_of


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


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o007, 0o660)])
def test_new_files_have_the_rights_that_the_user_wants(disk: Disk, tmp_path: Path, umask: int, mode: int) -> None:
    """
    Files are for reading and writing by all whom the umask leaves, and not to be run.
    """
    before = os.umask(umask)
    try:
        os.close(disk.create(tmp_path / "a"))
        disk.stamp(tmp_path / "b")
    finally:
        os.umask(before)

    assert [mode, mode] == [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"]


def test_a_write_that_is_taken_in_parts_lands_in_its_place(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What the system takes of a write is followed by the rest, at its place.
    """
    descriptor = disk.create(tmp_path / "a")
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda number, data, offset: whole(number, data[:3], offset))
    disk.write_at(descriptor, b"0123456789", 5)
    os.close(descriptor)

    assert bytes(5) + b"0123456789" == (tmp_path / "a").read_bytes()


def test_a_sync_asks_the_system(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Files and folders are synced by their descriptors, and a folder that can't be synced is no error.
    """
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    descriptor = disk.create(tmp_path / "a")
    disk.sync(descriptor)
    disk.sync_folder(tmp_path)
    os.close(descriptor)
    assert 2 == len(synced)

    def refuse(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    count = len(os.listdir("/proc/self/fd"))
    disk.sync_folder(tmp_path)
    assert count == len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(("sync", "calls"), [(True, ["sync a file", "sync_folder"]), (False, [])])
def test_what_is_published_is_on_the_disk_if_that_is_asked(tmp_path: Path, sync: bool, calls: list[str]) -> None:
    """
    The content is synced before it gets its name, and the name after it; without *sync* neither.
    """
    noted: list[str] = []

    class Noting(Disk):
        def sync(self, descriptor: int) -> None:
            noted.append("sync a file")

        def sync_folder(self, path: Path) -> None:
            noted.append("sync_folder")

    assert Noting().publish(tmp_path / "FORMAT", b"x", sync=sync)
    assert calls == noted
    assert Noting().publish(tmp_path / "FORMAT", b"x", sync=sync) is False


def test_a_scratch_file_that_can_not_be_removed_is_no_error(tmp_path: Path) -> None:
    """
    The file is published; what is left over is removed later.
    """

    class Keeping(Disk):
        def unlink(self, path: Path) -> None:
            raise OSError(errno.EACCES, "Permission denied")

    assert Keeping().publish(tmp_path / "FORMAT", b"x")
    assert b"x" == (tmp_path / "FORMAT").read_bytes()
    assert 2 == len(os.listdir(tmp_path))


def test_an_open_file_is_asked_for_its_name_and_its_path(disk: Disk, tmp_path: Path) -> None:
    """
    Of an open file its path is told wherever it was renamed to, and whether it has a name; one that is closed has one.
    """
    descriptor = disk.create(tmp_path / "a")
    other = disk.create(tmp_path / "c")
    (tmp_path / "a").rename(tmp_path / "b")
    assert (tmp_path / "b", False) == (path_of(descriptor), has_no_name(descriptor))
    assert [True, False, False] == [is_at(tmp_path / name, descriptor) for name in "bca"]
    (tmp_path / "b").unlink()
    assert has_no_name(descriptor) is True
    for each in (descriptor, other):
        os.close(each)

    assert (None, False, False) == (path_of(descriptor), has_no_name(descriptor), is_at(tmp_path / "c", descriptor))


def test_a_file_of_a_size_has_blocks_of_zeros(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where no call reserves blocks, zeros are written, over several megabytes too.
    """
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    descriptor = disk.create(tmp_path / "a")
    disk.allocate(descriptor, (2 << 20) + 5)
    os.close(descriptor)

    assert bytes((2 << 20) + 5) == (tmp_path / "a").read_bytes()


def test_a_file_system_without_the_mark_is_left_alone(disk: Disk, tmp_path: Path) -> None:
    """
    Only btrfs writes a marked file in place; others refuse the mark, or have no such call.
    """
    descriptor = disk.create(tmp_path / "a")
    disk.write_in_place(descriptor)
    os.close(descriptor)
    disk.write_in_place(descriptor)


def test_the_mark_of_a_file_is_set_beside_its_others(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The flags that a file has stay, and the one that keeps it in place is added: FS_NOCOW_FL of ioctl_iflags(2).
    """
    calls: list[tuple[int, bytes]] = []

    def ioctl(descriptor: int, request: int, flags: bytes | bytearray) -> None:
        calls.append((request, bytes(flags)))
        if isinstance(flags, bytearray):
            flags[0] = 0x10

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    disk.write_in_place(0)

    assert [(0x80086601, bytes(8)), (0x40086602, (0x00800010).to_bytes(8, "little"))] == calls
