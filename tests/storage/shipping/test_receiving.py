"""
What a server does with requests: each writer's state, what becomes durable, and what a power cut leaves.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aim.engine.sealing import seal_run
from aim.storage.care.check import check_run
from aim.storage.disk import layout
from aim.storage.disk.files import Disk
from aim.storage.folder import FolderBackend
from aim.storage.forms import events
from aim.storage.recording.writer import Writer
from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame, MalformedRequest
from aim.storage.shipping.receiving import Receiver
from aim.storage.store import Store
from tests.crash.disks import ForgetfulDisk
from tests.storage.recorded import Picture, points_in_place, record
from tests.storage.shipping.wires import Wire, recorded_bytes, shipments_of

RUN = "digits-1"


@pytest.fixture(name="spool")
def _spool(tmp_path: Path) -> Store:
    """
    A spool with one ended run that has a bit of everything.
    """
    store = Store(tmp_path / "spool" / ".aim", create=True)
    record(store.runs / RUN)
    return store


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Store:
    """
    The repository of a server, empty.
    """
    return Store(tmp_path / "server" / ".aim", create=True)


def test_a_run_arrives_byte_for_byte(spool: Store, server: Store) -> None:
    """
    Lines, slots, objects and edits of a run are the same at the server, and a reader shows the same points.
    """
    network = Wire(server)

    assert [] == network.ship(shipments_of(spool))
    assert recorded_bytes(spool) == recorded_bytes(server)
    assert points_in_place(spool.run_folder(RUN)) == points_in_place(server.run_folder(RUN))


@pytest.mark.parametrize("open_max", [None, 0])
def test_the_files_have_the_same_page_crcs(spool: Store, server: Store, open_max: int | None) -> None:
    """
    The receiver takes the CRCs of pages itself, the last one included, so the segments are equal to the last byte; also
    when each file is shut before it is synced.
    """
    Wire(server, open_max=open_max).ship(shipments_of(spool))
    segments = {path.name: path.read_bytes() for path in spool.run_folder(RUN).glob("*.points-*")}

    assert segments
    assert segments == {path.name: path.read_bytes() for path in server.run_folder(RUN).glob("*.points-*")}


def test_the_end_comes_after_everything_is_durable(spool: Store, server: Store) -> None:
    """
    The line of the end is in a request of its own, after all else was confirmed: an end at the server means complete.
    """
    network = Wire(server)
    network.ship(shipments_of(spool))
    ends = [
        [frame.kind for frame in request.frames if frame.writer == index]
        for request in map(wire.decode, network.bodies)
        for index, entry in enumerate(request.writers)
        if "end" in entry
    ]

    assert [[wire.EVENTS], [wire.EVENTS]] == ends


def test_a_sealed_run_arrives_as_one_file(tmp_path: Path, server: Store) -> None:
    """
    A writer that was sealed is sent as its Parquet file, under the same name.
    """
    local = Store(tmp_path / "local" / ".aim", create=True)
    record(local.runs / RUN)
    assert 2 == seal_run(local.run_folder(RUN))

    Wire(server).ship(shipments_of(local))

    sealed = {path.name: path.read_bytes() for path in local.run_folder(RUN).glob("*.parquet")}
    assert sealed == {path.name: path.read_bytes() for path in server.run_folder(RUN).glob("*.parquet")}
    assert points_in_place(local.run_folder(RUN)) == points_in_place(server.run_folder(RUN))


def test_artifacts_of_the_run_arrive(spool: Store, server: Store) -> None:
    """
    A file that is kept with the run is sent in parts, and has its name when its SHA-256 is right.
    """
    folder = spool.run_folder(RUN)
    content = random.Random(1).randbytes(3 << 20)
    (folder / "files").mkdir()
    (folder / "files" / "model.pt").write_bytes(content)
    writer = Writer(folder, RUN)
    digest = hashlib.sha256(content).hexdigest()
    writer.lines.add_artifact({"name": "model.pt", "uri": None, "size": len(content), "sha256": digest})
    writer.close()

    Wire(server).ship(shipments_of(spool))

    assert content == (server.run_folder(RUN) / "files" / "model.pt").read_bytes()
    assert [] == list(server.run_folder(RUN).glob(".ship-*"))


def test_equal_files_of_several_names_each_replace_what_was_there(spool: Store, server: Store) -> None:
    """
    Files whose bytes are equal, and that come together, take the places of earlier versions, each its own.
    """
    folder = spool.run_folder(RUN)
    (folder / "files").mkdir()
    for content in (b"first", b""):
        for name in ("best.pt", "last.pt"):
            (folder / "files" / name).write_bytes(content)
            writer = Writer(folder, RUN)
            digest = hashlib.sha256(content).hexdigest()
            writer.lines.add_artifact({"name": name, "uri": None, "size": len(content), "sha256": digest})
            writer.close()
        Wire(server).ship(shipments_of(spool))

    assert {"best.pt": b"", "last.pt": b""} == {
        path.name: path.read_bytes() for path in (server.run_folder(RUN) / "files").iterdir()
    }


class CountingDisk(Disk):
    """
    A disk that counts how often somebody waits for it.
    """

    def __init__(self) -> None:
        self.waits = 0

    def sync(self, descriptor: int) -> None:
        """
        Count, and do it.
        """
        self.waits += 1
        super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        """
        Count, and do it.
        """
        self.waits += 1
        super().sync_folder(path)


def test_no_request_waits_for_the_disk(spool: Store, tmp_path: Path) -> None:
    """
    Not even the first one of a run, which makes its folder: only the thread that syncs waits.
    """
    disk = CountingDisk()
    store = Store(tmp_path / "server" / ".aim", create=True, disk=disk)
    line = Wire(store)
    waits = disk.waits

    line.send(shipments_of(spool))
    assert waits == disk.waits
    line.receiver.sync()
    assert waits + 2 < disk.waits  # the files, the folder of the run, and that of all runs


def test_only_a_request_with_the_first_line_makes_a_run(spool: Store, server: Store) -> None:
    """
    Frames of a run that the server does not have are not taken: it answers that it lacks everything before them.
    """
    about = {"shipper": "0" * 16, "number": 1, "writers": [{"run": RUN, "writer": "8c2f01ab", "alive": True}]}
    answer = Receiver(server).receive(wire.encode(about, [Frame(wire.EVENTS, 0, 0, 500, b"x\n")]))

    assert {"state": "behind", "events": 0, "blobs": {}, "slots": {}} == answer["writers"][0]
    assert [] == server.run_hashes()


def test_a_request_with_a_bad_frame_writes_nothing(spool: Store, server: Store) -> None:
    """
    One damaged frame refuses the whole request, the good ones before it too.
    """
    network = Wire(server)
    request = network.exchange.gather(shipments_of(spool))
    assert request is not None
    body = request.body[:-1] + bytes([request.body[-1] ^ 1])

    with pytest.raises(MalformedRequest):
        network.receiver.receive(body)
    assert [] == server.run_hashes()


@pytest.mark.parametrize("is_undoable", [False, True])
def test_a_deleted_run_stays_deleted(spool: Store, server: Store, *, is_undoable: bool) -> None:
    """
    After a deletion the shipper is told that the run is gone, also by a server that was restarted; a deletion that was
    taken back lets it go on.
    """
    network = Wire(server)
    network.ship(shipments_of(spool))
    if is_undoable:
        name = FolderBackend(server.path).trash.put_away(RUN)
    else:
        server.delete_run(RUN)
    network.restart()

    states = {verdict.state for verdict in network.ship(shipments_of(spool))}
    assert ({wire.GONE}, []) == (states, server.run_hashes())
    if is_undoable:
        FolderBackend(server.path).trash.bring_back(name)
        assert [] == Wire(server).ship(shipments_of(spool))


def test_a_deleted_run_comes_back_when_it_is_asked_for(spool: Store, server: Store) -> None:
    """
    `again` sends a run although it was deleted, and then it is there as any other.
    """
    network = Wire(server)
    network.ship(shipments_of(spool))
    server.delete_run(RUN)

    assert [] == network.ship(shipments_of(spool), again=[RUN])
    assert recorded_bytes(spool) == recorded_bytes(server)
    assert [] == Wire(server).ship(shipments_of(spool))


def test_a_hash_that_is_used_again_is_a_new_run(spool: Store, server: Store) -> None:
    """
    A writer that began after the deletion makes the run anew; those from before stay gone.
    """
    Wire(server).ship(shipments_of(spool))
    server.delete_run(RUN)
    writer = Writer(spool.run_folder(RUN), RUN)
    writer.sequence("loss", None).track(0.5)
    writer.close()

    states = [verdict.state for verdict in Wire(server).ship(shipments_of(spool))]

    assert [wire.GONE, wire.GONE] == states
    assert [writer.id] == [path.name[:8] for path in server.run_folder(RUN).glob("*.events.jsonl")]


def test_a_newer_format_is_refused(server: Store) -> None:
    """
    A writer of a newer format is refused with the way out; nothing is made.
    """
    line = events.encode({"at": 1.0, "begin": {"format": layout.FORMAT_NUMBER + 1}})
    about = {"shipper": "0" * 16, "number": 1, "writers": [{"run": RUN, "writer": "8c2f01ab", "begin": True}]}
    (state,) = Receiver(server).receive(wire.encode(about, [Frame(wire.EVENTS, 0, 0, 0, line)]))["writers"]

    assert (wire.REFUSED, True) == (state["state"], "Upgrade the server" in state["why"])
    assert [] == server.run_hashes()


def test_other_bytes_at_a_place_are_refused(spool: Store, server: Store) -> None:
    """
    Two machines with one writer id: what is there stays, and the second one is told that its bytes differ.
    """
    network = Wire(server)
    network.ship(shipments_of(spool))
    before = recorded_bytes(server)
    for path in spool.run_folder(RUN).glob("*.points-0000"):
        content = bytearray(path.read_bytes())
        content[4096:4104] = bytes(8)
        path.write_bytes(content)

    states = {verdict.state for verdict in Wire(server).ship(shipments_of(spool))}

    assert {wire.DIFFERS} == states
    assert before == recorded_bytes(server)


def test_a_damaged_page_is_named_at_the_server_too(spool: Store, server: Store) -> None:
    """
    The records of a page that fails its CRC in the spool are sent, and `fsck` at the server names that page.
    """
    path = max(spool.run_folder(RUN).glob("*.points-0000"), key=lambda one: one.read_bytes()[64:68])
    content = bytearray(path.read_bytes())
    assert any(content[64:68]), "the first page has its CRC"
    content[4100] ^= 1
    path.write_bytes(content)

    Wire(server).ship(shipments_of(spool))

    named = [(damage.file, damage.location) for damage in check_run(server.run_folder(RUN))]
    assert [(path.name, "byte 4,096")] == named
    assert path.read_bytes() == (server.run_folder(RUN) / path.name).read_bytes()


def test_without_room_points_are_taken_and_objects_wait(
    spool: Store, server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A server that is short of room answers `later` for objects; numbers go on, and no point comes before its object.
    """
    monkeypatch.setattr("aim.storage.shipping.intake.FREE_SHARE", 2.0)
    monkeypatch.setattr("aim.storage.shipping.intake.FREE_BYTES_MIN", 1 << 62)
    network = Wire(server)
    shipments = shipments_of(spool)
    for _ in range(6):
        network.send(shipments, alive=shipments)
        network.receiver.sync()

    assert [] == list(server.run_folder(RUN).glob("*.zip"))
    names = {name for name, _, _ in points_in_place(server.run_folder(RUN))}
    assert {"loss", "count"} == names

    monkeypatch.undo()
    for shipment in shipments:
        shipment.takes_blobs = True
    network.ship(shipments)
    assert recorded_bytes(spool) == recorded_bytes(server)


