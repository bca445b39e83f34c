"""
The objects of a writer: their bytes go into its blob file, then the records that refer to them into the journal.
"""

from __future__ import annotations

from collections.abc import Sequence

from aim.core.errors import RunClosed
from aim.core.values import Stored
from aim.storage.disk.refusals import Refusals
from aim.storage.forms.blobs import BlobFile
from aim.storage.recording.lifecycle import Lifecycle
from aim.storage.recording.segment_chain import SegmentChain


class ObjectRecords:
    """
    Records objects.

    Attributes:
        blobs: the blob file of this process.
    """

    def __init__(self, lifecycle: Lifecycle, refusals: Refusals, segments: SegmentChain, blobs: BlobFile) -> None:
        self._lifecycle = lifecycle
        self._refusals = refusals
        self._segments = segments
        self.blobs = blobs

    def put(
        self,
        sequence: int,
        name: str,
        kind: str,
        objects: Sequence[Stored],
        steps: Sequence[int],
        epoch: float,
        at_s: float | None = None,
    ) -> None:
        """
        Write the objects of one step, or one for each of several *steps*, then the records that refer to them.

        Raises:
            RunClosed: the run was closed, and the process goes on.
        """
        try:
            position = self.blobs.append(name, steps, objects, kind)
        except RunClosed:
            if not self._lifecycle.is_left_out():
                raise
            return
        except OSError as error:
            self._refusals.kinds.add("objects")
            self._refusals.count_lost()
            self._refusals.report(error)
            return
        self._refusals.kinds.discard("objects")
        for step in steps:
            self._segments.put(sequence, position, step, epoch, at_s)

    def probe(self) -> None:
        """Try whether a disk that has refused objects has room again. Raises OSError: it has none."""
        if "objects" in self._refusals.kinds:
            self.blobs.probe()
            self._refusals.kinds.discard("objects")
