"""
Writers whose processes are gone: when a shipper says that they are complete, and what a server takes of them then.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.engine.sealing import seal_run
from aim.storage.recording.writer import Writer, abandon_run
from aim.storage.shipping.completion import WriterCompletion
from aim.storage.shipping.shipments import PlannedWriter, Shipments
from aim.storage.shipping.spool import ShippedFolder, SpoolDisk, SpoolRoom
from aim.storage.store import Store
from tests.storage.recorded import points_in_place
from tests.storage.shipping.wires import Wire, shipments_of

RUN = "digits-1"


@pytest.fixture(name="spool")
def _spool(tmp_path: Path) -> Store:
    """
    A spool with a run whose training was killed.
    """
    store = Store(tmp_path / "spool" / ".aim", create=True)
    writer = Writer(store.create_run(RUN), RUN, disk=SpoolDisk(SpoolRoom(tmp_path)))
    for step in range(1000):
        writer.sequence("loss", None).track(step * 0.5, step=step)
    abandon_run(writer)
    return store


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Store:
    """
    The repository of a server, empty.
    """
    return Store(tmp_path / "server" / ".aim", create=True)


def test_a_complete_writer_that_was_sealed_is_not_sent_a_second_time(spool: Store, server: Store) -> None:
    """
    A shipper that was killed before it noted how far it had come is followed by one that sends everything again: it is
    all there, and nothing comes under another id.
    """
    shipments = shipments_of(spool)
    network = Wire(server)
    network.ship(shipments)
    network.send(shipments, complete=shipments)
    network.receiver.sync()
    (writer,) = (path.name[:8] for path in spool.run_folder(RUN).glob("*.events.jsonl"))
    assert 1 == seal_run(server.run_folder(RUN))

    assert [] == Wire(server).ship(shipments_of(spool))
    assert [f"{writer}.points.parquet"] == [path.name for path in server.run_folder(RUN).glob("*.parquet")]
    assert [f"{writer}.events.jsonl"] == [path.name for path in server.run_folder(RUN).glob("*.events.jsonl")]
    assert points_in_place(spool.run_folder(RUN)) == points_in_place(server.run_folder(RUN))


def test_a_writer_is_complete_when_its_files_were_looked_at_after_its_process_was_gone(
    spool: Store, server: Store
) -> None:
    """
    What was seen while the process was there may be less than what it has recorded.
    """
    network = Wire(server)
    (shipment,) = shipments_of(spool)
    network.ship([shipment])
    completion = WriterCompletion()
    completion.look(shipment)
    before = set(completion.pending)
    network.send([shipment])
    completion.look(shipment)

    assert (set(), {shipment}) == (before, completion.pending)


def test_a_writer_of_which_no_part_was_looked_at_is_not_complete(spool: Store) -> None:
    """
    When other writers have taken all the room of a request, nothing is known of this one.
    """
    (shipment,) = shipments_of(spool)
    assert [] == shipment.gather(0)

    assert not shipment.is_complete()


def test_every_shipper_takes_the_same_new_id(spool: Store, tmp_path: Path) -> None:
    """
    A writer that the server refuses for good comes under another id, which follows from the first one and its first
    line; the next replacement is again another one.
    """
    ids: list[str] = []
    for _ in range(2):
        shipments = _shipments(spool)
        (shipment,) = shipments.ready()
        ids.append(shipment.writer)
        for _ in range(2):
            shipments.rename(shipments.members()[0])
            ids.append(shipments.members()[0].remote_writer)

    assert ids[:3] == ids[3:]
    assert 3 == len(set(ids))


def _shipments(spool: Store) -> Shipments:
    folder = spool.run_folder(RUN)
    source = ShippedFolder("aim://host/vision", folder.parent, spool.path / "sent.json")
    return Shipments(
        source, lambda: [PlannedWriter(folder, shipment.writer, False) for shipment in shipments_of(spool)]
    )


def test_a_killed_training_is_left_over_until_the_server_knows_that_it_is_complete(spool: Store, server: Store) -> None:
    """
    All of it may be durable: the next shipper tells the server that no more will come, and notes that it has.
    """
    first, network = _shipments(spool), Wire(server)
    network.ship(first.ready())
    first.write_hints()
    left = [first.has_leftovers()]
    for _ in range(3):
        ready = first.ready()
        network.send(ready, complete=set(first.completion.pending))
        first.completion.tell()
    first.write_hints()
    left.append(_shipments(spool).has_leftovers())

    assert [True, False] == left
    assert 1 == len(list(server.run_folder(RUN).glob("*.complete")))