def test_a_server_restored_from_a_backup_gets_what_it_lacks(spool: Store, server: Store, tmp_path: Path) -> None:
    """
    A server that has less than it has confirmed is told what it should have, and gets all of it again.
    """
    shipments = shipments_of(spool)
    network = Wire(server)
    network.send(shipments, budget_bytes=100)
    network.receiver.sync()
    network.receiver.close()
    shutil.copytree(server.path, tmp_path / "backup")
    network.receiver = Receiver(server)
    network.ship(shipments)
    network.receiver.close()
    shutil.rmtree(server.path)
    (tmp_path / "backup").rename(server.path)
    network.receiver = Receiver(server)

    for _ in range(3):
        network.send(shipments, alive=shipments)
    network.ship(shipments)

    assert recorded_bytes(spool) == recorded_bytes(server)


def test_a_heartbeat_keeps_a_writer_alive(spool: Store, server: Store) -> None:
    """
    A request without frames that says that a writer is alive sets the time of its event file to now.
    """
    network = Wire(server)
    shipments = shipments_of(spool)
    network.ship(shipments)
    path = layout.events_file(server.run_folder(RUN), shipments[0].writer)
    os.utime(path, (1.0, 1.0))

    network.send(shipments, alive=shipments[:1])

    assert abs(time.time() - path.stat().st_mtime) < 3600


