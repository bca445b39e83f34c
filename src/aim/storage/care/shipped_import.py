"""
A run that another program recorded, sent to a place that takes requests of shippers: a cluster.

    points, objects ...  ->  write: a folder for a while, as every import  ->  finish:
        1. the note of the run                        which writers are to be shown, and which were before
        2. what the writers recorded, *withheld*      it is there, and no reader sees it
        3. these writers are shown, those of the import before are hidden: one row each, inserted together

A process that is killed leaves the run as it was. What it has sent stays withheld; the next import of the run knows its
writers from the note, and has them removed with those that it replaces. docs/formats/ship.md has the requests.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from aim.core import clock
from aim.core.errors import RunExists, UsageError
from aim.storage.care.importing import ImportFollowers, RunImport, read_note
from aim.storage.shipping import frames as wire
from aim.storage.shipping.delivery import DeliveryTarget, deliver
from aim.storage.store import Store


class ShippedImports:
    """The imported runs at *target*, which takes requests of shippers; *address* is for messages."""

    def __init__(self, target: DeliveryTarget, address: str) -> None:
        self.target = target
        self._address = address
        self._shipper = os.urandom(8).hex()
        self._number = 0

    def import_run(self, run_hash: str, *, created_at_s: float | None = None) -> ShippedImport:
        """Begin to write a run; see `RunImport`. Raises OSError."""
        return ShippedImport(self, run_hash, created_at_s=created_at_s)

    def import_note(self, run_hash: str) -> dict[str, Any] | None:
        """Return what was noted when a run was imported; None when it was not."""
        note = self.ask(run_hash, {}).get("note")
        return note if isinstance(note, dict) else None

    def import_followers(self, run_hash: str) -> ImportFollowers:
        """Return that nobody records what the source of an imported run still gets."""
        return _NoFollowers(self._address)

    def ask(self, run_hash: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """
        Say something of the import of a run; return the answer.

        Raises:
            UsageError: imports are not taken there.
            RunExists: why this one is not.
        """
        self._number += 1
        header = {
            "shipper": self._shipper,
            "number": self._number,
            "writers": [],
            "import": {"run": run_hash, **said},
        }
        answer = self.target.receive(wire.encode(header, [])).get("import")
        if not isinstance(answer, dict):
            raise UsageError(
                f"{self._address} takes no imports: it is not over a cluster, or its version is older. Import on its "
                f"machine into its folder, or into a folder here that you send with: aim sync FOLDER {self._address}"
            )
        if "refused" in answer:
            raise RunExists(f"{self._address}: {answer['refused']}")
        return answer


class ShippedImport(RunImport):
    """One run being imported into *imports*."""

    def __init__(self, imports: ShippedImports, run_hash: str, *, created_at_s: float | None = None) -> None:
        self._imports = imports
        self._for_a_while = tempfile.TemporaryDirectory(prefix="aim-import-")
        self._folder = Store(Path(self._for_a_while.name) / ".aim", create=True)
        super().__init__(self._folder, run_hash, created_at_s=created_at_s)

    def finish(self, note: Mapping[str, Any]) -> None:
        """
        Send the written run, in place of one that was imported before under its hash.

        Raises:
            RunExists: there is a run of that hash that was not imported, or another process imports it now.
            Unavailable: the server, ClickHouse or the object store is away; the run is as it was before.
            OSError: the disk of this machine refuses.
        """
        super().finish(note)
        whole = read_note(self._folder, self.run_hash) or {}
        self._imports.ask(self.run_hash, {"note": whole})
        said = {"import": {"run": self.run_hash, "withheld": True}}
        deliver(self._folder.run_folder(self.run_hash), self._imports.target, said)
        self._imports.ask(self.run_hash, {"show": whole["writers"]})

    def abandon(self) -> None:
        """Throw the folder away; what was sent stays."""
        super().abandon()
        self._for_a_while.cleanup()


class _NoFollowers(ImportFollowers):
    def __init__(self, address: str) -> None:
        self._address = address

    def processes(self, *, with_ended: bool = False) -> list[clock.Process]:
        return []

    def begin(self) -> NoReturn:
        raise UsageError(f"{self._address}: a source can be followed into a folder only.")
