"""
Random histories of writers, networks and servers: in the end the server holds what the spool holds.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from aim.storage.recording.writer import Writer
from aim.storage.shipping.exchange import Marks
from aim.storage.shipping.shipment import WriterShipment
from aim.storage.store import Store
from tests.storage.recorded import Picture, points_in_place
from tests.storage.shipping.wires import Wire, recorded_bytes, shipments_of


def a_bit(writer: Writer, chance: random.Random, moment: int) -> None:
    """Record some points, lines and objects."""
    for _ in range(chance.randrange(400)):
        writer.sequence("loss", {"subset": chance.choice("ab")}).track(chance.random(), step=chance.randrange(5000))
    if chance.random() < 0.3:
        writer.sequence("picture", None).track(Picture(f"no. {moment}"), step=moment)
    if chance.random() < 0.3:
        writer.lines.set_param(("lr",), chance.random())
    if chance.random() < 0.1:
        writer.sequence("large", None).track(2**60 + moment, step=moment)
    writer.encoding.wait_until_done()


@pytest.mark.parametrize("seed", range(25))
def test_lost_repeated_and_late_requests_change_nothing(tmp_path: Path, seed: int) -> None:
    """
    Requests are lost, answers are lost, old requests come again, servers and shippers begin anew: the files are equal.
    """
    chance = random.Random(seed)
    spool = Store(tmp_path / "spool" / ".aim", create=True)
    server = Store(tmp_path / "server" / ".aim", create=True)
    writers = [Writer(spool.create_run(f"run-{number % 2}"), f"run-{number % 2}") for number in range(3)]
    network = Wire(server)
    shipments: list[WriterShipment] = shipments_of(spool)
    for moment in range(40):
        a_bit(chance.choice(writers), chance, moment)
        request = network.exchange.gather(shipments, budget_bytes=chance.choice([200, 3000, 1 << 20]))
        fate = chance.random()
        if request is not None:
            network.bodies.append(request.body)
            answer = network.receiver.receive(request.body) if fate > 0.2 else None
            if answer is None or fate < 0.4:
                network.exchange.fail()
            else:
                assert [] == network.exchange.accept(answer)
        if chance.random() < 0.3:
            network.repeat(chance)
        if chance.random() < 0.3:
            network.receiver.sync()
        if chance.random() < 0.1:
            network.restart()
        if chance.random() < 0.05:
            network = Wire(server)
            shipments = shipments_of(spool)
    for writer in writers:
        writer.close()

    assert [] == network.ship(shipments)
    for _ in range(10):
        network.repeat(chance)
    assert recorded_bytes(spool) == recorded_bytes(server)
    for run_hash in spool.run_hashes():
        assert points_in_place(spool.run_folder(run_hash)) == points_in_place(server.run_folder(run_hash))


def test_nothing_is_asked_when_all_is_durable(tmp_path: Path) -> None:
    """
    While something is not confirmed the server is asked; a shipper with nothing new and nothing to ask is silent, and
    says from time to time that its training runs.
    """
    spool = Store(tmp_path / "spool" / ".aim", create=True)
    writer = Writer(spool.create_run("run-0"), "run-0")
    writer.sequence("loss", None).track(0.5)
    network = Wire(Store(tmp_path / "server" / ".aim", create=True))
    shipments = shipments_of(spool)
    asked: list[bool] = []
    for _ in range(5):
        request = network.exchange.gather(shipments, asks=True)
        asked.append(request is not None)
        if request is not None:
            network.exchange.accept(network.receiver.receive(request.body))
        network.receiver.sync()
    beat = network.exchange.gather(shipments, Marks(alive=shipments), asks=True)
    writer.close()

    assert [True, True, False, False, False] == asked
    assert beat is not None
