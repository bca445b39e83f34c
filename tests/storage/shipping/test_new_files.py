"""
Whole files of a run that are new: which bytes of an artifact are sent, and when.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aim.storage.disk import layout
from aim.storage.forms import events
from aim.storage.recording.writer import Writer
from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame
from aim.storage.shipping.leftovers import left_bytes
from aim.storage.shipping.progress import WriterProgress
from aim.storage.shipping.shipment import WriterShipment
from aim.storage.store import Store
from tests.storage.shipping.wires import Wire, shipments_of

RUN = "digits-1"


def spool_with(tmp_path: Path, content: bytes) -> Store:
    """Make a spool with a run that has the artifact `model.pt`."""
    store = Store(tmp_path / "spool" / ".aim", create=True)
    writer = Writer(store.create_run(RUN), RUN)
    (store.run_folder(RUN) / "files").mkdir()
    (store.run_folder(RUN) / "files" / "model.pt").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    writer.lines.add_artifact({"name": "model.pt", "uri": None, "size": len(content), "sha256": digest})
    writer.close()
    return store


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Store:
    """
    The repository of a server, empty.
    """
    return Store(tmp_path / "server" / ".aim", create=True)


def test_an_artifact_without_bytes_is_sent(tmp_path: Path, server: Store) -> None:
    """
    An empty file arrives as any other.
    """
    spool = spool_with(tmp_path, b"")
    shipments = shipments_of(spool)
    Wire(server).ship(shipments)

    assert b"" == (server.run_folder(RUN) / "files" / "model.pt").read_bytes()
    assert [0] == [left_bytes(shipment) for shipment in shipments]


def test_a_file_of_which_no_line_tells_is_not_sent(tmp_path: Path, server: Store) -> None:
    """
    A training that is killed between a new file and its line leaves one that does not match: nothing waits for it.
    """
    spool = spool_with(tmp_path, b"as the line says")
    (spool.run_folder(RUN) / "files" / "model.pt").write_bytes(b"as it is by now.")
    shipments = shipments_of(spool)
    Wire(server).ship(shipments)

    assert [0] == [left_bytes(shipment) for shipment in shipments]
    assert not (server.run_folder(RUN) / "files").exists()


def test_an_artifact_that_was_replaced_is_sent_by_a_shipper_that_comes_later(tmp_path: Path, server: Store) -> None:
    """
    What is noted of the former file of that name, which was as large, says nothing of the new one.
    """
    spool = spool_with(tmp_path, b"old bytes")
    (shipment,) = shipments_of(spool)
    Wire(server).ship([shipment])
    noted = WriterProgress.from_json(shipment.progress.to_json())
    (spool.run_folder(RUN) / "files" / "model.pt").write_bytes(b"new bytes")
    with open(layout.events_file(shipment.folder, shipment.writer), "ab") as file:
        digest = hashlib.sha256(b"new bytes").hexdigest()
        record = {"name": "model.pt", "uri": None, "size": 9, "sha256": digest}
        file.write(events.encode({"at": 4e9, "artifact": record}))
    Wire(server).ship([WriterShipment(shipment.folder, shipment.writer, None, noted)])

    assert b"new bytes" == (server.run_folder(RUN) / "files" / "model.pt").read_bytes()


def test_a_file_with_a_wrong_digest_is_asked_for_again_from_its_shipper_alone(tmp_path: Path, server: Store) -> None:
    """
    The one who has sent it sees another server, to which nothing is durable; for others nothing has changed.
    """
    spool = spool_with(tmp_path, b"bytes")
    network = Wire(server)
    shipments = shipments_of(spool)
    network.ship(shipments)
    entry = {"run": RUN, "writer": shipments[0].writer}
    file = {"name": "files/other.pt", "bytes": 5, "sha256": "0" * 64}
    header = {"shipper": "f" * 16, "number": 1, "writers": [entry], "files": [file]}
    body = wire.encode(header, [Frame(wire.ARTIFACT, 0, 0, 0, b"bytes")])
    first = network.receiver.receive(body)
    network.receiver.sync()
    second = network.receiver.receive(body)

    assert first["server"] != second["server"]
    assert [] == second["durable"]
    assert network.exchange.server == network.receiver.id
    assert not (server.run_folder(RUN) / "files" / "other.pt").exists()
