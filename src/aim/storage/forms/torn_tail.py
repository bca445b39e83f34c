"""
What a power cut takes of the last points of a writer: their objects, or the declarations of their sequences.

    each second   blobs are synced, then event lines, then segments
    power cut     a segment's pages may be on the disk earlier than that: points without their record or declaration

Such a point counts as a hole, as one that was not yet stored: for readers, for the sealer and for `aim fsck`. It has to
be one of the last, of a writer without an end; everything else that is not there is damage.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aim.core.errors import DamagedFile
from aim.core.values import EXACT_INT_MAX
from aim.storage.disk.layout import blob_file
from aim.storage.forms import blobs, records
from aim.storage.forms.records import FloatArray, IntArray

TAIL_US = 30_000_000  # what is older was synced: that is due each second

Mask = NDArray[np.bool_]


def stored_objects(folder: Path, writer: str, positions: FloatArray, times_us: IntArray) -> Mask:
    """
    Return of each point of an object sequence whether its record reached the disk; True also for damaged records.

    Args:
        positions: of the records; the values of the points.
        times_us: of the points.

    Cost: reads one record, and one more for each that is missing.
    """
    is_stored = np.ones(len(positions), bool)
    if not len(positions):
        return is_stored
    latest_first = np.argsort(positions, kind="stable")[::-1]
    oldest_us = int(times_us[latest_first[0]]) - TAIL_US  # of the last recorded, since a clock may have been set back
    for row in latest_first.tolist():
        position = float(positions[row])
        if not 0 <= position < EXACT_INT_MAX:
            continue  # damage
        number, offset = blobs.split_position(int(position))
        if times_us[row] < oldest_us or _is_there(blob_file(folder, writer, number), offset):
            break
        is_stored[row] = False
    return is_stored


def lost_declarations(
    folder: Path, writer: str, numbers: NDArray[np.integer[Any]], times_us: IntArray, declared: Collection[int]
) -> set[int]:
    """
    Return the numbers of the sequences that were declared last, of which no line reached the disk.

    A page has its CRC only after the lines were synced, so a sequence with a record in such a page is not among them:
    its line was there, and is damaged. Neither is any when no line is left at all.

    Args:
        numbers, times_us: of each point of the writer.
        declared: the numbers that have lines.

    Cost: nothing where all are declared; else one reading of the journal.
    """
    if not declared or not len(numbers):
        return set()
    last_declared, oldest_us = max(declared), int(times_us.max()) - TAIL_US
    late = {number for number in np.unique(numbers).tolist() if number > last_declared}
    recent = {number for number in late if int(times_us[numbers == number].min()) >= oldest_us}
    return recent - records.checked_numbers(folder, writer) if recent else recent


def _is_there(path: Path, offset: int) -> bool:
    try:
        blobs.read_record(path, offset)
    except FileNotFoundError:
        return False
    except DamagedFile:
        return not _is_torn(path, offset)
    except OSError:  # it can't be read; that does not say that it is not there
        return True
    return True


def _is_torn(path: Path, offset: int) -> bool:
    """Return whether a file ends within the entry at *offset*, or with zeros, which no entry does."""
    with open(path, "rb") as file:
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, size_bytes - 1))
        if offset >= size_bytes or file.read(1) == b"\0":
            return True
        file.seek(offset)
        fixed = file.read(blobs.LOCAL.size)
    if len(fixed) < blobs.LOCAL.size:
        return True
    fields = blobs.LOCAL.unpack(fixed)
    return bool(offset + blobs.LOCAL.size + fields[9] + fields[10] + fields[8] > size_bytes)