BEGINNING = """
import os, resource, sys
from pathlib import Path
from aim.storage.shipping.receiving import Receiver
from aim.storage.store import Store
from tests.storage.arriving import Training

resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
receiver = Receiver(Store(Path(sys.argv[1]), create=True))
most = 0
trainings = [Training(receiver, number) for number in range(600)]
for training in trainings:
    training.begin()
    assert "ok" == training.send([training.points(127)], alive=True)
    most = max(most, len(os.listdir("/proc/self/fd")))
for training in trainings:
    assert "ok" == training.send([training.points(2)], alive=True)
for _ in range(2):  # the first one stores CRCs of pages
    receiver.sync()
after = len(os.listdir("/proc/self/fd"))
receiver.close()
print(most, after)
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts the descriptors of a process of Linux")
def test_many_trainings_that_begin_at_once_do_not_take_all_descriptors(tmp_path: Path) -> None:
    """
    Of 600, with two files each, all are taken by a process that may open 512 files, before anything was synced.
    """
    command = [sys.executable, "-c", BEGINNING, str(tmp_path / ".aim")]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (printed.returncode, printed.stderr)
    most, after = map(int, printed.stdout.split())
    assert 128 < most < 400
    assert after < 200
    store = Store(tmp_path / ".aim")
    counts = [len(points_in_place(store.run_folder(f"run-{number}"))) for number in range(600)]
    assert [129] * 600 == counts
    assert [] == check_run(store.run_folder("run-7"))


@pytest.mark.parametrize("seed", range(12))
def test_a_power_cut_of_the_server_loses_nothing(tmp_path: Path, seed: int) -> None:
    """
    Whatever a power cut leaves of what was not synced, everything is there after the shipper has gone on; also when
    files are shut before they are synced.
    """
    chance = random.Random(seed)
    spool = Store(tmp_path / "spool" / ".aim", create=True)
    writer = Writer(spool.create_run(RUN), RUN)
    disk = ForgetfulDisk(tmp_path / "server")
    disk.root.mkdir()
    network = Wire(Store(disk.root / ".aim", create=True, disk=disk), open_max=chance.choice([None, 0, 1]))
    disk.sync_folder(disk.root)
    shipments = shipments_of(spool)
    for count in range(chance.randrange(2, 30)):
        for step in range(chance.randrange(200)):
            writer.sequence("loss", None).track(step * 0.5, step=step + 1000 * count)
        writer.lines.set_param(("count",), count)
        if chance.random() < 0.5:
            writer.sequence("picture", None).track(Picture(f"no. {count}"), step=count)
        writer.encoding.wait_until_done()
        network.send(shipments, budget_bytes=chance.choice([500, 5000, 1 << 20]))
        if chance.random() < 0.4:
            network.receiver.sync()
    after = disk.after_power_loss(tmp_path / "after", chance)
    network.store = Store(after / ".aim", create=True)
    network.receiver = Receiver(network.store)
    writer.close()

    network.ship(shipments)

    assert recorded_bytes(spool) == recorded_bytes(network.store)
    assert points_in_place(spool.run_folder(RUN)) == points_in_place(network.store.run_folder(RUN))
