"""
What of a writer is still to be sent, and what this disk may do without.
"""

from __future__ import annotations

from pathlib import Path

from aim.storage.disk import layout
from aim.storage.forms.journal import RECORD_BYTES
from aim.storage.shipping import frames as wire
from aim.storage.shipping.new_lines import KEY as LINES
from aim.storage.shipping.new_slots import capacity, segment_numbers
from aim.storage.shipping.received_slots import filled_count
from aim.storage.shipping.shipment import WriterShipment


def left_bytes(shipment: WriterShipment) -> int:
    """
    Return about how many bytes of a writer are not durable at the server. Raises FileNotFoundError: the run is gone.

    Cost: a look at each file, and reading the segments.
    """
    folder, writer, progress = shipment.folder, shipment.writer, shipment.progress
    left = layout.events_file(folder, writer).stat().st_size - progress.file(LINES).durable.prefix
    for number in segment_numbers(folder, writer):
        durable = progress.file((wire.SLOTS, str(number))).durable
        if durable.count < capacity(number):
            left += max(0, filled_count(folder, writer, number) - durable.count) * RECORD_BYTES
    for number, path in layout.blob_files(folder, writer):
        left += max(0, path.stat().st_size - progress.file((wire.BLOBS, str(number))).durable.prefix)
    sealed = layout.sealed_file(folder, writer)
    if sealed.exists():
        left += sealed.stat().st_size - progress.file((wire.SEALED, sealed.name)).durable.prefix
    return max(0, left) + shipment.files.left_bytes(progress, shipment.lines.artifacts)


def free_files(shipment: WriterShipment) -> list[Path]:
    """Return full segments and closed blob files all of which is durable at the server."""
    folder, writer, progress = shipment.folder, shipment.writer, shipment.progress
    paths = [
        layout.segment_file(folder, writer, number)
        for number in segment_numbers(folder, writer)
        if progress.file((wire.SLOTS, str(number))).durable.count >= capacity(number)
    ]
    for number, path in layout.blob_files(folder, writer)[:-1]:
        if progress.file((wire.BLOBS, str(number))).durable.prefix >= path.stat().st_size:
            paths.append(path)
    return paths
